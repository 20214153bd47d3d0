from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.demo.unfolding import Unfolding


@given(st.integers(0, 30), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_a_part_is_a_slice_in_whatever_order_parts_are_asked_for(length: int, asked: list[tuple[int, int]]) -> None:
    sequence = Unfolding(iter(range(length)))

    assert [list(range(length))[start:end] for start, end in asked] == [sequence.part(*each) for each in asked]
    assert list(range(length)) == list(sequence) == list(sequence)


def test_no_more_is_taken_than_was_asked_for() -> None:
    taken = []

    def source() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    sequence = Unfolding(source())
    sequence.part(2, 4)
    sequence.part(0, 3)

    assert [0, 1, 2, 3] == taken
