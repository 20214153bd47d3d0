"""What tests ask of a page that is open in the browser."""

from __future__ import annotations

from typing import Any, cast

from playwright.async_api import Page

from browser.served import PATIENCE

SOON = PATIENCE * 1000


async def visit(page: Page, address: str) -> Page:
    """Open it, and wait until its script has done all that it does by itself."""
    await page.goto(address)
    await settled(page)
    return page


async def settled(page: Page) -> None:
    await page.wait_for_selector("html[data-ready]", timeout=SOON)


async def sideways(page: Page) -> list[str]:
    """What sticks out to the right; empty where nothing makes the page scroll sideways."""
    script = """() => {
      const width = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= width) return [];
      return [...document.querySelectorAll("body *")]
        .filter((each) => each.getBoundingClientRect().right > width + 1)
        .map((each) => `${each.tagName}.${each.className}`);
    }"""
    return cast("list[str]", await page.evaluate(script))


async def drawn(page: Page, figure: str) -> list[dict[str, Any]]:
    """The traces of a chart as the library has them."""
    script = """(id) => document.querySelector(`#figure-${id} .plot`).data
      .map((trace) => ({ y: trace.y, x: trace.x, z: trace.z, visible: trace.visible ?? true }))"""
    return cast("list[dict[str, Any]]", await page.evaluate(script, figure))


def spoken_hours(hours: float) -> str:
    """Hours as a person reads them, the way they are written in English."""
    minutes = round(hours * 60)
    return f"{minutes // 60:,}:{minutes % 60:02d}"
