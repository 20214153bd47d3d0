"""`toggl-pulse config`: the settings in force, secrets hidden."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from toggl_pulse.settings import in_force, load_settings

__all__ = ["config"]


def config(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the settings that are in force, with every secret hidden."""
    values = in_force(load_settings())
    if as_json:
        typer.echo(orjson.dumps(values, option=orjson.OPT_INDENT_2).decode())
        return
    width = max(map(len, values))
    for name, value in values.items():
        typer.echo(f"{name:<{width}}  {value}")
