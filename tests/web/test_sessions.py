"""Signing in: who gets a session, what a cookie is worth, and what ends it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from starlette.testclient import TestClient

from api.scene import NOW, TOKEN
from toggl_pulse.errors import Unavailable
from toggl_pulse.web.sessions import LASTS, Sessions
from web.scene import HTML, PagePulse, browsing, signed_in

OURS = {"Sec-Fetch-Site": "same-origin"}


def sessions(token: str | None = TOKEN, secret: str | None = None, *, later: timedelta = timedelta()) -> Sessions:
    async def rest(_: float) -> None:
        await asyncio.sleep(0)

    return Sessions(token, secret, clock=lambda: NOW + later, sleep=rest)


@pytest.mark.parametrize("secret", [None, "another-secret-of-the-page"])
def test_a_cookie_holds_until_it_is_too_old(secret: str | None) -> None:
    cookie = sessions(secret=secret).begin()

    assert sessions(secret=secret, later=LASTS).holds(cookie)
    assert not sessions(secret=secret, later=LASTS + timedelta(seconds=1)).holds(cookie)


@pytest.mark.parametrize(
    ("token", "secret"),
    [
        ("another-token-of-the-service", None),
        (TOKEN, "a-new-secret-of-the-page"),
        ("another-token-of-the-service", "s"),
    ],
)
def test_a_new_token_or_a_new_secret_ends_every_session(token: str, secret: str | None) -> None:
    for old in (None, "s"):
        cookie = sessions(secret=old).begin()
        assert (old == secret and token == TOKEN) == sessions(token, secret).holds(cookie)


@pytest.mark.parametrize("cookie", [None, "", "page", "page.a.b", "é", "page" + "." * 3, "x" * 10_000])
def test_what_is_not_ours_holds_nothing(cookie: str | None) -> None:
    assert not sessions().holds(cookie)


def test_a_changed_letter_makes_a_cookie_worthless() -> None:
    cookie = sessions().begin()

    assert sessions().holds(cookie)
    for place, letter in enumerate(cookie[:-1]):  # the last one of base64 has bits that say nothing
        other = "A" if letter != "A" else "B"
        assert not sessions().holds(cookie[:place] + other + cookie[place + 1 :]), place


def test_wrong_tokens_wait_one_after_the_other_and_the_right_one_never() -> None:
    waits: list[float] = []
    gate = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await gate.wait()

    async def guess() -> None:
        door = Sessions(TOKEN, None, clock=lambda: NOW, sleep=sleep)
        guesses = [asyncio.create_task(door.admits(f"guess {n}")) for n in range(20)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [1.0] == waits
        with pytest.raises(Unavailable, match="Too many wrong tokens"):
            await door.admits("one more")
        assert await door.admits(TOKEN)
        gate.set()
        assert [False] * 20 == await asyncio.gather(*guesses)
        assert [1.0] * 20 == waits

    asyncio.run(guess())


def test_the_right_token_opens_the_page_and_the_cookie_is_out_of_reach_of_scripts(stranger: TestClient) -> None:
    assert 401 == stranger.get("/ui/").status_code

    answer = stranger.post("/ui/sign-in", data={"token": TOKEN, "to": "entries?range=this-week"}, headers=OURS)

    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (303, "./entries?range=this-week") == (answer.status_code, answer.headers["location"])
    assert morsel["httponly"]
    assert ("lax", "", "") == (morsel["samesite"], morsel["path"], morsel["secure"])
    assert str(int(LASTS.total_seconds())) == morsel["max-age"]
    assert TOKEN not in answer.headers["set-cookie"]
    assert 200 == stranger.get("/ui/").status_code


@pytest.mark.parametrize("headers", [{"Origin": "https://testserver"}, {"X-Forwarded-Proto": "https"}])
def test_behind_https_the_cookie_travels_by_https_alone(stranger: TestClient, headers: dict[str, str]) -> None:
    answer = stranger.post("/ui/sign-in", data={"token": TOKEN}, headers={**OURS, **headers})

    assert "; Secure" in answer.headers["set-cookie"]


def test_a_wrong_token_is_told_so_and_gets_no_cookie(pulse: PagePulse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toggl_pulse.web.sessions._PAUSE", 0.0)
    with browsing(pulse) as client:
        answer = client.post("/ui/sign-in", data={"token": "a guess & more", "to": "entries"}, headers=OURS)

    assert 401 == answer.status_code
    assert "That is not the token" in answer.text
    assert 'value="entries"' in answer.text
    assert "set-cookie" not in answer.headers
    assert "a guess" not in answer.text


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "\\\\evil.example",
        "../status",
        "static/x",
        "entries#x",
        "javascript:1",
        "%2e%2e",
        "a/b",
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(stranger: TestClient, to: str) -> None:
    answer = stranger.post("/ui/sign-in", data={"token": TOKEN, "to": to}, headers=OURS)

    assert "./" == answer.headers["location"]


def test_signing_out_forgets_the_cookie(browser: TestClient) -> None:
    assert 200 == browser.get("/ui/").status_code

    answer = browser.post("/ui/sign-out", headers=OURS)

    assert (303, "./sign-in") == (answer.status_code, answer.headers["location"])
    assert 401 == browser.get("/ui/").status_code


def test_without_a_token_on_loopback_everyone_is_in(pulse: PagePulse) -> None:
    pulse.api_token = None
    with browsing(pulse) as client:
        assert 200 == client.get("/ui/").status_code
        assert "Sign out" not in client.get("/ui/").text
        assert (303, "./") == (client.get("/ui/sign-in").status_code, client.get("/ui/sign-in").headers["location"])


@pytest.mark.parametrize("path", ["/ui/sync", "/ui/sign-out", "/ui/sign-in"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_no_other_site_can_send_a_form_of_the_page(
    pulse: PagePulse, browser: TestClient, path: str, headers: dict[str, str]
) -> None:
    answer = browser.post(path, data={"token": TOKEN}, headers=headers)

    assert (403, "cross_site") == (answer.status_code, answer.json()["error"]["code"])
    assert "sync" not in pulse.asked
    assert 200 == browser.get("/ui/").status_code


def test_the_session_opens_the_page_alone_and_a_header_s_token_does_not_open_the_page(browser: TestClient) -> None:
    assert 401 == browser.get("/status").status_code
    browser.cookies.clear()
    assert 401 == browser.get("/ui/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code
    assert "www-authenticate" not in browser.get("/ui/").headers


def test_who_has_not_signed_in_gets_the_form_or_is_told_so_and_comes_back_to_where_he_wanted(
    stranger: TestClient,
) -> None:
    page = stranger.get("/ui/entries?range=this-week&q=%22%3E")
    data = stranger.get("/ui/data/freshness.json", headers={"Accept": "application/json"})

    assert 401 == page.status_code
    assert 'value="entries?range=this-week&amp;q=%22%3E"' in page.text
    assert (401, "signed_out") == (data.status_code, data.json()["error"]["code"])


def test_the_cookie_of_one_service_opens_no_other(pulse: PagePulse, browser: TestClient) -> None:
    (cookie,) = browser.cookies.jar
    other = PagePulse(pulse.mirror, api_token="the-token-of-another-service")
    with browsing(other) as client:
        client.cookies.set(cookie.name, str(cookie.value))
        assert 401 == client.get("/ui/", headers=HTML).status_code
        client.cookies.clear()
        assert 200 == signed_in(client, other.api_token).get("/ui/").status_code
