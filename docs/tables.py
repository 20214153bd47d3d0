"""What the documents print from the code: called by the cog blocks in them, so that no table is written by hand.

Nothing here may depend on the machine: no path, no terminal width, no environment, no clock.
"""
# ruff: noqa: INP001 - a script beside the documents, no part of a package

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI
from typer.main import get_command
from typer.testing import CliRunner

from toggl_pulse.api import Pulse
from toggl_pulse.app import PUBLIC, create_app
from toggl_pulse.cli import app as command_line
from toggl_pulse.metrics import METRICS, Metric
from toggl_pulse.service.sync_tables import SYNC_TABLES
from toggl_pulse.settings import describe
from toggl_pulse.toggl.assumptions import ASSUMPTIONS
from toggl_pulse.web import below

__all__ = [
    "addresses",
    "assumptions",
    "decisions",
    "help_of_every_verb",
    "layers",
    "metric_tables",
    "metrics",
    "pages",
    "routes",
    "rules",
    "settings",
    "sync_tables",
    "verbs",
]

ROOT = Path(__file__).parent.parent
COLUMNS = 80
ATTRIBUTIONS: Mapping[str | None, str] = {None: "as asked", "start": "always start", "split": "always split"}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def settings() -> str:
    return describe()


def _contracts() -> list[dict[str, Any]]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return cast("list[dict[str, Any]]", pyproject["tool"]["importlinter"]["contracts"])


def layers() -> str:
    """The layers of the import contract, highest first."""
    (found,) = (contract["layers"] for contract in _contracts() if contract["id"] == "layers")
    width = max(map(len, found))
    lines = (f"{layer:<{width}}{'   do not see each other' if '|' in layer else ''}".rstrip() for layer in found)
    return "\n".join(["```", *lines, "```"])


def rules() -> str:
    """The other contracts, by the sentence that names them."""
    return "\n".join(f"* {contract['name']}." for contract in _contracts() if contract["id"] != "layers")


def verbs() -> list[str]:
    """Every verb, in the order in which the program lists them."""
    group = cast("Any", get_command(command_line))
    return list(group.list_commands(group.context_class(group)))


def help_of_every_verb() -> str:
    """What `--help` prints, verb by verb, in lines of one width wherever it is made."""
    words: list[tuple[str, ...]] = []
    for verb in verbs():
        words += [(verb,), *((verb, inner) for inner in _verbs_of(verb))]
    return "\n\n".join([_help(()), *(f"## `toggl-pulse {' '.join(each)}`\n\n{_help(each)}" for each in words)])


def _verbs_of(verb: str) -> list[str]:
    """What a verb such as `init` can do."""
    group = cast("Any", get_command(command_line))
    found = group.get_command(group.context_class(group), verb)
    return list(getattr(found, "commands", ()))


def _help(words: tuple[str, ...]) -> str:
    plain = {"COLUMNS": str(COLUMNS), "TERM": "dumb", "NO_COLOR": "1", "FORCE_COLOR": None, "TERMINAL_WIDTH": None}
    result = CliRunner().invoke(command_line, [*words, "--help"], prog_name="toggl-pulse", env=plain)
    if result.exit_code:
        raise RuntimeError(f"no help for {words}: {result.output}")
    return "\n".join(["```", *(line.rstrip() for line in result.output.strip().splitlines()), "```"])


def metrics() -> str:
    """The catalogue."""
    return table(
        ("metric", "title", "unit", "adds up", "attribution", "shape", "meaning"),
        (
            (
                f"`{metric.slug}`",
                metric.title,
                metric.unit,
                "yes" if metric.additive else "no",
                ATTRIBUTIONS[metric.attribution],
                _shape(metric),
                metric.meaning,
            )
            for metric in METRICS.values()
        ),
    )


def metric_tables() -> str:
    """The columns of the metrics that are tables, and the payload's words that change them."""
    return table(
        ("metric", "columns", "payload"),
        (
            (
                f"`{metric.slug}`",
                ", ".join(f"`{name}`" for name, _ in metric.columns),
                ", ".join(f"`{key}`" for key in metric.keys),
            )
            for metric in METRICS.values()
            if metric.columns
        ),
    )


def _shape(metric: Metric) -> str:
    return {"series": "a value a step", "points": "a point an entry", "table": "table"}[metric.shape]


@cache
def _app() -> FastAPI:
    """The application without a service behind it: enough to read its routes."""
    nobody = SimpleNamespace(
        api_token=None,
        demo=False,
        session_secret=None,
        allowed_hosts=(),
        version="0",
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    return create_app(cast("Pulse", nobody))


def addresses(*, of_the_page: bool = False) -> list[tuple[str, str, str]]:
    """Every route as method, path and the first line of what it does, in the order of `app.py`."""
    found: dict[tuple[str, str], str] = {}
    for route in cast("list[Any]", _app().routes):
        if below(route.path) != of_the_page:
            continue
        for method in sorted(route.methods - {"HEAD"}):
            said = (route.endpoint.__doc__ or "").strip().splitlines()
            found[method, route.path] = said[0] if said else "The OpenAPI document."
    return [(method, path, meaning) for (method, path), meaning in found.items()]


def pages() -> str:
    found = addresses(of_the_page=True)
    return table(("address", "answer"), ((f"`{method} {path}`", meaning) for method, path, meaning in found))


def routes() -> str:
    return table(
        ("route", "token", "answer"),
        ((f"`{method} {path}`", "no" if path in PUBLIC else "yes", meaning) for method, path, meaning in addresses()),
    )


def sync_tables() -> str:
    """The tables about the sync, column by column."""
    parts = []
    for each in SYNC_TABLES.values():
        limited = " It takes a `limit`." if each.limited else ""
        rows = ((f"`{column.name}`", column.kind, column.unit, column.meaning) for column in each.columns)
        parts.append(f"`{each.slug}`: {each.meaning}{limited}\n\n" + table(("column", "type", "unit", "meaning"), rows))
    return "\n\n".join(parts)


def assumptions() -> str:
    """What is believed about Toggl without a promise of Toggl's."""
    return table(
        ("name", "grade", "belief", "how an account can show it"),
        ((f"`{each.name}`", each.grade, each.belief, each.doctor) for each in ASSUMPTIONS),
    )


def decisions() -> str:
    """The list of records, by number, with the title that each one gives itself."""
    lines = []
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"* [{title}]({path.name})")
    return "\n".join(lines)
