"""The token, in any form, must not come out of any failure: as text, in a traceback, or hanging on an exception."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import orjson
import pytest

from toggl.scene import NOW, TOKEN, Scene, answer
from toggl_pulse.errors import PulseError
from toggl_pulse.toggl import TogglClient
from toggl_pulse.toggl.wire import Answer, Reply

BASIC = b64encode(f"{TOKEN}:api_token".encode()).decode()
ECHO = f"Authorization: Basic {BASIC} token {TOKEN}"

FAILURES: list[Any] = [
    httpx2.Response(400, json=ECHO),
    httpx2.Response(401, text=ECHO),
    httpx2.Response(402, json=ECHO),
    httpx2.Response(402, text=f"quota {ECHO}"),
    httpx2.Response(403, json={"error": {"message": ECHO}}),
    httpx2.Response(404, text=ECHO),
    httpx2.Response(429, text=ECHO),
    httpx2.Response(500, text=ECHO),
    httpx2.Response(302, headers={"Location": f"https://evil.test/{TOKEN}"}),
    httpx2.Response(200, html=f"<html>{ECHO}</html>"),
    httpx2.Response(200, content=b'{"api_token": "' + TOKEN.encode() + b'", '),
    httpx2.Response(200, json={"api_token": TOKEN}),
    httpx2.Response(200, json=TOKEN),
    httpx2.ConnectError(ECHO),
    httpx2.ReadError(ECHO),
    httpx2.ProxyError(ECHO),
    OSError(ECHO),
]

QUESTIONS: list[Callable[[TogglClient], Awaitable[object]]] = [
    lambda client: client.me(),
    lambda client: client.entries_since(NOW),
    lambda client: client.projects(11),
    lambda client: client.entry(7),
    lambda client: client.report_totals(11, NOW.date(), NOW.date(), user_id=41),
]


def exceptions(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from exceptions(error.__cause__)
        error = error.__context__


def with_locals(error: BaseException) -> list[str]:
    """What a traceback that prints the local variables of the product's frames would show."""
    shown: list[str] = []
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "toggl_pulse" in frame.f_code.co_filename:
            shown += [f"{name} = {value!r}" for name, value in frame.f_locals.items()]
    assert shown
    return shown


def everything_shown(error: PulseError) -> list[str]:
    return [
        str(error),
        error.message,
        *(str(value) for value in vars(error).values()),
        *traceback.format_exception(error),
        *with_locals(error),
        *(repr(each) + str(vars(each)) for each in exceptions(error)),
    ]


@pytest.mark.parametrize("question", range(len(QUESTIONS)))
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: repr(failure)[:30])
def test_no_failure_shows_the_token(failure: Any, question: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scene = Scene(failure)
    shown: list[str] = []
    caused: list[BaseException] = []
    try:
        scene.ask(QUESTIONS[question])
    except PulseError as error:
        shown = everything_shown(error)
        caused = list(exceptions(error))[1:]

    shown += [repr(note) for note in scene.notes]
    shown += [record.getMessage() for record in caplog.records]
    assert [text for text in shown if TOKEN in text or BASIC in text] == []
    assert [each for each in caused if not isinstance(each, PulseError)] == []


def test_what_me_echoes_is_neither_kept_nor_set_aside() -> None:
    broken = {"id": None, "name": TOKEN, "api_token": "another-token", "deep": [{"Authorization": BASIC}]}
    data = {
        "id": 41,
        "api_token": TOKEN,
        "workspaces": [broken, {"id": 11, "name": "Studio", "api_token": "another-token"}],
        "projects": [broken],
        "time_entries": [broken | {"description": ECHO}],
    }

    me = Scene(answer(data)).ask(lambda client: client.me())

    assert len(me.set_aside) == 3
    assert not [word for word in (TOKEN, BASIC, "another-token") if word in repr(me)]


def test_the_clients_own_objects_show_nothing() -> None:
    async def look(client: TogglClient) -> str:
        parts = [client, client.quota, client._exchange, client._exchange._wire]
        return repr(parts) + orjson.dumps([repr(vars(part)) for part in parts]).decode()

    shown = Scene(answer()).ask(look) + repr(Reply(200, {}, TOKEN.encode())) + repr(Answer({"api_token": TOKEN}, {}))

    assert TOKEN not in shown
    assert BASIC not in shown
