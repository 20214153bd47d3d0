import asyncio

import pytest

from api.asgi import call, echo
from toggl_pulse.api import HostCheck
from toggl_pulse.api.hosts import host_name

GUARDED = HostCheck(echo, ("localhost", "127.0.0.1", "::1", "Pulse.Example.org."))


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]", "[::1]:8000", "pulse.example.org", "localhost."]
)
def test_a_known_host_is_let_in_with_any_port_and_case(host: str) -> None:
    reply = asyncio.run(call(GUARDED, headers=[("host", host)]))

    assert reply.status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil-localhost", "[::2]:80", "127.0.0.2"])
def test_an_unknown_host_is_refused(host: str) -> None:
    reply = asyncio.run(call(GUARDED, headers=[("host", host)]))

    assert (reply.status, reply.code) == (421, "unknown_host")


@pytest.mark.parametrize(
    "host",
    ["", " ", "user@localhost", "localhost:port", "localhost:8000:1", "::1", "[::1", "local\xe9", "localhost/x", "."],
)
def test_a_malformed_host_is_refused(host: str) -> None:
    reply = asyncio.run(call(GUARDED, headers=[("host", host)]))

    assert (reply.status, reply.code) == (400, "bad_host")


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    none = asyncio.run(call(GUARDED, headers=[]))
    two = asyncio.run(call(GUARDED, headers=[("host", "localhost"), ("host", "localhost")]))

    assert (none.code, two.code) == ("bad_host", "bad_host")


def test_a_forwarded_host_counts_for_nothing() -> None:
    reply = asyncio.run(call(GUARDED, headers=[("host", "evil.example"), ("x-forwarded-host", "localhost")]))

    assert reply.code == "unknown_host"


def test_a_star_lets_any_well_formed_host_in() -> None:
    anyone = HostCheck(echo, ("*",))

    assert asyncio.run(call(anyone, headers=[("host", "what.ever:99")])).status == 200
    assert asyncio.run(call(anyone, headers=[("host", "a@b")])).status == 400


def test_a_host_name_is_read_without_port_brackets_and_dot() -> None:
    assert ["::1", "a.b", None] == [host_name(each) for each in ("[::1]:5", "A.b.:1", "a b")]
