"""Tables of shades in a real browser: reached by keys, named in a hint, and each cell leads to its own entries."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page

from browser.looking import drawn, settled, sideways, visit

MONTH = "range=this-month"
FIRST_HOURS = ".sums .sum dd data"


async def hours_of(page: Page) -> str:
    await settled(page)
    return await page.locator(FIRST_HOURS).first.inner_text()


async def test_a_cell_of_the_matrix_leads_to_its_own_entries(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/projects?{MONTH}&group=client&billable=true")
    cell = page.locator("table.matrix td.cell").nth(3)
    said = await cell.inner_text()

    async with page.expect_navigation():
        await cell.click()

    assert said == await hours_of(page)
    query = r"entries\?group=client&billable=true&client=\d+&from=2026-11-(\d\d)&to=2026-11-\1"
    assert re.search(query, page.url), page.url


async def test_the_matrix_is_walked_through_by_keys_and_enter_leads_on(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/projects?{MONTH}")
    await page.locator("table.matrix td[tabindex='0']").focus()

    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "Home", "ArrowRight"):
        await page.keyboard.press(key)

    at = "[document.activeElement.cellIndex, document.activeElement.parentNode.rowIndex]"
    assert [2, 1] == await page.evaluate(at)
    hint = page.locator("section:has(table.matrix) .hint")
    assert "2 November 2026" in await hint.inner_text()
    cell, box = await page.locator(":focus").bounding_box(), await hint.bounding_box()
    assert cell is not None
    assert box is not None
    assert box["y"] < cell["y"] < box["y"] + box["height"] + 20
    assert box["x"] <= cell["x"] <= box["x"] + box["width"]
    said = await page.evaluate("document.activeElement.textContent")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    assert said == await hours_of(page)


async def test_a_part_of_a_bar_leads_to_the_entries_of_its_group(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/projects?{MONTH}&group=client")
    traces = await drawn(page, "mix")
    bars = page.locator("#figure-mix .plot .barlayer .trace").nth(1).locator(".point path")
    day = next(number for number, value in enumerate(traces[1]["y"]) if value > 1)
    box = await bars.nth(day).bounding_box()
    assert box is not None

    async with page.expect_navigation():
        await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    hours = round(traces[1]["y"][day] * 60)
    assert f"{hours // 60}:{hours % 60:02d}" == await hours_of(page)
    assert re.search(rf"client=\d+.*from=2026-11-{day + 1:02d}|from=2026-11-{day + 1:02d}.*client=\d+", page.url)


async def test_shares_of_tags_that_overlap_are_drawn_whole(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/projects?range=this-year&group=tag&mix=share")
    traces = await drawn(page, "mix")

    most = max(sum(value or 0 for value in step) for step in zip(*(trace["y"] for trace in traces), strict=True))
    top = await page.evaluate("document.querySelector('#figure-mix .plot').layout.yaxis.range[1]")
    assert 1 < most <= top


async def test_a_chart_s_table_leads_to_each_step_s_entries(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/projects?{MONTH}&mix=share&interval=week")
    await page.get_by_role("button", name="Show table").first.click()
    row = page.locator("#figure-mix .numbers tbody tr").first

    assert "100%" == await row.locator("td").last.inner_text()
    async with page.expect_navigation():
        await row.locator("a").click()

    assert "from=2026-11-01&to=2026-11-01" in page.url


async def test_days_of_the_year_are_walked_through_and_lead_to_their_entries(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/rhythm?{MONTH}")
    day = page.locator("td[data-day='2026-11-17']")

    await page.locator("table.year td[tabindex='0']").focus()
    await page.keyboard.press("End")
    assert "2026-11-16" == await page.evaluate("document.activeElement.dataset.day")
    await page.keyboard.press("ArrowDown")
    hint = page.locator("section:has(table.year) .hint")
    words = (await hint.inner_text()).split("\n")
    assert "Tuesday 17 November 2026" == words[0].replace(",", "")
    assert f"{words[0]}: {words[-1]}" == await day.get_attribute("aria-label")
    await page.keyboard.press("Escape")
    assert await hint.is_hidden()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")

    assert words[-1] == await hours_of(page)
    assert page.url.endswith("entries?from=2026-11-17&to=2026-11-17")


async def test_the_year_s_table_lists_every_day(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/rhythm?{MONTH}")
    card = page.locator("section:has(table.year)")

    await card.get_by_role("button", name="Show table").click()

    cells = await page.locator("td[data-day]").count()
    assert cells == await card.locator(".numbers tr").count()
    await card.get_by_role("button", name="Hide table").click()
    assert 0 == await card.locator(".numbers tr").count()


@pytest.mark.parametrize("look", [{"viewport": {"width": 360, "height": 800}}])
async def test_on_a_phone_an_hour_of_the_week_says_its_number_when_it_is_touched(
    page: Page, demo: str, look: dict[str, object]
) -> None:
    await visit(page, f"{demo}/ui/rhythm?{MONTH}")
    cell = page.locator("table.week-hours tbody tr").nth(1).locator("td").nth(10)
    number = float(await cell.get_attribute("data-hours") or 0)
    minutes = round(number * 60)

    await cell.click()

    hint = page.locator("section:has(table.week-hours) .hint")
    assert number
    assert ["Tuesday, 10:00 – 11:00", f"{minutes // 60}:{minutes % 60:02d}"] == [
        line for line in (await hint.inner_text()).split("\n") if line
    ]
    hidden = "getComputedStyle(document.querySelector('table.week-hours td span')).clipPath !== 'none'"
    assert await page.evaluate(hidden)
    await page.locator("section:has(table.week-hours)").get_by_role("button", name="Show table").click()
    assert not await page.evaluate(hidden)


@pytest.mark.parametrize("look", [{"color_scheme": "dark", "viewport": {"width": 690, "height": 1000}}])
async def test_both_views_fit_on_paper_and_are_drawn_for_it(page: Page, demo: str, look: dict[str, object]) -> None:
    for view, figure in (("projects", "mix"), ("rhythm", "day")):
        await visit(page, f"{demo}/ui/{view}?{MONTH}")
        ink = f"document.querySelector('#figure-{figure} .plot').layout.font.color"
        assert "#000" != await page.evaluate(ink)

        await page.emulate_media(media="print")

        assert [] == await sideways(page)
        assert "#000" == await page.evaluate(ink)
        await page.emulate_media(media="screen")


async def test_a_chart_is_whole_on_paper_however_wide_the_screen_is(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/?{MONTH}")
    await page.evaluate(
        """() => {
          window.widths = [];
          const plot = document.querySelector("#figure-hours .plot");
          const drawnOn = () => plot.querySelector(".main-svg").clientWidth;
          plot.on("plotly_afterplot", () => widths.push([plot.clientWidth, drawnOn()]));
        }"""
    )

    await page.pdf(prefer_css_page_size=True)

    room, drawn_on = min(await page.evaluate("widths"))
    assert room == drawn_on < 700


@pytest.mark.parametrize("look", [{"viewport": {"width": 688, "height": 1000}}])
async def test_a_week_is_one_sheet_and_long_tables_begin_where_they_stand(
    page: Page, demo: str, look: dict[str, object]
) -> None:
    await visit(page, f"{demo}/ui/calendar?range=last-week")
    await page.emulate_media(media="print")
    sheet = 1016  # of A4, between its margins
    assert sheet > await page.evaluate("document.body.scrollHeight")

    await visit(page, f"{demo}/ui/entries?{MONTH}")
    assert "auto" == await page.evaluate("getComputedStyle(document.querySelector('main > .card')).breakInside")


@pytest.mark.parametrize("look", [{"viewport": {"width": 390, "height": 800}}])
async def test_on_a_phone_a_week_shows_today_and_the_hours_beside_it(
    page: Page, demo: str, look: dict[str, object]
) -> None:
    await visit(page, f"{demo}/ui/calendar?range=this-week")

    places = await page.evaluate(
        """[".table-frame", ".day.today", ".week .clock"]
          .map((each) => document.querySelector(each).getBoundingClientRect())
          .map(({ left, right }) => [left, right])"""
    )
    (left, right), today, clock = places
    assert left == clock[0] < clock[1] <= today[0] < today[1] <= right + 1


@pytest.mark.parametrize("look", [{"locale": "en-US"}, {"locale": "ar-EG"}, {"locale": "de-DE"}])
async def test_hours_find_room_over_their_columns_in_every_language(
    page: Page, demo: str, look: dict[str, object]
) -> None:
    await visit(page, f"{demo}/ui/rhythm?{MONTH}")

    cut = """[...document.querySelectorAll(".week-hours th")]
      .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)"""
    assert [] == await page.evaluate(cut)


@pytest.mark.parametrize("look", [{"locale": "ar-EG"}])
async def test_a_number_has_digits_of_one_kind(page: Page, demo: str, look: dict[str, object]) -> None:
    await visit(page, f"{demo}/ui/?{MONTH}")

    shown = [*await page.locator("data.amount").all_inner_texts(), *await page.locator(".ticking").all_inner_texts()]
    assert any("\u0661" <= letter <= "\u0669" for text in shown for letter in text)
    assert [] == [text for text in shown if re.search("[0-9]", text)]


@pytest.mark.parametrize("look", [{"locale": "de-DE"}])
async def test_weekdays_months_and_times_are_those_of_the_browser_s_language(
    page: Page, demo: str, look: dict[str, object]
) -> None:
    await visit(page, f"{demo}/ui/rhythm?range=this-year")

    heads = await page.locator("table.week-hours tbody th").all_inner_texts()
    months = await page.locator("table.year thead time").all_inner_texts()

    assert ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"] == heads
    assert {"Mär", "Mai", "Okt"} <= {month[:3] for month in months}
    assert re.fullmatch(r"\d\d:\d\d", await page.locator(FIRST_HOURS).first.inner_text())
