"""The CSV of an answer taken apart: every value as it was, whatever is in it and wherever the answer was cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from influx.texts import texts
from toggl_pulse.errors import Unavailable
from toggl_pulse.influx import rows
from toggl_pulse.influx.rows import Codes, MisfitError, read_rows, unquoted

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Names of the columns, and rows."""

SECOND_NS = 10**9
LEAST, MOST = -(2**63) + 2, 2**63 - 2


def written(value: str) -> str:
    """A value as InfluxDB writes it: between quotes where it must be; line ends in its own way."""
    if not value or not (set(value) & set('",\r\n') or value[0] in " \t" or value == r"\."):
        return value
    return '"' + value.replace('"', '""').replace("\r", "").replace("\n", "\r\n") + '"'


def answer(*tables: Table) -> bytes:
    """All tables of one result."""
    lines: list[str] = []
    for names, values in tables:
        lines += [",".join(("", "result", *map(written, names)))]
        lines += [",".join(("", "_result", *map(written, row))) for row in values]
        lines += [""]
    return "".join(line + "\r\n" for line in (*lines, "")).encode()


def cut(body: bytes, places: Sequence[int]) -> Iterator[bytes]:
    borders = sorted({0, len(body), *(place % (len(body) + 1) for place in places)})
    return (body[low:high] for low, high in pairwise(borders))


def read(body: bytes, places: Sequence[int] = ()) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every row with the names of its columns."""
    found = []
    for part in read_rows(cut(body, places)):
        names = tuple(name for name in part.names if name not in {"", "result"})
        columns = []
        for name in names:
            codes = Codes()
            numbers = part.coded(name, codes).tolist()
            values = [unquoted(raw).replace("\r\n", "\n") for raw in codes]
            columns.append([values[number] for number in numbers])
        found += [(names, row) for row in zip(*columns, strict=True)]
    return found


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = tuple(f"column{number}" for number in range(draw(st.integers(1, 4))))
    value = texts.map(lambda text: text.replace("\r", ""))
    return names, draw(st.lists(st.tuples(*[value] * len(names)), max_size=8))


@given(
    given=st.lists(tables(), min_size=1, max_size=4),
    places=st.lists(st.integers(0, 10_000), max_size=30),
    at_once=st.sampled_from([1, 7, 64, 10_000]),
)
@example(given=[(("a",), []), (("a", "b"), [("", ""), ("", "x")])], places=[], at_once=1)
def test_every_value_comes_back_wherever_the_answer_is_cut(given: list[Table], places: list[int], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "AT_ONCE", at_once)
        found = read(answer(*given), places)

    assert list(chain.from_iterable([(names, row) for row in values] for names, values in given)) == found


def test_an_answer_without_rows_has_none() -> None:
    assert [] == read(b"\r\n")


BODY = answer((("_time", "_value"), [("2026-01-02T03:04:05Z", 'a "text",\nof two lines'), ("x", "")]))


@pytest.mark.parametrize("end", range(len(BODY) - 2))
def test_an_answer_that_breaks_off_anywhere_is_noticed(end: int) -> None:
    with pytest.raises(Unavailable) as refused:
        read(BODY[:end], [7])

    assert "influxdb_cut" == refused.value.code


def test_a_row_with_a_value_too_many_or_too_few_is_taken_for_a_broken_answer() -> None:
    for row in (b",_result,1\r\n", b",_result,1,2,3\r\n"):
        with pytest.raises(Unavailable):
            read(b",result,a,b\r\n,_result,1,2\r\n" + row + b"\r\n")


@pytest.mark.parametrize("before", [b"", answer((("a",), [("1",)]))], ids=["alone", "after rows"])
def test_an_error_in_the_midst_of_an_answer_is_raised_without_its_text(before: bytes) -> None:
    body = before + b"\r\n,error,reference\r\n,failed to do a secret thing,897\r\n"
    with pytest.raises(Unavailable) as refused:
        read(body)

    assert "influxdb_query" == refused.value.code
    assert "secret" not in refused.value.message


def rfc3339(time_ns: int) -> str:
    """As Go writes it: no fraction where it is zero, no zeros at the end of one."""
    seconds, rest = divmod(time_ns, SECOND_NS)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".") + "Z"


times = st.integers(LEAST, MOST) | st.builds(
    lambda seconds, rest: seconds * SECOND_NS + rest,
    st.integers(-(9 * 10**9), 9 * 10**9) | st.sampled_from([0, -1, 951_782_400, 951_868_799, 1_709_164_800]),
    st.sampled_from([0, 1, 10**3, 10**6, 999_999_999, 500_000_000]),
)


@given(st.lists(times, min_size=1))
def test_times_are_read_to_the_nanosecond(given: list[int]) -> None:
    body = answer((("_time",), [(rfc3339(time),) for time in given]))

    assert given == [time for part in read_rows([body]) for time in part.times("_time").tolist()]


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-1000, 1000), min_size=1))
def test_whole_numbers_are_read_exactly(given: list[int]) -> None:
    body = answer((("n", "m"), [(str(number), "") for number in given]))
    (part,) = read_rows([body])

    assert given == part.ints("n").tolist()
    assert [7] * len(given) == part.ints("m", missing=7).tolist() == part.ints("not there", missing=7).tolist()


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "-",
        "+1",
        "1.0",
        "1e3",
        " 1",
        "1 ",
        "0x1",
        "--1",
        "1-",
        "٣",
        "9223372036854775808",
        "1" * 20,
        '"',
        "1\n",
        "a",
    ],
)
def test_what_is_no_whole_number_is_a_misfit(odd: str) -> None:
    for neighbours in ((), ("1", "-22", "333")):
        body = answer((("n",), [(value,) for value in (*neighbours, odd, *neighbours)]))
        with pytest.raises(MisfitError):
            next(read_rows([body])).ints("n")


def test_a_column_that_is_not_there_is_a_misfit() -> None:
    part = next(read_rows([answer((("n",), [("1",)]))]))
    for look in (lambda: part.ints("m"), lambda: part.times("m"), lambda: part.flags("m"), lambda: part.text("m")):
        with pytest.raises(MisfitError):
            look()


@given(st.lists(st.booleans(), min_size=1))
def test_flags_are_true_or_false(given: list[bool]) -> None:
    part = next(read_rows([answer((("f",), [(str(flag).lower(),) for flag in given]))]))

    assert given == part.flags("f").tolist()


@pytest.mark.parametrize("odd", ["", "True", "truE", "tru", "false ", "t", "1", "falsE", "trues"])
def test_any_other_flag_is_a_misfit(odd: str) -> None:
    part = next(read_rows([answer((("f",), [("true",), (odd,), ("false",)]))]))
    with pytest.raises(MisfitError):
        part.flags("f")


@pytest.mark.parametrize("odd", ["", "2026", "2026-01-02T03:04:05.1234567890Z"])
def test_what_has_not_the_length_of_a_time_is_a_misfit(odd: str) -> None:
    part = next(read_rows([answer((("t",), [(odd,)]))]))
    with pytest.raises(MisfitError):
        part.times("t")


def test_the_rows_of_each_table_come_by_themselves() -> None:
    part = next(read_rows([answer((("table", "n"), [("0", "1"), ("0", "2"), ("3", "3"), ("4", "4")]))]))

    assert [[1, 2], [3], [4]] == [table.ints("n").tolist() for table in part.tables()]


def test_bytes_that_are_no_text_are_a_misfit() -> None:
    with pytest.raises(MisfitError):
        unquoted(b"\xff")
