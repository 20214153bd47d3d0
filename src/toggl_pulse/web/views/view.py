"""What a view is: an address, a template, what the template shows, and its charts by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toggl_pulse.web.figures import Figure
from toggl_pulse.web.look import Look

__all__ = ["View"]


@dataclass(frozen=True, slots=True)
class View:
    """`slug` is the address below `/ui/` (the first view's is empty); `name` names the template.

    `show` gives what the template knows beside the page's own words. Each of `figures` is drawn where the template
    says `chart(figure("name"))`, and can be had as CSV; `tables` are drawn by the template itself, and have a CSV too.
    `controls` are the choices that the view heeds beside the range, `keeps` the parameters of its own that go along
    when those change. One that is not `ranged` has neither.
    """

    slug: str
    title: str
    show: Callable[[Look], Mapping[str, Any]]
    figures: Mapping[str, Callable[[Look], Figure]] = field(default_factory=dict)
    tables: Mapping[str, Callable[[Look], Figure]] = field(default_factory=dict)
    controls: tuple[str, ...] = ("group", "interval", "attribution")
    keeps: tuple[str, ...] = ()
    ranged: bool = True

    @property
    def name(self) -> str:
        return self.slug or "overview"
