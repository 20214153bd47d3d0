"""Sync health: can I trust what I see?"""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.common import BarAlignment
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMapping,
    ValueMappingResult,
)

from dashboards.ask import Ask
from dashboards.board import board, place
from dashboards.panels import bars, levels, of_influxdb, only, ordered, override, said, steps, without
from dashboards.status import status
from dashboards.variables import kept

AN_HOUR = 3600


def build() -> Dashboard:
    made = board(
        "sync-health",
        "Sync health",
        "Can I trust what I see? How fresh the data are, what the sync did, and whether anything is missing.",
        since="now-7d",
        refresh="1m",
        variables=kept(),
    )
    place(
        made,
        5,
        (4, status("Data as of", "data_as_of", unit="dateTimeFromNow", empty="never")),
        (
            4,
            status("Behind Toggl", "seconds_behind", unit="s", empty="never").thresholds(
                levels("green", (1 * AN_HOUR, "orange"), (26 * AN_HOUR, "red"))
            ),
        ),
        (4, status("Last success", "last_success", unit="dateTimeFromNow", empty="never")),
        (4, status("Next run", "next_run", unit="dateTimeFromNow", empty="none planned")),
        (4, status("Trouble", "trouble", unit="string", empty="none").mappings(NO_TEXT)),
        (
            4,
            status("Set aside", "rows_set_aside", unit="none", empty="0")
            .decimals(0)
            .thresholds(levels("green", (1, "orange"))),
        ),
    )
    place(
        made,
        5,
        (4, status("Revision", "revision", unit="none", empty="0").decimals(0)),
        (4, status("Projected revision", "projected_revision", unit="none", empty="no InfluxDB").decimals(0)),
        (
            4,
            status("Projection lag", "lag_seconds", unit="s", empty="no InfluxDB").thresholds(
                levels("green", (900, "orange"), (1 * AN_HOUR, "red"))
            ),
        ),
        (
            4,
            status("History read", "history_share", unit="percentunit", empty="not begun")
            .decimals(0)
            .thresholds(levels("orange", (1, "green"))),
        ),
        (4, status("Months verified", "months_verified", unit="none", empty="0").decimals(0)),
        (
            4,
            status("Months that differ", "months_differing", unit="none", empty="0")
            .decimals(0)
            .thresholds(levels("green", (1, "red"))),
        ),
    )
    place(
        made,
        9,
        (
            12,
            _table("Steps", "sync_steps", "Nothing synced yet")
            .override_by_name("last_success", override(unit="dateTimeFromNow", noValue="never"))
            .override_by_name("seconds_since", override(unit="s", noValue="–", displayName="that is"))
            .override_by_name("left", override(noValue="–"))
            .override_by_name("trouble_since", override(unit="dateTimeFromNow", noValue="–")),
        ),
        (
            12,
            _table("Quota", "sync_quota", "Toggl has told no quota yet")
            .override_by_name(
                "left",
                override(
                    noValue="–",
                    min=0,
                    custom_cellOptions={"type": "color-text"},
                    thresholds=steps({None: "red", 1: "orange", 10: "text"}),
                ),
            )
            .override_by_name("total", override(noValue="–"))
            .override_by_name("until", override(unit="dateTimeFromNow", noValue="–", displayName="window ends"))
            .override_by_name("seen", override(unit="dateTimeFromNow", noValue="never")),
        ),
    )
    place(
        made,
        9,
        (
            12,
            _timed(
                bars("Rows of the runs", Ask("sync_runs", limit=1000), unit="short", empty="No run in this time")
            ).transformations([only("began", "new", "changed", "deleted"), ordered("Began")]),
        ),
        (
            12,
            _timed(
                bars("Requests of the runs", Ask("sync_runs", limit=1000), unit="short", empty="No run in this time")
            ).transformations([only("began", "requests"), ordered("Began")]),
        ),
    )
    place(
        made,
        10,
        (
            24,
            _table("Runs", "sync_runs", "No run yet", limit=100)
            .override_by_name("began", override(unit="dateTimeAsLocal", custom_width=170))
            .override_by_name("seconds", override(unit="s", noValue="runs", custom_width=90))
            .override_by_name("why", override(custom_minWidth=200))
            .override_by_name("outcome", override(mappings=_OUTCOMES, custom_cellOptions={"type": "color-text"}))
            .transformations([without("ended", "id")]),
        ),
    )
    place(
        made,
        10,
        (
            14,
            _table("Months", "sync_months", "No month compared yet")
            .override_by_name("state", override(mappings=_STATES, custom_cellOptions={"type": "color-text"}))
            .override_by_name("hours", override(decimals=2, noValue="–"))
            .override_by_name("toggl_hours", override(decimals=2, noValue="–"))
            .override_by_name(
                "difference_seconds",
                override(
                    unit="s",
                    noValue="–",
                    displayName="difference",
                    custom_cellOptions={"type": "color-text"},
                    thresholds=steps({None: "red", 0: "text", 1: "red"}),
                ),
            )
            .override_by_name("checked", override(unit="dateTimeFromNow", noValue="never"))
            .transformations([without("workspace_id")]),
        ),
        (
            10,
            _table("History", "sync_history", "Nothing to read")
            .override_by_name("share", override(unit="percentunit", decimals=0))
            .override_by_name("now_at", override(noValue="done"))
            .override_by_name("years_done", override(displayName="years done"))
            .override_by_name("years_left", override(displayName="years left"))
            .transformations([without("workspace_id")]),
        ),
    )
    place(
        made,
        8,
        (
            24,
            _table("Rows set aside", "sync_set_aside", "None: every row could be read", limit=100).override_by_name(
                "last_seen", override(unit="dateTimeAsLocal", custom_width=170)
            ),
        ),
    )
    place(
        made,
        9,
        (
            12,
            of_influxdb(
                "Time without news from Toggl",
                _written('r._field == "seconds_since_success"', "_time", "_value"),
                unit="s",
                empty="No run is written to InfluxDB in this time",
                describes="At each run, for how long Toggl had told nothing of what has changed; from InfluxDB.",
            ).override_by_name("_value", override(displayName="since the last success")),
        ),
        (
            12,
            of_influxdb(
                "Quota over time",
                _written("r._field =~ /^quota_left_/", "_time", "_value", "_field"),
                unit="none",
                empty="No run is written to InfluxDB in this time",
                describes="Requests left in each of Toggl's buckets as each run ended; from InfluxDB.",
            ).display_name("${__field.labels._field}"),
        ),
    )
    return made


def _written(fields: str, *columns: str) -> str:
    """What runs have written about themselves; `outcome` and `reason` make no lines of their own."""
    kept = ", ".join(f'"{column}"' for column in columns)
    return f"""\
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "toggl_sync" and {fields})
    |> keep(columns: [{kept}])
    |> sort(columns: ["_time"])
"""


NO_TEXT: list[ValueMapping] = [
    SpecialValueMap(
        options=DashboardSpecialValueMapOptions(
            match=SpecialValueMatch.EMPTY, result=ValueMappingResult(text="none", color="green", index=0)
        )
    )
]
_OUTCOMES = [
    {
        "type": "value",
        "options": {
            "done": {"color": "green", "index": 0},
            "partly": {"color": "orange", "index": 1},
            "failed": {"color": "red", "index": 2},
            "running": {"color": "blue", "index": 3},
        },
    }
]
_STATES = [
    {
        "type": "value",
        "options": {
            "verified": {"color": "green", "index": 0},
            "differs": {"color": "red", "index": 1},
            "not_verified": {"color": "orange", "text": "not verified", "index": 2},
            "unavailable": {"color": "text", "index": 3},
        },
    }
]


def _table(title: str, target: str, empty: str, **payload: Any) -> Any:
    return said(title, Ask(target, **payload), empty=empty)


def _timed(panel: Any) -> Any:
    """Bars at the moments of runs, which are no steps."""
    return panel.bar_alignment(BarAlignment.CENTER).bar_max_width(24).decimals(0)
