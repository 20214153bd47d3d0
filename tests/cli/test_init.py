"""`toggl-pulse init influxdb` on real servers: fresh ones, ones that an earlier run has left half done, others'."""

from __future__ import annotations

import base64
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import pytest

from cli.scene import Ran, Run
from influxdb import MISSING_PROGRAM, YEAR_SECONDS, OwnServer, program
from toggl_pulse.settings import InfluxDBSetup

pytestmark = pytest.mark.influxdb

ORG, BUCKET = "toggl_pulse", "toggl_metrics"
FILES = ("admin/password", "admin/token", "grafana/token", "service/token")
POINT = b"toggl_time_entry duration=1i 1"
READ = {"query": f'from(bucket: "{BUCKET}") |> range(start: 0)', "type": "flux"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnServer]:
    """As it is before anyone has set it up."""
    if (found := program()) is None:
        pytest.skip(MISSING_PROGRAM)
    for name in InfluxDBSetup.model_fields:
        for variable in (name.upper(), f"{name.upper()}_FILE"):
            if variable != "DATA_DIR":
                monkeypatch.delenv(variable, raising=False)
    server = OwnServer(found, set_up=False)
    monkeypatch.setenv("INFLUXDB_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "data" / "influxdb"


def secrets_in(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def works(ran: Ran, folder: Path) -> dict[str, str]:
    """The secrets of a run that went well, and printed none of them."""
    assert (0, "") == (ran.code, ran.err)
    secrets = secrets_in(folder)
    assert [] == [name for name, secret in secrets.items() if secret in ran.said]
    return secrets


def as_administrator(server: OwnServer, folder: Path) -> OwnServer:
    server.token, server.org = (folder / "admin" / "token").read_text(), ORG
    return server


def test_a_fresh_server_has_all_that_the_service_and_grafana_need_and_no_more(
    run: Run, server: OwnServer, folder: Path
) -> None:
    secrets = works(run("init", "influxdb"), folder)

    assert FILES == tuple(secrets)
    assert 4 == len(set(secrets.values()))
    service, grafana = secrets["service/token"], secrets["grafana/token"]
    as_administrator(server, folder)
    bucket = server.ask("GET", "buckets", org=ORG, name=BUCKET).json()["buckets"][0]
    rule = bucket["retentionRules"][0]
    assert (0, YEAR_SECONDS) == (rule["everySeconds"], rule["shardGroupDurationSeconds"])
    assert 204 == server.ask("POST", "write", POINT, token=service, org=ORG, bucket=BUCKET).status
    for token in (service, grafana):
        answer = server.ask("POST", "query", READ, token=token, org=ORG)
        assert (200, True) == (answer.status, b"duration" in answer.body)


@pytest.mark.parametrize("reader", ["service", "grafana"])
def test_neither_token_may_do_anything_else(run: Run, server: OwnServer, folder: Path, reader: str) -> None:
    token = works(run("init", "influxdb"), folder)[f"{reader}/token"]
    as_administrator(server, folder)
    org_id = server.org_id()
    other = {"orgID": org_id, "name": "other", "retentionRules": []}
    other_id = server.ask("POST", "buckets", other).json()["id"]
    server.write("other", "m f=1i 1")

    def status(method: str, path: str, body: Mapping[str, object] | bytes | None = None, **params: str) -> int:
        return server.ask(method, path, body, token=token, **params).status

    read_other = {"query": 'from(bucket: "other") |> range(start: 0)', "type": "flux"}
    deleted = {"start": "1970-01-01T00:00:00Z", "stop": "2030-01-01T00:00:00Z", "predicate": '_measurement="m"'}
    rights = [{"action": "read", "resource": {"type": "buckets", "orgID": org_id}}]
    assert 404 == status("POST", "query", read_other, org=ORG)
    assert 403 == status("POST", "write", b"m f=1i 1", org=ORG, bucket="other")
    assert 403 == status("POST", "delete", deleted, org=ORG, bucket="other")
    assert 401 == status("POST", "buckets", {**other, "name": "third"})
    assert 401 == status("DELETE", f"buckets/{other_id}")
    assert status("POST", "authorizations", {"orgID": org_id, "permissions": rights}) in {401, 403}
    assert [] == server.ask("GET", "authorizations", token=token).json()["authorizations"]
    assert [] == server.ask("GET", "orgs", token=token).json()["orgs"]
    assert [BUCKET] == [row["name"] for row in server.ask("GET", "buckets", token=token).json()["buckets"]]


def test_grafana_may_not_write(run: Run, server: OwnServer, folder: Path) -> None:
    token = works(run("init", "influxdb"), folder)["grafana/token"]
    everything = {"start": "1970-01-01T00:00:00Z", "stop": "2030-01-01T00:00:00Z", "predicate": '_measurement="m"'}

    assert 403 == server.ask("POST", "write", POINT, token=token, org=ORG, bucket=BUCKET).status
    assert 403 == server.ask("POST", "delete", everything, token=token, org=ORG, bucket=BUCKET).status


def test_a_second_run_changes_nothing_and_says_so(run: Run, server: OwnServer, folder: Path) -> None:
    before = works(run("init", "influxdb"), folder)
    as_administrator(server, folder)
    known = server.ask("GET", "authorizations").json()

    again = run("init", "influxdb")

    assert before == works(again, folder)
    assert "there was nothing to do" in again.out
    assert known == server.ask("GET", "authorizations").json()


def test_the_service_starts_with_what_was_printed(
    run: Run, server: OwnServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("init", "influxdb")
    works(ran, folder)
    for name, value in re.findall(r"(INFLUXDB_\w+)=(\S+)", ran.out):
        monkeypatch.setenv(name, value)

    projected = run("project")

    assert 0 == projected.code, projected.said


def test_files_are_their_owner_s_alone(run: Run, server: OwnServer, folder: Path) -> None:
    previous = os.umask(0)
    try:
        works(run("init", "influxdb"), folder)
    finally:
        os.umask(previous)

    assert {0o700} == {path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert {0o600} == {(folder / name).stat().st_mode & 0o777 for name in FILES}


@pytest.mark.parametrize("first", [(), ("--readable",)], ids=["later", "at once"])
def test_the_two_tokens_can_be_readable_for_other_users(
    run: Run, server: OwnServer, folder: Path, first: tuple[str, ...]
) -> None:
    previous = os.umask(0o077)
    try:
        run("init", "influxdb", *first)
        works(run("init", "influxdb", "--readable"), folder)
    finally:
        os.umask(previous)

    modes = {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert {
        "admin": 0o700,
        "admin/password": 0o600,
        "admin/token": 0o600,
        "grafana": 0o755,
        "grafana/token": 0o644,
        "service": 0o755,
        "service/token": 0o644,
    } == modes
    assert 0o755 == folder.stat().st_mode & 0o777


TELLING = {FILES[:1], FILES[1:2], FILES[2:3], FILES[1:], (*FILES[:2], FILES[3])}
"""What a file alone, all tokens, and all that an administrator has tell; the rest is for `make test-long`."""

SUBSETS = [
    pytest.param(lost, id="+".join(lost), marks=[] if lost in TELLING else pytest.mark.long)
    for count in range(1, 5)
    for lost in combinations(FILES, count)
]


@pytest.mark.parametrize("lost", SUBSETS)
def test_what_was_lost_is_made_again_or_one_sentence_says_what_is_needed(
    run: Run, server: OwnServer, folder: Path, lost: tuple[str, ...]
) -> None:
    before = works(run("init", "influxdb"), folder)
    for name in lost:
        (folder / name).unlink()

    ran = run("init", "influxdb")

    tokens_lost = {"grafana/token", "service/token"} & set(lost)
    if tokens_lost and {"admin/password", "admin/token"} <= set(lost):
        assert 4 == ran.code
        assert str(folder / "admin" / "token") in ran.err
        return
    after = works(ran, folder)
    if not tokens_lost:
        assert {name: secret for name, secret in before.items() if name not in lost} == {
            name: secret for name, secret in after.items() if name not in lost
        }
    for reader in ("service", "grafana"):
        assert 200 == server.ask("POST", "query", READ, token=after[f"{reader}/token"], org=ORG).status
    assert 204 == server.ask("POST", "write", POINT, token=after["service/token"], org=ORG, bucket=BUCKET).status


def test_a_run_that_was_cut_off_after_the_set_up_is_completed(run: Run, server: OwnServer, folder: Path) -> None:
    (folder / "admin").mkdir(parents=True)
    (folder / "admin" / "password").write_text("made-up-before")
    body = {"username": "admin", "password": "made-up-before", "org": ORG, "bucket": BUCKET}
    server.ask("POST", "setup", body).json()

    secrets = works(run("init", "influxdb"), folder)

    assert FILES == tuple(secrets)
    bucket = as_administrator(server, folder).ask("GET", "buckets", org=ORG, name=BUCKET).json()["buckets"][0]
    assert YEAR_SECONDS == bucket["retentionRules"][0]["shardGroupDurationSeconds"]


def test_a_token_that_was_made_and_not_written_down_is_not_made_twice(
    run: Run, server: OwnServer, folder: Path
) -> None:
    before = works(run("init", "influxdb"), folder)
    (folder / "service" / "token").unlink()

    after = works(run("init", "influxdb"), folder)

    assert before == after
    known = as_administrator(server, folder).ask("GET", "authorizations").json()["authorizations"]
    assert 3 == len(known)


def test_secrets_of_a_server_that_is_gone_are_replaced(run: Run, server: OwnServer, folder: Path) -> None:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("of-another-server")

    secrets = works(run("init", "influxdb"), folder)

    assert "of-another-server" == secrets["admin/password"]
    assert 3 == len({secrets[name] for name in FILES[1:]} - {"of-another-server"})
    assert 204 == server.ask("POST", "write", POINT, token=secrets["service/token"], org=ORG, bucket=BUCKET).status


def entry_points(server: OwnServer) -> int:
    answer = server.flux(
        f'from(bucket: "{BUCKET}") |> range(start: 0, stop: 2100-01-01T00:00:00Z) |> filter(fn: (r) => '
        'r._measurement == "toggl_time_entry" and r._field == "duration") |> group() |> count()'
    )
    return int(answer.split("\r\n")[1].rpartition(",")[2]) if "_value" in answer else 0


@pytest.mark.usefixtures("filled", "toggl")
def test_a_bucket_that_was_dropped_is_made_again_with_tokens_for_it_and_filled_by_itself(
    run: Run, server: OwnServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = works(run("init", "influxdb"), folder)
    monkeypatch.setenv("INFLUXDB_ORG", ORG)
    monkeypatch.setenv("INFLUXDB_TOKEN_FILE", str(folder / "service" / "token"))
    assert 0 == run("project").code
    as_administrator(server, folder)
    points = entry_points(server)
    server.drop(BUCKET)
    assert None is server.bucket_id(BUCKET)
    run("sync")
    assert 4 == run("project").code

    again = run("init", "influxdb")

    after = works(again, folder)
    assert "made the bucket, the service's token, Grafana's token." in again.out
    assert {"service/token", "grafana/token"} == {name for name in FILES if before[name] != after[name]}
    rule = server.ask("GET", "buckets", org=ORG, name=BUCKET).json()["buckets"][0]["retentionRules"][0]
    assert (0, YEAR_SECONDS) == (rule["everySeconds"], rule["shardGroupDurationSeconds"])
    assert 200 == server.ask("POST", "query", READ, token=after["grafana/token"], org=ORG).status
    assert 0 == run("project").code  # as the service does after its next sync
    assert 0 < points == entry_points(server)
    assert "there was nothing to do" in run("init", "influxdb").out


LEFT = {
    "that forgets": ({"everySeconds": 30 * 86_400, "shardGroupDurationSeconds": 86_400}, "after 30 days"),
    "of short shards": ({"everySeconds": 0, "shardGroupDurationSeconds": 7 * 86_400}, "shorter than a year"),
}


@pytest.mark.parametrize(("rule", "said"), LEFT.values(), ids=LEFT)
def test_a_bucket_that_was_there_stays_as_it_is_and_what_it_lacks_is_said(
    run: Run, server: OwnServer, folder: Path, rule: dict[str, int], said: str
) -> None:
    before = works(run("init", "influxdb"), folder)
    as_administrator(server, folder)
    there = f"buckets/{server.bucket_id(BUCKET)}"
    server.ask("PATCH", there, {"retentionRules": [{"type": "expire", **rule}]}).json()
    kept = server.ask("GET", there).json()["retentionRules"]

    for lost in (None, "admin/token"):
        if lost:
            (folder / lost).unlink()
        again = run("init", "influxdb")
        assert {name: secret for name, secret in before.items() if name != lost} == works(again, folder)
        assert (True, True) == ("there was nothing to do" in again.out, said in again.out)
    assert kept == server.ask("GET", there).json()["retentionRules"]


def test_on_a_server_of_others_the_administrator_s_token_is_enough(
    run: Run, server: OwnServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"username": "somebody", "password": "not-to-be-known", "org": "theirs", "bucket": "theirs"}
    token = server.ask("POST", "setup", body).json()["auth"]["token"]
    monkeypatch.setenv("INFLUXDB_BUCKET", "ours")
    assert 4 == run("init", "influxdb").code
    (folder / "admin" / "token").write_text(token + "\n")

    secrets = works(run("init", "influxdb"), folder)

    assert "admin/password" not in secrets
    assert 204 == server.ask("POST", "write", POINT, token=secrets["service/token"], org=ORG, bucket="ours").status
    assert 404 == server.ask("POST", "query", READ, token=secrets["service/token"], org="theirs").status


def test_a_password_that_was_given_is_used_and_not_kept(
    run: Run, server: OwnServer, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "password").write_text("pässword of mine\n")
    monkeypatch.setenv("INFLUXDB_ADMIN_PASSWORD_FILE", str(home / "password"))

    secrets = works(run("init", "influxdb"), folder)

    assert FILES[1:] == tuple(secrets)
    assert "word of mine" not in "".join(secrets.values())
    for name in FILES[1:]:
        (folder / name).unlink()
    assert FILES[1:] == tuple(works(run("init", "influxdb"), folder))


def signs_in(server: OwnServer, password: str) -> bool:
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 (loopback)
        f"{server.url}/api/v2/signin", headers={"Authorization": f"Basic {login}"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (as above)
            return bool(answer.status == 204)
    except urllib.error.HTTPError:
        return False


def test_another_password_that_is_given_becomes_the_password(
    run: Run, server: OwnServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFLUXDB_ADMIN_PASSWORD", "the first password")
    before = works(run("init", "influxdb"), folder)
    monkeypatch.setenv("INFLUXDB_ADMIN_PASSWORD", "the second password")

    again = run("init", "influxdb")

    assert before == works(again, folder)
    assert "made the administrator's password." in again.out
    assert (False, True) == (signs_in(server, "the first password"), signs_in(server, "the second password"))
    assert "there was nothing to do" in run("init", "influxdb").out


def test_tokens_are_renewed_and_the_old_ones_are_worthless(
    run: Run, server: OwnServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = works(run("init", "influxdb"), folder)

    renewed = run("init", "influxdb", "--renew")

    after = works(renewed, folder)
    assert "made the administrator's token, the service's token, Grafana's token." in renewed.out
    assert before["admin/password"] == after["admin/password"]
    for name in FILES[1:]:
        assert 401 == server.ask("GET", "buckets", token=before[name]).status
        assert 200 == server.ask("GET", "buckets", token=after[name]).status
    as_administrator(server, folder)
    assert 3 == len(server.ask("GET", "authorizations").json()["authorizations"])


@pytest.mark.parametrize("password", ["short", "x" * 73])
def test_a_password_that_influxdb_does_not_take_is_named(
    run: Run, server: OwnServer, folder: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("INFLUXDB_ADMIN_PASSWORD", password)

    ran = run("init", "influxdb")

    assert (2, True, False) == (ran.code, "INFLUXDB_ADMIN_PASSWORD" in ran.err, password in ran.said)
    assert {} == secrets_in(folder)


def test_a_wrong_password_is_named(run: Run, server: OwnServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works(run("init", "influxdb"), folder)
    for name in FILES:
        (folder / name).unlink()
    monkeypatch.setenv("INFLUXDB_ADMIN_PASSWORD", "not-the-password")

    ran = run("init", "influxdb")

    assert (4, True) == (ran.code, "INFLUXDB_ADMIN_PASSWORD" in ran.err)
    assert "not-the-password" not in ran.said


def test_an_administrator_s_token_that_may_too_little_is_named(run: Run, server: OwnServer, folder: Path) -> None:
    secrets = works(run("init", "influxdb"), folder)
    (folder / "admin" / "token").write_text(secrets["grafana/token"])
    (folder / "service" / "token").unlink()

    ran = run("init", "influxdb")

    assert (4, True) == (ran.code, str(folder / "admin" / "token") in ran.err)
    assert secrets["grafana/token"] not in ran.said


def test_nothing_is_set_up_where_the_secrets_could_not_be_kept(run: Run, server: OwnServer, home: Path) -> None:
    (home / "file").write_text("")

    ran = run("init", "influxdb", "--folder", str(home / "file"))

    assert (4, True) == (ran.code, str(home / "file") in ran.err)
    assert server.ask("GET", "setup", token="").json()["allowed"] is True


def test_without_an_address_the_setting_is_named(run: Run, server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INFLUXDB_URL")

    ran = run("init", "influxdb")

    assert (2, True) == (ran.code, "INFLUXDB_URL" in ran.err)
