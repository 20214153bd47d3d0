"""`toggl-pulse project` on a real InfluxDB: what it says, and what its exit code is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cli.scene import PRIVATE, Ran, Run
from e2e.processes import PATIENCE, environment, pulse
from influxdb import Server
from sync.projected import agree, held
from toggl_pulse.demo import DEMO_TOKEN, Loopback, World
from toggl_pulse.influx import Influx
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Tag
from toggl_pulse.service import utc_now

IN_STEP = "InfluxDB is in step with the mirror (revision {}).\n"
UNREACHABLE = "toggl-pulse: InfluxDB cannot be reached at INFLUXDB_URL.\n"


def settings_of(server: Server, bucket: str, token: str) -> dict[str, str]:
    return {
        "INFLUXDB_URL": server.url, "INFLUXDB_TOKEN": token, "INFLUXDB_ORG": server.org, "INFLUXDB_BUCKET": bucket,
    }  # fmt: skip


def set_up(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def beside(influxdb: Server, influxdb_bucket: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """InfluxDB in the settings, with a token for its bucket only; pauses between attempts need not pass."""
    settings = settings_of(influxdb, influxdb_bucket, influxdb.service_token(influxdb_bucket))
    set_up(monkeypatch, settings)
    defaults = Influx.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda _: None)
    return settings


@contextmanager
def mirror_in(data: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{data / 'mirror.db'}", clock=utc_now) as mirror:
        yield mirror


def revision_in(data: Path) -> int:
    with mirror_in(data) as mirror:
        return mirror.revision()


def told(ran: Ran, code: int = 0) -> dict[str, object]:
    """What it prints as JSON; nothing private is in it."""
    assert (code, "") == (ran.code, ran.err)
    assert [] == [word for word in PRIVATE if word in ran.out]
    return dict(json.loads(ran.out))


@pytest.mark.usefixtures("beside")
def test_a_run_says_what_was_written_and_a_second_one_writes_nothing(
    run: Run, filled: Path, influxdb: Server, influxdb_bucket: str
) -> None:
    in_step = IN_STEP.format(revision_in(filled))

    assert (0, f"The bucket emptied; 40 points written.\n{in_step}", "") == run("project")
    with mirror_in(filled) as mirror:
        assert agree(mirror, influxdb, influxdb_bucket)
    assert (0, f"0 points written.\n{in_step}", "") == run("project")


@pytest.mark.usefixtures("beside")
def test_json_is_the_report_and_nothing_else(run: Run, filled: Path) -> None:
    nothing = {"revision": revision_in(filled), "lag": 0, "emptied": False, "runs": 0} | dict.fromkeys(
        ("written", "stale", "deletes", "set_aside", "compared", "differing"), 0
    )

    assert nothing | {"written": 40, "runs": 1, "emptied": True} == told(run("project", "--json"))
    assert nothing == told(run("project", "--json"))
    assert nothing | {"compared": 40} == told(run("project", "--verify", "--json"))


@pytest.mark.usefixtures("beside")
def test_what_has_changed_is_told_with_the_points_that_went(run: Run, filled: Path) -> None:
    run("project")
    with mirror_in(filled) as mirror:
        one, other, *_ = [row.entry for row in mirror.entries(mirror.load()[1].entry_id.tolist()).values()]
        with mirror.batch() as batch:
            batch.write_entries([replace(one, project_id=None), replace(other, description="new")])

    ran = run("project")

    assert "2 points written; 1 stale point removed by 1 delete.\n" + IN_STEP.format(revision_in(filled)) == ran.out


@pytest.mark.usefixtures("beside")
def test_verify_mends_what_somebody_else_has_done(
    run: Run, filled: Path, influxdb: Server, influxdb_bucket: str
) -> None:
    run("project")
    with mirror_in(filled) as mirror:
        lost = mirror.points.page(-(2**63), 1)[0].time_ns
    stretch = {"start": "1970-01-01T00:00:00Z", "stop": f"{held(influxdb, influxdb_bucket)[0]['_time']}"}
    assert 204 == influxdb.ask("POST", "delete", stretch, org=influxdb.org, bucket=influxdb_bucket).status
    influxdb.write(influxdb_bucket, f"toggl_time_entry,foreign=x entry_id=1i {lost + 1}")
    in_step = IN_STEP.format(revision_in(filled))

    mending, whole = run("project", "--verify"), run("project", "--verify")

    assert (0, "") == (mending.code, mending.err)
    assert (
        f"1 point written; 1 stale point removed by 1 delete; 40 points read back, 2 of them mended.\n{in_step}"
        == mending.out
    )
    assert (0, f"0 points written; 40 points read back, all as they should be.\n{in_step}", "") == whole
    with mirror_in(filled) as mirror:
        assert agree(mirror, influxdb, influxdb_bucket)


@pytest.mark.usefixtures("beside")
def test_points_that_are_set_aside_are_a_failure_that_says_so(run: Run, filled: Path) -> None:
    with mirror_in(filled) as mirror:
        one = next(iter(mirror.entries(mirror.load()[1].entry_id.tolist()[:1]).values())).entry
        with mirror.batch() as batch:
            batch.write_catalogue([Tag(7, one.workspace_id, "secret words " * 6000)])
            batch.write_entries([replace(one, tag_ids=(7,))])

    ran = run("project")

    assert (1, "") == (ran.code, ran.err)
    assert (
        "The bucket emptied; 39 points written; 1 stale point removed by 1 delete; "
        "1 refused by InfluxDB and set aside; answers take them from the mirror.\n"
    ) + IN_STEP.format(revision_in(filled)) == ran.out


def test_without_influxdb_the_sentence_names_the_setting(run: Run, filled: Path) -> None:
    expected = (4, "", "toggl-pulse: There is no InfluxDB to write to: set INFLUXDB_URL.\n")

    assert expected == run("project")


@pytest.mark.parametrize("before", [0, 1], ids=["something to do", "nothing to do"])
@pytest.mark.usefixtures("beside")
def test_a_refused_token_is_the_users_to_mend(
    before: int, run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(before):
        run("project")
    monkeypatch.setenv("INFLUXDB_TOKEN", "another-token-0123456789")

    assert (4, "", "toggl-pulse: InfluxDB does not accept the token in INFLUXDB_TOKEN.\n") == run("project")


@pytest.mark.parametrize("before", [0, 1], ids=["something to do", "nothing to do"])
@pytest.mark.usefixtures("beside")
def test_influxdb_out_of_reach_is_a_failure(
    before: int, run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(before):
        run("project")
    monkeypatch.setenv("INFLUXDB_URL", "http://127.0.0.1:9")

    assert (1, "", UNREACHABLE) == run("project") == run("project", "--json")


@pytest.mark.usefixtures("beside")
def test_a_bucket_that_is_gone_is_found_though_there_is_nothing_to_write(
    run: Run, filled: Path, influxdb: Server, influxdb_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("project")
    influxdb.drop(influxdb_bucket)

    ran = run("project")

    assert (4, "") == (ran.code, ran.out)
    assert "INFLUXDB_BUCKET" in ran.err
    monkeypatch.setenv("INFLUXDB_TOKEN", influxdb.token)
    again = run("project")
    assert (0, True) == (again.code, again.out.startswith("The bucket emptied; 40 points written.\n"))


def test_a_rebuild_of_a_dropped_bucket_restores_every_point_and_asks_toggl_nothing(
    run: Run,
    toggl: Loopback,
    world: World,
    home: Path,
    influxdb: Server,
    influxdb_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_of(influxdb, influxdb_bucket, influxdb.token)
    set_up(monkeypatch, settings)
    assert 0 == run("sync").code
    before, requests = held(influxdb, influxdb_bucket), list(world.log)
    influxdb.drop(influxdb_bucket)
    assert None is influxdb.bucket_id(influxdb_bucket)

    ran = pulse(
        home, "project", "--rebuild", "--json",
        **settings, DATA_DIR=str(home / "data"), TOGGL_API_URL=toggl.url, TOGGL_API_TOKEN=DEMO_TOKEN,
    )  # fmt: skip

    report = told(Ran(ran.returncode, ran.stdout, ran.stderr))
    assert (True, 40, 1, 0) == tuple(report[name] for name in ("emptied", "written", "runs", "lag"))
    assert 40 == len(before)
    assert before == held(influxdb, influxdb_bucket)
    assert 0 < len(requests)
    assert requests == list(world.log)


def test_on_a_terminal_a_bar_shows_how_far_it_is(beside: dict[str, str], home: Path, filled: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "toggl_pulse", "project", "--verify"],
        env=environment(home, **beside, DATA_DIR=str(filled), TERM="xterm", COLUMNS="100"),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: piece_of(ours), b"")).decode()
        out, _ = process.communicate(timeout=PATIENCE)
    os.close(ours)

    assert (0, "The bucket emptied; 40 points written; 40 points read back, all as they should be.") == (
        process.returncode,
        out.splitlines()[0],
    )
    assert "comparing" in shown
    assert "40/40" in shown


def piece_of(terminal: int) -> bytes:
    """What was written to it; nothing at its end, which Linux tells as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
