"""Grafana's ways to write values of a variable, against a reading letter by letter that is slow and plain."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toggl_pulse.metrics.query import pattern, undo_grafana

ESCAPED = frozenset("\\^$*+?.()|[]{}/-")
SHORT, LONG = 60, 10_000


def plainly(text: str) -> tuple[str, ...]:
    """The brackets count where neither is escaped; bars part them; a backslash goes where it escapes something."""
    letters = []  # (letter, whether it was escaped)
    at = 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            letters.append((text[at : at + 2], True))
            at += 2
        else:
            letters.append((text[at], False))
            at += 1
    several = len(letters) > 1 and letters[0] == ("(", False) and letters[-1] == (")", False)
    values = [""]
    for letter, escaped in letters[1:-1] if several else letters:
        if several and letter == "|":
            values.append("")
        else:
            values[-1] += letter[1] if escaped and letter[1] in ESCAPED else letter
    return tuple(value for value in values if value or not several)


@pytest.mark.parametrize("tries", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_every_form_is_undone_as_when_read_letter_by_letter(tries: int) -> None:
    @settings(max_examples=tries, derandomize=True, database=None)
    @given(text=st.text(st.sampled_from("ab(|)\\.*-é\n"), max_size=12) | st.text(max_size=6).map("({})".format))
    @example(text="(a\\)")
    @example(text="(\\)")
    @example(text="(a||\\|)")
    @example(text="()")
    def each(text: str) -> None:
        assert plainly(text) == undo_grafana(text)

    each()


@pytest.mark.parametrize("tries", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_what_grafana_writes_for_any_names_comes_back_as_these_names(tries: int) -> None:
    @settings(max_examples=tries, derandomize=True, database=None)
    @given(names=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=4))
    def each(names: list[str]) -> None:
        written = ["".join(f"\\{letter}" if letter in ESCAPED else letter for letter in name) for name in names]

        assert tuple(names) == undo_grafana(f"({'|'.join(written)})")
        assert (names[0],) == undo_grafana(written[0])

    each()


@pytest.mark.parametrize(
    "hostile", ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*a){12}$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a?){30}a{30}"]
)
def test_a_pattern_takes_time_by_the_length_of_the_name_only(hostile: str) -> None:
    """Engines that go back need longer than the age of the world for most of these: it is enough that this ends."""
    text = "a" * 20_000 + "!"

    assert (hostile == "(a?){30}a{30}") == (pattern(hostile).search(text) is not None)
