"""What a handler of the simulated Toggl gets and gives, and how times look on the wire; no rule lives here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from .world import World

__all__ = ["Call", "Refusal", "Reply", "at_text", "parse_moment", "reply_json", "time_text"]

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


@dataclass(slots=True)
class Reply:
    """An answer; `content_type` is JSON except where Toggl speaks plain text."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class Refusal(Exception):
    """An error answer; Toggl's error bodies are mostly bare JSON strings, sometimes plain text."""

    def __init__(
        self, status: int, sentence: str, *, plain: bool = False, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        body = sentence.encode() if plain else orjson.dumps(sentence)
        kind = "text/plain; charset=utf-8" if plain else "application/json"
        self.reply = Reply(status, body, dict(headers or {}), kind)


@dataclass(slots=True)
class Call:
    """One request, parsed; `ids` are the numbers in its path."""

    world: World
    path: str
    query: dict[str, str]
    body: Any
    ids: tuple[int, ...] = ()

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in {"true", "1"}

    def number(self, name: str, default: int) -> int:
        text = self.query.get(name)
        if text is None or text == "":
            return default
        try:
            return int(text)
        except ValueError:
            raise Refusal(400, f"Invalid {name}") from None

    def since(self) -> int | None:
        """`since` as epoch seconds."""
        return self.number("since", 0) if self.query.get("since") else None


def reply_json(value: Any, headers: dict[str, str] | None = None) -> Reply:
    return Reply(200, orjson.dumps(value), headers or {})


def time_text(seconds: int) -> str:
    """Whole seconds with +00:00, as lists show start and stop."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def at_text(micros: int, style: str = "seconds") -> str:
    """`fraction`: Z and up to six digits, trailing zeros trimmed; `seconds`: +00:00."""
    seconds, rest = divmod(micros, 1_000_000)
    text = time_text(seconds)
    if style == "seconds":
        return text
    digits = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{text[:19]}{digits}Z"


def parse_moment(text: str, zone: ZoneInfo) -> tuple[int, bool]:
    """Epoch seconds of a date (midnight in `zone`) or an RFC 3339 time with seconds, and whether it was a date."""
    if len(text) == len("2026-01-31"):
        day = date.fromisoformat(text)
        return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()), True
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    return int(datetime.fromisoformat(text).timestamp() // 1), False
