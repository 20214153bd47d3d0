"""The page's addresses, all below `/ui/`: views, their charts as data, the entries as CSV, signing in and out, a sync.

Reads requests and answers them; what is blocking is done in worker threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from toggl_pulse.errors import BadRequest, Busy, PulseError
from toggl_pulse.metrics.choices import choices
from toggl_pulse.metrics.export import csv_blocks
from toggl_pulse.service.context import Context
from toggl_pulse.service.work import Check
from toggl_pulse.web import assets
from toggl_pulse.web.answers import goes_to, html, wants_html
from toggl_pulse.web.asked import FILTERS, Asked
from toggl_pulse.web.feed_routes import FeedRoutes
from toggl_pulse.web.figures import as_csv, as_json
from toggl_pulse.web.freshness import freshness
from toggl_pulse.web.guard import BASE, COOKIE
from toggl_pulse.web.look import Look
from toggl_pulse.web.pages import Pages
from toggl_pulse.web.sessions import LASTS, Sessions
from toggl_pulse.web.views import VIEWS, View
from toggl_pulse.web.views.entries import kind_of, search_of

__all__ = ["PageRoutes", "Route"]

Route = tuple[str, str, Callable[..., Any]]
T = TypeVar("T")
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 10


class PageRoutes:
    def __init__(self, context: Context) -> None:
        pulse = context.pulse
        self._context = context
        self.sessions = Sessions(pulse.api_token, pulse.session_secret, clock=pulse.clock)
        self._feeds = FeedRoutes(context, read=self._asked, turn_away=self.sessions.turn_away)
        self._pages = Pages(release=pulse.version, demo=pulse.demo, signing_in=self.sessions.needed)

    @property
    def routes(self) -> list[Route]:
        """Every address of the page; the last one is whatever else is asked for."""
        return [
            ("GET", BASE, self.entrance),
            *(("GET", f"{BASE}/{view.slug}", self._view(view)) for view in VIEWS),
            ("GET", f"{BASE}/filters", self.filters),
            ("GET", f"{BASE}/entries.csv", self.entries),
            ("GET", f"{BASE}/calendar.ics", self._feeds.feed),
            ("GET", f"{BASE}/data/freshness.json", self.freshness),
            ("GET", f"{BASE}/data/{{view}}/{{figure}}.csv", self.figure_csv),
            ("GET", f"{BASE}/data/{{view}}/{{figure}}.json", self.figure_json),
            ("GET", f"{BASE}/static/{{folder}}/{{name}}", assets.serve),
            ("POST", f"{BASE}/sync", self.sync),
            ("POST", f"{BASE}/feed/new-key", self._feeds.new_key),
            ("POST", f"{BASE}/feed/end", self._feeds.end_key),
            ("GET", f"{BASE}/sign-in", self.sign_in_form),
            ("POST", f"{BASE}/sign-in", self.sign_in),
            ("POST", f"{BASE}/sign-out", self.sign_out),
            ("GET", f"{BASE}/{{rest:path}}", self.nothing),
        ]

    # --- views ----------------------------------------------------------------------------------------------------

    async def entrance(self) -> Response:
        """The folder's address without its slash: sent on to it, wherever a proxy has put it."""
        return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": f"{BASE[1:]}/"})

    def _view(self, view: View) -> Callable[[Request], Any]:
        async def shown(request: Request) -> Response:
            try:
                return html(await self._work(request, partial(self._pages.view, view)))
            except PulseError as error:
                return self._told(error)

        shown.__doc__ = f"The view “{view.title}”."
        return shown

    async def filters(self, request: Request) -> Response:
        """The form to choose filters with; works without a script."""
        back = request.query_params.get("back", "")
        back = back if back in {view.slug for view in VIEWS} else ""

        def made(look: Look) -> str:
            found = {name: choices(name, self._context.pulse.answers, lambda: look.asked.zone) for name in FILTERS}
            return self._pages.filters(look, found, back)

        try:
            return html(await self._work(request, made))
        except PulseError as error:
            return self._told(error)

    async def nothing(self, request: Request) -> Response:
        """Any other address: there is nothing."""
        return html(
            self._pages.error("Nothing here", "There is no page at this address.", up=_up(request)),
            HTTPStatus.NOT_FOUND,
        )

    # --- data -----------------------------------------------------------------------------------------------------

    async def figure_csv(self, request: Request) -> Response:
        """A chart's numbers as CSV."""
        body = await self._work(request, lambda look: as_csv(_figure(request)(look)))
        name = f"{request.path_params['view']}-{request.path_params['figure']}.csv"
        return _download(Response(body, media_type="text/csv; charset=utf-8"), name)

    async def figure_json(self, request: Request) -> Response:
        """A chart's numbers as the page's script reads them."""
        body = await self._work(request, lambda look: as_json(_figure(request)(look)))
        return Response(body, media_type="application/json")

    async def freshness(self) -> Response:
        """How true the numbers are at this moment, for the banner."""
        status = await self._context.work.run(lambda _: freshness(self._context.pulse.status()).as_json())
        return Response(orjson.dumps(status), media_type="application/json")

    async def entries(self, request: Request) -> Response:
        """Every entry of the view's range, filters, kind and search as CSV, oldest first, safe for spreadsheets."""
        pulse = self._context.pulse

        def blocks(_: Check) -> Iterator[bytes]:
            asked = self._asked(request)
            query = asked.query("entries", adhoc=search_of(asked.own), **kind_of(asked.own))
            return csv_blocks(pulse.answers.entries(query), asked.zone, safe=True)

        stream = await self._context.exports.begun(blocks)
        return _download(StreamingResponse(stream, media_type="text/csv; charset=utf-8"), "entries.csv")

    # --- changes --------------------------------------------------------------------------------------------------

    async def sync(self, request: Request) -> Response:
        """Start a sync now; the page then shows how it goes."""
        comes_to = (await _form(request)).get("to", "")
        try:
            await self._context.pulse.request_sync()
        except Busy:
            if not wants_html(request):
                raise
        except PulseError as error:
            if not wants_html(request):
                raise
            return self._told(error)
        return goes_to(_inside(comes_to)) if wants_html(request) else Response(status_code=HTTPStatus.ACCEPTED)

    # --- signing in and out ---------------------------------------------------------------------------------------

    def form(self, request: Request) -> Response:
        """The form in place of a page that needs a session; afterwards that page is come to."""
        path = _place(request)
        query = request.scope["query_string"].decode("latin-1")
        comes_to = f"{path}?{query}" if query else path
        return html(self._pages.sign_in(up=_up(request), comes_to=comes_to), HTTPStatus.UNAUTHORIZED)

    async def sign_in_form(self, request: Request) -> Response:
        """The form to sign in with; the page itself where that is not needed."""
        if self.sessions.holds(request.cookies.get(COOKIE)):
            return goes_to("./")
        return html(self._pages.sign_in(up="", comes_to=""))

    async def sign_in(self, request: Request) -> Response:
        """Begin a session with the API token."""
        fields = await _form(request)
        comes_to = fields.get("to", "")
        try:
            welcome = await self.sessions.admits(fields.get("token", "").strip())
        except PulseError as error:
            return self._told(error)
        if not welcome:
            return html(self._pages.sign_in(up="", comes_to=comes_to, wrong=True), HTTPStatus.UNAUTHORIZED)
        answer = goes_to(_inside(comes_to))
        # without a path it is sent to this folder alone, wherever a proxy has put it
        answer.set_cookie(
            COOKIE,
            self.sessions.begin(),
            max_age=int(LASTS.total_seconds()),
            path=None,
            secure=_by_https(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session of this browser."""
        answer = goes_to("./sign-in")
        answer.delete_cookie(COOKIE, path=None, secure=_by_https(request), httponly=True, samesite="lax")  # type: ignore[arg-type]
        return answer

    # --- its own --------------------------------------------------------------------------------------------------

    async def _work(self, request: Request, make: Callable[[Look], T]) -> T:
        pulse = self._context.pulse

        def work(check: Check) -> T:
            moment = pulse.answers.moment()
            return make(Look(pulse, self._asked(request), moment, pulse.clock(), check))

        return await self._context.work.run(work)

    def _asked(self, request: Request) -> Asked:
        pulse = self._context.pulse
        counts = pulse.mirror.counts() if request.query_params.get("range") == "all" else None
        known = (counts.first_start, counts.last_start) if counts else None
        return Asked.read(
            request.query_params.multi_items(),
            now=pulse.clock(),
            zone=pulse.default_zone(),
            week_start=pulse.week_start(),
            known=known if known and known[0] and known[1] else None,  # type: ignore[arg-type]
        )

    def _told(self, error: PulseError) -> Response:
        """An expected failure as a page."""
        title = "This cannot be shown" if isinstance(error, BadRequest) else "Not right now"
        return html(self._pages.error(title, error.message), error.status)


def _figure(request: Request) -> Callable[[Look], Any]:
    view, name = request.path_params["view"], request.path_params["figure"]
    found = next(({**each.figures, **each.tables}.get(name) for each in VIEWS if each.name == view), None)
    if found is None:
        raise BadRequest("There is no such chart.", code="not_found", status=404)
    return found


def _download(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _form(request: Request) -> dict[str, str]:
    """A form's fields; empty for what is no form."""
    body = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def _place(request: Request) -> str:
    """The address as seen from `/ui/`, whatever a proxy has put before that."""
    path: str = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return path.removeprefix(f"{BASE}/")


def _up(request: Request) -> str:
    """The way from an address below `/ui/` up to that folder."""
    return "../" * _place(request).count("/")


def _inside(address: str) -> str:
    """An address of this folder to go to, whatever a form says: a view and its parameters, never another place."""
    view, _, query = address.partition("?")
    known = {each.slug for each in VIEWS}
    if view not in known or not query.isascii() or not query.isprintable() or "#" in query:
        return "./"
    return f"./{view}?{query}" if query else f"./{view}"


def _by_https(request: Request) -> bool:
    """Whether the browser came by HTTPS, which ends at a proxy.

    Its own word for that is the Origin of a form; the proxy's header may be anybody's, but who forges it gets nothing
    but a cookie that his own browser does not send.
    """
    own = urlsplit(request.headers.get("origin", "")).scheme
    return "https" in {own, request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()}
