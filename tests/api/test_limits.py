import asyncio
from typing import Any

import pytest

from api.asgi import call, echo
from api.scene import TOKEN, SmallPulse
from toggl_pulse.api import BodyLimit, Headers, Prefix
from toggl_pulse.app import create_app

LIMITED = BodyLimit(echo, 10)


def test_a_body_up_to_the_limit_is_read() -> None:
    reply = asyncio.run(call(LIMITED, "POST", "/", body=[b"12345", b"67890"], headers=[("content-length", "10")]))

    assert b"/ 10" == reply.body


def test_a_body_is_counted_as_it_arrives() -> None:
    def endless() -> list[bytes]:
        return [b"12345", b"67890", b"1", *[b"never read"] * 1000]

    silent = asyncio.run(call(LIMITED, "POST", "/", body=endless()))
    lying = asyncio.run(call(LIMITED, "POST", "/", body=endless(), headers=[("content-length", "3")]))

    assert [(413, "too_large")] * 2 == [(reply.status, reply.code) for reply in (silent, lying)]


@pytest.mark.parametrize("length", ["11", "9" * 40])
def test_an_announced_body_is_refused_before_it_is_read(length: str) -> None:
    reply = asyncio.run(call(LIMITED, "POST", "/", body=[], headers=[("content-length", length)]))

    assert (reply.status, reply.code) == (413, "too_large")


def test_a_body_that_does_not_come_is_given_up() -> None:
    async def scene() -> list[Any]:
        sent: list[Any] = []
        first = [{"type": "http.request", "body": b"1", "more_body": True}]

        async def receive() -> Any:
            return first.pop() if first else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await BodyLimit(echo, 10, seconds=0.02)({"type": "http", "headers": [], "path": "/"}, receive, send)
        return sent

    start, body = asyncio.run(scene())

    assert 408 == start["status"]
    assert b'"too_slow"' in body["body"]


def test_a_mebibyte_and_a_byte_is_too_much_for_the_application(pulse: SmallPulse) -> None:
    app = create_app(pulse)
    headers = [("host", "localhost"), ("authorization", f"Bearer {TOKEN}")]
    filler = b'{"x": "' + b"x" * (1024 * 1024 - 9) + b'"}'

    fits = asyncio.run(call(app, "POST", "/search", headers=headers, body=[filler]))
    bursts = asyncio.run(call(app, "POST", "/search", headers=headers, body=[filler[:-2], b"xxx", b'"}']))

    assert 200 == fits.status
    assert (413, "too_large") == (bursts.status, bursts.code)


def test_every_answer_carries_the_security_headers_and_no_server_name() -> None:
    reply = asyncio.run(call(Headers(echo)))

    assert {
        "content-type": "text/plain",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    } == reply.headers


@pytest.mark.parametrize("path", ["/api", "/api/", "/"])
@pytest.mark.parametrize("root_path", ["/api", "/api/"])
def test_a_prefix_answers_with_and_without_its_slash(pulse: SmallPulse, path: str, root_path: str) -> None:
    reply = asyncio.run(call(create_app(pulse), "GET", path, root_path=root_path))

    assert (200, b'{"status":"ok"}') == (reply.status, reply.body)


def test_a_bare_prefix_that_was_stripped_to_nothing_is_the_root(pulse: SmallPulse) -> None:
    assert 200 == asyncio.run(call(create_app(pulse), "GET", "")).status
    assert b"/x 0" == asyncio.run(call(Prefix(echo), "GET", "/x")).body


def test_routes_answer_below_a_prefix(pulse: SmallPulse) -> None:
    headers = [("host", "localhost"), ("authorization", f"Bearer {TOKEN}")]
    reply = asyncio.run(call(create_app(pulse), "GET", "/api/status", headers=headers, root_path="/api"))

    assert 200 == reply.status


@pytest.mark.parametrize("path", ["/status/", "/query/", "/health/live/", "//"])
def test_no_address_is_ever_a_redirect(pulse: SmallPulse, path: str) -> None:
    headers = [("host", "localhost"), ("authorization", f"Bearer {TOKEN}")]
    reply = asyncio.run(call(create_app(pulse), "GET", path, headers=headers))

    assert (404, "not_found") == (reply.status, reply.code)
