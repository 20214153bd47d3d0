"""The service's page through the door: signed in by its own form, with a cookie that only HTTPS carries."""

from __future__ import annotations

from urllib.parse import urlencode

from caddy.door import Door
from e2e.processes import API_TOKEN

HTML = {"Accept": "text/html"}


def test_without_a_session_the_page_is_a_form_to_sign_in_with(door: Door) -> None:
    answer = door.ask("/ui/", HTML)

    assert 401 == answer.status
    assert b'name="token"' in answer.body


def test_who_signs_in_gets_a_secure_cookie_for_the_page_which_then_opens(door: Door) -> None:
    form = {**HTML, "Origin": f"https://{door.host}", "Content-Type": "application/x-www-form-urlencoded"}
    signed = door.ask("/ui/sign-in", form, method="POST", body=urlencode({"token": API_TOKEN}).encode())
    cookie, _, rules = str(signed.headers["Set-Cookie"]).partition("; ")

    assert 303 == signed.status
    assert {"httponly", "secure", "samesite=lax"} < set(rules.lower().split("; "))
    page = door.ask("/ui/", {**HTML, "Cookie": cookie})
    assert 200 == page.status
    assert page.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_another_site_s_form_signs_nobody_in(door: Door) -> None:
    form = {"Origin": "https://elsewhere.example.com", "Content-Type": "application/x-www-form-urlencoded"}
    answer = door.ask("/ui/sign-in", form, method="POST", body=urlencode({"token": API_TOKEN}).encode())

    assert 403 == answer.status
    assert "Set-Cookie" not in answer.headers


def test_the_token_in_a_header_opens_the_interface_and_not_the_page(door: Door) -> None:
    assert 401 == door.ask("/ui/", {"Authorization": f"Bearer {API_TOKEN}"}).status
