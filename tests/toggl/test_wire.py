import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest

from toggl.scene import TOKEN, URL, Scene, answer
from toggl_pulse import __version__
from toggl_pulse.errors import NeedsUser
from toggl_pulse.toggl import Credentials
from toggl_pulse.toggl.translate import Trouble
from toggl_pulse.toggl.wire import Answer, Limits, Reply, Wire, parse


def send(transport: httpx2.AsyncBaseTransport, limits: Limits) -> Reply | Trouble:
    async def sent() -> Reply | Trouble:
        wire = Wire(URL, Credentials.token(TOKEN), limits, transport)
        try:
            return await wire.send("GET", "/api/v9/me", None, None)
        finally:
            await wire.aclose()

    return asyncio.run(sent())


def code_of(outcome: Reply | Trouble) -> str:
    assert isinstance(outcome, Trouble)
    return outcome.code


class Endless(httpx2.AsyncByteStream):
    """A body that never ends; `given` counts what was taken of it."""

    def __init__(self, piece: bytes, pause: float = 0.0) -> None:
        self.piece = piece
        self.pause = pause
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.given += len(self.piece)
            await asyncio.sleep(self.pause)
            yield self.piece


def test_halves_of_characters_are_replaced_wherever_they_stand_and_whole_ones_stay() -> None:
    content = rb'{"a\ud83d": ["\udc00b", {"c\udfff": "\ud83d\ude00 \ud83d"}, [7, 0.5, true, null]]}'

    answer = parse(Reply(200, {}, content))

    assert isinstance(answer, Answer)
    assert {"a\ufffd": ["\ufffdb", {"c\ufffd": "\U0001f600 \ufffd"}, [7, 0.5, True, None]]} == answer.data


def test_an_endless_answer_is_cut_off_at_the_limit() -> None:
    body = Endless(b" " * 1000)

    outcome = send(httpx2.MockTransport(lambda _: httpx2.Response(200, stream=body)), Limits(answer_bytes=50_000))

    assert code_of(outcome) == "answer_too_large"
    assert body.given <= 52_000


def test_what_counts_is_the_size_after_unpacking() -> None:
    packed = gzip.compress(b" " * 1_000_000)
    reply = httpx2.Response(200, content=packed, headers={"Content-Encoding": "gzip"})

    outcome = send(httpx2.MockTransport(lambda _: reply), Limits(answer_bytes=500_000))

    assert code_of(outcome) == "answer_too_large"


def test_an_answer_that_drips_for_ever_runs_out_of_time() -> None:
    body = Endless(b" ", pause=0.001)

    outcome = send(httpx2.MockTransport(lambda _: httpx2.Response(200, stream=body)), Limits(answer_seconds=0.05))

    assert code_of(outcome) == "toggl_timeout"


def test_an_answer_packed_wrongly_is_trouble() -> None:
    class Raw(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"not gzip"

    def handle(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Raw(), headers={"Content-Encoding": "gzip"})

    assert code_of(send(httpx2.MockTransport(handle), Limits())) == "bad_answer"


def test_a_redirect_is_not_followed_anywhere() -> None:
    hosts: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        hosts.append(request.url.host)
        return httpx2.Response(302, headers={"Location": "https://evil.test/"})

    outcome = send(httpx2.MockTransport(handle), Limits())

    assert isinstance(outcome, Reply)
    assert (outcome.status, hosts) == (302, ["toggl.test"])


def test_every_request_says_who_asks_and_proves_itself() -> None:
    scene = Scene(answer())

    scene.ask(lambda client: client.current())

    [request] = scene.requests
    assert request.headers["User-Agent"].startswith(f"toggl-pulse/{__version__} ")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == httpx2.BasicAuth(TOKEN, "api_token")._auth_header


def test_cookies_are_not_kept() -> None:
    scene = Scene(answer(set_cookie="session=abc; Path=/"), answer())

    async def twice(client) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        await client.current()
        await client.current()

    scene.ask(twice)

    assert "Cookie" not in scene.requests[1].headers


@pytest.mark.parametrize(
    "url", ["", "api.track.toggl.com", "ftp://toggl.test", "https://", "https://kim:pw@toggl.test", "https://t/?a=b"]
)
def test_an_address_that_is_none_needs_the_user(url: str) -> None:
    with pytest.raises(NeedsUser) as caught:
        Scene(answer(), url=url).ask(lambda client: client.current())

    assert caught.value.code == "bad_api_url"


def test_the_token_never_travels_readable_to_toggl() -> None:
    with pytest.raises(NeedsUser):
        Scene(answer(), url="http://api.track.toggl.com").ask(lambda client: client.current())


def test_an_address_with_a_path_is_kept_in_front() -> None:
    scene = Scene(answer(), url="https://mirror.test/toggl/")

    scene.ask(lambda client: client.current())

    assert scene.requests[0].url.path == "/toggl/api/v9/me/time_entries/current"


def test_a_proxy_from_the_environment_is_used_for_the_world_but_not_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")

    def proxies(url: str) -> int:
        return sum(
            mount is not None for mount in Wire(url, Credentials.token(TOKEN), Limits(), None)._http._mounts.values()
        )

    assert proxies("https://api.track.toggl.com") > 0
    assert proxies("http://127.0.0.1:9999") == 0


def test_a_proxy_that_cannot_be_used_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://kim:proxy-secret@proxy.test")

    with pytest.raises(NeedsUser) as caught:
        Wire("https://api.track.toggl.com", Credentials.token(TOKEN), Limits(), None)

    assert "proxy-secret" not in str(caught.value)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
