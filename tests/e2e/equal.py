"""Whether a mirror is exactly what a simulated Toggl has: fields, tombstones, revisions, versions, months, money."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from toggl_pulse.mirror import Mirror, StoredEntry
from toggl_pulse.mirror.values import micros
from toggl_pulse.model import Amount, epoch

NAMED = ("workspaces", "clients", "projects", "tasks", "tags", "users")

State = dict[str, Any]
"""What `/_control/state` answers."""


def differences(mirror: Mirror, state: State) -> list[str]:
    """Where the mirror is not what Toggl has; empty when it is."""
    return [*_entries(mirror, state), *_names(mirror, state), *_revisions(mirror), *_months(mirror, state)]


def entry_ids(mirror: Mirror) -> set[int]:
    """Every entry that the mirror holds, tombstones included."""
    with mirror._store.reading() as connection:
        return set(connection.execute(text("SELECT id FROM entries")).scalars())


def promised_amounts(state: State, begun: State) -> dict[int, Amount]:
    """What Reports tell of every entry that stands as it did at `begun`, before the mirror read it for the first time.

    Only pages of Reports bring amounts, changes do not: of an entry that was touched since, or whose project was,
    the mirror may hold the amount from before.
    """
    before = {row["id"]: row for row in (*begun["entries"], *begun["projects"])}
    workspaces = {row["id"]: row for row in state["workspaces"]}
    projects = {row["id"]: row for row in state["projects"]}
    amounts = {}
    for row in state["entries"]:
        if row["user_id"] != state["me"] or row["deleted_at"] or row["stop"] is None:
            continue
        project = projects.get(row["project_id"])
        if before.get(row["id"]) != row or (project is not None and before.get(project["id"]) != project):
            continue
        workspace = workspaces[row["workspace_id"]]
        paid = row["billable"] and row["workspace_id"] in _paid(state)
        amounts[row["id"]] = _amount(row, workspace, project, paid=paid)
    return amounts


def _amount(row: dict[str, Any], workspace: dict[str, Any], project: dict[str, Any] | None, *, paid: bool) -> Amount:
    """The project's rate goes before the workspace's; what no rate is known for, or nobody pays, earns null, not 0."""
    rate, currency = workspace["default_hourly_rate"], workspace["default_currency"]
    if not paid:
        return Amount(row["id"], None, None, currency)
    if project is not None and project["rate"] is not None:
        rate, currency = project["rate"], project["currency"] or currency
    if rate is None:
        return Amount(row["id"], None, None, currency)
    earned = Fraction(_cents(rate) * row["duration"], 3600)
    return Amount(row["id"], floor(earned + Fraction(1, 2)), _cents(rate), currency)


def _paid(state: State) -> set[int]:
    """Workspaces whose plan knows money."""
    plans = {row["id"]: row["plan"] for row in state["organizations"]}
    return {row["id"] for row in state["workspaces"] if plans[row["organization_id"]] != "free"}


def _cents(units: float) -> int:
    return round(units * 100)


def _entries(mirror: Mirror, state: State) -> list[str]:
    truth = {row["id"]: row for row in state["entries"] if row["user_id"] == state["me"]}
    names = {row["id"]: row["name"] for row in state["tags"]}
    held = mirror.entries(entry_ids(mirror))
    found = [f"entry {number}, which Toggl never had" for number in sorted(set(held) - set(truth))]
    for number, row in truth.items():
        stored = held.get(number)
        if stored is None:
            # one that came and went before anything was asked is nobody's business
            found += [] if row["deleted_at"] else [f"entry {number} is missing"]
        elif bool(row["deleted_at"]) != (stored.deletion is not None):
            found.append(f"entry {number} is {'dead' if row['deleted_at'] else 'alive'} in Toggl only")
        elif not row["deleted_at"] and (theirs := _told(row, names)) != (ours := _plain(stored)):
            found.append(f"entry {number}: {theirs} in Toggl, {ours} here")
    living = mirror.load()[1].entry_id.tolist()
    if Counter(living) != Counter(number for number, row in truth.items() if not row["deleted_at"]):
        found.append("the columns hold other entries than Toggl")
    return found


def _told(row: dict[str, Any], names: dict[int, str]) -> tuple[object, ...]:
    return (
        row["workspace_id"],
        row["user_id"],
        row["start"],
        row["stop"],
        row["duration"] if row["stop"] is not None else 0,
        row["project_id"],
        row["task_id"],
        row["billable"],
        row["description"] or "",
        tuple(sorted(row["tag_ids"])),
        tuple(sorted(names[tag] for tag in row["tag_ids"])),
        row["at"] // 1_000_000,
    )


def _plain(stored: StoredEntry) -> tuple[object, ...]:
    entry = stored.entry
    return (
        entry.workspace_id,
        entry.user_id,
        epoch(entry.start),
        None if entry.stop is None else epoch(entry.stop),
        entry.duration if entry.stop is not None else 0,
        entry.project_id,
        entry.task_id,
        entry.billable,
        entry.description,
        tuple(sorted(entry.tag_ids)),
        tuple(sorted(entry.tags)),
        micros(entry.at) // 1_000_000,
    )


def _names(mirror: Mirror, state: State) -> list[str]:
    catalogue, paid = mirror.catalogue(), _paid(state)
    found = []
    for kind in NAMED:
        known = {number: row for number, row in getattr(catalogue, kind).items() if number > 0 or not row.deleted}
        truth = {row["id"]: row for row in state[kind]}
        found += [f"{kind} {number}, which Toggl never had" for number in sorted(set(known) - set(truth))]
        for number, row in truth.items():
            gone, ours = row.get("deleted_at") is not None, known.get(number)
            if gone and (ours is None or ours.deleted):
                continue
            if ours is None or ours.deleted or gone:
                found.append(f"{kind} {number}: {'deleted' if gone else 'there'} in Toggl, {ours} here")
                continue
            found += [
                f"{kind} {number}: {field} is {theirs!r} in Toggl, {getattr(ours, field)!r} here"
                for field, theirs in (_comparable(kind, row) | _money(kind, row, paid)).items()
                if theirs != getattr(ours, field)
            ]
    profile = next(row for row in state["users"] if row["id"] == state["me"])
    held = catalogue.profile
    if held is None or (held.id, held.fullname, held.timezone) != (profile["id"], profile["name"], profile["timezone"]):
        found.append(f"the profile is {profile} in Toggl, {held} here")
    return found


def _comparable(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "workspaces": ("name", "organization_id", "default_currency", "rounding", "rounding_minutes"),
        "clients": ("workspace_id", "name", "archived"),
        "projects": ("workspace_id", "name", "client_id", "active", "color"),
        "tasks": ("workspace_id", "project_id", "name", "active"),
        "tags": ("workspace_id", "name"),
        "users": ("name",),
    }[kind]
    return {field: row[field] for field in fields}


def _money(kind: str, row: dict[str, Any], paid: set[int]) -> dict[str, Any]:
    """What a row says of money; a project's own is shown on paid plans only."""
    if kind == "workspaces":
        rates = {"default_hourly_rate_cents": row["default_hourly_rate"]}
        told: dict[str, Any] = {}
    elif kind == "projects":
        shown = row["workspace_id"] in paid
        told = {"billable": row["billable"] and shown, "currency": row["currency"] if shown else None}
        rates = {f"{name}_cents": row[name] if shown else None for name in ("rate", "fixed_fee")}
    else:
        return {}
    return told | {name: None if units is None else _cents(units) for name, units in rates.items()}


def _revisions(mirror: Mirror) -> list[str]:
    """No number twice, none beyond the counter, and the versions of an entry follow each other."""
    with mirror._store.reading() as connection:
        rows = connection.execute(text("SELECT id, revision FROM entries")).all()
        standing = {row.id: row.revision for row in rows}
        used = Counter(standing.values())
        for table in (*NAMED, "profile"):
            used.update(connection.execute(text(f"SELECT revision FROM {table}")).scalars())  # noqa: S608 - constants
        versions = connection.execute(
            text("SELECT entry_id, revision, replaced_by FROM entry_versions ORDER BY entry_id, revision")
        ).all()
        counter = mirror.revision()
    found = [f"revision {number} was given {times} times" for number, times in used.items() if times > 1]
    found += [f"revision {number} lies beyond the counter {counter}" for number in used if number > counter]
    chains: dict[int, list[tuple[int, int]]] = {}
    for entry_id, revision, replaced_by in versions:
        chains.setdefault(entry_id, []).append((revision, replaced_by))
    for entry_id, chain in chains.items():
        # a tag's rename moves an entry on without replacing what it says
        numbers = [*(number for pair in chain for number in pair), standing.get(entry_id, 0)]
        if numbers != sorted(numbers):
            found.append(f"the versions {chain} of entry {entry_id} do not lead to {standing.get(entry_id)}")
    return found


def _months(mirror: Mirror, state: State) -> list[str]:
    """Every month from the first entry to now is verified, and what the last run compared is what Toggl has."""
    zone = ZoneInfo(next(row["timezone"] for row in state["users"] if row["id"] == state["me"]))
    sums: Counter[tuple[int, str]] = Counter()
    for row in state["entries"]:
        if not row["deleted_at"] and row["stop"] is not None and row["user_id"] == state["me"]:
            start = datetime.fromtimestamp(row["start"], UTC).astimezone(zone)
            sums[row["workspace_id"], f"{start:%Y-%m}"] += row["duration"]
    this = f"{datetime.fromisoformat(state['now']).astimezone(zone):%Y-%m}"
    checks = {(check.workspace_id, check.month): check for check in mirror.months()}
    found = [
        f"month {month} of {workspace_id} is {checks.get((workspace_id, month))}"
        for workspace_id, month in sums
        if month <= this and ((workspace_id, month) not in checks or checks[workspace_id, month].state != "verified")
    ]
    began = mirror.runs(1)[0].started_at
    for key, check in checks.items():
        late = check.checked_at is not None and check.checked_at >= began
        if check.state == "verified" and check.mirror_seconds != check.toggl_seconds:
            found.append(f"{check} is called verified")
        if late and check.mirror_seconds != sums[key]:
            found.append(f"{check}, and Toggl has {sums[key]} seconds")
    return found
