"""What must hold after every sync of a history, whatever happened before; each breach is one sentence.

`Watch` remembers what Toggl ever had and what the mirror ever showed.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sync.histories.truths import Content, content_of, entry_differences, held_content, month_seconds
from sync.scene import RESERVE
from toggl_pulse.demo import World
from toggl_pulse.demo.world import Request
from toggl_pulse.metrics.columns import Columns, Snapshot
from toggl_pulse.mirror import Mirror, StoredEntry
from toggl_pulse.model import EntryColumns

__all__ = ["Breach", "Watch"]

Rows = dict[int, tuple[Any, ...]]


class Breach(AssertionError):
    """Something that must never be; `kind` tells like from unlike while a history shrinks."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(f"{kind}: {sentence}")
        self.kind = kind


class Watch:
    """One mirror watched from its first sync on."""

    def __init__(self, world: World, mirror: Mirror) -> None:
        self.world = world
        self.mirror = mirror
        self.columns = Columns(mirror)
        self.ever: dict[int, set[Content]] = {}
        self.ever_tags: dict[int, set[frozenset[int]]] = {}
        self.ever_dead: set[int] = set()
        self.seen: dict[int, dict[int, tuple[Content, bool]]] = {}
        self.revisions: dict[int, tuple[int, object]] = {}
        self.revision = 0
        self.older: list[tuple[int, Rows]] = []
        self.rest: dict[str, tuple[int, float]] = {}
        self.logged = 0
        self.held: dict[int, StoredEntry] = {}
        self.checked = set(mirror.months())

    def note(self) -> None:
        """Remember what Toggl has; to be called after everything that a person does there."""
        for row in self.world.entries.values():
            self.ever.setdefault(row.id, set()).add(content_of(row))
            self.ever_tags.setdefault(row.id, set()).add(frozenset(row.tag_ids))
            if row.deleted_at is not None:
                self.ever_dead.add(row.id)

    def look(self) -> list[Request]:
        """Everything that must hold at any moment; returns the requests since the last look."""
        mine = [row.id for row in self.world.entries.values() if row.user_id == self.world.me]
        self.held = self.mirror.entries(mine)
        counts = self.mirror.counts()
        if counts.entries + counts.deleted != len(self.held):
            raise Breach("foreign", f"{counts} of which {len(self.held)} are the person's")
        self._nothing_invented()
        self._revisions()
        self._columns()
        requests = list(self.world.log)[self.logged :]
        self.logged = len(self.world.log)
        self._reserve(requests)
        return requests

    def _nothing_invented(self) -> None:
        ended = {tag.id for tag in self.world.tags.values() if tag.deleted_at is not None}
        for number, stored in self.held.items():
            if held_content(stored) not in self.ever[number]:
                raise Breach("invented", f"entry {number} was never {held_content(stored)}")
            ours = {tag for tag in stored.entry.tag_ids if tag > 0}
            if self.world.behaviour.names_only:
                # Told by name: one that is given anew means its former bearer until the lists are read.
                ours = set()
            unresolved = len(ours) < len(stored.entry.tag_ids)
            if not any(ours <= tags and (unresolved or tags - ours <= ended) for tags in self.ever_tags[number]):
                raise Breach("invented tags", f"entry {number} never had the tags {ours}")
            if stored.deletion is not None and number not in self.ever_dead:
                raise Breach("falsely gone", f"entry {number} was never deleted and is gone here ({stored.deletion})")

    def _revisions(self) -> None:
        newest, now = self.mirror.revision(), dict[int, tuple[int, object]]()
        for number, stored in self.held.items():
            # An end that another answer tells again is no other end.
            content, gone = held_content(stored), stored.deletion is not None
            now[number] = (stored.revision, (content, stored.entry.tag_ids, gone))
            self.seen.setdefault(number, {}).setdefault(stored.revision, (content, gone))
        for key, (revision, told) in now.items():
            before = self.revisions.get(key)
            if before is not None and revision < before[0]:
                raise Breach("revision", f"entry {key} went back from {before[0]} to {revision}")
            if before is not None and told != before[1] and revision <= self.revision:
                raise Breach("revision", f"entry {key} changed to {told} without a new one")
            if before is None and revision <= self.revision:
                raise Breach("revision", f"entry {key} came under the old {revision}")
        numbers = [revision for revision, _ in now.values()]
        if len(set(numbers)) != len(numbers) or max(numbers, default=0) > newest or newest < self.revision:
            raise Breach("revision", f"{sorted(numbers)} at {newest}, after {self.revision}")
        self.revisions, self.revision = now, newest

    def _columns(self) -> None:
        """Following by revision gives what a load gives, by the engine's columns and row by row."""
        fresh = Columns(self.mirror)
        if _snapshot_rows(self.columns.newest()) != _snapshot_rows(fresh.newest()):
            raise Breach("columns", "the columns that followed are not those loaded anew")
        revision, loaded = self.mirror.load()
        rows = _rows(loaded)
        for since, older in self.older:
            _, changed = self.mirror.changes(since)
            gone = {int(n) for n, dead in zip(changed.entry_id, changed.deleted, strict=True) if dead}
            followed = {n: row for n, row in {**older, **_rows(changed)}.items() if n not in gone}
            if followed != rows:
                raise Breach("changes", f"changes since {since} do not lead to {revision}")
        self.older = [*self.older[-1:], (revision, rows)]

    def _reserve(self, requests: list[Request]) -> None:
        """No request is sent of which the last answer told that it would touch the reserve."""
        if not self.world.behaviour.headers:
            return
        for request in requests:
            if request.bucket is None or request.remaining is None:
                continue
            moment = request.at.timestamp()
            known = self.rest.get(request.bucket)
            free = request.path.endswith("/me/quota") and not self.world.behaviour.quota_counted
            if not free and known is not None and moment < known[1] and known[0] <= RESERVE:
                raise Breach("reserve", f"{request.path} was asked though {known[0]} were left of {request.bucket}")
            bucket = self.world.buckets[request.bucket]
            end = (bucket.opened or moment) + bucket.window
            if request.fault in {"lost", "cut_body"}:
                left = request.remaining if known is None or moment >= known[1] else known[0] - 1
                self.rest[request.bucket] = (left, end)
            elif request.fault != "cut":
                self.rest[request.bucket] = (request.remaining, end)

    def months(self, *, every: bool) -> None:
        """A month that is called verified since the last look is; `every`, also those that were compared earlier."""
        before, self.checked = self.checked, set(self.mirror.months())
        if self.world.behaviour.reports_lag or self.world.behaviour.since_lag:
            return
        for month in self.checked if every else self.checked - before:
            if month.state != "verified":
                continue
            theirs = month_seconds(self.world, month.workspace_id, month.month)
            ours = sum(
                stored.entry.duration
                for stored in self.held.values()
                if stored.deletion is None
                and stored.entry.stop is not None
                and stored.entry.workspace_id == month.workspace_id
                and self.month_of(stored) == month.month
            )
            if theirs != ours:
                raise Breach("verified", f"{month} but Toggl has {theirs} s and the mirror {ours} s")

    def month_of(self, stored: StoredEntry) -> str:
        """The month that an entry is booked in."""
        return f"{stored.entry.start.astimezone(ZoneInfo(self.world.profile.timezone)):%Y-%m}"

    def versions(self) -> None:
        """The history holds every version that was ever seen and is no more, in the order in which they came."""
        for number, seen in self.seen.items():
            kept = {
                version.revision: held_content(StoredEntry(version.entry, version.revision, None))
                for version in self.mirror.versions(number)
            }
            current = self.held[number].revision
            for revision, (content, _) in seen.items():
                if revision == current or kept.get(revision) == content:
                    continue
                if revision not in kept and content in [*kept.values(), held_content(self.held[number])]:
                    continue  # a tag's rename gave it a new number, and nothing was replaced
                raise Breach("versions", f"entry {number} lost what it was at revision {revision}: {content}")

    def differences(self, *, strict_tags: bool) -> dict[int, str]:
        """Where the mirror is not what Toggl has, but for what Toggl does not tell yet."""
        found = entry_differences(self.world, self.held, strict_tags=strict_tags)
        untold = self.world.now() - self.world.behaviour.since_lag - 2
        if not self.world.behaviour.since_lag:
            return found
        return {number: what for number, what in found.items() if self.world.entries[number].at < untold * 1_000_000}


def _rows(columns: EntryColumns) -> Rows:
    arrays = (
        columns.start, columns.stop, columns.duration, columns.workspace_id, columns.project_id, columns.task_id,
        columns.user_id, columns.billable,
    )  # fmt: skip
    return {
        int(number): (
            *(int(array[at]) for array in arrays),
            columns.tag_sets[columns.tag_set[at]],
            columns.descriptions[columns.description[at]],
        )
        for at, number in enumerate(columns.entry_id)
    }


def _snapshot_rows(snapshot: Snapshot) -> tuple[Rows, object]:
    numbers, found = snapshot.numbers, Rows()
    for part, hidden in snapshot.parts:
        running = set(part.running.tolist())
        for at in np.setdiff1d(np.arange(len(part)), hidden).tolist():
            found[int(part.entry_id[at])] = (
                int(part.start[at]),
                int(part.stop[at]),
                int(part.seconds[at]),
                numbers.workspace.values[part.workspace[at]],
                numbers.project.values[part.project[at]],
                numbers.task.values[part.task[at]],
                numbers.user.values[part.user[at]],
                numbers.tag_set.values[part.tag_set[at]],
                numbers.description.values[part.description[at]],
                bool(part.billable[at]),
                at in running,
            )
    return found, snapshot.catalogue
