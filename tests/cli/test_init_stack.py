"""`toggl-pulse init stack`: what it writes, who may read it, what it keeps, and that it prints no secret."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values

from cli.scene import Ran, Run
from e2e.processes import environment
from toggl_pulse.cli.init_stack import SETTINGS
from toggl_pulse.cli.stack_secrets import DEMO, SECRETS

TOKEN = "0123456789abcdef0123456789abcdef"
DOMAIN = "hours.example.com"
NAMES = {secret.name for secret in SECRETS}


class Init(Protocol):
    def __call__(self, *arguments: str, said: str = "", **variables: str) -> Ran: ...


@pytest.fixture
def init(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Init:
    """The verb in an empty folder, with nobody there to be asked; no secret that it knows is in what it prints."""
    for name in ("DOMAIN", *(secret.given_as for secret in SECRETS if secret.given_as), *SETTINGS):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, said: str = "", **variables: str) -> Ran:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO(said))
            for name, value in variables.items():
                patch.setenv(name, value)
            ran = run("init", "stack", *arguments)
        assert [] == [name for name, secret in secrets_in(home).items() if secret in ran.said]
        return ran

    return call


def secrets_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "secrets").glob("*")}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def made(init: Init, home: Path) -> Path:
    """The folder after one run."""
    old = os.umask(0)  # the most careless one
    try:
        ran = init("--domain", "Hours.Example.com.", TOGGL_API_TOKEN=TOKEN)
    finally:
        os.umask(old)
    assert (0, "") == (ran.code, ran.err)
    return home


def test_every_secret_has_a_file_of_its_own_and_no_two_are_alike(made: Path) -> None:
    secrets = secrets_in(made)

    assert NAMES == set(secrets)
    assert TOKEN == secrets["toggl_api_token"]
    assert len(NAMES) == len(set(secrets.values()))
    made_up = {name: secret for name, secret in secrets.items() if name not in {"toggl_api_token", "database_url"}}
    assert {} == {name: secret for name, secret in made_up.items() if len(secret) < 40 or "$" in secret}
    address = urlsplit(secrets["database_url"])
    assert ("pulse", secrets["postgresql_password"], "postgresql", "/toggl_pulse") == (
        address.username,
        address.password,
        address.hostname,
        address.path,
    )


def test_the_folder_keeps_others_out_and_each_file_can_be_mounted_for_any_user(made: Path) -> None:
    assert 0o700 == mode(made / "secrets")
    assert {0o444} == {mode(path) for path in (made / "secrets").iterdir()}
    assert 0o600 == mode(made / ".env")


def test_env_has_the_settings_and_no_secret(made: Path) -> None:
    assert {
        "DOMAIN": DOMAIN,
        "INFLUXDB_ORG": "toggl_pulse",
        "INFLUXDB_BUCKET": "toggl_metrics",
        "LOG_LEVEL": "INFO",
    } == dotenv_values(made / ".env")
    text = (made / ".env").read_text()
    assert [] == [name for name, secret in secrets_in(made).items() if secret in text]


def test_seeds_of_the_environment_and_of_an_older_env_keep_their_meaning(init: Init, home: Path) -> None:
    older = "# mine\nTOGGL_API_TOKEN=" + TOKEN + "\nINFLUXDB_BUCKET='my hours'\nOTHER=1\nLOG_LEVEL=debug\n"
    (home / ".env").write_text(older)
    (home / ".env").chmod(0o644)

    ran = init(
        DOMAIN=DOMAIN,
        INFLUXDB_ADMIN_PASSWORD="of my own choice",
        GRAFANA_ADMIN_PASSWORD="pässword!",
        API_TOKEN="x" * 16,
        INFLUXDB_ORG="my org",
    )

    assert 0 == ran.code
    secrets = secrets_in(home)
    assert (TOKEN, "of my own choice", "pässword!", "x" * 16) == (
        secrets["toggl_api_token"],
        secrets["influxdb_admin_password"],
        secrets["grafana_admin_password"],
        secrets["api_token"],
    )
    text = (home / ".env").read_text()
    assert text.startswith(older)
    assert f"{older}DOMAIN={DOMAIN}\nINFLUXDB_ORG='my org'\n" == text
    assert 0o600 == mode(home / ".env")


def test_a_second_run_changes_nothing_and_says_what_it_keeps(init: Init, home: Path) -> None:
    init("--domain", DOMAIN, TOGGL_API_TOKEN=TOKEN)
    before = (secrets_in(home), (home / ".env").read_bytes())

    ran = init()

    assert 0 == ran.code
    assert before == (secrets_in(home), (home / ".env").read_bytes())
    assert f"Kept in secrets/: {', '.join(secret.name for secret in SECRETS)}." in ran.out
    assert "Made" not in ran.out
    assert "Wrote" not in ran.out


def test_another_value_is_not_taken_over_without_force_and_named(init: Init, home: Path) -> None:
    init("--domain", DOMAIN, TOGGL_API_TOKEN=TOKEN)
    before = (secrets_in(home), (home / ".env").read_bytes())

    ran = init("--domain", "b.example.com", TOGGL_API_TOKEN="another" + TOKEN)

    assert before == (secrets_in(home), (home / ".env").read_bytes())
    assert "Another DOMAIN was given; --force takes it over." in ran.out
    assert "Another toggl_api_token was given; --force takes it over." in ran.out


def test_force_replaces_what_can_be_replaced_by_a_file_and_says_what_it_keeps(init: Init, home: Path) -> None:
    init("--domain", DOMAIN, TOGGL_API_TOKEN=TOKEN)
    before = secrets_in(home)

    ran = init("--force", "--domain", "b.example.com", LOG_LEVEL="ERROR")

    after = secrets_in(home)
    replaced = {name for name in NAMES if before[name] != after[name]}
    assert {"api_token", "influxdb_admin_password"} == replaced
    assert "Replaced in secrets/: api_token, influxdb_admin_password." in ran.out
    assert "Of these, grafana_admin_password, grafana_secret_key, postgresql_password, database_url cannot" in ran.out
    env = dotenv_values(home / ".env")
    assert ("b.example.com", "ERROR", "toggl_pulse") == (env["DOMAIN"], env["LOG_LEVEL"], env["INFLUXDB_ORG"])


def test_force_takes_over_what_is_given_and_says_who_must_be_told(init: Init, home: Path) -> None:
    init("--domain", DOMAIN, TOGGL_API_TOKEN=TOKEN)

    ran = init("--force", TOGGL_API_TOKEN="another" + TOKEN, GRAFANA_ADMIN_PASSWORD="chosen by me")

    after = secrets_in(home)
    assert ("another" + TOKEN, "chosen by me") == (after["toggl_api_token"], after["grafana_admin_password"])
    assert "A new grafana_admin_password: Grafana itself has to be told" in ran.out


@pytest.mark.parametrize("lost", sorted(NAMES - {"toggl_api_token"}))
def test_one_lost_file_is_made_anew_and_all_others_stay(init: Init, home: Path, lost: str) -> None:
    init("--domain", DOMAIN, TOGGL_API_TOKEN=TOKEN)
    before = secrets_in(home)
    (home / "secrets" / lost).unlink()

    ran = init()

    after = secrets_in(home)
    assert 0 == ran.code
    assert f"Made in secrets/: {lost}." in ran.out
    assert NAMES - {lost} <= {name for name in NAMES if before[name] == after[name]}
    assert after["postgresql_password"] in after["database_url"]


def test_the_toggl_token_may_come_by_file_or_by_standard_input(init: Init, home: Path) -> None:
    (home / "token").write_text(TOKEN + "\n")
    init("--domain", DOMAIN, "--toggl", "token")
    assert TOKEN == secrets_in(home)["toggl_api_token"]

    init("--force", "--toggl", "-", said=f"another{TOKEN}\n")
    assert f"another{TOKEN}" == secrets_in(home)["toggl_api_token"]


@pytest.mark.parametrize(
    "given",
    [
        "https://hours.example.com", "hours.example.com/", "hours.example.com:443", "hours", "10.0.0.1", "a..b",
        "-a.example.com", "a_b.example.com", "ä.example.com", "x" * 64 + ".example.com", "a b.example.com", "*.a.com",
        "{$X}.example.com",
    ],
)  # fmt: skip
def test_what_is_no_host_name_is_one_sentence_and_nothing_is_written(init: Init, home: Path, given: str) -> None:
    ran = init("--domain", given, TOGGL_API_TOKEN=TOKEN)

    assert (2, "") == (ran.code, ran.out)
    assert ran.err.startswith("toggl-pulse: DOMAIN must be a host name alone")
    assert 1 == ran.err.count("\n")
    assert [] == list(home.iterdir())


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TOGGL_API_TOKEN", "two words that are no token", "TOGGL_API_TOKEN is not an API token"),
        ("TOGGL_API_TOKEN", "short", "TOGGL_API_TOKEN is not an API token"),
        ("INFLUXDB_ADMIN_PASSWORD", "1234567", "INFLUXDB_ADMIN_PASSWORD must have 8 to 72"),
        ("GRAFANA_ADMIN_PASSWORD", "x" * 73, "GRAFANA_ADMIN_PASSWORD must have 8 to 72"),
        ("API_TOKEN", "x" * 15, "API_TOKEN must be a single word"),
        ("API_TOKEN", "x" * 16 + "$HOME", "API_TOKEN must be a single word"),
        ("INFLUXDB_ORG", "o'brien", "INFLUXDB_ORG must be printable"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of"),
    ],
)
def test_a_bad_seed_is_one_sentence_without_its_value_and_nothing_is_written(
    init: Init, home: Path, name: str, value: str, sentence: str
) -> None:
    ran = init("--domain", DOMAIN, **{"TOGGL_API_TOKEN": TOKEN, name: value})

    assert (2, "") == (ran.code, ran.out)
    assert ran.err.startswith(f"toggl-pulse: {sentence}")
    assert value not in ran.err
    assert [] == list(home.iterdir())


def test_where_nobody_can_be_asked_it_says_which_option_is_missing(init: Init, home: Path) -> None:
    assert (2, "", "toggl-pulse: Nobody is there to be asked: give --domain.\n") == init()
    without_token = init("--domain", DOMAIN)
    assert (2, "", "toggl-pulse: Nobody is there to be asked: give --toggl.\n") == without_token
    assert [] == list(home.iterdir())


def test_the_demo_s_secrets_are_made_up_once_and_nothing_else_is_written(init: Init, home: Path) -> None:
    folder = home / "secrets"
    folder.mkdir(mode=0o755)

    first = init("--demo", "secrets", TOGGL_API_TOKEN=TOKEN, API_TOKEN="x" * 16)
    secrets = secrets_in(home)
    second = init("--demo", "secrets")

    assert (0, 0) == (first.code, second.code)
    assert {secret.name for secret in DEMO} == set(secrets)
    assert "x" * 16 not in secrets.values()
    assert secrets == secrets_in(home)
    assert 0o755 == mode(folder)
    assert {0o444} == {mode(path) for path in folder.iterdir()}
    assert [folder] == list(home.iterdir())


def test_a_person_is_asked_again_until_both_answers_are_good_and_the_token_does_not_show(home: Path) -> None:
    person, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "toggl_pulse", "init", "stack"],
        cwd=home,
        env=environment(home, TERM="dumb"),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        shown = ""
        for question, answer in (
            ("Domain", "https://hours.example.com"),
            ("Error: DOMAIN must be a host name alone", DOMAIN),
            ("Toggl's API token", "too short"),
            ("TOGGL_API_TOKEN is not an API token", TOKEN),
        ):
            while question not in shown or not shown.endswith(": "):
                shown += os.read(person, 1 << 12).decode()
            shown = ""
            os.write(person, f"{answer}\n".encode())
        everything = b""
        with contextlib.suppress(OSError):  # so a terminal says that nobody writes to it any more
            while piece := os.read(person, 1 << 12):
                everything += piece
        os.close(person)
    assert 0 == process.returncode, everything
    assert b"Next: docker compose up" in everything
    assert TOKEN.encode() not in everything
    assert TOKEN == secrets_in(home)["toggl_api_token"]
    assert DOMAIN == dotenv_values(home / ".env")["DOMAIN"]
