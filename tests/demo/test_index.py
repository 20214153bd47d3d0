import pytest
from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.demo.index import SortedPairs

PAIRS = st.tuples(st.integers(0, 50), st.integers(1, 2**40))


@given(st.sets(PAIRS), st.lists(PAIRS), st.integers(-1, 52), st.integers(-1, 52))
def test_pairs_stay_sorted_through_additions_and_removals(
    first: set[tuple[int, int]], then: list[tuple[int, int]], low: int, high: int
) -> None:
    pairs = SortedPairs(first)
    expected = set(first)
    for pair in then:
        if pair in expected:
            pairs.remove(*pair)
            expected.remove(pair)
        else:
            pairs.add(*pair)
            expected.add(pair)

    found = list(pairs.between(max(low, 0), max(high, 0)))

    assert [number for key, number in sorted(expected) if max(low, 0) <= key < max(high, 0)] == found
    assert found[::-1] == list(pairs.between(max(low, 0), max(high, 0), descending=True))
    assert len(expected) == len(pairs)


def test_blocks_split_and_vanish_without_losing_a_pair() -> None:
    pairs = SortedPairs()
    for key in range(20_000):
        pairs.add(key * 7919 % 20_000, key + 1)
    for key in range(0, 20_000, 2):
        pairs.remove(key * 7919 % 20_000, key + 1)

    found = list(pairs.between(None, None))

    assert found[::-1] == list(pairs.between(None, None, descending=True))
    assert sorted((key * 7919 % 20_000, key + 1) for key in range(1, 20_000, 2)) == [
        ((number - 1) * 7919 % 20_000, number) for number in found
    ]


def test_removing_a_pair_that_is_not_there_is_an_error() -> None:
    pairs = SortedPairs([(1, 1)])

    with pytest.raises(KeyError):
        pairs.remove(1, 2)
