"""All dashboards as JSON text, and where each is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import billing, health, overview, projects, rhythm

__all__ = ["SCHEMA", "shelf", "write"]

SCHEMA = 42
"""The last schema of dashboards of this form, and Grafana 12.4's own; the builders are made for 41, in which panels
that hide a series need one property less: none here does."""

GRAFANA = "12.4.0"
"""The version whose panels' options these are: Grafana has nothing to migrate then."""

FOLDER = "Toggl Pulse"
"""Grafana makes a folder of its own of it."""


def shelf() -> Mapping[str, str]:
    """Path below the dashboards' folder -> the file's text."""
    boards = {
        "overview": overview.build(),
        "projects": projects.build(),
        "billing": billing.build(),
        "rhythm": rhythm.build(),
        "sync-health": health.build(),
    }
    return {f"{FOLDER}/{name}.json": _text(board) for name, board in boards.items()}


def write(folder: Path) -> None:
    """Write all, and remove those that are no more."""
    files = {folder / path: text for path, text in shelf().items()}
    for old in set(folder.rglob("*.json")) - files.keys():
        old.unlink()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _text(board: Dashboard) -> str:
    made: dict[str, Any] = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    for number, panel in enumerate(made["panels"], start=1):
        panel["id"] = number
        if panel["type"] != "row":
            panel["pluginVersion"] = GRAFANA
    for variable in made["templating"]["list"]:
        if variable["type"] == "adhoc":
            variable["filters"] = []
    return json.dumps({"id": None, **made, "schemaVersion": SCHEMA}, indent=2, ensure_ascii=False) + "\n"
