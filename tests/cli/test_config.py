import json
from pathlib import Path

import pytest

from cli.scene import Run
from toggl_pulse.settings import Settings

SECRETS = {"TOGGL_API_TOKEN": "hush-token", "TOGGL_PASSWORD": "hush-password", "API_TOKEN": "hush-api-hush-api"}


def test_every_setting_in_force_is_shown_and_no_secret(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOGGL_EMAIL", "me@example.org")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://pulse:hush-db@db/pulse")
    (home / ".env").write_text("PORT=9001\n")

    people, programs = run("config"), run("config", "--json")

    assert (0, "", 0, "") == (people.code, people.err, programs.code, programs.err)
    told = json.loads(programs.out)
    assert {name.upper() for name in Settings.model_fields} == set(told)
    assert dict(line.split(maxsplit=1) for line in people.out.splitlines()) == told
    assert ("9001", "(hidden)", "postgresql+psycopg://pulse:(hidden)@db/pulse") == (
        told["PORT"],
        told["API_TOKEN"],
        told["DATABASE_URL"],
    )
    assert "hush" not in people.said + programs.said


def test_nothing_is_made_by_looking(run: Run, home: Path) -> None:
    run("config")

    assert [] == list(home.iterdir())
