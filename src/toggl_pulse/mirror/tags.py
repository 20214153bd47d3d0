"""Which tags stand on which entries: sets of tag ids, names resolved to ids, and what a tag's end does to sets.

A set is stored once and shared by all entries that carry the same tags. Only ids stand on entries: a name is looked
up when an entry is read, so that a rename needs no rewriting. Knows no entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from sqlalchemy import Connection, insert, select

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.values import digest, pieces

__all__ = ["TagBook", "placeholder_id"]


def placeholder_id(workspace_id: int, name: str) -> int:
    """The id of a tag known by name only: negative, and the same whenever and wherever it is asked for."""
    raw = blake2b(f"{workspace_id}\x1f{name}".encode("utf-8", "backslashreplace"), digest_size=8).digest()
    return -(int.from_bytes(raw, "big") >> 1) - 1


class TagBook:
    """Tags and tag sets as one transaction sees them; made anew for each, for it remembers what it has read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: dict[int, str] = {}
        self._deleted: set[int] = set()
        self._by_name: dict[tuple[int, str], int] = {}
        self._living: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._sets: dict[int, tuple[int, ...]] = {}
        self._numbers: dict[tuple[int, ...], int] = {}
        self._read = False

    def read_tags(self) -> None:
        """Read the tags again, after they were written."""
        self._read = True
        self._names.clear()
        self._deleted.clear()
        self._by_name.clear()
        self._living.clear()
        tags = tables.tags
        # From high ids to low: of two living tags of one name, the older one keeps it; a placeholder comes last.
        rows = self._connection.execute(
            select(tags.c.id, tags.c.workspace_id, tags.c.name, tags.c.deleted).order_by(tags.c.id)
        ).all()
        for tag_id, workspace_id, name, deleted in sorted(rows, key=lambda row: (row.id < 0, row.id), reverse=True):
            self._names[tag_id] = name
            if deleted:
                self._deleted.add(tag_id)
            else:
                self._by_name[workspace_id, name] = tag_id

    def ids_of(self, workspace_id: int, names: Iterable[str], ids: Iterable[int]) -> tuple[tuple[int, ...], list[str]]:
        """The sorted ids of an entry's tags, and the names that have no id yet.

        Ids win over names. A tag known as deleted is left out: Toggl never uses an id again, so only an answer
        from before the deletion can still show it.
        """
        given = tuple(ids)
        names = tuple(names)
        if not (given or names):
            return (), []
        self._know()
        if given:
            if given not in self._living:
                self._living[given] = tuple(sorted(set(given) - self._deleted))
            return self._living[given], []
        found, unknown = set(), []
        for name in names:
            tag_id = self._by_name.get((workspace_id, name))
            if tag_id is None:
                tag_id = placeholder_id(workspace_id, name)
                unknown.append(name)
            found.add(tag_id)
        return tuple(sorted(found)), unknown

    def alive(self, tag_id: int) -> bool:
        self._know()
        return tag_id in self._names and tag_id not in self._deleted

    def names_of(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Names for those ids that have one yet."""
        ids = tuple(ids)
        if ids:
            self._know()
        return tuple(self._names[tag_id] for tag_id in ids if tag_id in self._names)

    def carried(self, numbers: Iterable[int | None]) -> Mapping[int | None, tuple[tuple[int, ...], tuple[str, ...]]]:
        """Sorted tag ids and their names by the set's number; None is the number of no tags."""
        wanted = set(numbers)
        members = self.members(wanted)
        ids = {number: () if number is None else members[number] for number in wanted}
        return {number: (each, self.names_of(each)) for number, each in ids.items()}

    def members(self, numbers: Iterable[int | None]) -> Mapping[int, tuple[int, ...]]:
        """Sorted tag ids by the set's number, for at least the numbers asked for."""
        missing = {number for number in numbers if number is not None} - self._sets.keys()
        column = tables.tag_set_members.c
        for piece in pieces(missing):
            found: dict[int, list[int]] = {number: [] for number in piece}
            for number, tag_id in self._connection.execute(
                select(column.tag_set, column.tag_id).where(column.tag_set.in_(piece))
            ):
                found[number].append(tag_id)
            for number, ids in found.items():
                self._remember(number, tuple(sorted(ids)))
        return self._sets

    def numbers(self, sets: Iterable[tuple[int, ...]]) -> dict[tuple[int, ...], int | None]:
        """The numbers of these sets (sorted ids), made where they are new; the empty set has none."""
        wanted = set(sets)
        by_digest = {digest(*ids): ids for ids in wanted if ids and ids not in self._numbers}
        known = self._find(by_digest)
        if new := sorted(by_digest.keys() - known):
            self._connection.execute(insert(tables.tag_sets), [{"digest": key} for key in new])
            known |= self._find(new)
            self._connection.execute(
                insert(tables.tag_set_members),
                [{"tag_set": known[key], "tag_id": tag_id} for key in new for tag_id in by_digest[key]],
            )
        for key, number in known.items():
            self._remember(number, by_digest[key])
        return {ids: self._numbers[ids] if ids else None for ids in wanted}

    def carriers(self, tag_id: int) -> list[int]:
        """The numbers of all sets with this tag."""
        column = tables.tag_set_members.c
        return sorted(self._connection.scalars(select(column.tag_set).where(column.tag_id == tag_id)))

    def _know(self) -> None:
        """Most transactions touch no tag, so that the first that does reads them."""
        if not self._read:
            self.read_tags()

    def _find(self, keys: Iterable[str]) -> dict[str, int]:
        column = tables.tag_sets.c
        found: dict[str, int] = {}
        for piece in pieces(keys):
            rows = self._connection.execute(select(column.digest, column.id).where(column.digest.in_(piece)))
            found.update((key, number) for key, number in rows)
        return found

    def _remember(self, number: int, ids: tuple[int, ...]) -> None:
        self._sets[number] = ids
        self._numbers[ids] = number
