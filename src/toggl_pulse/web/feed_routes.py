"""The calendar feed and its keys: the feed needs no session but its key; making and ending keys needs one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from toggl_pulse.service.context import Context
from toggl_pulse.service.work import Check
from toggl_pulse.web.answers import goes_to, refusal
from toggl_pulse.web.asked import Asked
from toggl_pulse.web.feed import feed
from toggl_pulse.web.feed_key import end_feed_key, new_feed_key, opens_feed

__all__ = ["REACH", "FeedRoutes"]

REACH = timedelta(days=366)
"""So far back, and ahead, goes the feed: calendar programs fetch all of it each time."""

BACK = "../calendar#feed"


class FeedRoutes:
    """`turn_away` keeps who brings a wrong key waiting; `read` reads the filters of an address."""

    def __init__(
        self, context: Context, *, read: Callable[[Request], Asked], turn_away: Callable[[], Awaitable[None]]
    ) -> None:
        self._context = context
        self._read = read
        self._turn_away = turn_away

    async def feed(self, request: Request) -> Response:
        """The last year's entries for calendar programs; its `key` stands in for a session, and filters narrow it."""
        pulse = self._context.pulse
        given = request.query_params.get("key", "")
        if not await self._context.work.run(lambda _: opens_feed(pulse.mirror, given)):
            await self._turn_away()
            return refusal(HTTPStatus.NOT_FOUND, "not_found", "There is no calendar at this address any more.")

        def pieces(_: Check) -> Iterator[bytes]:
            now = pulse.clock()
            query = self._read(request).query("entries", span=(now - REACH, now + REACH))
            moment = pulse.answers.moment()
            return feed(moment.entries(query), now=now, until=moment.counts_until)

        return StreamingResponse(
            await self._context.exports.begun(pieces),
            media_type="text/calendar; charset=utf-8",
            headers={"Content-Disposition": 'inline; filename="toggl-pulse.ics"'},
        )

    async def new_key(self) -> Response:
        """Make the feed's key, or another one in its place."""
        await self._context.work.run(lambda _: new_feed_key(self._context.pulse.mirror))
        return goes_to(BACK)

    async def end_key(self) -> Response:
        """End the feed: its address opens nothing any more."""
        await self._context.work.run(lambda _: end_feed_key(self._context.pulse.mirror))
        return goes_to(BACK)
