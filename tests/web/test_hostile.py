"""Names as an enemy would choose them: on every page they are text and nothing else."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.scene import NOW
from toggl_pulse.mirror import Mirror
from toggl_pulse.web.views import VIEWS
from web.names import NAMES, fill_hostile
from web.scene import PagePulse, browsing
from web.test_pages import Reader

SPAN = "from=2026-10-01&to=2026-11-30"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'mirror.db'}", clock=lambda: NOW) as mirror:
        fill_hostile(mirror)
        pulse = PagePulse(mirror, api_token=None)
        with browsing(pulse) as client:
            yield client


@pytest.mark.parametrize("path", [*(f"/ui/{view.slug}" for view in VIEWS), "/ui/filters"])
@pytest.mark.parametrize("group", ["project", "client", "tag", "description"])
def test_no_name_becomes_markup(browser: TestClient, path: str, group: str) -> None:
    answer = browser.get(f"{path}?{SPAN}&group={group}&q=")
    found = Reader(answer.text)

    assert 200 == answer.status_code
    assert [] == found.inline
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert "javascript:" not in [where[:11] for where in found.links]
    assert {"script", "style"} >= set(re.findall(r"</(script|style)>", answer.text))
    for spec in re.findall(r'class="spec">(.*?)</script>', answer.text, re.DOTALL):
        assert json.loads(spec)["lines"]
        assert not re.search("[<>&\u2028\u2029]", spec)
    assert "AABBCC" not in answer.text  # colours are written in one way
    assert '#fff"' not in html.unescape(answer.text)
    assert len(answer.content) < 400_000


@pytest.mark.parametrize("name", NAMES[::7])
def test_what_is_asked_is_shown_as_text(browser: TestClient, name: str) -> None:
    for parameters in ({"q": name}, {"project": name}, {"range": name}, {"timezone": name}, {"page": name}):
        answer = browser.get("/ui/entries", params=parameters)
        assert answer.status_code in {200, 400}
        assert [] == Reader(answer.text).inline
        assert "<img" not in answer.text
