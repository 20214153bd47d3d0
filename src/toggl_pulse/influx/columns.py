"""Points read from InfluxDB become the columns that answers are made of. Knows neither requests nor the mirror."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.influx.fetch import Arrays, Words
from toggl_pulse.model import EntryColumns

__all__ = ["columns_of", "only"]

T = TypeVar("T")

OTHERS = {"deleted", "tag_sets", "descriptions"}
ARRAYS = tuple(each.name for each in fields(EntryColumns) if each.name not in OTHERS)


def columns_of(
    parts: list[Arrays], words: Words, beside: EntryColumns, gone: NDArray[np.int64] | None = None
) -> EntryColumns:
    """Points, what stands beside them and wins over them, and tombstones."""
    sets, texts = words.tag_sets(), words.descriptions()
    known = {"tag_set": len(sets), "description": len(texts)}
    told = {name: getattr(beside, name) for name in ARRAYS}
    told |= {name: told[name] + shift for name, shift in known.items()}
    parts = [_without(part, beside.entry_id) for part in parts] + [told]
    dead = 0
    if gone is not None:
        gone = np.setdiff1d(gone, beside.entry_id)
        dead = len(gone)
        parts.append({name: np.zeros(dead, told[name].dtype) for name in ARRAYS} | {"entry_id": gone})
    # one array after the other: all of them twice would be most of the memory that a service needs
    whole = {name: np.concatenate([part.pop(name) for part in parts]) for name in ARRAYS}
    whole["tag_set"], tag_sets = _used(whole["tag_set"], [*sets, *beside.tag_sets, ()])
    whole["description"], descriptions = _used(whole["description"], [*texts, *beside.descriptions, ""])
    deleted = np.zeros(len(whole["entry_id"]), np.bool_)
    deleted[len(deleted) - dead :] = True
    return EntryColumns(**whole, deleted=deleted, tag_sets=tag_sets, descriptions=descriptions)


def only(part: Arrays, rows: NDArray[np.bool_]) -> Arrays:
    return part if rows.all() else {name: array[rows] for name, array in part.items()}


def _without(part: Arrays, ids: NDArray[np.int64]) -> Arrays:
    return only(part, np.isin(part["entry_id"], ids, invert=True))


def _used(codes: NDArray[Any], values: list[T]) -> tuple[NDArray[np.int32], tuple[T, ...]]:
    """Only the values that occur, renumbered."""
    used = np.zeros(len(values), np.bool_)
    used[codes] = True
    places = np.cumsum(used, dtype=np.int32) - 1
    return places[codes], tuple(values[code] for code in np.flatnonzero(used))
