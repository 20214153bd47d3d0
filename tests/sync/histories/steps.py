"""Machine-made histories as data: what a person does at Toggl, what goes wrong, and when the mirror is brought in step.

A step is a name and plain values, and every step can be played anywhere (one that finds nothing to work on does
nothing), so that any part of a history is a history too: that is what lets a failing one shrink.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pprint import pformat
from random import Random
from typing import Any

__all__ = ["CHOICES", "DEFAULTS", "OPTIONS", "SYNCS", "History", "Step", "generate"]

Step = tuple[Any, ...]
DAY = 86_400

REF = tuple(range(9))
YES = (0, 1)
MOMENTS = (-600, 0, -1, -7_200, -DAY, -9 * DAY, -20 * DAY, -60 * DAY, -84 * DAY, -89 * DAY, -100 * DAY, -400 * DAY,
           -1_000 * DAY, DAY, 40 * DAY)  # fmt: skip
LENGTHS = (600, 0, 1, 3_599, 36_000, 3 * DAY, None)
"""None lets an entry run."""
SHIFTS = (60, -60, 1, -1, 3_600, -DAY, 5 * DAY, -40 * DAY, 90 * DAY, -200 * DAY)
TAGS = tuple(range(8))
"""Bits of the names of tags."""
NAMES = tuple(range(9))
TEXTS = ("", None, "text", "Text", "straße\u202e\n,;|")
COUNTS = (2, 3, 7, 15)
REQUESTS = tuple(range(14))
PAUSES = (600, 0, 1, 59, 3_600, 8 * 3_600, DAY, 5 * DAY, 21 * DAY, 60 * DAY)
OUTAGES = (86 * DAY, 92 * DAY, 130 * DAY)
FAULTS = ("cut", "429", "500", "503", "cut_body", "empty", "html", "non_json", "null", "empty_list", "broken_row",
          "lost", "quota402", "404", "400", "401", "403")  # fmt: skip
PLACES = ("", "since=", "/reports/", "/me/t", "totals", "/workspaces/", r"time_entries/\d", "start_date=")
FIELDS = (
    "description", "project", "task", "tags", "billable", "start", "stop", "duration", "workspace", "own_duration",
    "reopen",
)  # fmt: skip

USER: Mapping[str, tuple[Sequence[Any], ...]] = {
    "create": (MOMENTS, LENGTHS, REF, REF, TAGS, YES, TEXTS, (0, 0, 1)),
    "start": ((0, 0, -60, -3_600, -3 * DAY), REF, TAGS),
    "stop": ((0, -1, -60, -3_600, 60),),
    "continue_": (REF,),
    "edit": (REF, FIELDS, REF, SHIFTS),
    "bulk_edit": (REF, COUNTS, FIELDS, REF, SHIFTS),
    "delete": (REF,),
    "bulk_delete": (REF, COUNTS),
    "restore": (REF,),
    "create_tag": (NAMES,),
    "rename_tag": (REF, NAMES),
    "delete_tag": (REF,),
    "add_tag": (REF, REF),
    "remove_tag": (REF, REF),
    "create_project": (NAMES, REF, YES),
    "rename_project": (REF, NAMES),
    "recolour": (REF, REF),
    "move_project": (REF, REF),
    "price": (REF, (None, 0.0, 45.0, 99.99)),
    "archive_project": (REF, (1, 0)),
    "delete_project": (REF,),
    "create_client": (NAMES,),
    "rename_client": (REF, NAMES),
    "archive_client": (REF, (1, 0)),
    "delete_client": (REF,),
    "create_task": (REF, NAMES),
    "rename_task": (REF, NAMES),
    "finish_task": (REF, YES),
    "delete_task": (REF,),
    "rename_workspace": (REF, NAMES),
    "create_workspace": ((0,),),
    "colleague": (MOMENTS, REF),
    "move_house": (REF,),
}
"""What a person does at Toggl, with what each operation is told; the first of each is the plainest."""

OFTEN = {"create": 5, "edit": 5, "delete": 3, "start": 2, "stop": 2, "bulk_edit": 2}
RARE = {"move_house", "create_workspace", "rename_workspace", "colleague"}

SYNCS: Mapping[str, tuple[Sequence[Any], ...]] = {"poll": (), "full": (), "go_on": (), "start_again": (), "finish": ()}
TROUBLES: Mapping[str, tuple[Sequence[Any], ...]] = {
    "fault": (FAULTS, PLACES, (0, 1, 2, 5, 11), (1, 3, 9)),
    "drain": (("user", "organization"), (5, 15, 19, 20, 25, 31)),
    "kill": (REQUESTS, YES),
    "cancel": (REQUESTS,),
    "during": (REQUESTS,),
}
"""`during` is followed by a whole step, which is played while the next sync waits for that request."""

CHOICES: Mapping[str, tuple[Sequence[Any], ...]] = {
    **USER, **SYNCS, **TROUBLES, "wait": (PAUSES,), "outage": (OUTAGES,),
}  # fmt: skip

OPTIONS: Mapping[str, Sequence[Any]] = {
    "begun": (True, False),
    "age": (800, 1_100),
    "timezone": ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC"),
    "plan": ("starter", "free", "premium"),
    "skew": (0, 3_600, -3_600, 37),
    "entry_cap": (1_000, 6, 12, 6),
    "floor": ("90 days", "3 months", "4 months"),
    "since_capped": (True, True, False),
    "quota_counted": (False, True),
    "reports_running": (False, True),
    "retry_after": (False, True),
    "max_page_size": (1_000, 9),
    "reports_paging": ("row_number", "id"),
    "long_range": ("refuse", "clamp", "empty"),
    "date_zone": ("profile", "utc"),
    "meta_on_deleted": (True, False),
    "rename_moves_at": (True, False),
    "since_lag": (0, 0, 40, 200),
    "reports_lag": (0, 0, 90, 3_000),
    "names_only": (False, False, True),
    "at_style": ("fraction", "seconds"),
    "running_duration": ("start-1", "start", "-1"),
    "current_missing": ("null", "404"),
}
"""The account, our clock, and each thing about Toggl that is not known for certain; the first is the usual one."""

DEFAULTS: Mapping[str, Any] = {name: choices[0] for name, choices in OPTIONS.items()}


@dataclass(frozen=True)
class History:
    """`options` tells only what is unusual."""

    options: Mapping[str, Any]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """Source to paste into a test."""
        return f"History(\n    {dict(self.options)},\n    {pformat(self.steps, width=100)},\n)"


MOTIFS = (
    ("edit", "poll", "edit", "poll"),
    ("edit", "full", "edit", "poll"),
    ("create", "edit", "full", "poll"),
    ("create", "poll", "delete", "poll", "restore", "poll"),
    ("create", "poll", "edit", "full", "wait", "full"),
    ("create", "poll", "rename_tag", "full"),
    ("create", "poll", "delete_tag", "create", "full", "poll"),
    ("start", "poll", "edit", "poll", "stop", "poll"),
    ("create_project", "create", "edit", "poll", "delete_project", "poll"),
    ("create_project", "create_task", "create", "full", "rename_task", "delete_task", "full"),
    ("create_workspace", "full", "create", "poll", "edit", "poll"),
    ("bulk_edit", "poll", "wait", "poll"),
    ("bulk_edit", "poll", "delete", "poll", "full"),
    ("bulk_delete", "poll", "full"),
    ("drain", "full", "wait", "go_on"),
    ("edit", "kill", "full", "poll"),
    ("edit", "fault", "poll", "wait", "poll"),
    ("edit", "wait", "edit", "wait", "poll"),
)
SILENCES = (
    ("delete", "outage", "finish"),
    ("start", "poll", "outage", "delete", "finish"),
    ("edit", "delete_tag", "outage", "start_again"),
)
"""What tends to go wrong together: played in one piece, with values of their own."""


def generate(seed: int, *, length: int = 60) -> History:
    """A history from a seed: a third of the operations is left out, so that the others meet more often."""
    rng = Random(seed)  # noqa: S311  (nothing is secret here)
    options = {
        name: value
        for name, choices in OPTIONS.items()
        if rng.random() < 0.33 and (value := rng.choice(choices)) != choices[0]
    }
    names = [name for name in USER if rng.random() < 0.65] or ["create"]
    if options.get("names_only"):
        # Where entries carry names only, two tags that bore one name between two syncs cannot be told apart.
        names = [name for name in names if name not in {"rename_tag", "delete_tag"}] or ["create"]
    weights = [OFTEN.get(name, 0.3 if name in RARE else 1) for name in names]
    floods = "entry_cap" in options
    if floods:
        names += ["bulk_edit", "bulk_delete"]
        weights += [4, 2]
    troubled = rng.random() < 0.6
    outages = rng.random() < 0.15
    steps: list[Step] = [_step(rng, "create") for _ in range(rng.randrange(8, 16) if floods else rng.randrange(6))]
    steps += [_step(rng, rng.choices(names, weights)[0]) for _ in range(rng.randrange(8))]
    most = rng.randrange(length // 3, length)
    while len(steps) < most:
        kind = rng.choices(("motif", "user", "wait", "sync", "trouble"), (2, 10, 3, 3, 3 if troubled else 0))[0]
        if kind == "motif":
            steps += [_step(rng, name) for name in rng.choice(SILENCES if outages and rng.random() < 0.5 else MOTIFS)]
        elif kind == "user":
            steps.append(_step(rng, rng.choices(names, weights)[0]))
        elif kind == "wait":
            steps.append(_step(rng, "outage" if outages and rng.random() < 0.3 else "wait"))
        elif kind == "sync":
            steps.append(_step(rng, rng.choices(tuple(SYNCS), (8, 2, 2, 0.5, 1.5))[0]))
        else:
            trouble = _step(rng, rng.choices(tuple(TROUBLES), (4, 1, 2, 1, 2))[0])
            inner = _step(rng, rng.choices(names, weights)[0])
            steps.append((*trouble, inner) if trouble[0] == "during" else trouble)
    return History(options, tuple(steps))


def _step(rng: Random, name: str) -> Step:
    return (name, *(_choice(rng, choices) for choices in CHOICES[name]))


def _choice(rng: Random, choices: Sequence[Any]) -> Any:
    """Any of a few; of things that are counted through, mostly the newest, so that steps meet at one of them."""
    return rng.choice(choices[: rng.randint(1, len(choices))] if choices is REF else choices)
