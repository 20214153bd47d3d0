"""Every page of the service: what it shows, what it may load, where its links lead, and how it says no."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from toggl_pulse.web.views import VIEWS
from web.scene import PagePulse, browsing, signed_in

PAGES = [f"/ui/{view.slug}" for view in VIEWS]
SPAN = "from=2026-11-01&to=2026-11-05"


class Reader(HTMLParser):
    """What a page refers to, and what in it could be run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.forms: list[str] = []
        self.inline: list[str] = []
        self.amounts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "a":
            self.links.append(given["href"])
        elif tag == "form":
            self.forms.append(given["action"])
        elif tag in {"script", "link", "img"}:
            where = given.get("src") or given.get("href")
            if where:
                self.loads.append(where)
            elif given.get("type") != "application/json":
                self.inline.append(tag)
        elif tag == "style":
            self.inline.append(tag)
        elif tag == "data":
            self.amounts.append((given["value"], given.get("data-unit", "")))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_of_its_own_text_and_loads_nothing_from_elsewhere(browser: TestClient, path: str) -> None:
    answer = browser.get(f"{path}?{SPAN}")
    found = Reader(answer.text)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))

    assert 200 == answer.status_code
    assert [] == found.inline
    assert found.loads
    assert [] == [
        where for where in (*found.loads, *found.links, *found.forms) if urlsplit(where).netloc or where.startswith("/")
    ]
    assert {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "frame-ancestors": "'none'"} == {
        name: policy[name] for name in ("default-src", "script-src", "style-src", "frame-ancestors")
    }
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert ("nosniff", "same-origin", "no-store") == (
        answer.headers["x-content-type-options"],
        answer.headers["referrer-policy"],
        answer.headers["cache-control"],
    )


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(browser: TestClient, path: str) -> None:
    found = Reader(browser.get(f"{path}?{SPAN}").text)

    for where in sorted({*found.links, *found.loads} - {"", "#main"}):
        answer = browser.get(urljoin(f"http://testserver{path}", where))
        assert 200 == answer.status_code, (where, answer.text[:300])


@pytest.mark.parametrize("prefix", ["/pulse", "/a/b"])
def test_behind_a_prefix_every_link_stays_behind_it(pulse: PagePulse, prefix: str) -> None:
    with browsing(pulse, root_path=prefix) as client:
        signed_in(client, pulse.api_token)
        for path in (*PAGES, "/ui/filters", "/ui/nothing/at/all"):
            found = Reader(client.get(f"{path}?{SPAN}").text)
            leads = {
                urljoin(f"http://testserver{prefix}{path}", where)
                for where in (*found.links, *found.loads, *found.forms)
            }
            assert [] == [where for where in leads if not where.startswith(f"http://testserver{prefix}/ui/")], path


def test_the_folder_without_its_slash_leads_to_it_wherever_a_proxy_has_put_it(browser: TestClient) -> None:
    answer = browser.get("/ui")

    assert (307, "ui/") == (answer.status_code, answer.headers["location"])
    assert "http://testserver/pulse/ui/" == urljoin("http://testserver/pulse/ui", answer.headers["location"])


def test_numbers_of_the_overview_are_the_interface_s(pulse: PagePulse, browser: TestClient) -> None:
    found = Reader(browser.get(f"/ui/?{SPAN}").text)
    span = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-05T23:00:00Z"}
    asked = ("tracked_hours", "billable_hours", "billable_share", "active_days", "entry_count", "longest_entry_hours")
    targets = [{"target": metric, "payload": {"interval": "range"}} for metric in asked]
    answer = browser.post(
        "/query", json={"range": span, "targets": targets}, headers={"Authorization": f"Bearer {pulse.api_token}"}
    )

    told = [float(each["datapoints"][0][0]) for each in answer.json()]
    shown = [float(value) for value, _ in found.amounts if value]
    assert len(asked) == len(told)
    assert [] == [value for value in told if value not in shown]


def test_a_chart_s_drawing_and_its_csv_hold_the_same_numbers(browser: TestClient) -> None:
    page = browser.get(f"/ui/?{SPAN}&group=project").text
    (spec,) = re.findall(r'<script type="application/json" class="spec">(.*?)</script>', page, re.DOTALL)
    drawn = json.loads(spec)
    text = browser.get(urljoin("http://testserver/ui/", drawn["csv"])).text
    head, *rows = csv.reader(text.splitlines())
    data = browser.get(f"/ui/data/overview/hours.json?{SPAN}&group=project").json()

    assert drawn["lines"] == data["lines"]
    assert ["day", *(line["label"] for line in drawn["lines"])] == head
    assert drawn["x"] == [row[0] for row in rows]
    for number, line in enumerate(drawn["lines"], 1):
        assert line["values"] == [float(row[number]) for row in rows]
    assert 4.75 == sum(value for line in drawn["lines"] for value in line["values"])
    assert ["2026-11-01T00:00", "2026-11-05T00:00"] == [drawn["x"][0], drawn["x"][-1]]


def test_what_is_chosen_goes_along_to_every_other_view(browser: TestClient) -> None:
    chosen = f"{SPAN}&group=client&attribution=split&timezone=UTC&client=11&billable=true&tag=(no+tag)"
    wanted = sorted(parse_qsl(chosen))

    found = Reader(browser.get(f"/ui/?{chosen}").text)

    views = [where for where in found.links if where.partition("?")[0] in {view.slug or "./" for view in VIEWS}]
    assert wanted in [sorted(parse_qsl(where.partition("?")[2])) for where in views if where.startswith("entries?")]
    assert wanted in [sorted(parse_qsl(where.partition("?")[2])) for where in views if where.startswith("./?")]


def test_filters_narrow_every_number_and_each_can_be_taken_out(browser: TestClient) -> None:
    found = Reader(browser.get(f"/ui/entries?{SPAN}&client=11").text)

    assert ("2.0", "entries") in found.amounts
    assert ("3.0", "hours") in found.amounts
    assert f"entries?{SPAN}" in found.links


def test_the_form_of_filters_lists_what_can_be_chosen_and_keeps_the_rest(browser: TestClient) -> None:
    page = browser.get(f"/ui/filters?{SPAN}&client=11&back=entries").text

    assert 'name="client" value="11" checked' in page
    assert 'name="project" value="21"' in page
    assert '<input type="hidden" name="from" value="2026-11-01">' in page
    assert 'action="entries"' in page


def test_entries_are_found_by_their_words_and_handed_out_as_csv(browser: TestClient) -> None:
    page = browser.get(f"/ui/entries?{SPAN}&q=PLAN").text
    file = browser.get(f"/ui/entries.csv?{SPAN}&q=PLAN")

    assert page.count('<td class="what">') == 1
    assert 2 == len(file.text.splitlines())
    assert 'attachment; filename="entries.csv"' == file.headers["content-disposition"]
    assert "Plan" in file.text


def test_entries_can_be_the_longest_first_or_only_those_of_a_kind(browser: TestClient) -> None:
    longest = Reader(browser.get(f"/ui/entries?{SPAN}&sort=duration").text)
    page = browser.get(f"/ui/entries?{SPAN}&only=over_midnight")

    hours = [float(value) for value, unit in longest.amounts if unit == "hours"][1:]
    assert [2.0, 1.5, 1.0, 0.25] == hours
    assert 1 == page.text.count('<td class="what">')
    (file,) = [where for where in Reader(page.text).links if where.startswith("entries.csv")]
    rows = list(csv.DictReader(browser.get(f"/ui/{file}").text.splitlines()))
    assert ["6000000003"] == [row["id"] for row in rows]
    assert [] == [value for value, unit in Reader(page.text).amounts if unit == "entries"]
    assert 400 == browser.get(f"/ui/entries?{SPAN}&only=unusual").status_code


@pytest.mark.parametrize("search", ["(a", "[a", ".*", "\\", '"quoted"', "(?i)x", "a|b"])
def test_a_search_is_for_the_letters_themselves(browser: TestClient, search: str) -> None:
    answer = browser.get("/ui/entries", params={"from": "2026-11-01", "to": "2026-11-05", "q": search})

    assert 200 == answer.status_code
    assert (1 if search == '"quoted"' else 0) == answer.text.count('<td class="what">')


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("range=never", "There is no period “never”"),
        ("from=2026-11-05&to=2026-11-01", "The range ends before it begins"),
        ("from=1999-01-01", "lies outside of what can be asked for"),
        ("timezone=Mars/Base", "There is no time zone “Mars/Base”"),
        ("interval=fortnight", "`interval` cannot be “fortnight”"),
        ("group=%3Cscript%3E", "`group` cannot be “&lt;script&gt;”"),
        ("range=all&interval=hour&from=", None),
    ],
)
def test_what_cannot_be_shown_is_a_page_that_says_why(browser: TestClient, query: str, sentence: str | None) -> None:
    answer = browser.get(f"/ui/?{query}")

    if sentence is None:
        assert 200 == answer.status_code
    else:
        assert 400 == answer.status_code
        assert sentence in answer.text
        assert 'href="./"' in answer.text


def test_an_address_without_a_page_says_so_and_leads_back(browser: TestClient) -> None:
    answer = browser.get("/ui/no/such/page")

    assert 404 == answer.status_code
    assert 'href="../../"' in answer.text
    assert (404, "not_found") == (
        browser.get("/ui/data/overview/nothing.csv").status_code,
        browser.get("/ui/data/overview/nothing.csv").json()["error"]["code"],
    )


def test_files_of_the_page_are_kept_for_ever_and_packed(browser: TestClient) -> None:
    for where in Reader(browser.get("/ui/").text).loads:
        answer = browser.get(f"/ui/{where}", headers={"Accept-Encoding": "gzip"})
        assert "public, max-age=31536000, immutable" == answer.headers["cache-control"]
        assert "gzip" == answer.headers.get("content-encoding", "gzip")
        plain = browser.get(f"/ui/{where}", headers={"Accept-Encoding": "identity"})
        assert answer.content == plain.content
        assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path", ["x/page.css", "../app.py", "%2e%2e/base.html", "{version}/..%2fpages.py", "plotly-0/plotly.js"]
)
def test_no_file_but_those_of_the_page_is_handed_out(stranger: TestClient, path: str) -> None:
    answer = stranger.get(f"/ui/static/{path}")

    assert answer.status_code in {401, 404}


def test_a_sync_is_started_and_one_that_runs_already_is_no_fault(pulse: PagePulse, browser: TestClient) -> None:
    ours = {"Sec-Fetch-Site": "same-origin"}

    first = browser.post("/ui/sync", headers=ours)
    by_script = browser.post("/ui/sync", headers={**ours, "Accept": "application/json"})
    pulse.running = True
    again = browser.post("/ui/sync", headers=ours)

    assert [(303, "./"), (303, "./")] == [(each.status_code, each.headers["location"]) for each in (first, again)]
    assert 202 == by_script.status_code
    assert 2 == pulse.asked.count("sync")


def test_the_banner_s_news_are_the_status_s(browser: TestClient) -> None:
    news = browser.get("/ui/data/freshness.json").json()

    assert {"state", "sentence", "data_as_of", "running", "share", "revision"} == set(news)
