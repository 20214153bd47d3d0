"""`make screenshots`: the page in a real browser on the demo's year, at a moment that stands still, into `docs/page/`.

The whole pipeline runs (simulated Toggl, sync, mirror, metrics); only the clocks of service and browser stand.
"""
# ruff: noqa: INP001 - a script beside the documents, no part of a package

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from playwright.sync_api import sync_playwright

from toggl_pulse.app import create_app
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings

FOLDER = Path(__file__).with_name("page")
NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
WIDE, PHONE = (1280, 860), (390, 780)
SHOTS = (
    ("overview", "?range=last-30-days", WIDE, "light"),
    ("overview", "?range=last-30-days", WIDE, "dark"),
    ("overview", "?range=last-30-days", PHONE, "light"),
    ("projects", "projects?range=last-30-days", WIDE, "light"),
    ("calendar", "calendar?range=this-week", WIDE, "light"),
    ("rhythm", "rhythm?range=this-year", WIDE, "dark"),
)
"""Name, address below `/ui/`, size and theme."""


@contextmanager
def demo(folder: str) -> Iterator[str]:
    """The demo's address."""
    settings = Settings(_env_file=None, data_dir=Path(folder), poll_minutes=0)  # type: ignore[call-arg]
    service = Service(settings, demo=True, clock=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(create_app(service), port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started or service.sync_running():
        time.sleep(0.1)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def main() -> None:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        sys.exit("There is no Chromium: install it, or name its program in CHROMIUM.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, demo(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, where, (width, height), theme in SHOTS:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                locale="en-GB",
                reduced_motion="reduce",
            )
            page.clock.set_fixed_time(NOW)
            page.goto(f"{address}/ui/{where}")
            page.wait_for_selector("html[data-ready]")
            ending = "" if (width, height) == WIDE else "-phone"
            page.screenshot(path=FOLDER / f"{name}-{theme}{ending}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
