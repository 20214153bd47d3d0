"""What Caddy itself answers for: HTTPS, the names it knows, headers, and nothing open beside its ports."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from caddy.door import Door, opened
from caddy.standin import StandIn

ONE_YEAR = "max-age=31536000"


def test_https_proves_the_domain_and_offers_http_2(door: Door) -> None:
    with door.secure_socket(protocols=("h2", "http/1.1")) as connection:
        certificate = connection.getpeercert()
        assert certificate is not None
        assert (("DNS", door.domain),) == certificate["subjectAltName"]
        assert "h2" == connection.selected_alpn_protocol()
        assert connection.version() in {"TLSv1.2", "TLSv1.3"}


def test_another_name_gets_no_certificate(door: Door) -> None:
    with pytest.raises(ssl.SSLError), door.secure_socket("elsewhere.example.com"):
        pass


def test_another_host_than_the_certificate_s_is_told_so(door: Door, grafana: StandIn) -> None:
    assert 421 == door.ask("/grafana/", host="elsewhere.example.com").status
    assert [] == grafana.asked


@pytest.mark.parametrize("host", [None, "elsewhere.example.com"])
def test_http_leads_to_https_of_the_domain_whatever_host_is_named(door: Door, host: str | None) -> None:
    answer = door.ask("/grafana/d/hours?from=now-7d", host=host, plain=True)

    assert (301, f"https://{door.host}/grafana/d/hours?from=now-7d") == (answer.status, answer.headers["Location"])
    assert not {"Strict-Transport-Security", "Server"} & set(answer.headers)


@pytest.mark.parametrize("target", ["/grafana/", "/grafana/bare", "/api/", "/api/status", "/nowhere", "/"])
def test_a_public_domain_has_the_security_headers_on_every_answer_once(
    door: Door, grafana: StandIn, target: str
) -> None:
    headers = door.ask(target).headers

    assert [ONE_YEAR] == headers.get_all("Strict-Transport-Security")
    assert ["nosniff"] == headers.get_all("X-Content-Type-Options")
    assert 1 == len(headers.get_all("Referrer-Policy") or [])
    assert ["Server", "Via", "Alt-Svc"] == [each for each in ("Server", "Via", "Alt-Svc") if each not in headers]


def test_who_sends_a_referrer_policy_of_its_own_keeps_it(door: Door, grafana: StandIn) -> None:
    assert "no-referrer" == door.ask("/grafana/").headers["Referrer-Policy"]
    assert "same-origin" == door.ask("/grafana/bare").headers["Referrer-Policy"]


@pytest.mark.parametrize("target", ["/grafana/", "/api/status", "/nowhere", "/"])
def test_localhost_is_never_told_to_be_https_for_ever(local_door: Door, target: str) -> None:
    headers = local_door.ask(target).headers

    assert "Strict-Transport-Security" not in headers
    assert ["nosniff"] == headers.get_all("X-Content-Type-Options")
    assert "Server" not in headers


@pytest.mark.parametrize("domain", ["hours", "hours.home.arpa", "nas.local", "127.0.0.1"])
def test_nor_is_a_name_of_one_s_own_network(tmp_path: Path, nobody: str, domain: str) -> None:
    with opened(tmp_path, domain, TLS="internal", SERVICE_UPSTREAM=nobody, GRAFANA_UPSTREAM=nobody) as private:
        for target in ("/", "/nowhere"):
            assert "Strict-Transport-Security" not in private.ask(target).headers


def test_nothing_listens_beside_http_https_and_health_so_no_admin_endpoint_either(door: Door) -> None:
    assert {door.plain_port, door.port, door.health_port} == {port for _, port in door.listens()}
    assert {"127.0.0.1"} == {address for address, _ in door.listens()}
