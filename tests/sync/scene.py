"""An account, its mirror and a sync between them, without a server: sleeping moves the clock, nothing waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from sync.histories.truths import content_of, held_content
from toggl_pulse.demo import Clock, World, create_simulator
from toggl_pulse.mirror import Mirror, StoredEntry
from toggl_pulse.sync import Progress, RunReport, Syncer
from toggl_pulse.toggl import Credentials, Quota, RequestNote, TogglClient

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
RESERVE = 10


class Scene:
    """A world and its mirror; a restart makes client and syncer anew, as a new process would."""

    def __init__(
        self, world: World, folder: Path, *, backfill_from: date | None = None, url: str | None = None
    ) -> None:
        self.world = world
        assert isinstance(world.clock, Clock)
        self.clock = world.clock
        self.skew = timedelta(0)
        self.folder = folder
        self.backfill_from = backfill_from
        self.on_request: Callable[[RequestNote], None] | None = None
        self.told: list[Progress] = []
        self.mirror = Mirror.open(url or f"sqlite:///{folder}/mirror.db", clock=self.our_clock)
        world.sleep = self.sleep
        world.cut_error = lambda: httpx2.ReadError("the simulated connection broke")
        self.restart()

    def our_clock(self) -> datetime:
        return self.clock() + self.skew

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def restart(self) -> None:
        quota = Quota(self.mirror, reserve=RESERVE, clock=self.our_clock)
        self.client = TogglClient(
            "http://toggl.example",
            Credentials.token(self.world.token),
            quota=quota,
            clock=self.our_clock,
            sleep=self.sleep,
            transport=self.transport(),
            on_request=lambda note: self.on_request(note) if self.on_request else None,
            jitter=lambda: 0.5,
        )
        self.syncer = Syncer(
            self.client,
            self.mirror,
            clock=self.our_clock,
            backfill_from=self.backfill_from,
            progress=self.told.append,
        )

    def transport(self) -> httpx2.AsyncBaseTransport:
        return httpx2.ASGITransport(app=create_simulator(self.world))

    def sync(self, reason: str = "request", *, full: bool = True, history: bool = True, **more: Any) -> RunReport:
        return asyncio.run(self.syncer.run(reason, full=full, history=history, **more))

    def poll(self) -> RunReport:
        return self.sync("poll", full=False, history=False)

    def advance(self, **delta: float) -> None:
        self.clock.advance(timedelta(**delta).total_seconds())

    def finish(self, *, most: int = 40) -> list[RunReport]:
        """Sync, and go on whenever the quota returns, until everything is read."""
        runs = [self.sync()]
        while (until := runs[-1].waits_until) is not None:
            assert runs[-1].outcome == "partly"
            assert len(runs) < most
            self.clock.now = max(self.clock.now, until - self.skew)
            runs.append(self.sync("history", full=False))
        return runs

    def differences(self) -> list[str]:
        """Where the mirror is not what Toggl has, entry by entry and name by name."""
        return [*self._entry_differences(), *self._name_differences()]

    def _entry_differences(self) -> list[str]:
        truth = {row.id: row for row in self.world.entries.values() if row.user_id == self.world.me}
        held = self.mirror.entries(truth)
        found = []
        for number, row in truth.items():
            gone = row.deleted_at is not None
            if number not in held:
                if not gone:
                    found.append(f"entry {number} is missing")
                continue
            theirs = (
                *content_of(row),
                tuple(sorted(row.tag_ids)),
                tuple(sorted(self.world.tags[tag].name for tag in row.tag_ids)),
            )
            ours = _plain(held[number])
            if gone != (held[number].deletion is not None):
                found.append(f"entry {number} is {'dead' if gone else 'alive'} in Toggl only")
            elif not gone and theirs != ours:
                found.append(f"entry {number}: {theirs} in Toggl, {ours} here")
        extra = self.mirror.counts().entries + self.mirror.counts().deleted - len(held)
        return [*found, *([f"{extra} entries that Toggl never had"] if extra else [])]

    def _name_differences(self) -> list[str]:
        world, catalogue = self.world, self.mirror.catalogue()
        truth: dict[str, object] = {}
        held: dict[str, object] = {}
        for client in world.clients.values():
            truth[f"client {client.id}"] = None if client.deleted_at else (client.name, client.archived)
        for known in catalogue.clients.values():
            held[f"client {known.id}"] = None if known.deleted else (known.name, known.archived)
        for project in world.projects.values():
            told = (project.name, project.client_id, project.active, project.color)
            truth[f"project {project.id}"] = None if project.deleted_at else told
        for ours in catalogue.projects.values():
            shown = (ours.name, ours.client_id, ours.active, ours.color)
            held[f"project {ours.id}"] = None if ours.deleted else shown
        for task in world.tasks.values():
            truth[f"task {task.id}"] = None if task.deleted_at else (task.name, task.project_id, task.active)
        for mine in catalogue.tasks.values():
            held[f"task {mine.id}"] = None if mine.deleted else (mine.name, mine.project_id, mine.active)
        for tag in world.tags.values():
            truth[f"tag {tag.id}"] = None if tag.deleted_at else tag.name
        for label in catalogue.tags.values():
            held[f"tag {label.id}"] = None if label.deleted else label.name
        keys = sorted({*truth, *held})
        return [
            f"{key}: {truth.get(key)} in Toggl, {held.get(key)} here" for key in keys if truth.get(key) != held.get(key)
        ]

    def month_states(self) -> dict[str, str]:
        return {month.month: month.state for month in self.mirror.months()}

    def asked(self, path: str = "") -> int:
        """Requests that Toggl saw whose path contains this."""
        return sum(path in request.path for request in self.world.log)

    def close(self) -> None:
        self.mirror.close()


def _plain(stored: StoredEntry) -> tuple[object, ...]:
    entry = stored.entry
    return (*held_content(stored), tuple(sorted(entry.tag_ids)), tuple(sorted(entry.tags)))
