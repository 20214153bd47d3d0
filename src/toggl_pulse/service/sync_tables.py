"""The tables about the sync as data: their names, their columns, and what each one means.

This is the list to read to know what can be asked about the sync. Knows nothing of where the rows come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = ["SYNC_TABLES", "Column", "SyncTable"]


class Column(NamedTuple):
    """Times are epoch milliseconds; `unit` is one of the metrics' units, or empty.

    `title` is what people read above it where its name, in words, does not do.
    """

    name: str
    kind: Literal["time", "number", "string", "boolean"]
    unit: str
    meaning: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class SyncTable:
    """A table about the sync; `limited` ones only ever grow, and take a `limit`."""

    slug: str
    title: str
    meaning: str
    columns: tuple[Column, ...]
    limited: bool = False


SYNC_TABLES: Mapping[str, SyncTable] = MappingProxyType(
    {
        table.slug: table
        for table in (
            SyncTable(
                "sync_gaps",
                "Sync: gaps",
                "The annotations as a table: times of the range in which Toggl was not reached.",
                (
                    Column("time", "time", "", "the last contact before"),
                    Column("timeEnd", "time", "", "the first contact after, or now", "Until"),
                    Column("title", "string", "", "always *Sync gap*"),
                    Column("text", "string", "", "what it means, in a sentence"),
                    Column("tags", "string", "", "always *sync*"),
                ),
            ),
            SyncTable(
                "sync_status",
                "Sync: status",
                "One row: how true the answers are.",
                (
                    Column("data_as_of", "time", "", "when Toggl last told what has changed"),
                    Column("seconds_behind", "number", "seconds", "how long ago that is", "Behind"),
                    Column("last_success", "time", "", "when the last run that had all it wanted ended"),
                    Column("syncing", "boolean", "", "whether a run is at work"),
                    Column("next_run", "time", "", "when the next run of any kind is due"),
                    Column("next_full_sync", "time", "", "when the next full sync is due"),
                    Column("trouble", "string", "", "why runs fail, as a code; empty while they do not"),
                    Column("trouble_since", "time", "", "since when they fail"),
                    Column("history_complete", "boolean", "", "whether everything has been read at least once"),
                    Column("history_share", "number", "share", "of the windows and years to read, those that are"),
                    Column("history_detail", "string", "", "what is left, in words"),
                    Column("waits_until", "time", "", "until when reading waits for the quota"),
                    Column("months_verified", "number", "", "months whose sum is Toggl's to the second"),
                    Column("months", "number", "", "months in all, workspace by workspace"),
                    Column("months_differing", "number", "", "months whose sum is another than Toggl's"),
                    Column("entries", "number", "", "living entries in the mirror"),
                    Column("entries_running", "number", "", "entries that run"),
                    Column("rows_set_aside", "number", "", "rows of Toggl's answers that could not be read"),
                    Column("revision", "number", "", "changes committed to the mirror so far"),
                    Column("projected_revision", "number", "", "of those, how many InfluxDB holds; empty without it"),
                    Column("lag", "number", "", "revisions that InfluxDB is behind", "Revisions behind"),
                    Column("lag_seconds", "number", "seconds", "for how long it has been behind", "Behind for"),
                    Column("projection_trouble", "string", "", "why writing to InfluxDB fails, as a code"),
                    Column("version", "string", "", "of the program"),
                ),
            ),
            SyncTable(
                "sync_steps",
                "Sync: steps",
                "When each step of a sync last had what it asked for, and what is left of it.",
                (
                    Column(
                        "step",
                        "string",
                        "",
                        "account, changes, names, recent, history, checks; projection, comparison",
                    ),
                    Column("last_success", "time", "", "empty where nothing is noted yet"),
                    Column("seconds_since", "number", "seconds", "how long ago that is", "Ago"),
                    Column("left", "number", "", "lists of names, windows, years, months to prove, or revisions"),
                    Column("trouble", "string", "", "what is in the way, as a code; empty where nothing is"),
                    Column("trouble_since", "time", "", "since when it is"),
                ),
            ),
            SyncTable(
                "sync_runs",
                "Sync: runs",
                "The latest runs, newest first.",
                (
                    Column("began", "time", "", "when it began"),
                    Column("ended", "time", "", "when it ended; empty while it runs"),
                    Column("reason", "string", "", "start, schedule, poll, request or history"),
                    Column("outcome", "string", "", "running, done, partly or failed"),
                    Column("why", "string", "", "what was left or failed, in a sentence"),
                    Column("requests", "number", "", "requests spent"),
                    Column("new", "number", "", "rows that were new"),
                    Column("changed", "number", "", "rows that had changed"),
                    Column("deleted", "number", "", "entries that were gone"),
                    Column("unchanged", "number", "", "rows that said nothing new"),
                    Column("set_aside", "number", "", "rows that could not be read"),
                    Column("seconds", "number", "seconds", "how long it took; empty while it runs", "Took"),
                    Column("id", "string", "", "its number", "Number"),
                ),
                limited=True,
            ),
            SyncTable(
                "sync_quota",
                "Sync: quota",
                "Each of Toggl's buckets of requests, as last seen.",
                (
                    Column("bucket", "string", "", "whose requests are counted together"),
                    Column("left", "number", "", "requests left; empty once the window has ended"),
                    Column("total", "number", "", "requests of a window; empty where Toggl has not told"),
                    Column("reserve", "number", "", "what is left to your other tools"),
                    Column("until", "time", "", "when the window ends"),
                    Column("seen", "time", "", "when Toggl told"),
                    Column("open", "boolean", "", "whether the window still runs"),
                ),
            ),
            SyncTable(
                "sync_months",
                "Sync: months",
                "Each month of each workspace compared with Toggl's total, newest first.",
                (
                    Column("workspace", "string", "", "its name"),
                    Column("month", "string", "", "year and month"),
                    Column("state", "string", "", "verified, differs, not_verified or unavailable"),
                    Column("hours", "number", "hours", "our sum when it was compared"),
                    Column("toggl_hours", "number", "hours", "Toggl's total; empty where it is not known"),
                    Column("difference_seconds", "number", "seconds", "ours less Toggl's", "Difference"),
                    Column("checked", "time", "", "when it was compared"),
                    Column("workspace_id", "string", "", "Toggl's id"),
                ),
            ),
            SyncTable(
                "sync_history",
                "Sync: history",
                "How far each workspace's past has been read.",
                (
                    Column("workspace", "string", "", "its name"),
                    Column("from", "string", "", "the first day that is to be read"),
                    Column("now_at", "string", "", "the day at which reading is; empty when it is done"),
                    Column("reached", "string", "", "the first day of the oldest year that is done"),
                    Column("years_done", "number", "", "years read and compared"),
                    Column("years_left", "number", "", "years still to be read or compared"),
                    Column("share", "number", "share", "years done of all"),
                    Column("rows", "number", "", "rows read"),
                    Column("complete", "boolean", "", "whether nothing is left"),
                    Column("blocked", "string", "", "why it cannot be read, if so"),
                    Column("workspace_id", "string", "", "Toggl's id"),
                ),
            ),
            SyncTable(
                "sync_set_aside",
                "Sync: rows set aside",
                "Rows of Toggl's answers that could not be read, the last seen first; their text stays in the mirror.",
                (
                    Column("kind", "string", "", "what the row is about"),
                    Column("id", "string", "", "Toggl's id, where the row has one", "Number"),
                    Column("reason", "string", "", "what is wrong with it"),
                    Column("times", "number", "", "how often it came"),
                    Column("last_seen", "time", "", "when it last came"),
                    Column("run", "string", "", "the run that first found it"),
                ),
                limited=True,
            ),
        )
    }
)
"""By the name of the target."""
