"""Any JSON in any place of Toggl's answers: rows are set aside or the page is refused, and nothing else is raised."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toggl.scene import NOW, TOKEN, Scene, entry_row, report_row
from toggl_pulse.errors import PulseError
from toggl_pulse.toggl import TogglClient, schemas
from toggl_pulse.toggl.entry_schemas import read_entry, read_report_row
from toggl_pulse.toggl.sift import RAW_LIMIT, Sieve

SHORT, LONG = 15, 2_000

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**40, 0.5, 1e308, float("nan"), float("inf"), -0.0,
    "", " ", "\x00", "\ud800", "a\udfff", "noon", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "10000-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2026-03-01T09:00:00", "2026-03-01T09:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "#0B83D9", "#xyz", TOKEN, [], [None], [[]], ["x", 1], [2**64], {}, {"id": 1}, [{}],
)  # fmt: skip
ATOMS = st.none() | st.booleans() | st.text(st.characters(), max_size=10) | st.sampled_from(ODD)
KEYS = st.sampled_from(
    [*entry_row(), *report_row(), "name", "email", "api_token", "data", "clients", "rate", "timezone"]
)
ANY = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=12
)
NAMED = {
    "id": 1, "workspace_id": 2, "name": "x", "client_id": 3, "active": True, "color": "#000000", "rate": 1.5, "at": "x",
    "project_id": 4, "fullname": "F", "email": "e@x", "timezone": "UTC", "beginning_of_week": 1, "organization_id": 5,
    "default_hourly_rate": 2, "premium": True, "inactive": False, "pricing_plan_name": "p",
    "max_data_retention_days": 9,
}  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> Any:
    """A good row with anything in some places, or anything."""
    row = draw(st.sampled_from([entry_row(), report_row(), NAMED]))
    changed = draw(st.dictionaries(st.sampled_from(sorted(row)), ANY, max_size=3))
    if "time_entries" in row and draw(st.booleans()):
        inner = row["time_entries"][0]
        changed["time_entries"] = [inner | draw(st.dictionaries(st.sampled_from(sorted(inner)), ANY, max_size=2))]
    return draw(st.sampled_from([{**row, **changed}, {**row, **changed}, draw(ANY)]))


READERS: tuple[Callable[[Any], Any], ...] = (
    read_entry, lambda row: read_report_row(row, 7), schemas.read_profile, schemas.read_workspace, schemas.read_client,
    schemas.read_project, schemas.read_task, schemas.read_tag, schemas.read_user, schemas.read_organization,
)  # fmt: skip

QUESTIONS: tuple[Callable[[TogglClient], Awaitable[Any]], ...] = (
    lambda client: client.me(),
    lambda client: client.workspaces(),
    lambda client: client.organizations(),
    lambda client: client.quotas(),
    lambda client: client.entries_since(NOW - timedelta(days=1)),
    lambda client: client.current(),
    lambda client: client.projects(7),
    lambda client: client.clients(7),
    lambda client: client.tags(7),
    lambda client: client.tasks(7),
    lambda client: client.users(7),
    lambda client: client.changed_projects(NOW),
    lambda client: client.report_page(7, NOW.date(), NOW.date(), user_id=41),
    lambda client: client.report_totals(7, NOW.date(), NOW.date(), user_id=41),
)


@pytest.fixture(params=[SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def effort(request: pytest.FixtureRequest) -> settings:
    return settings(max_examples=request.param, derandomize=True, database=None)


def sifted(read: Callable[[Any], Any], batch: list[Any]) -> None:
    sieve = Sieve(lambda text: text.replace(TOKEN, "[hidden]"))
    kept = sieve.rows("row", batch, read)

    assert len(batch) == len(kept) + len(sieve.set_aside)
    for aside in sieve.set_aside:
        assert len(aside.raw) <= RAW_LIMIT
        assert TOKEN not in aside.raw + aside.reason
        (aside.raw + aside.reason).encode()


def test_every_oddity_in_every_place_is_read_or_set_aside() -> None:
    for read in READERS:
        for row in (entry_row(), report_row(), NAMED):
            batch = [{**row, key: odd} for key in row for odd in ODD]
            sifted(read, batch)
    inner = report_row()["time_entries"][0]
    sifted(READERS[1], [report_row(time_entries=[{**inner, key: odd}]) for key in inner for odd in ODD])


def test_each_row_is_read_or_set_aside_whole(effort: settings) -> None:
    @effort
    @given(read=st.sampled_from(READERS), batch=st.lists(rows(), max_size=4))
    def each(read: Callable[[Any], Any], batch: list[Any]) -> None:
        sifted(read, batch)

    each()


def test_whatever_is_answered_is_read_or_refused(effort: settings) -> None:
    @effort
    @given(ask=st.sampled_from(QUESTIONS), data=st.lists(rows(), max_size=3) | rows() | ANY, cut=st.integers(0, 12))
    def each(ask: Callable[[TogglClient], Awaitable[Any]], data: Any, cut: int) -> None:
        text = json.dumps(data).encode()
        if cut == 0:
            text = text[: len(text) // 2]
        headers = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "X-Toggl-Quota-Remaining": "25"}
        scene = Scene(
            lambda _: httpx2.Response(200, content=text, headers={**headers, "X-Toggl-Quota-Resets-In": "99"})
        )
        refused: list[PulseError] = []
        try:
            scene.ask(ask)
        except PulseError as error:
            refused.append(error)

        assert [] == [error for error in refused if TOKEN in error.message or error.__cause__ is not None]

    each()
