"""Projects & clients: who gets my time, and how does that change?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.common import StackingConfig
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.common import StackingMode

from dashboards.ask import FILTERS, ZONE, Ask, word
from dashboards.board import board, place
from dashboards.lists import dormant, entries, lead, projects
from dashboards.panels import bars, calendar, numbers, ranking, share
from dashboards.variables import adhoc, attribution, filters, interval, zone

NOTHING = "Nothing tracked"


def build() -> Dashboard:
    made = board(
        "projects",
        "Projects & clients",
        "Who gets my time, how that changes, and what lies idle; every filter there is.",
        since="now-90d",
        variables=[*filters(), interval(), attribution(), zone(), adhoc()],
    )
    asked = {"timezone": ZONE, "attribution": word("attribution"), "filters": FILTERS}
    whole = {**asked, "interval": "range"}
    steps = {**asked, "interval": word("interval")}
    place(
        made,
        5,
        (6, numbers("Tracked", Ask("tracked_hours", **whole), empty="0")),
        (6, share("Billable share", Ask("billable_share", **whole), empty="–")),
        (6, numbers("Entries", Ask("entry_count", **whole), unit="none", empty="0").decimals(0)),
        (6, numbers("Active days", Ask("active_days", **whole), unit="none", empty="0").decimals(0)),
    )
    place(
        made,
        11,
        (
            14,
            bars("By project", Ask("tracked_hours", group_by="project", limit=15, **steps), empty=NOTHING).data_links(
                lead("project")
            ),
        ),
        (
            10,
            bars(
                "Mix of clients",
                Ask("tracked_hours", group_by="client", limit=10, **steps),
                empty=NOTHING,
                more="Drawn as shares of the step.",
            )
            .stacking(StackingConfig().mode(StackingMode.PERCENT).group("A"))
            .data_links(lead("client")),
        ),
    )
    place(
        made,
        10,
        *(
            (
                8,
                ranking(title, Ask("tracked_hours", group_by=group, limit=15, **whole), empty=NOTHING).data_links(
                    lead(group)
                ),
            )
            for group, title in (("project", "Projects"), ("client", "Clients"), ("tag", "Tags"))
        ),
    )
    place(
        made,
        13,
        (
            24,
            projects(
                "All projects",
                Ask("project_overview", **asked),
                empty=NOTHING,
                more="Before: the stretch of the same length that ends where this one begins.",
            ),
        ),
    )
    place(
        made,
        14,
        (
            24,
            calendar(
                "Day by project",
                Ask("tracked_hours", group_by="project", limit=12, interval="day", **asked),
                empty=NOTHING,
                more="A row a day, in hours; the twelve largest projects, and the others together.",
            ),
        ),
    )
    place(
        made,
        13,
        (
            24,
            entries(
                "Entries of these filters", Ask("entries", limit=200, **asked), empty=NOTHING, more="The newest 200."
            ),
        ),
    )
    place(
        made,
        9,
        (
            24,
            dormant(
                "Dormant projects",
                Ask("dormant_projects", timezone=ZONE, filters=FILTERS),
                empty="None: every project had an entry on the last 30 days",
            ),
        ),
    )
    return made
