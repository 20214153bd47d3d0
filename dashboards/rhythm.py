"""Work rhythm: when do I work, and how steadily?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.ask import FILTERS, HERE, Ask, word
from dashboards.board import board, place
from dashboards.lists import entries, overlaps
from dashboards.overview import hours_of_the_week
from dashboards.panels import bars, lines, numbers, override
from dashboards.variables import filters, interval

NOTHING = "Nothing tracked"


def build() -> Dashboard:
    made = board(
        "rhythm",
        "Work rhythm",
        "When do I work, and how steadily? Hours of the week, starts and stops, evenings, weekends and long entries.",
        since="now-90d",
        variables=[*filters(), interval()],
    )
    asked = {"timezone": HERE, "filters": FILTERS}
    whole = {**asked, "interval": "range"}
    place(
        made,
        5,
        (4, numbers("Active days", Ask("active_days", **whole), unit="none", empty="0").decimals(0)),
        (4, numbers("Days off", Ask("days_off", **whole), unit="none", empty="0").decimals(0)),
        (4, numbers("Evenings and nights", Ask("evening_hours", **whole), empty="0")),
        (4, numbers("Weekends", Ask("weekend_hours", **whole), empty="0")),
        (4, numbers("Longest entry", Ask("longest_entry_hours", **whole), empty="–")),
        (4, numbers("Average entry", Ask("average_entry_hours", **whole), empty="–")),
    )
    place(made, 10, (24, hours_of_the_week(asked)))
    place(
        made,
        11,
        (
            24,
            lines(
                "First start and last stop",
                [Ask(metric, interval=word("interval"), **asked) for metric in ("first_start", "last_stop")],
                empty=NOTHING,
                more="9.5 is half past nine.",
            )
            .min(0)
            .max(24)
            .override_by_name("first_start", override(color={"mode": "fixed", "fixedColor": "light-blue"}, decimals=2))
            .override_by_name(
                "last_stop",
                override(
                    color={"mode": "fixed", "fixedColor": "purple"},
                    decimals=2,
                    custom_fillBelowTo="First start",
                    custom_fillOpacity=12,
                ),
            ),
        ),
    )
    by_step = {**asked, "interval": word("interval")}
    place(
        made,
        10,
        (
            12,
            lines(
                "Evenings and weekends by step",
                [Ask("evening_hours", **by_step), Ask("weekend_hours", **by_step)],
                empty=NOTHING,
                more="The evening of a Saturday is in both.",
            ),
        ),
        (
            12,
            bars(
                "Active days and days off",
                [Ask("active_days", **by_step), Ask("days_off", **by_step)],
                unit="none",
                empty=NOTHING,
            ).decimals(0),
        ),
    )
    place(
        made,
        11,
        (
            12,
            entries(
                "Longest entries",
                Ask("entries", sort="duration", limit=20, **asked),
                empty=NOTHING,
                more="The longest 20.",
            ),
        ),
        (
            12,
            entries(
                "Over midnight",
                Ask("entries", only="over_midnight", limit=200, **asked),
                empty="None goes over midnight",
                more="Those that cross a midnight of the zone in which Grafana shows times.",
            ),
        ),
    )
    place(
        made,
        9,
        (4, numbers("Wall-clock time", Ask("wall_clock_hours", **whole), empty="0")),
        (4, numbers("Overlap", Ask("overlap_hours", **whole), empty="0").decimals(2)),
        (16, overlaps("Overlapping entries", Ask("overlaps", limit=100, **asked), empty="No entries overlap")),
    )
    return made
