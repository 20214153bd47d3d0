"""What entries can be grouped and filtered by: ids inside, labels that tell them apart outside.

A dimension says to which groups each code of one column belongs: to one, or, for tags, to any number.
Knows nothing of time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.columns import Snapshot
from toggl_pulse.model import NO_ID, User

__all__ = ["OTHER", "SHARED", "Dimension", "Key", "dimension_of", "values_of"]

Key = int | str | bool | None
"""A group inside: Toggl's id, a description, billable or not; None for entries without one."""


OTHER = "(other)"
"""The label of the rest that a limit has folded."""

SHARED = " (shared)"
"""Stands behind the label of a tag whose entries count under other tags too."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """The groups of one dimension, in a fixed order.

    `column` names the column of a `Part` whose codes decide. `group_of` has the group of each code; `pairs` instead
    lists (code, group) for the codes that may have several. `live` are the groups that a list to choose from shows.
    """

    name: str
    column: str
    keys: list[Any]
    names: list[str]
    labels: list[str]
    codes: int
    group_of: NDArray[np.int64] | None = None
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    known: NDArray[np.bool_] | None = None
    exact: dict[str, int] = field(default_factory=dict)
    words: dict[str, list[int]] = field(default_factory=dict)

    def groups_with(self, matches: Callable[[int], bool]) -> NDArray[np.bool_]:
        return np.fromiter((matches(group) for group in range(len(self.keys))), np.bool_, len(self.keys))

    def codes_with(self, groups: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The codes that belong to at least one of these groups."""
        if self.pairs is None:
            found: NDArray[np.bool_] = groups[: self.codes] if self.group_of is None else groups[self.group_of]
            return found
        code, group = self.pairs
        out = np.zeros(self.codes, np.bool_)
        out[code[groups[group]]] = True
        return out

    def named(self, text: str) -> list[int]:
        """The group of that label, where a label says more than a name; else all of that name or id."""
        if not self.words:
            exact, words = self._index()
            self.exact.update(exact)
            self.words.update(words)  # last, for other threads look here whether all is made
        found = self.exact.get(text)
        return self.words.get(text, []) if found is None else [found]

    def _index(self) -> tuple[dict[str, int], dict[str, list[int]]]:
        exact: dict[str, int] = {}
        words: dict[str, list[int]] = {}
        for group, (key, name, label) in enumerate(zip(self.keys, self.names, self.labels, strict=True)):
            if label != name or label == _placeholder(self.name, key or NO_ID):
                exact[label] = group
            ids = {str(key)} if isinstance(key, int) and not isinstance(key, bool) else set()
            for word in {name} | ids:
                words.setdefault(word, []).append(group)
        if self.pairs is not None:
            for group, label in enumerate(self.labels):
                if label + SHARED not in words:
                    exact.setdefault(label + SHARED, group)
        return exact, words


def dimension_of(snapshot: Snapshot, name: str) -> Dimension:
    """The dimension as of a snapshot; made once."""
    found = snapshot.memo.get(name)
    if found is None:
        found = snapshot.memo[name] = _MAKERS[name](snapshot)
    return found


def values_of(snapshot: Snapshot, name: str) -> list[int]:
    """The groups to choose from: those that have entries, and those that still exist at Toggl."""
    dimension = dimension_of(snapshot, name)
    shown = np.zeros(len(dimension.keys), np.bool_) if dimension.known is None else dimension.known.copy()
    used = np.zeros(dimension.codes, np.bool_)
    for part, hidden in snapshot.parts:
        count = np.bincount(getattr(part, dimension.column), minlength=dimension.codes)
        count -= np.bincount(getattr(part, dimension.column)[hidden], minlength=dimension.codes)
        used |= count[: dimension.codes] > 0
    if dimension.pairs is not None:
        code, group = dimension.pairs
        shown[group[used[code]]] = True
    elif dimension.group_of is not None:
        shown[dimension.group_of[used]] = True
    else:
        shown[: dimension.codes] |= used
    return sorted(np.flatnonzero(shown).tolist(), key=lambda group: (dimension.labels[group].casefold(), group))


def _named(
    name: str,
    column: str,
    codes: Iterable[int],
    rows: Mapping[int, Any],
    *,
    qualifier: Callable[[Any], str] = lambda _: "",
) -> Dimension:
    """A dimension of ids: first the ids that entries have, in the order of their codes, then the other known ones."""
    ids = list(codes)
    size = len(ids)
    ids += sorted(rows.keys() - set(ids))
    return Dimension(
        name,
        column,
        [None if each == NO_ID else each for each in ids],
        [rows[each].name if each in rows else _placeholder(name, each) for each in ids],
        _labels(name, ids, rows, qualifier),
        size,
        known=np.array([each in rows and not rows[each].deleted for each in ids], np.bool_),
    )


def _placeholder(name: str, each: int) -> str:
    return f"(no {name})" if each == NO_ID else f"(unknown {name} {each})"


def _labels(name: str, ids: list[int], rows: Mapping[int, Any], qualifier: Callable[[Any], str]) -> list[str]:
    """Names; where one is taken, with what tells its bearers apart; where that is taken too, with the id.

    Taken is also what the rest of a limit, things without a name and tags that share entries are called: nobody's
    project can pass for one of these, and no two labels are the same.
    """
    taken = Counter([OTHER])

    def label(each: int, more: str) -> str:
        if each not in rows:
            return _placeholder(name, each)
        words = [word for word in ("deleted" if rows[each].deleted else "", more) if word]
        return f"{rows[each].name} ({', '.join(words)})" if words else str(rows[each].name)

    labels = [label(each, "") for each in ids]
    tells: Iterable[Callable[[int], str]] = chain(
        [lambda each: qualifier(rows[each]) if each in rows else ""], repeat(str)
    )
    for tell in tells:
        seen = taken + Counter(labels)
        if name == "tag":
            seen += Counter(word + SHARED for word in seen.keys() & {word.removesuffix(SHARED) for word in labels})
        told = [label(each, tell(each)) if seen[word] > 1 else word for each, word in zip(ids, labels, strict=True)]
        if told == labels and tell is str:
            return labels
        labels = told
    raise AssertionError  # the ids differ, so the loop ends


def _workspace(snapshot: Snapshot) -> Dimension:
    return _named("workspace", "workspace", snapshot.numbers.workspace.values, snapshot.catalogue.workspaces)


def _project(snapshot: Snapshot) -> Dimension:
    clients = snapshot.catalogue.clients

    def client(project: Any) -> str:
        found = clients.get(project.client_id)
        return found.name if found else "no client"

    return _named("project", "project", snapshot.numbers.project.values, snapshot.catalogue.projects, qualifier=client)


def _task(snapshot: Snapshot) -> Dimension:
    projects = snapshot.catalogue.projects

    def project(task: Any) -> str:
        found = projects.get(task.project_id)
        return found.name if found else ""

    return _named("task", "task", snapshot.numbers.task.values, snapshot.catalogue.tasks, qualifier=project)


def _user(snapshot: Snapshot) -> Dimension:
    catalogue = snapshot.catalogue
    users = dict(catalogue.users)
    if catalogue.profile is not None:  # a workspace's users are not for everyone to read; oneself is
        me = catalogue.profile
        users.setdefault(me.id, User(me.id, me.fullname, me.email))
    return _named("user", "user", snapshot.numbers.user.values, users, qualifier=lambda user: user.email or "")


def _client(snapshot: Snapshot) -> Dimension:
    """The project's client as it stands now."""
    catalogue = snapshot.catalogue
    projects = snapshot.numbers.project.values[:]
    of_project = [
        (catalogue.projects[each].client_id or NO_ID) if each in catalogue.projects else NO_ID for each in projects
    ]
    ids = list(dict.fromkeys([NO_ID, *of_project]))
    dimension = _named("client", "project", ids, catalogue.clients, qualifier=_workspace_name(snapshot))
    position = {each: group for group, each in enumerate(ids)}
    return Dimension(
        "client",
        "project",
        dimension.keys,
        dimension.names,
        dimension.labels,
        len(projects),
        group_of=np.array([position[each] for each in of_project], np.int64),
        known=dimension.known,
    )


def _tag(snapshot: Snapshot) -> Dimension:
    sets = snapshot.numbers.tag_set.values[:]
    ids = list(dict.fromkeys([NO_ID, *(tag for tags in sets for tag in tags)]))
    dimension = _named("tag", "tag_set", ids, snapshot.catalogue.tags, qualifier=_workspace_name(snapshot))
    position = {each: group for group, each in enumerate(ids)}
    code = [number for number, tags in enumerate(sets) for _ in (tags or (NO_ID,))]
    group = [position[each] for tags in sets for each in (tags or (NO_ID,))]
    return Dimension(
        "tag",
        "tag_set",
        dimension.keys,
        dimension.names,
        dimension.labels,
        len(sets),
        pairs=(np.array(code, np.int64), np.array(group, np.int64)),
        known=dimension.known,
    )


def _workspace_name(snapshot: Snapshot) -> Callable[[Any], str]:
    workspaces = snapshot.catalogue.workspaces

    def name(row: Any) -> str:
        found = workspaces.get(row.workspace_id)
        return found.name if found else ""

    return name


def _billable(snapshot: Snapshot) -> Dimension:
    del snapshot
    return Dimension("billable", "billable", [False, True], ["false", "true"], ["not billable", "billable"], 2)


def _description(snapshot: Snapshot) -> Dimension:
    texts = snapshot.numbers.description.values[:]
    return Dimension("description", "description", texts, texts, [_text_label(text) for text in texts], len(texts))


def _text_label(text: str) -> str:
    """The text; one that could be taken for a word of ours says that it is a text."""
    if not text:
        return _placeholder("description", NO_ID)
    return f"{text} (a text)" if _OURS.fullmatch(text) else text


_OURS = re.compile(rf"({re.escape(OTHER)}|{re.escape(_placeholder('description', NO_ID))})( \(a text\))*")

_MAKERS: Mapping[str, Callable[[Snapshot], Dimension]] = {
    "workspace": _workspace,
    "client": _client,
    "project": _project,
    "task": _task,
    "tag": _tag,
    "user": _user,
    "billable": _billable,
    "description": _description,
}
