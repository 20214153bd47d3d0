import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from rich.console import Console

from toggl_pulse.cli import grid
from toggl_pulse.cli.parts import printable
from toggl_pulse.metrics import Answer, Query, Series, Table

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = {
    "clears the screen": "\x1b[2J\x1b[H",
    "8 bit control": "\x9b31m",
    "carriage return": "good\rbad",
    "new line": "one\ntwo",
    "markup": "[bold red]loud[/bold red][/]",
    "right to left": "abc\u202edef\u2066ghi",
    "bell and backspace": "\a\b\b\b",
    "a link": "\x1b]8;;http://example.org\x07x\x1b]8;;\x07",
    "long": "x" * 10_000,
    "tag characters": "a\U000e0041b",
    "line separator": "a\u2028b",
}


def query(first: str = "2026-11-01", end: str = "2026-12-01", zone: ZoneInfo = BERLIN, **more: object) -> Query:
    def ms(text: str) -> int:
        return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)

    return Query(metric="tracked_hours", start_ms=ms(first), end_ms=ms(end), zone=zone, **more)  # type: ignore[arg-type]


def answer(groups: dict[str, list[float]], interval: str = "day", metric: str = "tracked_hours") -> Answer:
    """Groups of daily values from the first of November on."""
    first = datetime(2026, 11, 1, tzinfo=BERLIN)
    series = []
    for name, values in groups.items():
        times = [int((first + timedelta(days=n)).timestamp()) * 1000 for n in range(len(values))]
        series.append(Series(name, name, np.array(times, dtype=np.int64), np.array(values)))
    return Answer(metric, "hours", "start", interval, 1, tuple(series), None)


def printed(capsys: pytest.CaptureFixture[str], found: Answer, asked: Query | None = None) -> list[str]:
    grid.print_answer(found, asked or query(group_by="project"))
    return capsys.readouterr().out.splitlines()


def cells(lines: list[str]) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")]
        for line in lines
        if line.startswith(("│", "┃"))
    ]


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str], name: str) -> None:
    lines = printed(capsys, answer({name: [1.0], "other": [2.0]}, "range"))

    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines[1:-1])) <= 80
    assert ["group", "hours"] == cells(lines)[0]
    assert ["total", "3.00"] == cells(lines)[-1]
    assert len(cells(lines)) == 4


@pytest.mark.parametrize("name", ["Müller", "日本語", "Solar  dash", "\u00a0nbsp", "👩\u200d💻 code", "שלום", "a|b"])
def test_an_honest_name_stays_as_it_is(name: str) -> None:
    assert name == printable(name)


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, answer({"[bold]loud[/bold]": [1.0]}, "range"))

    assert cells(lines)[1] == ["[bold]loud[/bold]", "1.00"]


def test_steps_of_a_few_groups_are_crossed_with_sums(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, answer({"A": [1.0, 0.0, 2.5], "B": [0.5, 0.0, float("nan")]}))

    assert cells(lines) == [
        ["hours", "2026-11-01", "2026-11-02", "2026-11-03"],
        ["A", "1.00", "0.00", "2.50"],
        ["B", "0.50", "0.00", "–"],
        ["total", "1.50", "0.00", "2.50"],
    ]


def test_many_steps_of_a_few_groups_run_downwards(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, answer({"A": [1.0] * 30, "B": [0.5] * 30}))

    assert cells(lines)[0] == ["hours", "A", "B"]
    assert cells(lines)[1] == ["2026-11-01", "1.00", "0.50"]
    assert cells(lines)[-1] == ["total", "30.00", "15.00"]


def test_what_fits_neither_way_is_listed_without_zeros(capsys: pytest.CaptureFixture[str]) -> None:
    groups = {f"group number {n}": [0.0] * 20 for n in range(20)}
    groups["group number 7"][3] = 1.25

    lines = printed(capsys, answer(groups))

    assert cells(lines) == [
        ["time", "group", "hours"],
        ["2026-11-04", "group number 7", "1.25"],
        ["total", "", "1.25"],
    ]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("hour", "2026-11-01 00:00"),
        ("week", "2026-11-01"),
        ("month", "2026-11"),
        ("quarter", "2026 Q4"),
        ("year", "2026"),
    ],
)
def test_a_step_is_named_as_people_do(capsys: pytest.CaptureFixture[str], interval: str, expected: str) -> None:
    lines = printed(capsys, answer({"": [1.0, 2.0]}, interval), query(group_by="none"))

    assert [expected, "1.00"] == cells(lines)[1]
    assert ["total", "3.00"] == cells(lines)[-1]


def test_entries_show_what_people_read_and_numbers_whole(capsys: pytest.CaptureFixture[str]) -> None:
    columns = (
        ("start", "time"),
        ("hours", "number"),
        ("description", "string"),
        ("project", "string"),
        ("id", "number"),
    )
    row = (1_793_487_600_000, 1.5, "what was done, at some length " * 9, "Project", 3_704_571_000)
    found = Answer("entries", "hours", "start", "entry", 1, (), Table(columns, (row,)))

    shown = cells(printed(capsys, found))

    assert shown[0] == ["start", "hours", "description", "project"]
    assert shown[1][:2] == ["2026-11-01 00:00", "1.50"]
    assert shown[1][2].startswith("what was done, at")
    assert shown[1][2].endswith("…")
    assert shown[1][3] == "Project"


@pytest.mark.parametrize(
    ("first", "end", "words"),
    [
        ("2026-11-01", "2026-12-01", "2026-11-01 to 2026-11-30 (Europe/Berlin)"),
        ("2026-11-01", "2026-11-02", "2026-11-01 (Europe/Berlin)"),
        ("2026-10-25", "2026-10-26", "2026-10-25 (Europe/Berlin)"),
        ("2026-11-01T10:00", "2026-11-02", "2026-11-01 10:00 to 2026-11-02 00:00 (Europe/Berlin)"),
        ("2026-11-01", "2026-11-01", "2026-11-01 00:00 to 2026-11-01 00:00 (Europe/Berlin)"),
    ],
)
def test_whole_days_are_named_by_their_first_and_last(first: str, end: str, words: str) -> None:
    assert words == grid.range_words(query(first, end))


def test_a_terminal_without_unicode_gets_plain_lines() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")

    Console(file=stream, width=80).print(grid._grid(["group", "hours"], [("Müller", "–")]))
    stream.flush()

    assert b"| M\\xfcller" in stream.buffer.getvalue()
