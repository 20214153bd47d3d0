import os
from pathlib import Path

import pytest

from toggl_pulse.errors import BadRequest
from toggl_pulse.settings import HIDDEN, Settings, describe, in_force, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        for variable in (name.upper(), f"{name.upper()}_FILE"):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadRequest) as caught:
        load_settings()
    assert caught.value.exit_code == 2
    return caught.value.message


def test_without_anything_the_defaults_of_the_contract_hold() -> None:
    settings = load_settings()

    assert settings.toggl_api_url == "https://api.track.toggl.com"
    assert settings.sync_schedule == "0 2,14 * * *"
    assert settings.poll_minutes == 10
    assert settings.quota_reserve == 10
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.hosts == ("localhost", "127.0.0.1", "::1")
    assert settings.mirror_url == f"sqlite:///{settings.data_dir}/mirror.db"
    assert not settings.has_credentials


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nPOLL_MINUTES=5\nGRAFANA_ADMIN_PASSWORD=other\n")
    monkeypatch.setenv("PORT", "9002")

    settings = load_settings()

    assert (settings.port, settings.poll_minutes) == (9002, 5)


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGGL_API_TOKEN", "")
    monkeypatch.setenv("POLL_MINUTES", "")

    assert not load_settings().has_credentials


def test_a_secret_comes_from_the_file_that_its_twin_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from-a-file \n")
    monkeypatch.setenv("TOGGL_API_TOKEN_FILE", str(tmp_path / "token"))

    token = load_settings().toggl_api_token

    assert token is not None
    assert token.get_secret_value() == "from-a-file "


def test_a_secret_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, API_TOKEN="a", API_TOKEN_FILE=str(tmp_path / "absent"))

    assert message == "API_TOKEN and API_TOKEN_FILE must not both be set."


def test_a_secret_file_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, API_TOKEN_FILE="/nowhere/token")

    assert message == "API_TOKEN_FILE points at a file that cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLL_MINUTES", "-1"),
        ("POLL_MINUTES", "often"),
        ("QUOTA_RESERVE", "30"),
        ("PORT", "65536"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "../../etc/passwd"),
        ("TIMEZONE", "localtime"),
        ("BACKFILL_FROM", "yesterday"),
        ("LOG_LEVEL", "loud"),
        ("TOGGL_API_URL", "ftp://example.org"),
        ("TOGGL_API_URL", "http://example.org"),
        ("API_TOKEN", "a long token with a line\nbreak"),
        ("API_TOKEN", "fifteen letters"),
        ("SESSION_SECRET", "fifteen letters"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    message = refusal(monkeypatch, **{name: value})

    assert message.startswith(f"{name} ")
    assert message.endswith(".")
    assert "\n" not in message


def test_a_bad_secret_is_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "sésame" not in refusal(monkeypatch, TOGGL_API_TOKEN="sésame")


def test_listening_beyond_loopback_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, HOST="0.0.0.0").startswith("API_TOKEN must be set when HOST")  # noqa: S104
    monkeypatch.setenv("API_TOKEN", "long-enough-to-guess-for-ever")

    assert load_settings().host == "0.0.0.0"  # noqa: S104


def test_email_without_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, TOGGL_EMAIL="me@example.org")

    assert message == "TOGGL_EMAIL and TOGGL_PASSWORD must be given together."


def test_what_is_in_force_shows_every_setting_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: f"hush-hush-{name}" for name in ("TOGGL_API_TOKEN", "TOGGL_PASSWORD", "API_TOKEN", "SESSION_SECRET")}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOGGL_EMAIL", "me@example.org")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://pulse:hush-hush@db:5432/pulse?sslmode=require")

    settings = load_settings()
    shown = in_force(settings)

    assert {name.upper() for name in Settings.model_fields} == set(shown)
    assert "hush-hush" not in str(shown)
    assert "hush-hush" not in repr(settings)
    assert shown["DATABASE_URL"] == f"postgresql+psycopg://pulse:{HIDDEN}@db:5432/pulse?sslmode=require"
    assert {"hush-hush", *given.values()} <= set(settings.secrets())


def test_every_setting_is_described() -> None:
    table = describe()

    for name, field in Settings.model_fields.items():
        assert f"`{name.upper()}`" in table
        assert field.description


def test_settings_do_not_leak_into_the_environment() -> None:
    load_settings()

    assert "TOGGL_API_URL" not in os.environ


@pytest.mark.parametrize(
    ("url", "shown", "secrets"),
    [
        ("postgresql://me:hunter22@db/pulse", "postgresql://me:(hidden)@db/pulse", ("hunter22",)),
        ("postgres://:hunter22@db/pulse", "postgres://:(hidden)@db/pulse", ("hunter22",)),
        ("postgresql://me:p%40ss%2Fword@db/x", "postgresql://me:(hidden)@db/x", ("p%40ss%2Fword", "p@ss/word")),
        ("postgresql://me:a/b#c[d?e@f@db:5432/x", "postgresql://me:(hidden)@db:5432/x", ("a/b#c[d?e@f",)),
        ("postgresql://me@db/x?password=hunter22&a=b", "postgresql://me@db/x?password=(hidden)&a=b", ("hunter22",)),
        ("postgresql://db/x?a=b&sslpassword=hunter22", "postgresql://db/x?a=b&sslpassword=(hidden)", ("hunter22",)),
        ("postgresql://me@db:5432/x", "postgresql://me@db:5432/x", ()),
        ("sqlite:////data/mirror.db", "sqlite:////data/mirror.db", ()),
    ],
)  # fmt: skip
def test_a_databases_password_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, url: str, shown: str, secrets: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    settings = load_settings()

    assert (shown, secrets) == (in_force(settings)["DATABASE_URL"], settings.secrets())
    assert not [secret for secret in secrets if secret in repr(settings)]


def test_influxdb_needs_a_token_and_an_organisation_beside_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFLUXDB_TOKEN", "t")
    assert "INFLUXDB_URL needs INFLUXDB_TOKEN and INFLUXDB_ORG beside it." == refusal(
        monkeypatch, INFLUXDB_URL="http://influxdb:8086"
    )
    monkeypatch.setenv("INFLUXDB_ORG", "home")

    settings = load_settings()
    assert ("http://influxdb:8086", "home", "toggl_metrics") == (
        settings.influxdb_url, settings.influxdb_org, settings.influxdb_bucket,
    )  # fmt: skip


@pytest.mark.parametrize("url", ["influxdb:8086", "ftp://x", "http://user:pw@x", "http://x/?token=1", "http://"])
def test_an_address_of_influxdb_that_is_none_or_holds_a_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    message = refusal(monkeypatch, INFLUXDB_URL=url, INFLUXDB_TOKEN="t", INFLUXDB_ORG="o")

    assert message.startswith("INFLUXDB_URL must be an http or https address")
    assert url not in message


def test_answers_can_only_come_from_an_influxdb_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "QUERY_SOURCE can only be influxdb where INFLUXDB_URL is set." == refusal(
        monkeypatch, QUERY_SOURCE="influxdb"
    )
    assert refusal(monkeypatch, QUERY_SOURCE="elsewhere").startswith("QUERY_SOURCE ")
