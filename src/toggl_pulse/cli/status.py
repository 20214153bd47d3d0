"""`toggl-pulse status`: how true the answers are, without a request to Toggl."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import typer

from toggl_pulse.cli.parts import AsJson, Demo, at_local, counted, opened_service, printable, say_json

__all__ = ["status"]

MONTHS_NAMED = 6


def status(
    as_json: AsJson = False,
    demo: Demo = False,
) -> None:
    """Show what the mirror holds, up to when it is true, what is proven, and what Toggl's quota has left."""
    with opened_service(demo=demo, may_be_empty=True) as service:
        state = service.status()
    if as_json:
        say_json(state)
        return
    for name, text in described(state):
        typer.echo(f"{name:<13} {printable(text)}")


def described(state: dict[str, Any]) -> list[tuple[str, str]]:
    """The state line by line, for people."""
    return [
        ("Account", _account(state)),
        ("Data as of", _as_of(state)),
        ("Entries", _entries(state["mirror"])),
        ("History", _history(state["history"])),
        ("Months", _months(state["months"])),
        *(("Last sync" if n == 0 else "", _run(run)) for n, run in enumerate(state["sync"]["runs"][:3])),
        *(("Next sync" if n == 0 else "", _when(at)) for n, at in enumerate(sorted(state["sync"]["next"].values()))),
        *(("Quota" if n == 0 else "", _bucket(bucket)) for n, bucket in enumerate(state["quota"]["buckets"])),
        ("Reserve", f"{state['quota']['reserve']} requests of each bucket are left to your other tools"),
        *([("Set aside", _set_aside(state["mirror"]))] if state["mirror"]["set_aside"] else []),
        *([("InfluxDB", _projection(state["projection"]))] if state["projection"] else []),
    ]


def _account(state: dict[str, Any]) -> str:
    account = state["account"]
    if account is None:
        return "none yet"
    return f"{account['email'] or 'unknown'}" + (" (demo data)" if account["origin"] == "demo" else "")


def _as_of(state: dict[str, Any]) -> str:
    if state["data_as_of"] is None:
        since = "Toggl has not been read yet"
    else:
        since = f"{_when(state['data_as_of'])}, {_length(state['seconds_behind'])} ago"
    trouble = state["history"]["trouble"]
    return since + (f"; syncs fail since {_when(state['history']['trouble_since'])} ({trouble})" if trouble else "")


def _entries(mirror: dict[str, Any]) -> str:
    text = f"{mirror['entries']:,}"
    if mirror["first_start"]:
        text += f" from {mirror['first_start'][:10]} to {mirror['last_start'][:10]}"
    return (
        f"{text}; {mirror['running']} running, {mirror['deleted']:,} deleted, {mirror['versions']:,} earlier versions"
    )


def _history(history: dict[str, Any]) -> str:
    rows = sum(workspace["rows"] for workspace in history["workspaces"])
    text = f"{history['detail']} ({history['windows_done']} windows done, {rows:,} rows read)"
    if history["waits_until"]:
        text += f"; waits for Toggl's quota until {_when(history['waits_until'])}"
    if history["gap"]:
        start, end = map(_when, history["gap"])
        text += f"; changes between {start} and {end} may be missing until all is read again"
    for workspace in history["workspaces"]:
        if workspace["blocked"]:
            text += f"; workspace {workspace['workspace_id']} cannot be read: {workspace['blocked']}"
    return text


def _months(months: dict[str, Any]) -> str:
    text = f"{months['verified']:,} verified against Toggl's totals"
    others = (("differs", "differ"), ("not_verified", "not verified"), ("unavailable", "not included in Toggl's plan"))
    for state, words in others:
        found = sorted({month["month"] for month in months["others"] if month["state"] == state}, reverse=True)
        if found:
            more = f" and {len(found) - MONTHS_NAMED} more" if len(found) > MONTHS_NAMED else ""
            text += f"; {len(found)} {words}: {', '.join(found[:MONTHS_NAMED])}{more}"
    return text


def _run(run: dict[str, Any]) -> str:
    text = f"{_when(run['started_at'])} {run['reason']}: {run['outcome']}; {counted(run['requests'], 'request')}, "
    text += f"{run['new']:,} new, {run['changed']:,} changed, {run['deleted']:,} deleted"
    return f"{text}; {run['why']}" if run["why"] else text


def _bucket(bucket: dict[str, Any]) -> str:
    if not bucket["open"]:
        return f"{bucket['name']}: a new hour has begun"
    total = f" of {bucket['total']}" if bucket["total"] is not None else ""
    seen = f"as Toggl said at {_when(bucket['seen_at'])}"
    return f"{bucket['name']}: {bucket['remaining']}{total} left until {_when(bucket['resets_at'])}, {seen}"


def _set_aside(mirror: dict[str, Any]) -> str:
    return f"{mirror['set_aside']:,} rows of Toggl's answers could not be read; they are kept in the mirror"


def _projection(projection: dict[str, Any]) -> str:
    if projection["revision"] is None:
        text = "nothing has been written there yet"
    elif projection["lag"]:
        ago = _length(projection["seconds_behind"])
        text = f"at revision {projection['revision']}, {counted(projection['lag'], 'revision')} behind, for {ago}"
    else:
        text = f"in step, at revision {projection['revision']}"
    if projection["trouble"]:
        text += f"; writing fails since {_when(projection['trouble_since'])} ({projection['trouble']})"
    if projection["set_aside"]:
        text += f"; {counted(projection['set_aside'], 'point')} refused and set aside"
    return text + (f"; compared at {_when(projection['verified_at'])}" if projection["verified_at"] else "")


def _when(text: str) -> str:
    return at_local(datetime.fromisoformat(text))


def _length(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:  # noqa: PLR2004
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"  # noqa: PLR2004
