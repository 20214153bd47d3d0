"""What does a view of the page cost: its time here, its size on the way, and until it can be used in a browser?"""

from __future__ import annotations

import gzip
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from benchmarks.account import Account
from benchmarks.measure import Ratio, measure, seconds_of
from benchmarks.stored import NOW, stored
from toggl_pulse.app import create_app
from toggl_pulse.metrics import Answer, Query
from toggl_pulse.model import TimeEntry
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings
from toggl_pulse.web import assets
from toggl_pulse.web.asked import Asked
from toggl_pulse.web.look import Look
from toggl_pulse.web.pages import Pages
from toggl_pulse.web.views import VIEWS, View

__all__ = ["ratios"]

MOST_BYTES = 60_000
LOADS = 7
LAST_ID, HOUR = 10**12, timedelta(hours=1)
RANGES = {"last-30-days": "the last 30 days", "all": "five years"}
READY = "html[data-ready]"

_ONE_CHART = """<!doctype html><html><head><meta charset="utf-8"><title>bare</title><script src="/plotly.js"></script>
</head><body><div id="plot" style="height:340px"></div><script>
Plotly.newPlot("plot", [{type: "bar", x: [...Array(30).keys()], y: [...Array(30).keys()]}])
  .then(() => { document.documentElement.dataset.ready = ""; });
</script></body></html>"""


@dataclass
class Counted(Look):
    """A look that remembers what was asked."""

    queries: list[Query] = field(default_factory=list)

    def answer(self, metric: str, **more: Any) -> Answer:
        payload = dict(more)
        self.queries.append(
            self.asked.query(
                metric,
                span=payload.pop("span", None),
                filters=payload.pop("filters", {}),
                adhoc=payload.pop("adhoc", ()),
                **payload,
            )
        )
        return super().answer(metric, **more)


def ratios(account: Account) -> Iterator[Ratio]:
    with TemporaryDirectory() as name:
        mirror = stored(account, Path(name))
        path = Path(name) / f"mirror-{account.size}.db"
        with mirror, mirror.batch() as batch:  # as after any sync: how much there is, is written down
            batch.write_entries([TimeEntry(LAST_ID, 1, 1, NOW - HOUR, NOW, 3600, NOW, project_id=1)])
        settings = Settings(
            _env_file=None, data_dir=Path(name), database_url=f"sqlite:///{path}", timezone="Europe/Berlin"
        )  # type: ignore[call-arg]
        service = Service.reading(settings, clock=lambda: NOW)
        try:
            yield from _rendered(service)
            yield from _in_a_browser(service)
        finally:
            service.mirror.close()


def _rendered(service: Service) -> Iterator[Ratio]:
    pages = Pages(release=service.version, demo=False, signing_in=False)
    for view in VIEWS:
        for period, words in RANGES.items():
            look = _look(service, period)
            text = pages.view(view, look)
            heaviest = max(look.queries, key=lambda query: _seconds(service, query), default=None)
            if heaviest is not None:
                yield measure(
                    f"{view.title}, {words}: made",
                    5 if view.name == "overview" and period == "all" else None,
                    _making(service, pages, view, period),
                    _answering(service, heaviest),
                    of=f"its heaviest question ({heaviest.metric})",
                )
            size = len(gzip.compress(text.encode(), 4))
            yield Ratio(f"{view.title}, {words}: packed", 1, size, MOST_BYTES, unit="bytes", of="60 kB")


def _look(service: Service, period: str) -> Counted:
    counts = service.mirror.counts()
    assert counts.first_start is not None
    assert counts.last_start is not None
    asked = Asked.read(
        [("range", period)],
        now=NOW,
        zone=service.default_zone(),
        week_start=service.week_start(),
        known=(counts.first_start, counts.last_start),
    )
    return Counted(service, asked, service.answers.moment(), NOW)


def _making(service: Service, pages: Pages, view: View, period: str) -> Any:
    return lambda: pages.view(view, _look(service, period))


def _answering(service: Service, query: Query) -> Any:
    return lambda: service.answers.moment().answer(query)


def _seconds(service: Service, query: Query) -> float:
    return min(seconds_of(_answering(service, query)) for _ in range(3))


def _in_a_browser(service: Service) -> Iterator[Ratio]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        print("without Chromium: nothing of the page in a browser")
        return

    async def bare(_: Request) -> Response:
        return HTMLResponse(_ONE_CHART)

    async def library(_: Request) -> Response:
        packed = assets.chart_library()
        return Response(packed.packed, headers={"Content-Encoding": "gzip"}, media_type=packed.kind)

    floor = Starlette(routes=[Route("/", bare), Route("/plotly.js", library)])
    with sync_playwright() as playwright, _serving(create_app(service)) as ours, _serving(floor) as theirs:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for view in VIEWS:
            best = {address: float("inf") for address in (f"{ours}/ui/{view.slug}", f"{theirs}/")}
            for _ in range(LOADS):
                best = {address: min(least, _until_ready(browser, address)) for address, least in best.items()}
            seconds, least = best.values()
            goal = 3 if view.figures else None
            yield Ratio(
                f"{view.title}: until it can be used in Chromium", goal, seconds, least, of="a bare page with one chart"
            )
        browser.close()


def _until_ready(browser: Browser, address: str) -> float:
    """Seconds from the navigation to the end of all that the page does by itself; nothing is cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(READY)
    # by the browser's own clock: looking from outside takes a while
    taken = float(page.evaluate("performance.now()")) / 1000
    context.close()
    return taken


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
