"""Names that ended while nobody listened: changes of names are asked for three months back, and lists show the living.

That a list lacks a name proves nothing; that the account itself, asked in the same run, lacks it too is proof.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from toggl_pulse.model import Catalogue, Client, Project, Tag, Task
from toggl_pulse.toggl import Me

__all__ = ["Named", "Related", "ended", "related", "unheard"]

Named: TypeAlias = Client | Project | Task | Tag
Related: TypeAlias = Mapping[str, frozenset[int]]
"""Ids that the account itself shows, by kind."""


def related(me: Me) -> Related:
    """What an answer about the account with everything that belongs to it shows; it is never falsely empty."""
    kinds: dict[str, Iterable[Named]] = {
        "clients": me.clients,
        "projects": me.projects,
        "tags": me.tags,
        "tasks": me.tasks,
    }
    return {kind: frozenset(row.id for row in rows) for kind, rows in kinds.items()}


def unheard(
    since: Mapping[str, datetime], workspace_ids: Collection[int], now: datetime, reach: timedelta
) -> tuple[str, ...]:
    """Lists, as `workspace:kind`, whose names may have ended untold: their changes were last read too long ago."""
    kinds = [kind for kind, moment in since.items() if now - moment > reach]
    return tuple(f"{workspace_id}:{kind}" for workspace_id in workspace_ids for kind in kinds)


def ended(
    catalogue: Catalogue, workspace_id: int, kind: str, listed: Collection[int], account: Related
) -> list[Named] | None:
    """The living names of a workspace that both answers lack, as ended.

    None when the list is empty and the account shows some of the kind: then the list may be false.
    """
    known: Mapping[str, Mapping[int, Named]] = {
        "clients": catalogue.clients,
        "projects": catalogue.projects,
        "tags": catalogue.tags,
        "tasks": catalogue.tasks,
    }
    rows = [row for row in known[kind].values() if row.workspace_id == workspace_id and row.id > 0 and not row.deleted]
    if not listed and any(row.id in account[kind] for row in rows):
        return None
    return [replace(row, deleted=True) for row in rows if row.id not in account[kind] and row.id not in listed]
