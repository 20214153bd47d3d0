"""The variables at the top of the dashboards.

Every list comes from Toggl Pulse. Filters hold ids, so that a rename breaks no link; where nothing is chosen they say
`null`, which is no filter, and not the list of all that existed when the page was opened.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import AdHocVariable, CustomVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableHide, VariableOption, VariableRefresh, VariableSort

from dashboards.ask import PULSE

__all__ = ["adhoc", "attribution", "filters", "interval", "kept", "zone"]

_ALL = "$__all"
_LABELS = {
    "workspace": "Workspace",
    "client": "Client",
    "project": "Project",
    "tag": "Tag",
    "billable": "Billable",
}

_DESCRIBES = {
    "workspace": "Only entries of these workspaces.",
    "billable": "Only entries that are marked billable, or only those that are not.",
}


def _listed(name: str, target: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .datasource(PULSE)
        .query({"query": target, "format": "string", "refId": name})
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.DISABLED)
    )


def filters() -> list[QueryVariable]:
    """Workspace, client, project, tag and billable: any number of values each, or all."""
    return [
        _listed(name, name)
        .label(label)
        .description(_DESCRIBES.get(name, f"Only entries of these; All keeps those without {name} too."))
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value("null")
        .allow_custom_value(allow_custom_value=False)
        .current(VariableOption(selected=True, text=["All"], value=[_ALL]))
        for name, label in _LABELS.items()
    ]


def kept() -> list[QueryVariable]:
    """The same where nothing can be filtered: out of sight, for the way back to where it can."""
    return [each.hide(VariableHide.HIDE_VARIABLE) for each in filters()]


def interval(default: str = "auto") -> CustomVariable:
    words = ("auto", "day", "week", "month", "quarter", "year")
    return (
        CustomVariable("interval")
        .label("Step")
        .description("How long a step of the charts is; auto follows the length of the range.")
        .values(",".join(words))
        .options([VariableOption(selected=each == default, text=each, value=each) for each in words])
        .current(VariableOption(selected=True, text=default, value=default))
        .allow_custom_value(allow_custom_value=False)
    )


def attribution() -> QueryVariable:
    return (
        _listed("attribution", "attribution")
        .label("Attribution")
        .description(
            "start books an entry whole where it began, as Toggl's own reports do; split cuts it at midnights "
            "and at the borders of the range."
        )
        .allow_custom_value(allow_custom_value=False)
        .current(VariableOption(selected=True, text="start", value="start"))
    )


def zone() -> QueryVariable:
    """All stands for the zone of the dashboard itself, asked anew with every question."""
    return (
        _listed("zone", "timezone")
        .label("Zone (All: as shown)")
        .description(
            "Where days and months begin. All is the zone in which Grafana shows times; in another one, "
            "steps begin at that zone's midnight, which Grafana shows as some other hour."
        )
        .include_all(include_all=True)
        .all_value("${__timezone}")
        .allow_custom_value(allow_custom_value=False)
        .current(VariableOption(selected=True, text="All", value=_ALL))
    )


def adhoc() -> AdHocVariable:
    return (
        AdHocVariable("filters")
        .label("More filters")
        .description("Any dimension, with =, !=, patterns and lists; applies to every panel here.")
        .datasource(PULSE)
    )
