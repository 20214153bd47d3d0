r"""Points as InfluxDB's line protocol, and the texts in them as they go in and come out again.

Three roads lose something, so all are paved: line protocol cannot hold every tag value (no line end, no `\` at the
end), the CSV that InfluxDB answers with drops each carriage return, and Flux loses an empty text that follows others
and gives the later ones to the wrong points (decision 25). Knows nothing of sending.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote

from toggl_pulse.model import ANY_LANE, NO_ID, Lane, Point, RunPoint

__all__ = [
    "MEASUREMENT",
    "SYNC_MEASUREMENT",
    "encode",
    "encode_runs",
    "join_tags",
    "predicate_of",
    "read_text",
    "split_tags",
    "store_text",
]

MEASUREMENT = "toggl_time_entry"
SYNC_MEASUREMENT = "toggl_sync"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RUNS_APART = 1000
"""Nanoseconds below a microsecond, in which runs that began at the same one differ."""

_NO_LETTERS = "%"
"""Stands for a name without letters, so that it is no absent tag; otherwise two hex digits follow a `%`."""

_UNSAFE = re.compile("[%|\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TAG = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_STRING = str.maketrans({'"': r"\"", "\\": r"\\"})
_KEY = re.compile(r"[^a-z0-9_]")

_NOTHING = " "
"""Stands for an empty text."""

_RETURN, _ESCAPE = "\u240d", "\u241b"
"""The symbols ␍ and ␛: the first stands for a carriage return, the second before what is meant itself."""

_RETURNS = str.maketrans({"\r": _RETURN, _RETURN: _ESCAPE + _RETURN, _ESCAPE: _ESCAPE * 2})
_STORED = re.compile(f"{_ESCAPE}(.)|{_RETURN}", re.DOTALL)


def join_tags(names: Sequence[str]) -> str:
    r"""The names with `|` between them; what could be taken for something else in a name is percent-encoded.

    That is `%`, `|`, `\`, control characters and Unicode's two line ends, as the bytes of UTF-8. No names: no text.
    """
    return "|".join(_UNSAFE.sub(_percent, name) or _NO_LETTERS for name in names)


def split_tags(text: str) -> tuple[str, ...]:
    """The names as they were before `join_tags`."""
    if not text:
        return ()
    return tuple("" if part == _NO_LETTERS else unquote(part) for part in text.split("|"))


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def store_text(text: str) -> str:
    """A text as InfluxDB is to hold it: the same, unless it could not be read back so; never an empty one."""
    if not text:
        return _NOTHING
    if text == _NOTHING:
        return _ESCAPE + text
    if "\r" in text or _RETURN in text or _ESCAPE in text:
        return text.translate(_RETURNS)
    return text


def read_text(value: str) -> str:
    """The text as it was before `store_text`, from a value in an answer's CSV as a parser gives it."""
    if value == _NOTHING:
        return ""
    if "\r" in value:
        value = value.replace("\r\n", "\n")
    if _RETURN in value or _ESCAPE in value:
        return _STORED.sub(lambda found: found[1] or "\r", value)
    return value


def encode(points: Iterable[Point]) -> bytes:
    """The points as lines of line protocol; every field of every point, for what is left out would stay as it was."""
    # Written out instead of calling: of a million points each call costs a tenth of a second.
    head, joined = _head, _joined
    lines = []
    for (
        time_ns,
        entry_id,
        workspace_id,
        project_id,
        task_id,
        user_id,
        stop,
        duration,
        billable,
        tags,
        tag_ids,
        description,
    ) in points:
        if (
            not description
            or description == _NOTHING
            or "\r" in description
            or _RETURN in description
            or _ESCAPE in description
        ):
            description = store_text(description)  # noqa: PLW2901 (one text, on its way)
        if '"' in description or "\\" in description:
            description = description.translate(_STRING)  # noqa: PLW2901 (as above)
        lines.append(
            f'{head(workspace_id, project_id, user_id, billable, tags)} description="{description}",'
            f"duration={duration}i,entry_id={entry_id}i,stop_ms={stop}000i,"
            f'tag_ids="{joined(tag_ids)}",task_id={task_id}i {time_ns}'
        )
    return "\n".join(lines).encode()


@lru_cache(maxsize=4096)
def _head(workspace_id: int, project_id: int, user_id: int, billable: bool, tags: tuple[str, ...]) -> str:  # noqa: FBT001 (a lane's order)
    """The measurement and the tags, by name in rising order, which is how InfluxDB keeps them."""
    project = "" if project_id == NO_ID else f",project_id={project_id}"
    names = join_tags(tags).translate(_TAG)
    return (
        f"{MEASUREMENT},billable={'true' if billable else 'false'}{project}{f',tags={names}' if names else ''}"
        f",user_id={user_id},workspace_id={workspace_id}"
    )


@lru_cache(maxsize=4096)
def _joined(tag_ids: tuple[int, ...]) -> str:
    return store_text(",".join(map(str, tag_ids)))


def predicate_of(lane: Lane, measurement: str = MEASUREMENT) -> dict[str, str]:
    """What a delete names: never nothing, and nothing that anyone has typed. No project: points of any project."""
    named = {"_measurement": measurement}
    if lane != ANY_LANE:
        named["workspace_id"] = str(lane.workspace_id)
        if lane.project_id != NO_ID:
            named["project_id"] = str(lane.project_id)
        named["user_id"] = str(lane.user_id)
        named["billable"] = "true" if lane.billable else "false"
    return named


def encode_runs(runs: Iterable[RunPoint]) -> bytes:
    """Sync runs as lines of line protocol; what is not known of a run is left out."""
    return "\n".join(map(_run, runs)).encode()


def _run(run: RunPoint) -> str:
    figures = {
        "requests": run.requests,
        "new": run.new,
        "changed": run.changed,
        "deleted": run.deleted,
        "seconds_since_success": run.seconds_since_success,
        "projection_lag": run.projection_lag,
        "projection_lag_seconds": run.projection_lag_seconds,
        "token_refused": run.token_refused if run.token_refused is None else int(run.token_refused),
    }
    for bucket, (left, reserve) in sorted(run.quota.items()):
        name = _KEY.sub("_", bucket)
        figures |= {f"quota_left_{name}": left, f"quota_reserve_{name}": reserve}
    fields = ",".join(f"{name}={number}i" for name, number in figures.items() if number is not None)
    time_ns = (run.started_at - _EPOCH) // timedelta(microseconds=1) * 1000 + run.run_id % _RUNS_APART
    outcome, reason = join_tags([run.outcome]).translate(_TAG), join_tags([run.reason]).translate(_TAG)
    return f"{SYNC_MEASUREMENT},outcome={outcome},reason={reason} {fields} {time_ns}"
