"""What all dashboards share, and how panels find their place: rows of panels on Grafana's grid of 24 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardCursorSync,
    DashboardLinkType,
    GridPos,
    Panel,
    VariableModel,
)

from dashboards.ask import FILTERS, PULSE, Ask

__all__ = ["TAG", "board", "linked", "place", "row"]

TAG = "toggl-pulse"
WIDTH = 24


def board(
    uid: str,
    title: str,
    describes: str,
    *,
    since: str,
    until: str = "now",
    refresh: str = "5m",
    variables: Sequence[Builder[VariableModel]] = (),
) -> Dashboard:
    """An empty dashboard: fixed identity, times as Grafana shows them, links to all others with filters and time kept.

    Weeks of `now/w` begin on Monday, as they do in Toggl unless its profile says otherwise.
    """
    made = (
        Dashboard(title)
        .uid(f"toggl-pulse-{uid}")
        .description(describes)
        .tags([TAG])
        .timezone("browser")
        .week_start("monday")
        .time(since, until)
        .refresh(refresh)
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables(list(variables))
        .link(
            DashboardLink("Toggl Pulse")
            .type(DashboardLinkType.DASHBOARDS)
            .icon("external link")
            .tooltip("The other dashboards, with filters and time kept")
            .tags([TAG])
            .as_dropdown(as_dropdown=False)
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
            .target_blank(target_blank=False)
        )
    )
    return made.annotation(_Gaps())


def row(dashboard: Dashboard, title: str) -> None:
    dashboard.with_row(Row(title))


def place(dashboard: Dashboard, height: int, *panels: tuple[int, Any]) -> None:
    """Panels beside one another, each with its width in columns; together they fill the grid."""
    used = sum(width for width, _ in panels)
    if used != WIDTH:
        raise ValueError(f"A row of panels must fill {WIDTH} columns, not {used}.")
    uid = dashboard.build().uid or ""
    for width, panel in panels:
        dashboard.with_panel(_Leading(panel.grid_pos(GridPos(h=height, w=width)), _ON.get(uid)))


def linked(uid: str, **given: str) -> str:
    """The address of a dashboard with time and filters kept, but for those that are given."""
    kept = [f"${{{name}:queryparam}}" for name in FILTERS if name not in given]
    chosen = [f"var-{name}={value}" for name, value in given.items()]
    return f"/d/toggl-pulse-{uid}?{'&'.join(['${__url_time_range}', *kept, *chosen])}"


_TO_PROJECTS = ("Projects, clients and entries with these filters", linked("projects"))
_ON = {
    "toggl-pulse-overview": _TO_PROJECTS,
    "toggl-pulse-billing": _TO_PROJECTS,
    "toggl-pulse-rhythm": _TO_PROJECTS,
    "toggl-pulse-projects": ("What of it is billable", linked("billing")),
}
"""Where a panel leads whose values lead nowhere, on the dashboards whose filters count."""


class _Leading(Builder[Panel]):
    """A panel with a link in its corner, unless it has one of its own or its values have."""

    def __init__(self, panel: Builder[Panel], lead: tuple[str, str] | None) -> None:
        self._panel = panel
        self._lead = lead

    def build(self) -> Panel:
        made = self._panel.build()
        values_lead = made.field_config is not None and made.field_config.defaults.links
        if self._lead and made.type_val != "text" and not made.links and not values_lead:
            title, url = self._lead
            made.links = [DashboardLink(title).url(url).build()]
        return made


class _Gaps(Builder[AnnotationQuery]):
    """Stretches without a sync, marked in every chart; Grafana asks for them as for a panel's data."""

    def build(self) -> AnnotationQuery:
        return _Asked(name="Sync gaps", datasource=PULSE, enable=True, hide=False, icon_color="orange")


class _Asked(AnnotationQuery):
    """One whose target is a question to the plugin; the model knows only Grafana's own."""

    def to_json(self) -> dict[str, object]:
        return super().to_json() | {"target": Ask("sync_gaps").ref("Anno").build()}
