"""The Caddyfile as a text: valid as it stands, and formatted as Caddy itself would."""

from __future__ import annotations

from pathlib import Path

import pytest

from caddy.door import CADDYFILE, caddy


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"DOMAIN": "hours.example.com"},
        {"DOMAIN": "hours.example.com", "TLS": "somebody@example.com"},
        {"DOMAIN": "hours.example.com", "TLS": "internal", "BIND": "127.0.0.1", "HTTPS_PORT": "8443"},
    ],
)
def test_the_file_is_valid_with_nothing_set_and_with_each_kind_of_certificate(
    settings: dict[str, str], tmp_path: Path
) -> None:
    done = caddy(tmp_path, "validate", "--config", str(CADDYFILE), "--adapter", "caddyfile", **settings)

    assert (0, "Valid configuration") == (done.returncode, done.stdout.strip()), done.stderr


def test_the_file_is_formatted(tmp_path: Path) -> None:
    done = caddy(tmp_path, "fmt", "--diff", str(CADDYFILE))

    assert 0 == done.returncode, done.stdout


def test_an_empty_domain_is_refused_instead_of_serving_any_name(tmp_path: Path) -> None:
    done = caddy(tmp_path, "validate", "--config", str(CADDYFILE), "--adapter", "caddyfile", DOMAIN="")

    assert 0 != done.returncode


def test_a_certificate_of_one_s_own_is_two_paths(tmp_path: Path) -> None:
    own = {"DOMAIN": "hours.example.com", "TLS": "/etc/caddy/name.crt /etc/caddy/name.key"}
    done = caddy(tmp_path, "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile", **own)

    assert '"certificate":"/etc/caddy/name.crt","key":"/etc/caddy/name.key"' in done.stdout
