"""The entries one by one: searchable, page by page, and all of them as CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import Filter
from toggl_pulse.web.look import Look
from toggl_pulse.web.views.view import View

__all__ = ["VIEW", "kind_of", "search_of"]

A_PAGE = 100
MOST_PAGES = 100


ONLY = {
    "": "all of them",
    "over_midnight": "over midnight",
    "long": "longer than 8 hours",
    "short": "shorter than a minute",
    "running": "running",
}
SORTS = {"": "newest first", "duration": "longest first"}


def show(look: Look) -> Mapping[str, Any]:
    own = look.asked.own
    number = _page(own.get("page", "1"))
    search, wanted = search_of(own), _wanted(own)
    rows = look.rows(look.answer("entries", limit=number * A_PAGE + 1, adhoc=search, **wanted))
    return {
        "rows": rows[(number - 1) * A_PAGE : number * A_PAGE],
        "search": own.get("q", ""),
        "only": ONLY,
        "sorts": SORTS,
        "asked_for": wanted,
        "page_number": number,
        "more": len(rows) > number * A_PAGE and number < MOST_PAGES,
        # these are of all entries that are found
        "sums": []
        if wanted.get("only")
        else [
            look.number("tracked_hours", adhoc=search),
            look.number("billable_share", adhoc=search),
            look.number("entry_count", adhoc=search),
        ],
    }


def _wanted(own: Mapping[str, str]) -> dict[str, Any]:
    """Which of the entries, and in what order; the metrics refuse what they do not know."""
    return {name: own[name] for name in ("only", "sort") if name in own}


def kind_of(own: Mapping[str, str]) -> dict[str, Any]:
    """As `_wanted`, without an order: files are oldest first."""
    return {name: word for name, word in _wanted(own).items() if name == "only"}


def search_of(own: Mapping[str, str]) -> tuple[Filter, ...]:
    """The filter of a search: the words as they are, in any case, anywhere in the description."""
    text = own.get("q", "").strip()
    return (Filter("description", "=~", ("(?i)" + re.escape(text),)),) if text else ()


def _page(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,2}", text, re.ASCII) or int(text) > MOST_PAGES:
        raise BadRequest(f"`page` must be a number from 1 to {MOST_PAGES}: narrow the range or download the CSV.")
    return int(text)


VIEW = View(slug="entries", title="Entries", show=show, controls=("attribution",), keeps=("q", "only", "sort"))
