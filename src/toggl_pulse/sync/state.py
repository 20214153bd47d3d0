"""What the sync remembers between requests, as frozen data and as the mirror's small JSON values.

Every part is written in the same transaction as the rows it speaks of. Knows no request and no SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from toggl_pulse.model import JSON
from toggl_pulse.sync import history as past
from toggl_pulse.sync.history import History
from toggl_pulse.sync.windows import Window

__all__ = [
    "PREFIX",
    "Contact",
    "Cursor",
    "Names",
    "Reach",
    "State",
    "Trouble",
    "read_state",
]

PREFIX = "sync."
CURSOR = "sync.cursor"
CONTACT = "sync.contact"
NAMES = "sync.names"
REACH_KEY = "sync.reach"
TROUBLE = "sync.trouble"
WAITS = "sync.waits"
HINDERED = "sync.hindered"
OWED = "sync.owed"
"""A full sync was due and has not begun its work, for the quota or the network did not let it."""

FREE_LOOK = "sync.free_look"
"""Whether asking `/me/quota` was seen not to be counted."""

HISTORY = "sync.history."

SILENCES = "contact.silences"
"""Stretches without contact, by Toggl's clock; not under `PREFIX`, for no decision needs them."""

MOST_SILENCES = 1000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Changes up to `since`, on Toggl's clock, are in the mirror.

    `flooded`: the answer that set it was cut off, and what it lacked is being read by windows and Reports. `gap` is
    the stretch of changes that may have been missed, until everything has been read again. `held` is since when the
    cursor stands still for a row that could not be read.
    """

    since: datetime
    flooded: bool = False
    gap: Window | None = None
    held: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """The last moment at which Toggl told what has changed: on our clock, and on its own."""

    ours: datetime
    server: datetime

    @property
    def skew_seconds(self) -> float:
        """How far our clock is behind Toggl's; negative when it is ahead."""
        return (self.server - self.ours).total_seconds()


@dataclass(frozen=True, slots=True)
class Names:
    """The catalogue: `since` is up to when changes are known, for each kind; `due` the steps of a refresh still to do.

    `following` becomes a kind's `since` when its changes have been read. `refused` are lists that Toggl did not give.
    `unheard` are lists, as `workspace:kind`, of which something may have ended untold.
    """

    since: Mapping[str, datetime]
    following: datetime
    due: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """Windows of starts still to be read from `/me/time_entries`, newest first, and how many have been read."""

    windows: tuple[Window, ...] = ()
    done: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure that lasts: told once when it begins and once when it is over."""

    code: str
    since: datetime


@dataclass(frozen=True, slots=True)
class State:
    """All of it; `cursor` is None before the first start.

    `trouble` is why the last runs failed; `hindered` is what a run could not have and could do without, by the
    question: `names:…`, `reach`, `reports:<workspace>:<year>`.
    """

    cursor: Cursor | None = None
    contact: Contact | None = None
    names: Names | None = None
    reach: Reach = field(default_factory=Reach)
    histories: Mapping[int, History] = field(default_factory=dict)
    trouble: Trouble | None = None
    hindered: Mapping[str, Trouble] = field(default_factory=dict)
    waits: Mapping[str, datetime] = field(default_factory=dict)
    owed: bool = False

    @property
    def workspace_ids(self) -> set[int]:
        """Every workspace that something is to be asked about."""
        lists = (step.split(":")[1] for step in (self.names.due if self.names else ()) if step.startswith("list:"))
        return {*self.histories, *map(int, lists)}

    @property
    def reading_again(self) -> bool:
        """Whether windows or years are still to be read."""
        return bool(self.reach.windows) or any(history.left for history in self.histories.values())


def read_state(values: Mapping[str, JSON]) -> State:
    """The state out of everything that the mirror remembers under `PREFIX`."""
    histories = [past.from_json(value) for key, value in values.items() if key.startswith(HISTORY)]
    return State(
        cursor=_cursor(values[CURSOR]) if CURSOR in values else None,
        contact=read_contact(values[CONTACT]) if CONTACT in values else None,
        names=_names(values[NAMES]) if NAMES in values else None,
        reach=_reach(values[REACH_KEY]) if REACH_KEY in values else Reach(),
        histories={history.workspace_id: history for history in histories},
        trouble=_trouble(values[TROUBLE]) if TROUBLE in values else None,
        hindered={what: _trouble(value) for what, value in values.get(HINDERED, {}).items()},
        waits={name: _moment(text) for name, text in values.get(WAITS, {}).items()},
        owed=bool(values.get(OWED)),
    )


def cursor_json(cursor: Cursor) -> JSON:
    gap = [moment.isoformat() for moment in cursor.gap] if cursor.gap else None
    held = cursor.held.isoformat() if cursor.held else None
    return {"since": cursor.since.isoformat(), "flooded": cursor.flooded, "gap": gap, "held": held}


def read_contact(value: JSON) -> Contact:
    return Contact(*map(_moment, value))


def contact_json(contact: Contact) -> JSON:
    return [contact.ours.isoformat(), contact.server.isoformat()]


def names_json(names: Names) -> JSON:
    return {
        "since": {kind: moment.isoformat() for kind, moment in names.since.items()},
        "following": names.following.isoformat(),
        "due": list(names.due),
        "refused": list(names.refused),
        "unheard": list(names.unheard),
    }


def reach_json(reach: Reach) -> JSON:
    return {"windows": [[a.isoformat(), b.isoformat()] for a, b in reach.windows], "done": reach.done}


def read_silences(value: JSON) -> list[Window]:
    """Stretches without contact, oldest first."""
    return [(_moment(start), _moment(end)) for start, end in value or ()]


def silences_json(silences: list[Window]) -> JSON:
    return [[start.isoformat(), end.isoformat()] for start, end in silences[-MOST_SILENCES:]]


def trouble_json(trouble: Trouble) -> JSON:
    return [trouble.code, trouble.since.isoformat()]


def hindered_json(hindered: Mapping[str, Trouble]) -> JSON:
    return {what: trouble_json(trouble) for what, trouble in hindered.items()}


def waits_json(waits: Mapping[str, datetime] | None) -> JSON:
    return {name: moment.isoformat() for name, moment in (waits or {}).items()}


def history_key(workspace_id: int) -> str:
    return f"{HISTORY}{workspace_id}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _trouble(value: JSON) -> Trouble:
    return Trouble(value[0], _moment(value[1]))


def _cursor(value: JSON) -> Cursor:
    gap, held = value["gap"], value.get("held")
    return Cursor(
        _moment(value["since"]),
        value["flooded"],
        (_moment(gap[0]), _moment(gap[1])) if gap else None,
        _moment(held) if held else None,
    )


def _names(value: JSON) -> Names:
    return Names(
        {kind: _moment(text) for kind, text in value["since"].items()},
        _moment(value["following"]),
        tuple(value["due"]),
        tuple(value["refused"]),
        tuple(value.get("unheard", ())),
    )


def _reach(value: JSON) -> Reach:
    return Reach(tuple((_moment(a), _moment(b)) for a, b in value["windows"]), value["done"])
