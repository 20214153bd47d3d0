import toggl_pulse.toggl as public
from toggl_pulse.toggl import ASSUMPTIONS


def test_every_public_name_exists_and_is_listed_in_order() -> None:
    missing = [name for name in public.__all__ if not hasattr(public, name)]

    assert missing == []
    assert sorted(set(public.__all__)) == sorted(public.__all__)


def test_every_assumption_has_a_grade_that_says_it_is_one() -> None:
    assert {assumption.grade for assumption in ASSUMPTIONS} == {"M", "L"}
    assert len({assumption.name for assumption in ASSUMPTIONS}) == len(ASSUMPTIONS)
