from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import httpx2
import orjson
import pytest

from toggl.scene import NOW
from toggl_pulse.errors import BadRequest, NeedsUser, PlanLimit, PulseError, QuotaSpent
from toggl_pulse.toggl import TooOld
from toggl_pulse.toggl.translate import Asked, Trouble, judge, said, server_date

ENTRIES = "/api/v9/me/time_entries"
REPORT = "/reports/api/v3/workspace/11/search/time_entries"


def verdict(
    status: int,
    body: str | bytes = b"",
    *,
    path: str = ENTRIES,
    since: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> PulseError | Trouble:
    content = orjson.dumps(body) if isinstance(body, str) else body
    asked = Asked(path, "user", since)
    return judge(status, httpx2.Headers(headers or {}), content, asked, now=NOW, hide=lambda text: text)


def test_402_with_nothing_left_is_the_quota() -> None:
    error = verdict(402, b"", headers={"X-Toggl-Quota-Remaining": "0", "X-Toggl-Quota-Resets-In": "600"})

    assert isinstance(error, QuotaSpent)
    assert (error.at, error.bucket) == (NOW + timedelta(seconds=602), "user")


def test_402_that_speaks_of_the_hourly_limit_is_the_quota_even_without_headers() -> None:
    error = verdict(402, b"You have hit your hourly limit for API calls. Your quota will reset in 1234 seconds.")

    assert isinstance(error, QuotaSpent)
    assert error.at == NOW + timedelta(seconds=1236)


def test_402_that_tells_no_time_lasts_an_hour() -> None:
    error = verdict(402, "API quota exceeded")

    assert isinstance(error, QuotaSpent)
    assert error.at == NOW + timedelta(hours=1, seconds=2)


def test_402_with_requests_left_is_the_plan() -> None:
    error = verdict(402, "Feature not available, please upgrade", headers={"X-Toggl-Quota-Remaining": "12"})

    assert isinstance(error, PlanLimit)
    assert "please upgrade" in error.message


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_need_the_user(status: int) -> None:
    error = verdict(status)

    assert isinstance(error, NeedsUser)
    assert error.code == "token_refused"


def test_a_workspace_out_of_bounds_is_not_a_bad_token() -> None:
    error = verdict(403, "User does not have access to this workspace", path=REPORT)

    assert isinstance(error, NeedsUser)
    assert error.code == "no_access"


def test_a_page_that_forbids_comes_from_something_on_the_way() -> None:
    error = verdict(403, b"<html>blocked</html>", headers={"Content-Type": "text/html"})

    assert isinstance(error, Trouble)


def test_a_proxy_that_asks_for_a_login_needs_the_user() -> None:
    error = verdict(407)

    assert isinstance(error, NeedsUser)
    assert error.code == "proxy_login"


@pytest.mark.parametrize(
    ("told", "wait"), [("7", 7.0), ("", 10.0), ("Mon, 02 Mar 2026 12:00:25 GMT", 25.0), ("soon", 10.0), ("-3", 10.0)]
)
def test_429_waits_as_long_as_it_is_told(told: str, wait: float) -> None:
    error = verdict(429, headers={"Retry-After": told})

    assert isinstance(error, Trouble)
    assert (error.wait, error.repeat) == (wait, True)
    assert error.later(NOW).at == NOW + timedelta(minutes=2)


@pytest.mark.parametrize("told", ["1e9", "inf", "99999999"])
def test_no_wait_is_longer_than_an_hour(told: str) -> None:
    error = verdict(429, headers={"Retry-After": told})

    assert isinstance(error, Trouble)
    assert error.later(NOW).at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520, 599])
def test_the_servers_own_failures_pass(status: int) -> None:
    error = verdict(status)

    assert isinstance(error, Trouble)
    assert (error.code, error.repeat) == ("toggl_failing", True)


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
def test_a_redirect_is_not_followed_and_not_repeated(status: int) -> None:
    error = verdict(status, headers={"Location": "https://evil.test/"})

    assert isinstance(error, Trouble)
    assert (error.code, error.repeat) == ("redirected", False)


@pytest.mark.parametrize("days", [1, 200])
def test_a_refusal_that_names_the_earliest_day_is_too_old(days: int) -> None:
    error = verdict(400, "start_date must not be earlier than 2025-12-02", since=NOW - timedelta(days=days))

    assert isinstance(error, TooOld)
    assert error.earliest == date(2025, 12, 2)


def test_any_refusal_beyond_the_reach_is_too_old() -> None:
    error = verdict(400, "???", since=NOW - timedelta(days=86))

    assert isinstance(error, TooOld)
    assert error.earliest is None


def test_another_refusal_within_the_reach_is_just_a_refusal() -> None:
    words = "Both since and before parameters cannot be present"

    error = verdict(400, words, since=NOW - timedelta(days=3))

    assert isinstance(error, BadRequest)
    assert (error.code, error.message) == (
        "toggl_refused",
        f'Toggl refused the request with status 400 ({ENTRIES}): "{words}"',
    )


@pytest.mark.parametrize(("status", "code"), [(404, "toggl_not_found"), (410, "toggl_gone"), (418, "toggl_refused")])
def test_other_refusals_are_not_repeated(status: int, code: str) -> None:
    error = verdict(status)

    assert isinstance(error, BadRequest)
    assert error.code == code


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b'"a bare\\nstring"', "a bare string"),
        (b"plain text", "plain text"),
        (b'{"error":{"message":"legacy","code":7}}', "legacy"),
        (b'{"error":"short"}', "short"),
        (b'{"message":"other"}', "other"),
        (b"[1]", ""),
        (b"null", ""),
        (b"<html><body>login</body></html>", ""),
        (b"\xff\x00\x1b[31m red", "\ufffd [31m red"),
        (b"x" * 500, "x" * 200),
    ],
)
def test_error_bodies_are_read_in_every_shape(body: bytes, words: str) -> None:
    assert said({}, body) == words


@pytest.mark.parametrize("told", [None, "", "now", "Mon, 99 Foo 2026 12:00:00 GMT"])
def test_a_date_that_is_none_is_none(told: str | None) -> None:
    assert server_date({} if told is None else {"date": told}) is None


def test_the_servers_clock_is_read() -> None:
    assert server_date({"date": "Mon, 02 Mar 2026 12:00:00 GMT"}) == datetime(2026, 3, 2, 12, tzinfo=UTC)
