"""A view as HTML: its template, and around it what every page shows: navigation, range, filters, freshness.

Knows templates and addresses; what a view shows is the view's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from toggl_pulse.web.asked import CHOICES, FILTERS, Asked
from toggl_pulse.web.assets import CHART_LIBRARY, chart_styles, chart_version, version
from toggl_pulse.web.figures import as_json
from toggl_pulse.web.freshness import freshness
from toggl_pulse.web.look import Look
from toggl_pulse.web.views import VIEWS, View
from toggl_pulse.web.words import day, in_page, iso, local, month, shortened, shown, step, told

__all__ = ["Pages"]

RANGES = (
    ("today", "Today"), ("yesterday", "Yesterday"), ("this-week", "This week"), ("last-week", "Last week"),
    ("this-month", "This month"), ("last-month", "Last month"), ("this-year", "This year"), ("last-year", "Last year"),
    ("last-7-days", "Last 7 days"), ("last-30-days", "Last 30 days"), ("last-90-days", "Last 90 days"),
    ("last-365-days", "Last 365 days"), ("all", "All time"),
)  # fmt: skip


_FIRST_YEAR, _LAST_YEAR = 2006, 2100


class Pages:
    """`signing_in`: whether there is a session to end."""

    def __init__(self, *, release: str, demo: bool, signing_in: bool) -> None:
        self._environment = Environment(
            loader=PackageLoader("toggl_pulse.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            each.__name__: each for each in (shown, shortened, day, in_page, iso, local, month, step, told)
        }
        self._environment.globals |= {
            "static": f"static/{version()}/",
            "chart_library": f"static/{chart_version()}/{CHART_LIBRARY}",
            "chart_styles": " ".join(chart_styles()),
            "release": release,
            "demo": demo,
            "signing_in": signing_in,
        }

    def view(self, view: View, look: Look) -> str:
        asked = look.asked
        drawn = view.figures
        kept = {name: asked.own[name] for name in view.keeps if name in asked.own}

        def figure(name: str) -> dict[str, Any]:
            made = drawn[name](look)
            address = asked.link(f"data/{view.name}/{name}.csv", **asked.own)
            drill = asked.link("entries", group=None, interval=None)
            return {"figure": made, "csv": address, "spec": as_json(made, {"csv": address, "drill": drill})}

        return self._made(
            f"{view.name}.html",
            view=view,
            look=look,
            asked=asked,
            up="",
            navigation=[(each.title, asked.link(each.slug), each is view) for each in VIEWS],
            ranges=[(word, title, asked.link(view.slug, **kept, range=word)) for word, title in RANGES],
            range_title=range_title(asked),
            before=_moved(asked, view, -1, kept),
            after=_moved(asked, view, 1, kept),
            choices=CHOICES,
            chips=_chips(look, view, kept),
            freshness=freshness(look.status),
            now_ms=int(look.now.timestamp() * 1000),
            figure=figure,
            kept=kept,
            **view.show(look),
        )

    def filters(self, look: Look, choices: Mapping[str, list[tuple[str, str]]], back: str) -> str:
        """The form to choose what every view is narrowed to."""
        asked = look.asked
        kept = [(name, value) for name, value in asked.parameters(**asked.own) if name not in (*FILTERS, "back")]
        return self._made(
            "filters.html", title="Filters", up="", asked=asked, choices=choices, back=back, kept=kept, look=look
        )

    def sign_in(self, *, up: str, comes_to: str, wrong: bool = False) -> str:
        return self._made("sign-in.html", title="Sign in", up=up, comes_to=comes_to, wrong=wrong)

    def error(self, title: str, message: str, *, up: str = "") -> str:
        return self._made("error.html", title=title, message=message, up=up)

    def _made(self, template: str, **what: Any) -> str:
        return self._environment.get_template(template).render(**what)


def range_title(asked: Asked) -> str:
    """The range in words, with its days."""
    named = dict(RANGES).get(asked.period)
    if named is None and asked.period:
        named = asked.period.replace("-", " ").capitalize()
    return named or ""


def _moved(asked: Asked, view: View, direction: int, kept: Mapping[str, str]) -> str | None:
    """The link to the stretch before or after, where one can be asked for."""
    try:
        moved = asked.moved(direction)
    except (ValueError, OverflowError):
        return None
    return moved.link(view.slug, **kept) if moved.first.year >= _FIRST_YEAR and moved.last.year <= _LAST_YEAR else None


def _chips(look: Look, view: View, kept: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Each value of a filter with the link that takes it out: dimension, name, link."""
    return [
        (name, look.name_of(name, value), look.asked.link(view.slug, **kept, **look.asked.without(name, value)))
        for name, values in look.asked.filters.items()
        for value in values
    ]
