"""What `doctor` asks of a person's own account: token, quota, clock, and beliefs about Toggl that can be seen cheaply.

Each check is a sentence without secrets, ready for a bug report. Writes nothing to the mirror but the quota's rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from toggl_pulse.errors import NeedsUser, PulseError
from toggl_pulse.influx import YEAR_SECONDS, Influx
from toggl_pulse.mirror import Mirror
from toggl_pulse.sync.progress import progress_state
from toggl_pulse.toggl import ENTRY_CAP, REACH, Me, TogglClient, TooOld

__all__ = ["Check", "check_influxdb", "check_mirror", "check_toggl"]

CLOCK_TOLERANCE = timedelta(seconds=90)
REQUESTS = 6
"""What `check_toggl` spends at most."""


@dataclass(frozen=True, slots=True)
class Check:
    """`ok` is None when it could not be told, or could be better and is not wrong."""

    name: str
    ok: bool | None
    sentence: str


async def check_toggl(client: TogglClient, *, clock: Callable[[], datetime]) -> list[Check]:
    """Everything that needs Toggl, in at most six requests, which keep the reserve unless the client may use it."""
    try:
        before = clock()
        me = await client.me(related=False)
    except NeedsUser as error:
        return [Check("token", False, error.message)]
    except PulseError as error:
        return [Check("token", None, error.message)]
    checks = [
        Check("token", True, f"Toggl accepts the credentials; the profile's zone is {me.profile.timezone}."),
        _clock(me, before, clock()),
    ]
    for ask in (_quota, _reach, _reports):
        try:
            checks.extend(await ask(client, me))
        except PulseError as error:
            checks.append(Check(ask.__name__.strip("_"), None, error.message))
            if error.exit_code > 1:
                break
    return checks


def _clock(me: Me, before: datetime, after: datetime) -> Check:
    off = me.server_time - (before + (after - before) / 2)
    seconds = round(abs(off.total_seconds()))
    if abs(off) <= CLOCK_TOLERANCE:
        return Check("clock", True, f"This machine's clock and Toggl's agree within {max(seconds, 1)} s.")
    side = "behind" if off > timedelta(0) else "ahead of"
    return Check("clock", False, f"This machine's clock is {seconds} s {side} Toggl's; running entries show wrong.")


async def _quota(client: TogglClient, _me: Me) -> Sequence[Check]:
    """The headers of the answer just seen, then what `/me/quota` says, and whether asking it is counted."""
    seen = client.quota.view().get("user")
    headers = Check(
        "quota_headers",
        seen is not None,
        "Toggl tells the quota's rest in its headers."
        if seen is not None
        else "Toggl's answers carry no quota headers, so that the reserve cannot be kept exactly.",
    )
    buckets = await client.quotas()
    free = client.quota.free_look
    counted = {True: "is not counted", False: "is counted", None: "could not be told to be counted or not"}[free]
    rests = ", ".join(f"{bucket.name}: {bucket.remaining} of {bucket.total}" for bucket in buckets)
    enough = all(bucket.remaining > client.quota.reserve for bucket in buckets)
    return [
        headers,
        Check("quota", enough, f"Requests left this hour: {rests}; {client.quota.reserve} are left to other tools."),
        # either is fine; only when it is free can other tools' requests be seen before ours
        Check("quota_look_free", free or None, f"Asking for the quota {counted}."),
    ]


async def _reach(client: TogglClient, me: Me) -> Sequence[Check]:
    """Whether changes of the assumed reach can still be asked for, and whether the answer is whole."""
    try:
        answer = await client.entries_since(me.server_time - REACH)
    except TooOld as error:
        told = f" (Toggl names {error.earliest})" if error.earliest else ""
        return [Check("reach", False, f"Toggl refuses changes {REACH.days} days old{told}.")]
    rows = len(answer.entries) + len(answer.set_aside)
    odd = len(answer.set_aside)
    return [
        Check("reach", True, f"Toggl tells changes {REACH.days} days back ({rows} rows)."),
        Check("entry_cap", rows <= ENTRY_CAP, f"An answer had {rows} rows; {ENTRY_CAP} count as cut off."),
        Check("rows", not odd, "Every row could be read." if not odd else f"{odd} rows could not be read."),
    ]


async def _reports(client: TogglClient, me: Me) -> Sequence[Check]:
    """Compare one day as Reports list it with what they total: both without rounding, both for the day asked."""
    workspace_id = me.profile.default_workspace_id
    if workspace_id is None:
        return [Check("totals_rounding", None, "The account has no default workspace to compare totals in.")]
    today = me.server_time.date()
    day = today - timedelta(days=7)
    page = await client.report_page(workspace_id, day, day, user_id=me.profile.id)
    total = await client.report_totals(workspace_id, day, day, user_id=me.profile.id)
    ours = sum(entry.duration for entry in page.entries if entry.stop is not None)
    ranged = (page.range_first or day, page.range_last or day) == (day, day)
    if page.next_page is not None:
        verdict = Check("totals_rounding", None, f"{day} has too many entries to compare in one request.")
    elif not page.entries:
        verdict = Check("totals_rounding", None, f"{day} has no entries to compare totals with.")
    else:
        verdict = Check(
            "totals_rounding",
            total == ours,
            f"Reports total {total} s for {day}, its entries {ours} s.",
        )
    return [verdict, Check("report_days", ranged, f"Reports used the days that were asked for ({day}).")]


def check_mirror(mirror: Mirror, *, clock: Callable[[], datetime], fresh_for: timedelta) -> list[Check]:
    """What the mirror knows about its own state, without a request. Blocks."""
    state = progress_state(mirror)
    counts = mirror.counts()
    checks = [
        Check(
            "mirror",
            True,
            f"The mirror holds {counts.entries} entries, {counts.deleted} deleted ones and {counts.versions} versions.",
        )
    ]
    last = state["last_contact"]
    if last is None:
        checks.append(Check("contact", False, "Toggl has never been read; run toggl-pulse sync."))
    else:
        age = clock() - datetime.fromisoformat(last)
        minutes = max(0, round(age / timedelta(minutes=1)))
        checks.append(Check("contact", age <= fresh_for, f"The last contact with Toggl is {minutes} minutes old."))
    checks.append(Check("history", bool(state["complete"]), f"History: {state['detail']}."))
    months = state["months"]
    odd = {name: count for name, count in months.items() if name != "verified"}
    listed = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(odd.items()))
    sentence = f"{months.get('verified', 0)} months equal Toggl's totals" + (f"; {listed}." if listed else ".")
    checks.append(Check("months", not odd if months else None, sentence))
    if state["trouble"]:
        checks.append(Check("trouble", False, f"Runs fail since {state['trouble_since']} ({state['trouble']})."))
    if counts.set_aside:
        checks.append(Check("set_aside", False, f"{counts.set_aside} rows of Toggl could not be read and wait aside."))
    return checks


def check_influxdb(influx: Influx, mirror: Mirror) -> list[Check]:
    """Whether InfluxDB can be reached with these settings, and how far it follows the mirror. Blocks."""
    try:
        bucket = influx.bucket()
    except PulseError as error:
        return [Check("influxdb", False, error.message)]
    keeps = "for ever" if not bucket.retention_seconds else f"for {bucket.retention_seconds // 86_400} days"
    checks = [Check("influxdb", True, f"InfluxDB knows the token and the bucket, which keeps points {keeps}.")]
    if bucket.shards_are_short and _spans_years(mirror):
        sentence = "The bucket's shard groups are shorter than a year, and the history is longer: edits are slow."
        checks.append(Check("influxdb_shards", None, sentence))  # slow is not wrong
    (state, lag), counts = mirror.points.followed(), mirror.points.counts()
    if state.revision is None:
        sentence = "Nothing has been written to InfluxDB yet."
    elif lag:
        sentence = f"InfluxDB is {lag} revisions behind the mirror."
    else:
        sentence = "InfluxDB is in step with the mirror."
    checks.append(Check("projection", not lag and not state.trouble, sentence))
    if counts.set_aside:
        checks.append(Check("points_set_aside", False, f"InfluxDB refuses {counts.set_aside} points."))
    return checks


def _spans_years(mirror: Mirror) -> bool:
    first, last = mirror.counts().first_start, mirror.counts().last_start
    return first is not None and last is not None and last - first > timedelta(seconds=YEAR_SECONDS)
