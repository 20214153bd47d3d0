"""Overview: how is it going?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.ask import FILTERS, HERE, Ask
from dashboards.board import board, place
from dashboards.panels import bars, ranking, share
from dashboards.variables import filters

NOTHING = "Nothing tracked"


def build() -> Dashboard:
    made = board(
        "overview",
        "Overview",
        "How is it going? Hours, what they went into, and the newest entries.",
        since="now-30d",
        variables=filters(),
    )
    asked = {"timezone": HERE, "filters": FILTERS}
    place(
        made,
        10,
        (
            18,
            bars("Hours by project", Ask("tracked_hours", group_by="project", limit=12, **asked), empty=NOTHING),
        ),
        (6, share("Billable share", Ask("billable_share", interval="range", **asked), empty="–")),
    )
    place(
        made,
        10,
        *(
            (
                8,
                ranking(
                    title, Ask("tracked_hours", group_by=group, interval="range", limit=10, **asked), empty=NOTHING
                ),
            )
            for group, title in (("project", "Top projects"), ("client", "Top clients"), ("tag", "Top tags"))
        ),
    )
    return made
