"""Filters as a yes or no for each code of a column: names are compared once, rows only by number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.columns import Snapshot
from toggl_pulse.metrics.groups import Dimension, dimension_of
from toggl_pulse.metrics.query import Filter, pattern, undo_grafana

__all__ = ["allowed_codes", "projects_that_pass"]

Flags = NDArray[np.bool_]

_NEGATED = {"!=", "!~", "not_one_of"}


def allowed_codes(snapshot: Snapshot, filters: tuple[Filter, ...]) -> dict[str, Flags]:
    """Column of a `Part` -> for each of its codes, whether all filters let it pass; columns that matter only.

    A name that nobody has matches nothing: a dashboard's variable may still hold a name of yesterday.
    """
    allowed: dict[str, Flags] = {}
    for each in filters:
        dimension = dimension_of(snapshot, each.dimension)
        codes = dimension.codes_with(_matching(dimension, each))
        if each.operator in _NEGATED:
            codes = ~codes
        allowed[dimension.column] = allowed.get(dimension.column, np.True_) & codes
    return {column: codes for column, codes in allowed.items() if not codes.all()}


def projects_that_pass(snapshot: Snapshot, filters: tuple[Filter, ...]) -> set[int]:
    """Ids of known projects, with entries or not, that the filters by project, client and workspace let pass."""
    projects = snapshot.catalogue.projects
    passing = set(projects)
    for each in filters:
        if each.dimension not in {"project", "client", "workspace"}:
            continue
        dimension = dimension_of(snapshot, each.dimension)
        keys = {dimension.keys[group] for group in np.flatnonzero(_matching(dimension, each)).tolist()}
        named = {
            number
            for number, project in projects.items()
            if {"project": number, "client": project.client_id or None, "workspace": project.workspace_id}[
                each.dimension
            ]
            in keys
        }
        passing = passing - named if each.operator in _NEGATED else passing & named
    return passing


def _matching(dimension: Dimension, filter_: Filter) -> Flags:
    """The groups that the values name."""
    if filter_.operator in {"=~", "!~"}:
        search = pattern(filter_.values[0]).search
        names = dimension.names
        return dimension.groups_with(lambda group: search(names[group]) is not None)
    groups = np.zeros(len(dimension.keys), np.bool_)
    for value in _literal(dimension, filter_):
        groups[dimension.named(value)] = True
    return groups


def _literal(dimension: Dimension, filter_: Filter) -> tuple[str, ...]:
    if filter_.operator != "text":
        return filter_.values
    return tuple(
        name for value in filter_.values for name in ((value,) if dimension.named(value) else undo_grafana(value))
    )
