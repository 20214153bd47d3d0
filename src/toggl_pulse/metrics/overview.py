"""Tables of projects: what each has of a range and when it was last worked on, and which ones lie dormant."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.activity import NEVER, days_since, last_activity
from toggl_pulse.metrics.catalogue import HOUR_MS
from toggl_pulse.metrics.cells import Question
from toggl_pulse.metrics.change import share_of_change
from toggl_pulse.metrics.elapsed import range_before
from toggl_pulse.metrics.filters import projects_that_pass
from toggl_pulse.metrics.fold import ranked
from toggl_pulse.metrics.groups import Dimension, dimension_of
from toggl_pulse.metrics.rows import Table, Told
from toggl_pulse.metrics.selection import codes_without_time

__all__ = ["dormant_projects", "project_overview"]


def project_overview(question: Question) -> Told:
    """A row for each project with an entry in the range, by falling hours; `limit` keeps the first ones."""
    query, names = question.query, _Names(question)
    sums = question.sums("ms", "billable_ms", "count")
    ms, total = sums["ms"], float(sums["ms"].sum())
    present = (ms > 0) | codes_without_time(question.selection, question.range, question.attribution)
    start, end, elapsed = range_before(query.start_ms, query.end_ms, question.now, query.zone)
    earlier = question.over(start, end)
    before = earlier.sums("ms")["ms"]
    # what lies ahead is in the range and not in what is compared
    so_far = ms if elapsed == query.end_ms else question.over(query.start_ms, elapsed).sums("ms")["ms"]
    last = last_activity(question.selection, present, question.now)
    labels = names.projects.labels
    shown = ranked(np.flatnonzero(present), ms, labels)[: query.limit]
    rows = tuple(
        (
            names.project(code),
            names.client(code),
            float(ms[code]) / HOUR_MS,
            _share(float(ms[code]), total),
            _share(float(sums["billable_ms"][code]), float(ms[code])),
            int(sums["count"][code]),
            float(before[code]) / HOUR_MS,
            share_of_change(float(so_far[code]), float(before[code])),
            *since,
            *names.ids(code),
        )
        for code, since in zip(shown, _since(question, last[shown]), strict=True)
    )
    return Told(Table(question.metric.columns, rows), question.has_running() or earlier.has_running())


def dormant_projects(question: Question) -> Told:
    """A row for each project that is neither archived nor deleted and had no entry on the last `days` local days.

    The one that has lain longest comes first, those that never had an entry last.
    """
    query, names = question.query, _Names(question)
    projects = question.snapshot.catalogue.projects
    passing = projects_that_pass(question.snapshot, query.filters)
    groups = np.array(
        [
            group
            for group, key in enumerate(names.projects.keys)
            if key in passing and projects[key].active and not projects[key].deleted
        ],
        np.int64,
    )
    codes = question.selection.codes
    used = groups[groups < codes]
    wanted = np.zeros(codes, np.bool_)
    wanted[used] = True
    last = np.full(len(names.projects.keys), NEVER)
    last[:codes] = last_activity(question.selection, wanted, question.now)
    of_group = last[groups]
    days = np.where(of_group == NEVER, query.days, 0)
    days[of_group != NEVER] = days_since(of_group[of_group != NEVER], question.now, query.zone)
    groups = groups[days >= query.days]
    labels = names.projects.labels
    shown = sorted(groups.tolist(), key=lambda each: (last[each] == NEVER, last[each], labels[each].casefold(), each))
    shown = shown[: query.limit]
    rows = tuple(
        (names.project(group), names.client(group), *since, names.workspace(group), *names.ids(group))
        for group, since in zip(shown, _since(question, last[shown]), strict=True)
    )
    return Told(Table(question.metric.columns, rows), running=False)


def _since(question: Question, last: NDArray[np.int64]) -> list[tuple[int | None, int | None]]:
    """Last activity (ms) and local days since then."""
    known = last != NEVER
    days = np.zeros(len(last), np.int64)
    days[known] = days_since(last[known], question.now, question.query.zone)
    return [
        (moment * 1000, day) if moment != NEVER else (None, None)
        for moment, day in zip(last.tolist(), days.tolist(), strict=True)
    ]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


class _Names:
    """Labels and ids of projects by the number of their group, which is their code where they have entries."""

    def __init__(self, question: Question) -> None:
        self._catalogue = question.snapshot.catalogue
        self.projects = dimension_of(question.snapshot, "project")
        self._clients = _labels(dimension_of(question.snapshot, "client"))
        self._workspaces = _labels(dimension_of(question.snapshot, "workspace"))

    def project(self, group: int) -> str:
        return self.projects.labels[group]

    def client(self, group: int) -> str:
        return "" if (found := self._client_id(group)) is None else self._clients[found]

    def workspace(self, group: int) -> str:
        return self._workspaces[self._catalogue.projects[self.projects.keys[group]].workspace_id]

    def ids(self, group: int) -> tuple[str | None, str | None]:
        """Of project and client, as texts."""
        key, client = self.projects.keys[group], self._client_id(group)
        return None if key is None else str(key), None if client is None else str(client)

    def _client_id(self, group: int) -> int | None:
        project = self._catalogue.projects.get(self.projects.keys[group])
        return (project.client_id or None) if project else None


def _labels(dimension: Dimension) -> dict[Any, str]:
    return dict(zip(dimension.keys, dimension.labels, strict=True))
