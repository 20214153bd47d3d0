"""Every view in a real browser: whole, at every width, in both themes, with the interface's numbers, and harmless."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page, expect

from api.scene import TOKEN
from browser.conftest import Watch
from browser.looking import SOON, drawn, settled, sideways, spoken_hours, visit
from toggl_pulse.web.views import VIEWS

SPAN = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z"}
MONTH = "range=this-month"
AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
NO_AXE = "axe-core is not installed: run `npm ci --ignore-scripts` in tests/browser"

WIDTHS = (360, 768, 1280, 2560)
THEMES = [{"color_scheme": theme} for theme in ("light", "dark")]


def answers(address: str, *targets: dict[str, Any], token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx2.post(f"{address}/query", json={"range": SPAN, "targets": list(targets)}, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


def named(look: dict[str, Any]) -> str:
    return "-".join(str(each["width"] if isinstance(each, dict) else each) for each in look.values())


async def faults(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    script = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
      .filter((each) => ["serious", "critical"].includes(each.impact))
      .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)"""
    return [str(each) for each in await page.evaluate(script)]


@pytest.mark.parametrize("look", THEMES, ids=named)
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
async def test_a_view_is_whole_and_accessible_at_every_width_and_in_both_themes(
    page: Page, demo: str, view: Any, look: dict[str, Any]
) -> None:
    dark = look["color_scheme"] == "dark"
    widths = WIDTHS if dark else WIDTHS[::-1]
    await page.set_viewport_size({"width": widths[0], "height": 800})

    await visit(page, f"{demo}/ui/{view.slug}?{MONTH}")

    assert view.title in await page.title()
    for name in view.figures:
        assert await drawn(page, name), name
    background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ("rgb(20, 20, 23)" if dark else "rgb(245, 244, 241)") == background
    for width in widths:
        await page.set_viewport_size({"width": width, "height": 800})
        assert [] == await sideways(page), width
    if AXE.exists():  # else the next test says that it is missing
        assert [] == await faults(page)


@pytest.mark.parametrize("look", THEMES, ids=named)
async def test_axe_finds_no_serious_fault_in_the_form_of_filters(page: Page, demo: str, look: dict[str, Any]) -> None:
    if not AXE.exists():
        pytest.skip(NO_AXE)
    await page.goto(f"{demo}/ui/filters")

    assert [] == await faults(page)


async def test_numbers_on_the_screen_are_the_interface_s(page: Page, demo: str) -> None:
    metrics = ("tracked_hours", "billable_hours", "billable_share", "active_days", "entry_count")
    told = answers(demo, *({"target": metric, "payload": {"interval": "range"}} for metric in metrics))
    (change,) = answers(demo, {"target": "period_change", "payload": {}})
    values = [each["datapoints"][0][0] for each in told]

    await visit(page, f"{demo}/ui/?{MONTH}")

    shown = await page.locator(".sums .sum dd data").all_inner_texts()
    hours, billable, share, days, entries = values
    expected = [spoken_hours(hours), spoken_hours(billable), f"{share:.0%}", f"{days:,.0f}", f"{entries:,.0f}"]
    assert expected == shown[:5]
    tiles = await page.locator(".tile .big data.amount").all_inner_texts()
    assert [spoken_hours(row[1]) for row in change["rows"]] == tiles


async def test_what_is_drawn_is_what_the_interface_answers(page: Page, demo: str) -> None:
    payload = {"group_by": "client", "interval": "day", "limit": 12}
    told = answers(demo, {"target": "tracked_hours", "payload": payload})

    await visit(page, f"{demo}/ui/?{MONTH}&group=client")

    traces = await drawn(page, "hours")
    assert [[value for value, _ in each["datapoints"]] for each in told] == [trace["y"] for trace in traces]
    await page.get_by_role("button", name="Show table").click()
    rows = await page.locator("#figure-hours .numbers tbody tr").count()
    assert 30 == rows
    heads = await page.locator("#figure-hours .numbers thead th").all_inner_texts()
    assert [*(each["target"] for each in told), "together"] == heads[1:]


@pytest.mark.parametrize("look", [{"locale": "de-DE"}])
async def test_numbers_and_dates_are_those_of_the_browser_s_language(
    page: Page, demo: str, look: dict[str, Any]
) -> None:
    await visit(page, f"{demo}/ui/?range=this-year")

    hours = await page.locator(".sums .sum dd data").first.inner_text()
    assert re.fullmatch(r"1\.\d{3}:\d\d", hours)
    days = await page.locator("#range summary .days").inner_text()
    assert days.startswith("1. Jan. 2026")


async def test_what_is_chosen_is_in_the_address_and_can_be_gone_back_to(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/")
    first = await page.locator(".sums .sum dd data").first.inner_text()

    await page.locator("#range summary").click()
    async with page.expect_navigation():
        await page.get_by_role("link", name="Last month", exact=True).click()
    await settled(page)
    async with page.expect_navigation():
        await page.locator("select[name=group]").select_option("client")
    await settled(page)

    assert f"{demo}/ui/?range=last-month&group=client" == page.url
    other = await page.locator(".sums .sum dd data").first.inner_text()
    assert first != other
    await page.get_by_role("link", name="Entries", exact=True).click()
    await settled(page)
    assert f"{demo}/ui/entries?range=last-month&group=client" == page.url
    assert other == await page.locator(".sums .sum dd data").first.inner_text()
    for _ in range(3):
        await page.go_back()
    await settled(page)
    assert (f"{demo}/ui/", first) == (page.url, await page.locator(".sums .sum dd data").first.inner_text())
    await page.go_forward()
    assert f"{demo}/ui/?range=last-month" == page.url
    # and what can be chosen says what is shown
    await settled(page)
    assert "project" == await page.locator("select[name=group] option:checked").inner_text()


async def test_filters_are_chosen_in_a_dialog_and_taken_out_by_a_click(page: Page, demo: str) -> None:
    (told,) = answers(
        demo, {"target": "tracked_hours", "payload": {"interval": "range", "filters": {"project": ["Admin"]}}}
    )
    await visit(page, f"{demo}/ui/?{MONTH}")

    await page.locator("#filters").click()
    await page.get_by_placeholder("Find a project").fill("adm")
    await page.locator("dialog fieldset[data-dimension=project]").get_by_text("Admin", exact=True).click()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Apply").click()
    await settled(page)

    assert re.fullmatch(rf"{re.escape(demo)}/ui/\?{MONTH}&project=\d+", page.url)
    shown = await page.locator(".sums .sum dd data").first.inner_text()
    assert spoken_hours(told["datapoints"][0][0]) == shown
    async with page.expect_navigation():
        await page.get_by_role("link", name="Take project Admin out of the filter").click()
    assert f"{demo}/ui/?{MONTH}" == page.url


async def test_a_click_on_a_bar_leads_to_its_entries(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/?{MONTH}&group=none")

    box = await page.locator("#figure-hours .plot .bars .point path").first.bounding_box()
    assert box is not None
    async with page.expect_navigation():
        await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    assert re.fullmatch(rf"{re.escape(demo)}/ui/entries\?from=2026-11-(\d\d)&to=2026-11-\1", page.url)


async def test_pointing_at_a_bar_says_whose_hours_it_holds_and_nothing_else_does(page: Page, demo: str) -> None:
    (told,) = answers(demo, {"target": "tracked_hours", "payload": {"interval": "day"}})
    await visit(page, f"{demo}/ui/?{MONTH}&group=none")

    box = await page.locator("#figure-hours .plot .bars .point path").first.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    first = next(value for value, _ in told["datapoints"] if value)
    hint = page.locator("#figure-hours .hint")
    await expect(hint).to_contain_text(spoken_hours(first))
    assert re.match("Sunday,? 1 November 2026", await hint.inner_text())
    assert 0 == await page.locator("#figure-hours .hovertext").count()


async def test_the_theme_is_switched_by_a_button_and_kept(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/entries")

    await page.get_by_role("button", name="Switch between light and dark").click()
    await visit(page, f"{demo}/ui/")

    assert "rgb(20, 20, 23)" == await page.evaluate("getComputedStyle(document.body).backgroundColor")


async def test_everything_can_be_done_with_the_keyboard(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/?{MONTH}")

    await page.keyboard.press("Tab")
    assert "Skip to content" == await page.evaluate("document.activeElement.textContent")
    await page.locator("#range summary").focus()
    await page.keyboard.press("Enter")
    assert await page.locator("#range .sheet").is_visible()
    await page.keyboard.press("Escape")
    assert await page.locator("#range .sheet").is_hidden()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Tab")
    number = page.locator(".sums .why").first
    await number.focus()
    assert await number.locator(".tip").is_visible()
    assert "overlapping entries count twice" in await number.locator(".tip").inner_text()
    await page.keyboard.press("Escape")
    assert await number.locator(".tip").is_hidden()
    table = page.get_by_role("button", name="Show table")
    await table.focus()
    await page.keyboard.press("Enter")
    assert await page.locator("#figure-hours table").is_visible()
    await page.locator("#filters").focus()
    await page.keyboard.press("Enter")
    await page.locator("dialog form").wait_for(timeout=SOON)
    await page.keyboard.press("Escape")
    assert await page.locator("#filter-dialog").is_hidden()
    reached = await page.evaluate(
        """() => [...document.querySelectorAll("a, button, select, input")]
          .filter((each) => each.offsetParent && each.tabIndex < 0).length"""
    )
    assert 0 == reached


async def test_a_running_timer_ticks(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/")
    timer = page.locator(".tile data.ticking")

    before = await timer.inner_text()
    await expect(timer).not_to_have_text(before)

    assert re.fullmatch(r"\d+:\d\d:\d\d", await timer.inner_text())


async def test_sync_now_begins_one_and_says_when_it_is_done(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/health")

    await page.locator("#sync").click()

    await expect(page.locator("#sync")).to_have_text("Sync now", timeout=SOON)
    runs = httpx2.get(f"{demo}/status").json()["sync"]["runs"]
    assert "request" in {each["reason"] for each in runs}


@pytest.mark.parametrize("look", [{"java_script_enabled": False}])
async def test_without_scripts_the_same_numbers_are_there(page: Page, demo: str, look: dict[str, Any]) -> None:
    (told,) = answers(demo, {"target": "tracked_hours", "payload": {"interval": "range"}})

    await page.goto(f"{demo}/ui/?{MONTH}")

    assert spoken_hours(told["datapoints"][0][0]) == await page.locator(".sums .sum dd data").first.inner_text()
    assert re.fullmatch(r"(Data as of )?20 Nov 2026, \d\d:\d\d", await page.locator("#freshness").inner_text())
    assert await page.locator("#figure-hours .plot").is_hidden()
    await page.locator("#filters").click()
    assert await page.get_by_role("button", name="Apply").is_visible()


async def test_a_month_of_entries_prints_on_white_paper(page: Page, demo: str) -> None:
    await visit(page, f"{demo}/ui/entries?{MONTH}")

    await page.emulate_media(media="print", color_scheme="dark")

    assert "rgb(255, 255, 255)" == await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert await page.locator(".views").is_hidden()
    assert (await page.pdf(format="A4")).startswith(b"%PDF")


async def test_behind_a_prefix_with_a_token_one_signs_in_once_and_hostile_names_are_inert(
    page: Page, hostile: str, watch: Watch
) -> None:
    watch.expected = ["401"]
    await page.goto(f"{hostile}/ui/entries?{MONTH}&group=client")
    await page.get_by_label("API token").fill(TOKEN)
    await page.get_by_role("button", name="Sign in").click()
    await settled(page)
    assert f"{hostile}/ui/entries?{MONTH}&group=client" == page.url

    for view in VIEWS:
        for group in ("project", "tag", "description"):
            await visit(page, f"{hostile}/ui/{view.slug}?{MONTH}&group={group}")
            assert [] == await sideways(page), view.slug
            assert 0 == await page.locator("img").count()
            for button in await page.locator("button[data-table]").all():
                await button.click()
            for name in view.figures:
                await page.locator(f"#figure-{name}").hover(position={"x": 300, "y": 300})
    assert 0 == await page.locator("main script:not([type='application/json'])").count()
    cookies = await page.context.cookies()
    assert [("toggl_pulse", "/some/prefix/ui", True, "Lax")] == [
        (each["name"], each["path"], each["httpOnly"], each["sameSite"]) for each in cookies
    ]
    await page.get_by_role("button", name="Sign out").click()
    await page.goto(f"{hostile}/ui/")
    assert await page.get_by_label("API token").is_visible()


async def test_the_longest_names_leave_their_place_on_a_phone(page: Page, hostile: str, watch: Watch) -> None:
    watch.expected = ["401"]
    await page.set_viewport_size({"width": 360, "height": 800})
    await page.goto(f"{hostile}/ui/")
    await page.get_by_label("API token").fill(TOKEN)
    await page.get_by_role("button", name="Sign in").click()
    await settled(page)
    for view in VIEWS:
        await visit(page, f"{hostile}/ui/{view.slug}?{MONTH}&project=2127&tag={'x' * 3000}")
        assert [] == await sideways(page), view.slug


def test_the_lock_of_the_development_library_has_digests_and_no_address() -> None:
    lock = json.loads(Path(__file__).with_name("package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}

    assert ["node_modules/axe-core"] == list(packages)
    assert [] == [name for name, each in packages.items() if "integrity" not in each or "resolved" in each]
