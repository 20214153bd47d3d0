"""Tables of entries, alike wherever they stand: the columns that people read, and where a click leads."""

from __future__ import annotations

from grafana_foundation_sdk.builders.table import Panel
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DashboardLink

from dashboards.ask import Ask
from dashboards.board import linked
from dashboards.panels import links, override, said, without

__all__ = ["dormant", "entries", "lead", "link", "overlaps", "projects", "running"]


def entries(title: str, question: Ask, *, empty: str, more: str = "") -> Panel:
    """`question` is one whose columns are those of the metric `entries`."""
    return (
        said(title, question, empty=empty, more=more)
        .override_by_name("start", override(unit="dateTimeAsLocal", custom_width=170))
        .override_by_name("hours", override(decimals=2, custom_width=100))
        .override_by_name("description", override(noValue="–", custom_minWidth=220))
        .override_by_name("project", override(links=[link("This project", "project")], custom_minWidth=140))
        .override_by_name("client", override(links=[link("This client", "client")], custom_minWidth=140))
        .override_by_name("billable", override(custom_width=80))
        .transformations([without("stop", "user", "id", "workspace")])
    )


def lead(dimension: str) -> list[Builder[DashboardLink]]:
    """From a bar or a series to Projects & clients, its group chosen; from `(other)` to all."""
    here = {dimension: "${__field.labels.id:percentencode}"}
    return links((f"This {dimension}", linked("projects", **here)))


def link(title: str, dimension: str) -> dict[str, str]:
    """To Projects & clients, with the row's project or client chosen; a name means what an id means."""
    here = {dimension: f"${{__data.fields.{dimension}:percentencode}}"}
    return {"title": title, "url": linked("projects", **here)}


def running(title: str, question: Ask, *, empty: str) -> Panel:
    """`question` is `running_entries`."""
    return (
        said(title, question, empty=empty)
        .override_by_name("since", override(unit="dateTimeFromNow", custom_width=150))
        .override_by_name("hours", override(decimals=2, custom_width=100))
        .override_by_name("description", override(noValue="–", custom_minWidth=220))
        .override_by_name("project", override(links=[link("This project", "project")], custom_minWidth=140))
        .override_by_name("client", override(links=[link("This client", "client")], custom_minWidth=140))
        .override_by_name("billable", override(custom_width=80))
        .transformations([without("user", "workspace", "project_id", "client_id", "id")])
    )


def projects(title: str, question: Ask, *, empty: str, more: str = "") -> Panel:
    """`question` is `project_overview`."""
    return (
        _of_projects(said(title, question, empty=empty, more=more))
        .override_by_name("hours", override(decimals=2))
        .override_by_name("hours_before", override(decimals=2))
        .override_by_name("share", override(decimals=1, custom_cellOptions=_GAUGE, color=_BLUE, min=0, max=1))
        .override_by_name("billable_share", override(decimals=0, noValue="–"))
        .override_by_name("change", override(decimals=0, noValue="nothing before"))
        .override_by_name("last_activity", override(unit="dateTimeAsLocal", noValue="–", custom_width=170))
        .override_by_name("days_since", override(decimals=0, noValue="–"))
    )


def dormant(title: str, question: Ask, *, empty: str) -> Panel:
    """`question` is `dormant_projects`."""
    return (
        _of_projects(said(title, question, empty=empty))
        .override_by_name("last_activity", override(unit="dateTimeAsLocal", noValue="never", custom_width=170))
        .override_by_name("days_since", override(decimals=0, noValue="–"))
    )


def overlaps(title: str, question: Ask, *, empty: str) -> Panel:
    """`question` is `overlaps`; a row has two entries, the one that began first before the other."""
    return (
        said(title, question, empty=empty)
        .override_by_name("from", override(unit="dateTimeAsLocal", custom_width=170))
        .override_by_name("hours", override(decimals=2, custom_width=100))
        .override_by_name("first_description", override(noValue="–", custom_minWidth=160))
        .override_by_name("second_description", override(noValue="–", custom_minWidth=160))
        .transformations(
            [without("to", "user", "first_start", "first_stop", "first_id", "second_start", "second_stop", "second_id")]
        )
    )


_BLUE = {"mode": "fixed", "fixedColor": "blue"}
_GAUGE = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}


def _of_projects(panel: Panel) -> Panel:
    """A table with a project a row: its name and its client's lead on, their ids are not shown."""
    return (
        panel.override_by_name("project", override(links=[link("This project", "project")], custom_minWidth=160))
        .override_by_name("client", override(links=[link("This client", "client")], custom_minWidth=140))
        .transformations([without("project_id", "client_id")])
    )
