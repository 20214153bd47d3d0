"""Overview: how is it going?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.ask import FILTERS, HERE, Ask
from dashboards.board import board, linked, place
from dashboards.lists import entries, lead, running
from dashboards.panels import bars, grid, links, numbers, override, ranking, share, words
from dashboards.status import status
from dashboards.variables import filters

NOTHING = "Nothing tracked"

NOTE = """\
Days, weeks and months are those of the zone in which Grafana shows times, which every question carries along.
An entry counts whole where it began, as in Toggl's own reports; *Weekday and hour* cuts it at full hours.
A running entry counts up to now. Each panel's description, behind its **i**, says what it counts.
"""


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
        5,
        *(
            (6, _period(title, Ask("period_change", periods=[period], **asked)))
            for period, title in (("today", "Today"), ("this_week", "This week"), ("this_month", "This month"))
        ),
        (
            6,
            status("Data as of", "data_as_of", unit="dateTimeFromNow", empty="never").links(
                links(("Sync health", linked("sync-health")))
            ),
        ),
    )
    place(
        made,
        5,
        (18, running("Running now", Ask("running_entries", **asked), empty="Nothing runs")),
        (6, share("Billable share", Ask("billable_share", interval="range", **asked), empty="–")),
    )
    place(
        made,
        11,
        (
            24,
            bars(
                "Hours by project", Ask("tracked_hours", group_by="project", limit=12, **asked), empty=NOTHING
            ).data_links(lead("project")),
        ),
    )
    place(
        made,
        10,
        *(
            (
                8,
                ranking(
                    title, Ask("tracked_hours", group_by=group, interval="range", limit=10, **asked), empty=NOTHING
                ).data_links(lead(group)),
            )
            for group, title in (("project", "Top projects"), ("client", "Top clients"), ("tag", "Top tags"))
        ),
    )
    place(made, 10, (24, hours_of_the_week(asked)))
    place(
        made, 12, (24, entries("Last entries", Ask("entries", limit=50, **asked), empty=NOTHING, more="The newest 50."))
    )
    place(made, 5, (24, words("How to read this", NOTE, describes="What holds for every panel here.")))
    return made


def hours_of_the_week(asked: Mapping[str, Any]) -> table.Panel:
    """Always split: else an afternoon would stand at the hour in which it began."""
    question = Ask("weekday_hour_hours", format="matrix", attribution="split", **asked)
    return grid("Weekday and hour", question, empty=NOTHING, more="In hours; entries are cut at full hours.")


def _period(title: str, question: Ask) -> stat.Panel:
    return numbers(
        title, question, fields="/^(hours|change)$/i", empty="0", more="Change: against that part."
    ).override_by_name("change", override(unit="percentunit", decimals=0, noValue="nothing before"))
