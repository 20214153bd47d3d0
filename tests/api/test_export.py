import asyncio
import csv
import io
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from syrupy.assertion import SnapshotAssertion

from api.scene import SmallPulse, serving
from toggl_pulse.metrics import EntryRow
from toggl_pulse.metrics.export import COLUMNS, csv_blocks, json_blocks, spreadsheet_safe
from toggl_pulse.service.work import Workers

BERLIN = ZoneInfo("Europe/Berlin")


def row(**more: Any) -> EntryRow:
    values: dict[str, Any] = {
        "id": 1, "start": datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "stop": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        "seconds": 3600, "description": "", "workspace_id": 1, "workspace": "W", "client_id": None, "client": "",
        "project_id": None, "project": "", "task_id": None, "task": "", "user_id": 1, "user": "U",
        "tag_ids": (), "tags": (), "billable": False,
    }  # fmt: skip
    return EntryRow(**(values | more))


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_every_column_and_row(api: TestClient, snapshot: SnapshotAssertion) -> None:
    answer = api.get("/entries.csv")

    assert "text/csv; charset=utf-8" == answer.headers["content-type"]
    assert 'attachment; filename="entries.csv"' == answer.headers["content-disposition"]
    assert snapshot == answer.content.decode()


def test_json_says_the_same(api: TestClient, snapshot: SnapshotAssertion) -> None:
    answer = api.get("/entries.json")

    assert "application/json" == answer.headers["content-type"]
    assert snapshot == answer.json()
    assert list(COLUMNS) == list(answer.json()[0])


def test_an_hour_that_the_clock_skips_is_seen_in_both_times() -> None:
    (text,) = csv_blocks([row()], BERLIN, safe=False)
    (cells,) = read(text.decode())

    assert ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00+01:00") == (cells["start"], cells["start_local"])
    assert ("2026-03-29T01:30:00Z", "2026-03-29T03:30:00+02:00") == (cells["stop"], cells["stop_local"])


def test_a_running_entry_has_no_stop() -> None:
    (text,) = csv_blocks([row(stop=None)], BERLIN, safe=False)

    assert [("", "", "true")] == [(r["stop"], r["stop_local"], r["running"]) for r in read(text.decode())]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("from=2026-11-03&to=2026-11-05", [3, 4]),
        ("from=2026-11-03&to=2026-11-05&timezone=UTC", [3, 4]),
        ("from=2026-11-04&to=2026-11-05&timezone=Europe/Berlin", [4]),
        ("from=2026-11-04&to=2026-11-05&timezone=Europe/Berlin&attribution=split", [3, 4]),
        ("from=2026-11-04&to=2026-11-05&timezone=Asia/Tokyo", [3, 4]),
        ("from=2026-11-02T10:00:00Z&to=2026-11-02T10:00:01Z", [2]),
        ("from=1793613600000&to=1793613601000", [2]),
        ("project=Website", [1, 2]),
        ("project=21", [1]),
        ("project=21&project=23", [1, 3]),
        ("client=Acme&billable=true", [1]),
        ("tag=deep", [2]),
        ("project=", [1, 2, 3, 4]),
        ("description=nothing", []),
        ("var-project=21&var-project=23&var-client=$__all", [1, 3]),
        ("var-client=%24__all&var-tag=%24__all", [1, 2, 3, 4]),
        ("project=22&var-project=21", [1, 2]),
        ("var-project=", []),
    ],
)
def test_parameters_choose_entries(api: TestClient, query: str, ids: list[int]) -> None:
    by_json = [each["id"] - 6_000_000_000 for each in api.get(f"/entries.json?{query}").json()]
    by_csv = [int(each["id"]) - 6_000_000_000 for each in read(api.get(f"/entries.csv?{query}").text)]

    assert (ids, ids) == (by_json, by_csv)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("projekt=Website", "unknown_filter"),
        ("var-projekt=Website", "unknown_filter"),
        ("from=yesterday", "bad_range"),
        ("from=2026-13-45", "bad_range"),
        ("from=2026-11-05&to=2026-11-04", "bad_range"),
        ("from=0001-01-01", "bad_range"),
        ("timezone=Mars", "unknown_timezone"),
        ("timezone=%00", "unknown_timezone"),
        ("timezone=localtime", "unknown_timezone"),
        ("timezone=right/Europe/Berlin", "unknown_timezone"),
        ("spreadsheet_safe=perhaps", "bad_value"),
        ("attribution=both", "bad_value"),
    ],
)
def test_a_slip_in_a_parameter_exports_nothing(api: TestClient, query: str, code: str) -> None:
    answer = api.get(f"/entries.csv?{query}")

    assert (400, code) == (answer.status_code, answer.json()["error"]["code"])


def test_a_formula_is_disarmed_on_request_only(api: TestClient) -> None:
    plain, safe = (read(api.get(f"/entries.csv?spreadsheet_safe={each}").text)[2] for each in ("false", "true"))

    assert ('=HYPERLINK("x")', '\'=HYPERLINK("x")') == (plain["description"], safe["description"])
    assert plain["seconds"] == safe["seconds"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@A1", "\tx", "\rx", "\nx", " =1", "\uff1d1"])
def test_what_could_begin_a_formula_gets_an_apostrophe(text: str) -> None:
    assert "'" + text == spreadsheet_safe(text)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\t=1", "'\t'=1"),
        ("a;=1", "a;'=1"),
        ("a\t-1", "a\t'-1"),
        ("a\"; '+1", "a\"; ''+1"),
        ("a\r\n@x;=2", "a\r\n'@x;'=2"),
    ],
)
def test_what_could_begin_a_formula_behind_another_separator_gets_one_too(text: str, safe: str) -> None:
    assert safe == spreadsheet_safe(text)


def test_every_safe_cell_is_quoted_so_that_no_semicolon_parts_it() -> None:
    (plain,) = csv_blocks([row(description="a;b")], BERLIN, safe=False)
    (safe,) = csv_blocks([row(description="a;b")], BERLIN, safe=True)

    assert (b",a;b,", b',"a;b",') == (plain[plain.index(b"a;b") - 1 :][:5], safe[safe.index(b"a;b") - 2 :][:7])


@pytest.mark.parametrize("text", ["", "plain", "1-2", "a=b", "'=1", "2026-11-01", "a;b", "x\ty"])
def test_other_text_is_left_alone(text: str) -> None:
    assert text == spreadsheet_safe(text)


@given(text=st.text(st.characters(exclude_categories=["Cs"])), tags=st.lists(st.text(max_size=5), max_size=3))
def test_any_text_comes_back_from_csv_and_json(text: str, tags: list[str]) -> None:
    tags = [tag.encode("utf-8", "ignore").decode() for tag in tags]
    entry = row(description=text, tags=tuple(tags))

    assert text == read(b"".join(csv_blocks([entry], BERLIN, safe=False)).decode())[0]["description"]
    (read_back,) = orjson.loads(b"".join(json_blocks([entry], BERLIN)))
    assert (text, tags) == (read_back["description"], read_back["tags"])


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000])
def test_blocks_join_to_whole_documents(count: int) -> None:
    entries = [row(id=number) for number in range(count)]
    numbers = list(range(count))

    assert numbers == [each["id"] for each in orjson.loads(b"".join(json_blocks(entries, BERLIN)))]
    assert numbers == [int(each["id"]) for each in read(b"".join(csv_blocks(entries, BERLIN, safe=True)).decode())]


def test_blocks_are_made_as_they_are_read() -> None:
    made = 0

    def endless() -> Any:
        nonlocal made
        while True:
            made += 1
            yield row(id=made)

    blocks = csv_blocks(endless(), BERLIN, safe=False)
    next(blocks)
    next(blocks)

    assert made <= 2000


def test_a_download_works_with_basic_as_a_browser_sends_it(pulse: SmallPulse) -> None:
    with serving(pulse) as client:
        client.headers.pop("Authorization")
        answer = client.get("/entries.json?tag=deep", auth=("anyone", str(pulse.api_token)))

    assert 200 == answer.status_code


def test_the_event_loop_turns_while_blocks_are_made(pulse: SmallPulse) -> None:
    async def scene() -> int:
        turns = 0
        workers = Workers(1)

        async def tick() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        blocks = csv_blocks((row(id=number) for number in range(20_000)), BERLIN, safe=True)
        sizes = [len(block) async for block in workers.stream(blocks)]
        ticking.cancel()
        workers.close()
        assert len(sizes) > 10
        return turns

    assert asyncio.run(scene()) > 100
