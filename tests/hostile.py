"""Names as an enemy, a careless colleague or a faraway language would choose them: seeded, so that they come again.

Each is given as it travels in Toggl's JSON and as it has to arrive: what no database and no UTF-8 can hold, NUL and
halves of surrogate pairs, arrives as the replacement character; everything else arrives as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

__all__ = ["LONGEST", "arrived", "hostile_names", "on_the_wire", "spoken"]

LONGEST = 3_000
HALF = "\ue000"
"""Stands before four hex digits of a half surrogate pair in the simulated account, which keeps its names as UTF-8."""

_HALF = re.compile(f"{HALF}([0-9A-F]{{4}})")

PLAIN = (
    "", " ", "\t", "\n", "\r\n", "\x00", "a\x00b", "true", "false", "null", "None", "NaN", "Infinity", "-0",
    "0", "1e309", "00123", "7412903000", "2026-11-01", "2026-11-01T00:00:00Z", "12:30", "$__all", "All",
    "(no project)", "(no client)", "(no task)", "(no tag)", "(no description)", "(other)", "(other) (a text)",
    "(unknown project 7)", "(a|b)", "a|b", r"a\.b", "a.b", ".*", "(", "[", "(?i)x", r"\pL", "$x", "${x}",
    "${__user.login}", "[[x]]", "{{x}}", "{% x %}", "%s", "%(x)s", "%n%n", r"\x00", r"\u0000", "\\", "\\\\",
    "'", '"', "`", "''", "a,b", "a;b", "a\tb", 'a"b', '""', "a\rb", "a\nb", "=1+1", "+1", "-1", "@SUM(A1)",
    "=cmd|' /C calc'!A0", "\t=1", "\r=1", "\n=1", " =1", "a;=1", "a\t=1", 'x";=1', "'=1", "\uff1d1",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&amp;", "]]>", "<!--",
    "'; DROP TABLE entries; --", "' OR 1=1 --", "a=b c,d", 'm,t=v f="x" 1', "# HELP x", 'x{y="z"} 1', "\x1b[2J",
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\x\x1b]8;;\x1b\\", "\x9b31m", "\x9d0;t\x9c",
    "\x07", "\x08\x08", "\x7f", "\x85", "\u2028", "\u2029", "\u202eevil", "\u2066x\u2069", "\u200b", "a\u200bb",
    "\u200d", "\ufeff", "\u00ad", "\u061c", "\u180e", "\u3164", "e\u0301", "\u00e9", "\u0130", "\u0131", "ß",
    "ﬁ", "Ⅷ", "א", "שלום", "مرحبا", "日本語", "👩‍👩‍👧‍👦", "🏴‍☠️", "🇩🇪", "🏳️‍🌈", "\U000e0041", "\ufffd", "\uffff",
    "\U0010ffff", HALF + "D800", "a" + HALF + "DFFFb", HALF + "DC00" + HALF + "D800", "[bold]x[/bold]", "[/]",
    "[red", ":smile:", "../../etc/passwd", "C:\\x", "file:///x", "javascript:alert(1)", "http://x", "--help",
    "-rf", "a" * LONGEST, "e" + "\u0301" * 500, "=" * LONGEST, "\u202e" * 100, "x (shared)", "x (deleted)",
    "x (12)",
)  # fmt: skip

_RANGES = (
    (0x00, 0x20), (0x20, 0x7F), (0x7F, 0xA0), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x700),
    (0x200B, 0x2070), (0x2028, 0x202F), (0xFF00, 0xFFF0), (0x1F300, 0x1FAFF), (0xE0000, 0xE0080), (0x4E00, 0x9FFF),
)  # fmt: skip


def hostile_names(count: int, seed: int) -> list[str]:
    """`count` names that differ once they have arrived."""
    random = Random(seed)  # noqa: S311 (the same again)
    found: dict[str, str] = {}
    for name in _all(random):
        found.setdefault(arrived(name), name)
        if len(found) == count:
            break
    return list(found.values())


def _all(random: Random) -> Iterator[str]:
    yield from PLAIN
    while True:
        yield random.choice(_MAKERS)(random)


def _mixed(random: Random) -> str:
    ranges = random.sample(_RANGES, random.randint(1, 4))
    return "".join(chr(random.randrange(*random.choice(ranges))) for _ in range(random.randint(1, 40)))


def _joined(random: Random) -> str:
    return random.choice(("", " ", ",", ";", "|", "\n", "\t", "\u200b")).join(random.sample(PLAIN, 2))[:LONGEST]


def _marked(random: Random) -> str:
    mark = random.choice(("\u200b", "\u202e", "\u200d", "\x00", "\x1b[1m", "\u0301", " ", "\ufeff", HALF + "D83D"))
    word = random.choice(PLAIN) or "x"
    place = random.randrange(len(word) + 1)
    return (word[:place] + mark + word[place:])[:LONGEST] if HALF not in word else word + mark


def _numbered(random: Random) -> str:
    return random.choice(("=", "+", "-", "@", "0", "1e", "$", "%", "#", "\\")) + str(random.randrange(10**9))


def _flood(random: Random) -> str:
    return "o" + "".join(chr(random.randrange(0x300, 0x370)) for _ in range(random.randint(50, 900)))


_MAKERS: tuple[Callable[[Random], str], ...] = (_mixed, _mixed, _joined, _marked, _numbered, _flood)


def arrived(name: str) -> str:
    """The name as it has to stand in the mirror."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", spoken(name)).replace("\0", "\N{REPLACEMENT CHARACTER}")


def spoken(name: str) -> str:
    """The name with two halves that make a whole pair joined, as any reader of JSON does."""

    def whole(match: re.Match[str]) -> str:
        high, low = int(match[1], 16), int(match[2], 16)
        return chr(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)

    return re.sub(f"{HALF}(D[89AB]..){HALF}(D[C-F]..)", whole, name)


def on_the_wire(body: bytes) -> bytes:
    """The simulated account's JSON with the marked halves as Toggl would write them: escapes."""
    return re.sub(HALF.encode() + rb"([0-9A-F]{4})", rb"\\u\1", body)
