"""Cells that are the darker the more they hold: which of a few shades a value has. Knows values, no colours."""

from __future__ import annotations

import math

__all__ = ["SHADES", "shade"]

SHADES = 8


def shade(value: float | None, most: float) -> int:
    """0 for nothing, up to `SHADES` for the largest; what is there at all is at least 1."""
    if value is None or not value > 0 or not most > 0:
        return 0
    return max(1, min(SHADES, math.ceil(SHADES * value / most)))
