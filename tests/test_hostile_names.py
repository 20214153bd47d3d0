"""Hostile names in every text field, from Toggl's JSON through a real sync and mirror to every output.

Data come out as they went in; what people look at, terminals, logs and spreadsheets, is not steered by them.
"""

from __future__ import annotations

import csv
import io
import logging
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from hostile import arrived, hostile_names, on_the_wire
from sync.scene import NOW, RESERVE, Scene
from toggl_pulse.app import create_app
from toggl_pulse.cli import main
from toggl_pulse.demo import Clock, World, create_simulator
from toggl_pulse.logs import configure_logs
from toggl_pulse.service import Service
from toggl_pulse.settings import load_settings
from toggl_pulse.sync import Syncer
from toggl_pulse.toggl import Credentials, Quota, TogglClient

SEED = 20261123
WORKSPACES = 3
DIMENSIONS = ("client", "project", "task", "tag", "description")
SHORT, LONG = 160, 10_000
RANGE = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
SIGN = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20]")
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class HalvesOnTheWire(Scene):
    """A scene whose Toggl writes halves of surrogate pairs as JSON escapes, which the simulator itself cannot."""

    def restart(self) -> None:
        simulator = create_simulator(self.world)

        async def toggl(scope: Any, receive: Any, send: Any) -> None:
            messages: list[Any] = []

            async def keep(message: Any) -> None:
                messages.append(message)

            await simulator(scope, receive, keep)
            start, *rest = messages
            body = on_the_wire(b"".join(message.get("body", b"") for message in rest))
            headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            await send({**start, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        self.client = TogglClient(
            "http://toggl.example",
            Credentials.token(self.world.token),
            quota=Quota(self.mirror, reserve=RESERVE, clock=self.our_clock),
            clock=self.our_clock,
            sleep=self.sleep,
            transport=httpx2.ASGITransport(app=toggl),
            jitter=lambda: 0.5,
        )
        self.syncer = Syncer(self.client, self.mirror, clock=self.our_clock)


@dataclass
class Account:
    """Everything is named by each name once; the entry number n, whose things are all called alike, lasts n + 1 s."""

    folder: Path
    names: list[str]
    rows: dict[int, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(range(1, len(self.names) + 1))


def populate(world: World, names: list[str]) -> dict[int, str]:
    """Entry id -> the name of all that it has."""
    clock = world.clock
    assert isinstance(clock, Clock)
    me = world.users[world.me]
    homes = [me.default_workspace_id]
    homes += [world.create_workspace(name, plan="premium").id for name in names[: WORKSPACES - 1]]
    me.name, me.email = names[0], f"{names[1]}@{names[2]}"
    found = {}
    for number, name in enumerate(names):
        home = homes[number % len(homes)]
        assert home is not None
        begin = NOW - timedelta(days=200) + timedelta(minutes=number % 250_000)
        client = world.create_client(name, workspace_id=home)
        project = world.create_project(name, workspace_id=home, client_id=client.id)
        task = world.create_task(name, project_id=project.id)
        tag = world.create_tag(name, workspace_id=home)
        if number % 10 == 0:
            world.create_user(name, f"{name}@example.com", workspace_ids=[home])
        entry = world.create_entry(
            start=begin,
            stop=begin + timedelta(seconds=number + 1),
            description=name,
            project_id=project.id,
            task_id=task.id,
            tag_ids=[tag.id],
            workspace_id=home,
        )
        found[entry.id] = name
    return found


def synced(folder: Path, count: int) -> Account:
    names = hostile_names(count, SEED)
    world = World.empty(Clock(NOW - timedelta(days=300)), plan="premium", created_at=NOW - timedelta(days=300))
    world.behaviour.user_quota = 1_000_000
    world.behaviour.plan_quota["premium"] = 1_000_000
    clock = world.clock
    assert isinstance(clock, Clock)
    clock.now = NOW - timedelta(days=1)
    rows = populate(world, names)
    clock.now = NOW
    scene = HalvesOnTheWire(world, folder)
    run = scene.sync()
    assert ("done", 0) == (run.outcome, run.set_aside), run
    scene.mirror.close()
    return Account(folder, [arrived(name) for name in names], {number: arrived(name) for number, name in rows.items()})


@pytest.fixture(scope="module", params=[SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Account:
    return synced(tmp_path_factory.mktemp("hostile"), request.param)


@pytest.fixture(scope="module")
def service(account: Account) -> Iterator[Service]:
    opened = Service.reading(load_settings(data_dir=account.folder, timezone="UTC"), clock=lambda: NOW)
    yield opened
    opened.mirror.close()


@pytest.fixture(scope="module")
def api(service: Service) -> TestClient:
    return TestClient(create_app(service), base_url="http://localhost")


def ask(api: TestClient, payloads: list[dict[str, Any]], **more: Any) -> list[Any]:
    """The answer to each payload, fifty in a request."""
    found: list[Any] = []
    for first in range(0, len(payloads), 50):
        targets = [
            {"target": "tracked_hours", "refId": str(number), "payload": {"interval": "range", **payload}}
            for number, payload in enumerate(payloads[first : first + 50])
        ]
        for _ in range(5):  # a busy machine is no fault of the names
            answer = api.post("/query", json={"range": RANGE, "targets": targets, **more})
            if answer.status_code != 503:
                break
        assert answer.status_code == 200, answer.text
        found += answer.json()
    return found


def seconds_of(series: Any) -> int:
    hours: list[float] = [value for value, _ in series["datapoints"]]
    return round(sum(hours) * 3600)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_name_is_a_series_of_its_own_with_its_own_hours(
    api: TestClient, account: Account, dimension: str
) -> None:
    found = {each["target"]: seconds_of(each) for each in ask(api, [{"group_by": dimension}])}
    hours = {name: number + 1 for number, name in enumerate(account.names)}
    plain = {name: seconds for name, seconds in hours.items() if not is_ours(name, dimension)}
    qualified = {label: seconds for label, seconds in found.items() if label not in plain}

    assert plain == {name: found.get(name) for name in plain}
    assert sorted(hours[name] for name in hours.keys() - plain) == sorted(qualified.values())
    assert len(account.names) == len(found)
    assert "(other)" not in found
    assert (f"(no {dimension})" in found) == (dimension == "description")


def is_ours(name: str, dimension: str) -> bool:
    """Words that mean something here: whoever is called so is told apart by more."""
    if dimension == "description":
        return not name or re.fullmatch(r"\((other|no description)\)( \(a text\))*", name) is not None
    shared = dimension == "tag" and name.endswith(" (shared)")
    return shared or name in {"(other)", f"(no {dimension})"}


def test_a_filter_by_a_name_gives_exactly_its_hours(api: TestClient, account: Account) -> None:
    """Each name in one of the dimensions, in turn, as an element of a list."""
    asked = [(number, name, DIMENSIONS[number % len(DIMENSIONS)]) for number, name in enumerate(account.names)]
    answers = ask(api, [{"filters": {dimension: [name]}} for _, name, dimension in asked])

    assert {
        (name, dimension): hours_by_name(name, number, dimension, account) for number, name, dimension in asked
    } == {(name, dimension): seconds_of(answer) for (_, name, dimension), answer in zip(asked, answers, strict=True)}


@pytest.mark.parametrize("operator", ["=", "one_of"])
def test_an_adhoc_filter_takes_a_name_as_it_is(api: TestClient, account: Account, operator: str) -> None:
    for number in range(0, len(account.names), max(1, len(account.names) // 12)):
        name, dimension = account.names[number], DIMENSIONS[number % len(DIMENSIONS)]
        (answer,) = ask(api, [{}], adhocFilters=[{"key": dimension, "operator": operator, "value": name}])

        assert hours_by_name(name, number, dimension, account) == seconds_of(answer), name


def hours_by_name(name: str, number: int, dimension: str, account: Account) -> int:
    """Its own; but `$__all` is everything, and `(no project)` is what has none: everything here has one."""
    if name == "$__all":
        return account.total
    if name == f"(no {dimension})":
        return 1 + account.names.index("") if dimension == "description" else 0
    if (name, dimension) == ("(other) (a text)", "description"):  # what the text `(other)` is shown as
        return 1 + account.names.index("(other)")
    return number + 1


def test_each_list_to_choose_from_has_every_name(api: TestClient, account: Account) -> None:
    for dimension in DIMENSIONS:
        labels = {each["text"] for each in api.post("/tag-values", json={"key": dimension}).json()}
        variable = api.post("/variable", json={"payload": {"target": dimension}}).json()
        options = api.post("/metric-payload-options", json={"name": dimension}).json()
        missing = [name for name in account.names if name and name not in labels and not is_ours(name, dimension)]

        assert [] == missing
        assert labels == {each["__text"] for each in variable} == {each["label"] for each in options}


def test_what_is_chosen_from_a_list_is_what_is_answered(api: TestClient, account: Account) -> None:
    for place, dimension in enumerate(DIMENSIONS):
        choices = api.post("/variable", json={"payload": {"target": dimension}}).json()
        hours = {each["target"]: seconds_of(each) for each in ask(api, [{"group_by": dimension}])}
        some = [each for each in choices if is_ours(each["__text"].partition(" (a")[0], dimension)]
        some += choices[place :: len(DIMENSIONS)]
        answers = ask(
            api, [{"filters": {dimension: [each["__value"]]}} for each in some if each["__value"] != "$__all"]
        )
        shown = [each["__text"] for each in some if each["__value"] != "$__all"]

        assert {text: hours.get(text, 0) for text in shown} == dict(zip(shown, map(seconds_of, answers), strict=True))


def test_both_exports_give_every_text_back_exactly(api: TestClient, account: Account) -> None:
    from_json = {row["id"]: row for row in api.get("/entries.json").json()}
    text = api.get("/entries.csv").content.decode()
    from_csv = {int(row["id"]): row for row in csv.DictReader(io.StringIO(text, newline=""))}

    assert account.rows == {number: row["description"] for number, row in from_json.items()}
    assert account.rows == {number: row["description"] for number, row in from_csv.items()}
    for column in ("client", "project", "task", "tags"):
        dimension = column.removesuffix("s")
        plain = {number: name for number, name in account.rows.items() if not is_ours(name, dimension)}

        assert plain == {number: from_csv[number][column] for number in plain}
        assert plain == {
            number: ", ".join(value) if isinstance(value := from_json[number][column], list) else value
            for number in plain
        }


def test_no_cell_of_a_guarded_export_begins_a_formula_whatever_parts_the_cells(
    api: TestClient, account: Account
) -> None:
    text = api.get("/entries.csv?spreadsheet_safe=true").content.decode()
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert separator != "," or [] == [cell for cell in row if FORMULA.match(cell.lstrip(" "))]
            assert [] == [cell for cell in row if SIGN.match(cell.lstrip(' "\t\r\n'))], separator
    for line in re.split(r"[\r\n]+", text):
        assert not SIGN.match(line.lstrip(' "\t')), line


def test_status_and_figures_are_well_formed(api: TestClient, account: Account) -> None:
    status = api.get("/status").json()
    figures = {each.name for each in text_string_to_metric_families(api.get("/metrics").text)}

    assert f"{account.names[1]}@{account.names[2]}" == status["account"]["email"]
    assert "toggl_pulse_entries" in figures
    assert "deleted" in orjson.dumps(status).decode()


def test_the_rest_of_the_lists_takes_every_name(api: TestClient, account: Account) -> None:
    users = {each["text"] for each in api.post("/tag-values", json={"key": "user"}).json()}
    homes = {each["text"] for each in api.post("/tag-values", json={"key": "workspace"}).json()}

    assert set() == {name for name in account.names[::10] if name not in {"", "(other)"}} - users
    assert set(account.names[1 : WORKSPACES - 1]) <= homes


class Terminal(io.TextIOWrapper):
    """Standard output of a process on a terminal, kept."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def isatty(self) -> bool:
        return True

    @property
    def seen(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


def steering(text: str) -> list[str]:
    """Characters by which a text could do more to a terminal than be read."""
    return [
        character
        for character in set(text) - {"\n"}
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in BIDI
    ]


STYLE = re.compile(r"\x1b\[[0-9;]*m")  # rich's own lines and colours


def only_long(*verbs: str) -> list[Any]:
    return [pytest.param(verb, marks=pytest.mark.long) for verb in verbs]


@pytest.mark.parametrize(
    "verb",
    [
        "query --period all --group-by project", "export", "status", "query --filter project=\x1b[2J\u202e",
        *only_long(
            "query --period all --group-by description --json", "query --period all --group-by tag --csv", "doctor",
            "query entries --period all", "export --format json", "status --json", "query \x1b[2J\u202e",
        ),
    ],
)  # fmt: skip
def test_nothing_steers_a_terminal(
    account: Account, verb: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("DATA_DIR", str(account.folder))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(verb.split(" "))

    assert [] == steering(STYLE.sub("", out.seen + err.seen))
    assert out.seen + err.seen != ""


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_name_in_a_log_stays_in_its_line(account: Account, form: str, logs_as_they_were: None) -> None:
    stream = io.StringIO()
    configure_logs("INFO", form, stream=stream)
    log = structlog.get_logger("hostile")
    for name in account.names:
        log.info("sync.named", name=name)
        logging.getLogger("library").warning("found %s", name)
    text = stream.getvalue()

    assert 2 * len(account.names) == len(text.splitlines()) == text.count("\n")
    assert [] == steering(STYLE.sub("", text))


def refuse(name: str) -> None:
    raise ValueError(name)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_name_in_a_trace_cannot_steer_either(account: Account, form: str, logs_as_they_were: None) -> None:
    stream = io.StringIO()
    configure_logs("INFO", form, stream=stream)
    for name in account.names[:200]:
        try:
            refuse(name)
        except ValueError:
            structlog.get_logger("hostile").exception("sync.broke")

    assert [] == steering(STYLE.sub("", stream.getvalue()))
