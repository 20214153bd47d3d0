"""Points and their texts: what is written to a real InfluxDB comes back letter by letter, whatever it holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from influx.texts import names, texts
from toggl_pulse.influx import Influx, encode, encode_runs, join_tags, read_text, split_tags
from toggl_pulse.influx.points import store_text
from toggl_pulse.model import NO_ID, Point, RunPoint

LARGEST = 2**63 - 1
A_YEAR_NS = 365 * 24 * 3600 * 10**9

POINTS = """
from(bucket: bucket)
    |> range(start: time(v: first), stop: time(v: last))
    |> filter(fn: (r) => r._measurement == "toggl_time_entry")
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> group()
    |> drop(columns: ["_start", "_stop", "_measurement"])
"""
RUNS = """
from(bucket: bucket)
    |> range(start: time(v: 0))
    |> filter(fn: (r) => r._measurement == "toggl_sync")
    |> keep(columns: ["_time", "_field", "_value", "outcome", "reason"])
    |> group()
"""

A_POINT = Point(1_700_000_000_000_000_007, 7, 1, 2, NO_ID, 3, 1_700_000_060, 60, False, (), (), "")


def read(influx: Influx, first_ns: int, last_ns: int) -> list[Point]:
    with influx.query(POINTS, first=first_ns, last=last_ns + 1) as pieces:
        text = b"".join(pieces).decode()
    return sorted(
        Point(
            time_ns=nanoseconds(row["_time"]),
            entry_id=int(row["entry_id"]),
            workspace_id=int(row["workspace_id"]),
            project_id=int(row.get("project_id") or NO_ID),
            task_id=int(row["task_id"]),
            user_id=int(row["user_id"]),
            stop=int(row["stop_ms"]) // 1000,
            duration=int(row["duration"]),
            billable={"true": True, "false": False}[row["billable"]],
            tags=split_tags(row.get("tags", "")),
            tag_ids=tuple(map(int, filter(None, read_text(row["tag_ids"]).split(",")))),
            description=read_text(row["description"]),
        )
        for row in csv.DictReader(io.StringIO(text, newline=""))
    )


def nanoseconds(moment: str) -> int:
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    seconds = (datetime.fromisoformat(whole).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


@given(names)
@settings(max_examples=300)
def test_tags_are_split_as_they_were_joined(tags: tuple[str, ...]) -> None:
    assert tags == split_tags(join_tags(tags))


@given(names, names)
def test_different_tags_are_joined_differently(some: tuple[str, ...], others: tuple[str, ...]) -> None:
    assert (some == others) == (join_tags(some) == join_tags(others))


@given(texts)
@settings(max_examples=300)
def test_a_text_is_read_as_it_was_stored(text: str) -> None:
    stored = store_text(text)

    assert stored
    assert "\r" not in stored
    assert text == read_text(stored) == read_text(stored.replace("\n", "\r\n"))


def test_what_people_write_is_stored_as_they_wrote_it() -> None:
    text = 'Planning, "v2" = 100% \\o/\n\tsecond line: Grüße 日本 👩‍👩‍👧‍👦'

    assert text == store_text(text)
    assert "deep work|café ☕|50%25" == join_tags(["deep work", "café ☕", "50%"])


def test_in_tags_nothing_is_left_that_ends_a_line_or_steers() -> None:
    steering = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]))

    joined = join_tags([f"a{steering}b"])

    assert joined.isascii()
    assert joined.startswith("a%00%01%02")
    assert joined.endswith("%C2%9E%C2%9F%E2%80%A8%E2%80%A9b")
    assert len(steering) == joined.replace("%C2%", "%").replace("%E2%80%", "%").count("%")


ids = st.integers(1, 3) | st.integers(1, 2**53)
points = st.builds(
    Point,
    time_ns=st.integers(0, A_YEAR_NS - 1),
    entry_id=ids,
    workspace_id=ids,
    project_id=ids | st.just(NO_ID),
    task_id=ids | st.just(NO_ID),
    user_id=ids,
    stop=st.integers(-(2**40), 2**40),
    duration=st.integers(-LARGEST, LARGEST),
    billable=st.booleans(),
    tags=names,
    tag_ids=st.lists(st.integers(-(2**53), 2**53), max_size=4, unique=True).map(lambda found: tuple(sorted(found))),
    description=texts,
)
"""Within one shard group, which makes deleting cheap."""


@pytest.mark.influxdb
@given(batch=st.lists(points, min_size=1, max_size=12, unique_by=lambda point: point.time_ns))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_points_come_back_letter_by_letter(influx: Influx, batch: list[Point]) -> None:
    influx.delete(0, A_YEAR_NS, {"_measurement": "toggl_time_entry"})

    influx.write(encode(batch))

    assert sorted(batch) == read(influx, 0, A_YEAR_NS)


def test_what_is_empty_does_not_move_what_follows_to_other_points(influx: Influx) -> None:
    """Flux loses an empty text that is the first to differ from those before it, and all later ones move up."""
    descriptions = ["a", "", "c", "", "", " ", "f"]
    tag_ids: list[tuple[int, ...]] = [(1,), (), (3,), (), (), (4, 5), (6,)]
    batch = [
        A_POINT._replace(time_ns=number, description=description, tag_ids=ids)
        for number, (description, ids) in enumerate(zip(descriptions, tag_ids, strict=True))
    ]

    influx.write(encode(batch))

    assert batch == read(influx, 0, len(batch))


@pytest.mark.parametrize(
    "description",
    ["x" * 65_536, "\\" * 65_536, '"' * 65_536, "\n" * 65_536, "\r\n" * 30_000, "😀" * 16_384],
    ids=["letters", "backslashes", "quotes", "lines", "returns", "emoji"],
)
def test_long_descriptions_come_back(influx: Influx, description: str) -> None:
    long = A_POINT._replace(description=description)

    influx.write(encode([long]))

    assert [long] == read(influx, long.time_ns, long.time_ns)


def test_two_entries_with_the_same_start_and_tags_stay_two_points(influx: Influx) -> None:
    two = [A_POINT._replace(tags=("deep",)), A_POINT._replace(tags=("deep",), time_ns=A_POINT.time_ns + 1, entry_id=8)]

    influx.write(encode(two))

    assert two == read(influx, two[0].time_ns, two[1].time_ns)


def test_what_is_written_again_replaces_what_was_there(influx: Influx) -> None:
    before = A_POINT._replace(description="was here", task_id=9, tag_ids=(4,))
    influx.write(encode([before]))

    influx.write(encode([A_POINT]))

    assert [A_POINT] == read(influx, A_POINT.time_ns, A_POINT.time_ns)


def test_no_points_are_no_lines() -> None:
    assert b"" == encode([]) == encode_runs([])


A_RUN = RunPoint(
    run_id=4_321,
    started_at=datetime(2026, 5, 4, 2, 0, 0, 123_456, tzinfo=UTC),
    outcome="done",
    reason="schedule",
    requests=5,
    new=3,
    changed=2,
    deleted=1,
    seconds_since_success=0,
    projection_lag=7,
    projection_lag_seconds=60,
    quota={"user": (-1, 10), "organization:77": (20, 10)},
    token_refused=False,
)


def figures(influx: Influx) -> dict[tuple[str, str, str, str], int]:
    with influx.query(RUNS) as pieces:
        rows: Sequence[dict[str, str]] = list(csv.DictReader(io.StringIO(b"".join(pieces).decode(), newline="")))
    return {(row["_time"], row["outcome"], row["reason"], row["_field"]): int(row["_value"]) for row in rows}


def test_the_figures_of_a_run_are_whole_numbers_of_a_point(influx: Influx) -> None:
    influx.write(encode_runs([A_RUN]))

    key = ("2026-05-04T02:00:00.123456321Z", "done", "schedule")
    assert {
        (*key, "requests"): 5,
        (*key, "new"): 3,
        (*key, "changed"): 2,
        (*key, "deleted"): 1,
        (*key, "seconds_since_success"): 0,
        (*key, "projection_lag"): 7,
        (*key, "projection_lag_seconds"): 60,
        (*key, "quota_left_user"): -1,
        (*key, "quota_reserve_user"): 10,
        (*key, "quota_left_organization_77"): 20,
        (*key, "quota_reserve_organization_77"): 10,
        (*key, "token_refused"): 0,
    } == figures(influx)


def test_what_is_not_known_of_a_run_is_left_out(influx: Influx) -> None:
    bare = A_RUN._replace(
        seconds_since_success=None, projection_lag=None, projection_lag_seconds=None, quota={}, token_refused=None
    )

    influx.write(encode_runs([bare]))

    assert ["changed", "deleted", "new", "requests"] == sorted(field for *_, field in figures(influx))


def test_a_refused_token_is_a_one(influx: Influx) -> None:
    influx.write(encode_runs([A_RUN._replace(token_refused=True)]))

    assert [1] == [value for (*_, field), value in figures(influx).items() if field == "token_refused"]


def test_runs_that_began_at_the_same_moment_stay_apart(influx: Influx) -> None:
    influx.write(encode_runs([A_RUN, A_RUN._replace(run_id=4_322)]))

    assert 2 == len({moment for moment, *_ in figures(influx)})
