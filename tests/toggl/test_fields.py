from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.toggl.fields import Broken, cents, flag, identity, maybe_identity, moment, text, whole

MOMENTS = st.datetimes(datetime(1972, 1, 1), datetime(2199, 1, 1))  # noqa: DTZ001 - given their offset below
OFFSETS = st.integers(-14 * 60, 14 * 60)


@given(MOMENTS, OFFSETS, st.integers(0, 6), st.booleans())
def test_every_style_of_time_is_read_exactly(naive: datetime, offset: int, digits: int, zulu: bool) -> None:  # noqa: FBT001
    zone = UTC if zulu else timezone(timedelta(minutes=offset))
    told = naive.replace(microsecond=int(f"{naive.microsecond:06d}"[:digits].ljust(6, "0")), tzinfo=zone)
    fraction = f".{told.microsecond:06d}"[: digits + 1] if digits else ""
    shown = "Z" if zulu else told.strftime("%z")[:3] + ":" + told.strftime("%z")[3:]

    read = moment(told.strftime("%Y-%m-%dT%H:%M:%S") + fraction + shown, "at")

    assert (read, read.tzinfo) == (told.astimezone(UTC), UTC)


def test_nanoseconds_are_cut() -> None:
    assert moment("2026-03-01T10:30:05.123456789Z", "at") == datetime(2026, 3, 1, 10, 30, 5, 123456, tzinfo=UTC)


def test_a_leap_second_is_read() -> None:
    assert moment("2016-12-31T23:59:60Z", "at") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "at is missing"),
        (1700000000, "at is not a time"),
        ("", "at is not a time"),
        ("2026-03-01", "at has no UTC offset"),
        ("2026-03-01T10:00:00", "at has no UTC offset"),
        ("2026-02-30T10:00:00Z", "at is not a time"),
        ("1969-12-31T23:59:59Z", "at is out of range"),
        ("0001-01-01T00:00:00+14:00", "at is out of range"),
        ("9999-12-31T23:59:59-14:00", "at is out of range"),
        ("yesterday kim@example.com", "at is not a time"),
    ],
)
def test_what_is_no_time_has_a_reason_without_the_value(value: Any, reason: str) -> None:
    with pytest.raises(Broken) as caught:
        moment(value, "at")

    assert str(caught.value) == reason


@pytest.mark.parametrize("value", ["7", 7.0, True, -7, 2**63, [], {}])
def test_what_is_no_id_is_broken(value: Any) -> None:
    with pytest.raises(Broken):
        identity({"id": value}, "id")


def test_ids_beyond_32_bits_and_aliases_are_read() -> None:
    assert identity({"wid": 2**40}, "workspace_id", "wid") == 2**40
    assert maybe_identity({"project_id": None, "pid": None}, "project_id", "pid") is None
    assert maybe_identity({"project_id": 0}, "project_id") is None


def test_amounts_become_cents() -> None:
    assert [cents({"rate": value}, "rate") for value in (50, 50.5, 19.99, 0, None)] == [5000, 5050, 1999, 0, None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "50", True, 1e300])
def test_what_is_no_amount_is_broken(value: Any) -> None:
    with pytest.raises(Broken):
        cents({"rate": value}, "rate")


def test_whole_numbers_may_be_written_as_floats() -> None:
    assert whole({"n": 60.0}, "n") == 60
    with pytest.raises(Broken):
        whole({"n": 60.5}, "n")


def test_text_loses_its_nul_characters_only() -> None:
    assert text({"name": "a\0b 'c' | d"}, "name") == "a\ufffdb 'c' | d"


def test_a_flag_is_a_flag() -> None:
    assert flag({}, "active", default=True) is True
    with pytest.raises(Broken):
        flag({"active": "yes"}, "active")
