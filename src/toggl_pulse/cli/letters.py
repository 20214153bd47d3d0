"""Text that cannot steer a terminal, whatever a name holds; as quick to import as `--version` needs it."""

from __future__ import annotations

import unicodedata

__all__ = ["escaped_json", "printable"]

# joiners hold emoji and some scripts together, and do nothing else
_HARMLESS = "\u200c\u200d"


def printable(text: str) -> str:
    """The text with control and direction characters escaped, so that a name cannot steer the terminal."""
    return "".join(c if _shows(c) else c.encode("unicode_escape").decode() for c in text)


def _shows(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs" or character in _HARMLESS


def escaped_json(text: str) -> str:
    """The same JSON, with escapes for what could steer the terminal."""
    return "".join(c if c == "\n" or _shows(c) else _utf16_escapes(c) for c in text)


def _utf16_escapes(character: str) -> str:
    packed = character.encode("utf-16-be")
    return "".join(f"\\u{packed[at : at + 2].hex()}" for at in range(0, len(packed), 2))
