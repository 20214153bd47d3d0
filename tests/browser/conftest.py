"""One browser and one demo service for all tests here; each gets a page that fails it for whatever goes wrong in it.

The browser's library wants an event loop: tests are coroutines and run on one of a thread of its own, so that other
tests of the process keep theirs.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, Dialog, Page, async_playwright

from api.scene import NOW as SMALL_NOW
from api.scene import TOKEN
from browser.served import PATIENCE, Stripped, served
from toggl_pulse.app import create_app
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings
from web.names import fill_hostile
from web.scene import PagePulse

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
MISSING = "there is no Chromium: install it, or name its program in CHROMIUM"
PREFIX = "/some/prefix"

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def program() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Runs a coroutine to its end, on the loop that the browser belongs to."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    on_the_loop: Run = pyfuncitem._request.getfixturevalue("run")
    on_the_loop(pyfuncitem.obj(**wanted))
    return True


@pytest.fixture(scope="session")
def chromium(run: Run) -> Iterator[Browser]:
    found = program()
    if found is None:
        pytest.skip(MISSING)

    async def start() -> tuple[Any, Browser]:
        playwright = await async_playwright().start()
        # in a container there is nobody else to be kept apart from
        return playwright, await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])

    playwright, browser = run(start())
    yield browser
    run(browser.close())
    run(playwright.stop())


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo year at a moment that stands still."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("demo"), poll_minutes=0)  # type: ignore[call-arg]
    service = Service(settings, demo=True, clock=lambda: NOW)
    with served(create_app(service)) as address:
        with httpx2.Client(base_url=address, timeout=PATIENCE) as client:
            while client.get("/status").json()["sync"]["running"]:
                pass
        yield address


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with a token, behind a proxy that takes a prefix away, and an account that means no good."""
    with Mirror.open(
        f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'mirror.db'}", clock=lambda: SMALL_NOW
    ) as mirror:
        fill_hostile(mirror)
        pulse = PagePulse(mirror, api_token=TOKEN)
        with served(Stripped(create_app(pulse), PREFIX)) as address:
            yield address + PREFIX


class Watch:
    """What a page must not do."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.expected: list[str] = []

    def attach(self, page: Page) -> None:
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", self._asks)
        page.on("request", lambda request: self._asked(page, request.url))

    async def _asks(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning", "trace"} and not any(each in text for each in self.expected):
            self.wrong.append(f"console: {text[:300]}")

    def _asked(self, page: Page, url: str) -> None:
        host = urlsplit(url)
        if host.scheme not in {"data", "blob", "about"} and host.hostname != "127.0.0.1":
            self.wrong.append(f"request: {url}")
        here = urlsplit(page.url)
        if here.netloc and "/ui/" not in host.path and host.scheme == "http":
            self.wrong.append(f"request outside of the page: {url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    found = Watch()
    yield found
    assert [] == found.wrong


@pytest.fixture
def context(chromium: Browser, run: Run, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser of its own for each test; the mark `pytest.mark.parametrize("look", …)` says how it is set up."""
    look: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB"}
    if "look" in request.fixturenames:
        look |= request.getfixturevalue("look")
    made = run(chromium.new_context(**look))
    yield made
    run(made.close())


@pytest.fixture
def page(context: BrowserContext, run: Run, watch: Watch) -> Page:
    async def open_one() -> Page:
        made = await context.new_page()
        watch.attach(made)
        return made

    found: Page = run(open_one())
    return found
