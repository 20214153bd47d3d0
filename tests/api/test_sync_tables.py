"""The tables about the sync, compared with the status and with what stands in the mirror."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.scene import NOW, RANGE, WORKSPACE, SmallPulse, entry, fill, serving
from toggl_pulse.mirror import Mirror, MonthCheck, SyncRun
from toggl_pulse.model import QuotaBucket, SetAside
from toggl_pulse.service.sync_rows import MOST_ROWS, ROWS
from toggl_pulse.service.sync_tables import SYNC_TABLES
from toggl_pulse.sync import history as past
from toggl_pulse.sync import state as memory
from toggl_pulse.sync.steps import KEY as STEPS

SECRET = "a-text-that-only-the-row-has"
TYPES: dict[str, tuple[type, ...]] = {"time": (int,), "number": (int, float), "string": (str,), "boolean": (bool,)}


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """As the sync would leave it in the middle of its work: something of everything."""
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('tables') / 'mirror.db'}", clock=lambda: NOW) as opened:
        fill(opened)
        opened.save_quota(QuotaBucket("user", 17, NOW + timedelta(minutes=20), NOW - timedelta(minutes=5), 30))
        opened.save_quota(QuotaBucket("organization:7", 3, NOW - timedelta(minutes=1), NOW - timedelta(minutes=50)))
        history = past.begin(WORKSPACE, "Europe/Berlin", today=NOW.date(), created=date(2024, 5, 1), backfill_from=None)
        with opened.batch() as batch:
            batch.set_month(MonthCheck(WORKSPACE, "2026-09", "verified", 3600, 3600, NOW - timedelta(days=1)))
            batch.set_month(MonthCheck(WORKSPACE, "2026-10", "differs", 5400, 7201, NOW - timedelta(hours=1)))
            batch.set_month(MonthCheck(99, "2026-10", "not_verified"))
            batch.set_aside([SetAside("entry", 6_000_000_099, "start is not a time", f'{{"x": "{SECRET}"}}')], 2)
            batch.set_aside([SetAside("tag", None, "the row is not an object", SECRET)])
            batch.set_state(memory.CONTACT, memory.contact_json(memory.Contact(NOW - timedelta(minutes=5), NOW)))
            batch.set_state(memory.CURSOR, memory.cursor_json(memory.Cursor(NOW - timedelta(minutes=5))))
            batch.set_state(memory.history_key(WORKSPACE), past.to_json(history))
            batch.set_state(memory.HINDERED, memory.hindered_json({"reports:1:2025": memory.Trouble("no_access", NOW)}))
            batch.set_state(STEPS, {"names": (NOW - timedelta(hours=11)).isoformat()})
        yield opened


@pytest.fixture
def pulse(mirror: Mirror) -> SmallPulse:
    return SmallPulse(mirror, projecting=True)


def ask(api: TestClient, target: str, **payload: Any) -> list[dict[str, Any]]:
    """The rows of the one table, by column; every cell is of its column's type."""
    body = {"range": RANGE, "targets": [{"refId": "A", "target": target, "payload": payload}]}
    answer = api.post("/query", json=body)
    assert 200 == answer.status_code, answer.text
    (table,) = answer.json()
    assert {"type": "table", "refId": "A"} == {key: table[key] for key in ("type", "refId")}
    columns = [(column["text"], column["type"]) for column in table["columns"]]
    assert [(column.name, column.kind) for column in SYNC_TABLES[target].columns] == columns
    for row in table["rows"]:
        for (name, kind), value in zip(columns, row, strict=True):
            assert value is None or type(value) in TYPES[kind], (name, value)
    return [{name: value for (name, _), value in zip(columns, row, strict=True)} for row in table["rows"]]


def ms(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp() * 1000)


def test_the_status_table_says_what_the_status_says(api: TestClient) -> None:
    told = api.get("/status").json()
    (row,) = ask(api, "sync_status")

    assert {
        "data_as_of": ms(told["data_as_of"]),
        "seconds_behind": told["seconds_behind"],
        "last_success": ms("2026-11-23T02:00:30+00:00"),
        "syncing": False,
        "next_run": ms("2026-11-23T12:10:00+00:00"),
        "next_full_sync": ms("2026-11-23T18:00:00+00:00"),
        "trouble": "",
        "trouble_since": None,
        "history_complete": False,
        "history_share": 0.0,
        "history_detail": told["history"]["detail"],
        "waits_until": None,
        "months_verified": 1,
        "months": 3,
        "months_differing": 1,
        "entries": 4,
        "entries_running": 0,
        "rows_set_aside": 2,
        "revision": told["mirror"]["revision"],
        "projected_revision": None,
        "lag": told["mirror"]["revision"],
        "lag_seconds": None,
        "projection_trouble": "",
        "version": "1.2.3",
    } == row
    assert 300 == row["seconds_behind"]
    assert told["sync"]["last_success"] == "2026-11-23T02:00:30Z"


def test_without_influxdb_there_is_no_lag(mirror: Mirror) -> None:
    with serving(SmallPulse(mirror)) as api:
        (row,) = ask(api, "sync_status")
        steps = [step["step"] for step in ask(api, "sync_steps")]

    assert (None, None, None) == (row["projected_revision"], row["lag"], row["lag_seconds"])
    assert ["account", "changes", "names", "recent", "history", "checks"] == steps


def test_before_the_first_sync_every_table_is_answered(tmp_path: Any) -> None:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as empty, serving(SmallPulse(empty)) as api:
        found = {target: ask(api, target) for target in SYNC_TABLES if target != "sync_gaps"}

    assert {"sync_status": 1, "sync_steps": 6} == {target: len(rows) for target, rows in found.items() if rows}
    assert None is found["sync_status"][0]["history_share"]
    assert None is found["sync_status"][0]["data_as_of"]


def test_the_steps_table_says_when_each_step_last_succeeded(api: TestClient) -> None:
    told = {step["step"]: step for step in api.get("/status").json()["steps"]}
    rows = {row["step"]: row for row in ask(api, "sync_steps")}

    assert list(told) == list(rows)
    for name, row in rows.items():
        assert ms(told[name]["last_success"]) == row["last_success"]
        assert (told[name]["left"], told[name]["trouble"] or "") == (row["left"], row["trouble"])
    assert (11 * 3600.0, None) == (rows["names"]["seconds_since"], rows["recent"]["seconds_since"])
    assert 300 == rows["changes"]["seconds_since"]
    assert ("no_access", 2, 4) == (rows["history"]["trouble"], rows["checks"]["left"], rows["history"]["left"])


def test_the_runs_table_has_the_newest_runs_first(api: TestClient, mirror: Mirror) -> None:
    rows = ask(api, "sync_runs")

    assert [str(run.id) for run in mirror.runs()] == [row["id"] for row in rows]
    assert ["failed", "partly", "done", "done"] == [row["outcome"] for row in rows]
    assert {30.0} == {row["seconds"] for row in rows}
    assert {row["ended"] - row["began"] for row in rows} == {30_000}
    assert rows[:2] == ask(api, "sync_runs", limit=2)


def test_a_table_that_grows_has_its_limit(tmp_path: Any) -> None:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as many, serving(SmallPulse(many)) as api:
        with many.batch() as batch:
            for number in range(MOST_ROWS + 5):
                batch.finish_run(SyncRun(batch.start_run("poll", NOW), "poll", NOW, NOW, "done", requests=number))
        found = [len(ask(api, "sync_runs", **limit)) for limit in ({}, {"limit": 10**6}, {"limit": "7"})]

    assert [ROWS, MOST_ROWS, 7] == found


def test_a_run_that_goes_on_has_no_end(tmp_path: Any) -> None:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as busy, serving(SmallPulse(busy)) as api:
        with busy.batch() as batch:
            batch.start_run("start", NOW)
        (row,) = ask(api, "sync_runs")

    assert ("running", None, None) == (row["outcome"], row["ended"], row["seconds"])


def test_the_quota_table_forgets_what_a_window_that_has_ended_had_left(api: TestClient) -> None:
    told = api.get("/status").json()["quota"]
    rows = {row["bucket"]: row for row in ask(api, "sync_quota")}

    assert [bucket["name"] for bucket in told["buckets"]] == list(rows)
    assert (17, 30, 10, True) == tuple(rows["user"][key] for key in ("left", "total", "reserve", "open"))
    assert (None, None, 10, False) == tuple(rows["organization:7"][key] for key in ("left", "total", "reserve", "open"))
    assert ms("2026-11-23T12:20:00+00:00") == rows["user"]["until"]


def test_the_months_table_has_both_sums_and_what_they_differ_by(api: TestClient) -> None:
    told = api.get("/status").json()["months"]
    rows = ask(api, "sync_months")

    assert [
        ("(unknown workspace 99)", "2026-10", "not_verified", None, None, None),
        ("Studio", "2026-10", "differs", 1.5, 7201 / 3600, -1801),
        ("Studio", "2026-09", "verified", 1.0, 1.0, 0),
    ] == [
        tuple(row[key] for key in ("workspace", "month", "state", "hours", "toggl_hours", "difference_seconds"))
        for row in rows
    ]
    assert told["verified"] == sum(row["state"] == "verified" for row in rows)
    assert len(told["others"]) == sum(row["state"] != "verified" for row in rows)


def test_the_history_table_says_from_where_to_where_it_is(api: TestClient) -> None:
    (told,) = api.get("/status").json()["history"]["workspaces"]
    (row,) = ask(api, "sync_history")

    assert ("Studio", "2024-01-01", "2027-12-31", None) == tuple(
        row[key] for key in ("workspace", "from", "now_at", "reached")
    )
    assert (0, 4, 0.0, False, "") == tuple(
        row[key] for key in ("years_done", "years_left", "share", "complete", "blocked")
    )
    assert told["now_at"] == row["now_at"]


def test_rows_set_aside_are_told_without_their_text(api: TestClient) -> None:
    rows = ask(api, "sync_set_aside")

    assert {
        ("entry", "6000000099", "start is not a time", 1, "2"),
        ("tag", None, "the row is not an object", 1, None),
    } == {tuple(row[key] for key in ("kind", "id", "reason", "times", "run")) for row in rows}
    assert len(ask(api, "sync_set_aside", limit=1)) == 1


def test_no_table_shows_what_was_read_from_a_row_that_was_set_aside(api: TestClient) -> None:
    body = {"range": RANGE, "targets": [{"target": target} for target in SYNC_TABLES]}
    answer = api.post("/query", json=body)

    assert len(SYNC_TABLES) == len(answer.json())
    assert SECRET not in answer.text
    assert "ada@example.com" not in answer.text


def test_the_status_is_asked_once_for_all_tables(api: TestClient, pulse: SmallPulse, monkeypatch: Any) -> None:
    asked: list[str] = []
    usual = pulse.status

    def status() -> dict[str, Any]:
        asked.append("status")
        return usual()

    monkeypatch.setattr(pulse, "status", status)
    answer = api.post("/query", json={"range": RANGE, "targets": [{"target": each} for each in SYNC_TABLES]})

    assert (200, ["status"]) == (answer.status_code, asked)


def test_the_tables_tell_of_the_present_whatever_the_range(api: TestClient) -> None:
    def rows(span: dict[str, str]) -> Any:
        targets = [{"target": target} for target in SYNC_TABLES if target != "sync_gaps"]
        return api.post("/query", json={"range": span, "targets": targets}).json()

    assert rows(RANGE) == rows({"from": "2009-01-01T00:00:00Z", "to": "2009-01-02T00:00:00Z"})


def test_a_slip_in_the_payload_of_a_table_is_told(api: TestClient) -> None:
    slips: list[tuple[str, Any]] = [("limit", -1), ("format", "odd"), ("timezone", "Mars"), ("filters", {"colour": []})]
    for key, value in slips:
        body = {"range": RANGE, "targets": [{"target": "sync_runs", "payload": {key: value}}]}

        assert 400 == api.post("/query", json=body).status_code, key


def test_metrics_and_tables_can_be_asked_together(api: TestClient) -> None:
    body = {"range": RANGE, "targets": [{"target": "(tracked_hours|sync_status)"}, {"target": "sync_quota"}]}
    answer = api.post("/query", json=body).json()

    assert ["A", "A", "B"] == [each["refId"] for each in answer]
    assert ["tracked_hours", None, None] == [each.get("target") for each in answer]


def test_editors_find_the_tables(api: TestClient) -> None:
    found = api.post("/search", json={"target": "sync"}).json()
    offered = {each["value"]: each for each in api.post("/metrics", json={}).json()}

    assert list(SYNC_TABLES) == found
    assert ["sync_steps"] == api.post("/search", json={"target": "Sync: steps"}).json()
    assert [name for name in offered if name.startswith("sync_")] == list(SYNC_TABLES)
    limited = [name for name in SYNC_TABLES if "limit" in {field["name"] for field in offered[name]["payloads"]}]
    assert ["sync_runs", "sync_set_aside"] == limited


def test_every_column_has_a_meaning_and_a_name_of_its_own() -> None:
    for table in SYNC_TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning for column in table.columns)


def test_a_table_asks_for_what_is_new_each_time(tmp_path: Any) -> None:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as live, serving(SmallPulse(live)) as api:
        before = ask(api, "sync_status")[0]["entries"]
        with live.batch() as batch:
            batch.write_entries([entry(1, "2026-11-02T08:00", 2)])
        after = ask(api, "sync_status")[0]["entries"]

    assert (0, 1) == (before, after)
