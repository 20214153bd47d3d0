"""Rounding as the simulated Reports do it: by the user's preference unless a request says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .wire import Refusal
from .world import World

__all__ = ["rounder"]

_ALLOWED = {0, 1, 5, 6, 10, 12, 15, 30, 60, 240}


def rounder(world: World, workspace_id: int, body: dict[str, Any]) -> Callable[[int], int]:
    """Return how one entry's seconds are rounded. `rounding` 0 turns it off; missing means the preference."""
    workspace = world.workspaces[workspace_id]
    asked = body.get("rounding")
    wanted = world.behaviour.default_rounding if asked is None else bool(asked)
    minutes = body.get("rounding_minutes")
    if minutes is None:
        minutes = workspace.rounding_minutes
    if minutes not in _ALLOWED:
        raise Refusal(400, "Invalid rounding_minutes")
    step = int(minutes) * 60
    if not wanted or step == 0:
        return lambda seconds: seconds
    if workspace.rounding > 0:
        return lambda seconds: -(-seconds // step) * step
    if workspace.rounding < 0:
        return lambda seconds: seconds // step * step
    return lambda seconds: (seconds + step // 2) // step * step
