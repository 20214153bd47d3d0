"""Values as words for a page, in plain English; the page's script says them again in the browser's own locale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from markupsafe import Markup

__all__ = ["day", "in_page", "iso", "local", "month", "shortened", "shown", "step", "told"]

NONE = "–"
MINUS = "\N{MINUS SIGN}"
LONGEST = 160
_MINUTE = 60


def shown(value: float | None, unit: str) -> str:
    """Hours as 12:30, times of the clock as 09:30, shares as 45 %, everything else as a whole number."""
    if value is None or math.isnan(value):
        return NONE
    return _FORMS.get(unit, "{:,.0f}".format)(value)


def _hours(value: float) -> str:
    minutes = round(abs(value) * 60)
    return f"{MINUS if value < 0 and minutes else ''}{minutes // 60:,}:{minutes % 60:02d}"


def _clock(value: float) -> str:
    minutes = round(value * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _seconds(value: float) -> str:
    return f"{value:,.1f} s" if abs(value) < _MINUTE and value % 1 else f"{value:,.0f} s"


_FORMS: Mapping[str, Callable[[float], str]] = {
    "hours": _hours,
    "clock": _clock,
    "seconds": _seconds,
    "share": lambda value: f"{value * 100:.0f} %",
    "change": lambda value: f"{value * 100:+.0f} %".replace("-", MINUS),
}


def shortened(text: str, most: int = LONGEST) -> str:
    """A text that fits into a line: a name may have thousands of characters, and no page needs them."""
    return text if len(text) <= most else text[: most - 1] + "…"


def day(value: date | datetime) -> str:
    return f"{value.day} {value:%b %Y}"


def iso(epoch_ms: int) -> str:
    """What a time element says to programs."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def local(epoch_ms: int, zone: ZoneInfo, form: str) -> str:
    """A moment as a local day or time, for browsers without a script."""
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone(zone)
    return {
        "time": f"{moment:%H:%M}",
        "weekday": f"{moment:%a} {day(moment)}",
        "dayname": f"{moment:%a}",
        "day": day(moment),
        "daymonth": f"{moment.day} {moment:%b}",
    }.get(form, f"{day(moment)}, {moment:%H:%M}")


def told(text: str, zone: ZoneInfo) -> str:
    """A moment that is told as text (`2026-11-03T08:00:00Z`), by the local clock."""
    return local(int(datetime.fromisoformat(text).timestamp()) * 1000, zone, "moment")


def month(text: str) -> str:
    """A month's short name, by any day of it."""
    return f"{date.fromisoformat(text):%b}"


def step(begin: str, interval: str) -> str:
    """A step by its local beginning (`2026-11-03T00:00`), as short as a column's head needs it."""
    moment = datetime.fromisoformat(begin)
    if interval == "hour":
        return f"{moment:%H:%M}"
    if interval == "year":
        return f"{moment.year}"
    return f"{moment:%b %y}" if interval in {"month", "quarter"} else f"{moment.day} {moment:%b}"


def in_page(value: Any) -> Markup:
    """JSON that can stand inside a script element of the page: nothing in it can end that element."""
    text = (value if isinstance(value, bytes) else orjson.dumps(value)).decode()
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 (what could end the element has just been replaced)
