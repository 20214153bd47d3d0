"""A user of Toggl at work: seeded random changes to entries and names, played through the simulator's controls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from e2e.processes import SimulatedToggl

DAYS = 400
FEWEST = 4
"""Names of a kind that are always left."""

NUMBERS = count(1)
"""For names that nobody has given yet."""

Row = dict[str, Any]


class Hand:
    """Changes things; looks at the account once a turn."""

    def __init__(self, toggl: SimulatedToggl, random: Random) -> None:
        self._toggl = toggl
        self._random = random
        self._state: dict[str, list[Row]] = {}

    def change(self, times: int) -> None:
        """So many changes, mostly to entries."""
        self._state = self._toggl.get("state")
        choices: list[tuple[int, Callable[[], None]]] = [
            (30, self._create), (30, self._edit), (15, self._delete), (5, self._revive), (4, self._timer),
            (8, self._rename), (3, self._new_name), (2, self._drop_name), (3, self._archive),
            (3, self._rate),
        ]  # fmt: skip
        weights = [weight for weight, _ in choices]
        for _ in range(times):
            self._random.choices([change for _, change in choices], weights)[0]()

    # entries

    def _create(self) -> None:
        start = self._moment()
        self._do("create_entry", start=start.isoformat(), stop=self._later(start).isoformat(), **self._content())

    def _edit(self) -> None:
        row = self._one("entries", lambda row: row["stop"] is not None)
        if row is None:
            return
        content = self._content()
        chosen = {name: content[name] for name in self._random.sample(sorted(content), self._random.randint(1, 3))}
        if self._random.random() < 0.4:
            start = self._moment()
            chosen |= {"start": start.isoformat(), "stop": self._later(start).isoformat()}
        self._do("edit_entry", number=row["id"], **chosen)

    def _delete(self) -> None:
        row = self._one("entries", lambda row: row["stop"] is not None)
        if row is not None:
            self._do("delete_entry", number=row["id"])
            row["deleted_at"] = 1

    def _revive(self) -> None:
        # an entry whose project went after it would stand there with a project that Toggl does not have
        projects = {row["id"] for row in self._state["projects"] if not row["deleted_at"]} | {None}
        gone = [
            row
            for row in self._state["entries"]
            if row["deleted_at"] and row["stop"] is not None and row["project_id"] in projects
        ]
        if gone:
            row = self._random.choice(gone)
            self._do("revive_entry", number=row["id"])
            row["deleted_at"] = None

    def _timer(self) -> None:
        """Start one, which stops the one that runs."""
        self._do("start_timer", **self._content())

    def _content(self) -> Row:
        project = self._one("projects") if self._random.random() < 0.8 else None
        tags = [row["id"] for row in self._state["tags"] if not row["deleted_at"]]
        return {
            "description": f"text {next(NUMBERS)}",
            "project_id": project["id"] if project else None,
            "tag_ids": self._random.sample(tags, min(len(tags), self._random.choice((0, 1, 1, 2)))),
            "billable": self._random.random() < 0.5,
        }

    # names

    def _rename(self) -> None:
        kind = self._random.choice(("client", "project", "tag"))
        row = self._one(f"{kind}s")
        if row is not None:
            self._do(f"rename_{kind}", number=row["id"], name=f"{kind} renamed {next(NUMBERS)}")

    def _new_name(self) -> None:
        kind = self._random.choice(("client", "project", "tag"))
        self._do(f"create_{kind}", name=f"new {kind} {next(NUMBERS)}")

    def _drop_name(self) -> None:
        kind = self._random.choice(("client", "project", "tag"))
        if sum(not row["deleted_at"] for row in self._state[f"{kind}s"]) > FEWEST:
            row = self._one(f"{kind}s")
            assert row is not None
            self._do(f"delete_{kind}", number=row["id"])
            row["deleted_at"] = 1

    def _archive(self) -> None:
        row = self._one("projects")
        if row is not None:
            self._do("archive_project", number=row["id"], archived=self._random.random() < 0.5)

    def _rate(self) -> None:
        row = self._one("projects")
        if row is not None:
            rate = self._random.choice((None, 0.0, 12.34, float(self._random.randint(1, 200))))
            currency = self._random.choice(("EUR", "USD", None))
            self._do("edit_project", number=row["id"], rate=rate, currency=currency)

    # drawing

    def _do(self, operation: str, **arguments: Any) -> None:
        self._toggl.do(operation, **arguments)

    def _one(self, kind: str, fits: Callable[[Row], bool] = lambda _: True) -> Row | None:
        living = [row for row in self._state[kind] if not row["deleted_at"] and fits(row)]
        return self._random.choice(living) if living else None

    def _moment(self) -> datetime:
        """Mostly lately, sometimes long ago."""
        back = self._random.uniform(0, 20 if self._random.random() < 0.6 else DAYS)
        return (datetime.now(UTC) - timedelta(days=back)).replace(microsecond=0)

    def _later(self, start: datetime) -> datetime:
        return start + timedelta(seconds=self._random.randint(60, 20_000))
