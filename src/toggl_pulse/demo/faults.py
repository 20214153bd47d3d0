"""Faults that the simulated Toggl plays on demand: which request they meet, and what happens to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["KINDS", "Fault", "Kind", "next_fault"]

Kind = Literal[
    "429", "500", "502", "503", "504",   # trouble that passes
    "401", "403", "404", "410", "400",   # a refusal, though nothing is wrong
    "405", "408", "413", "418",          # … that nobody expects
    "199", "299",                        # the right answer under a status that is no answer's
    "redirect",                          # to another host
    "quota402", "plan402", "bare402",    # the two meanings of 402, and a 402 without a word
    "slow",                              # the right answer, after `seconds`
    "cut",                               # the connection breaks before the answer
    "cut_body",                          # … and in its middle
    "stall",                             # … after `seconds` in its middle
    "wrong_length",                      # … after all of it, though more was promised
    "empty",                             # 200 without a body
    "html",                              # 200 with a proxy's page
    "non_json",                          # 200 with half a JSON text
    "null",                              # 200 with null
    "empty_list",                        # 200 with []
    "object", "text", "number",          # 200 with {}, "text", 7
    "swapped",                           # a list where an object belongs, and the other way
    "other_account",                     # the right answer for somebody else
    "no_quota", "odd_quota",             # the right answer without quota headers, and with garbage in them
    "gzip_garbage",                      # 200, packed wrongly
    "gzip_bomb",                         # 200 with `size` bytes, packed
    "broken_row",                        # the right answer, its first row without an id
    "huge",                              # 200 with `size` bytes
    "lost",                              # the request counts, and the answer never comes: like cut, after the work
]  # fmt: skip

KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(slots=True)
class Fault:
    """Meets requests whose `METHOD /path?query` matches `match`: lets `skip` of them pass, then plays `times` times.

    `times=None` plays for ever. `retry_after` overrides what the behaviour says about that header.
    """

    kind: str
    match: str = ""
    skip: int = 0
    times: int | None = 1
    seconds: float = 30.0
    size: int = 200 * 1024 * 1024
    retry_after: int | str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; known are {', '.join(KINDS)}")

    def meets(self, line: str) -> bool:
        return re.search(self.match, line) is not None


def next_fault(faults: list[Fault], line: str) -> Fault | None:
    """Take the first fault that this request meets, counting its skips and times down and dropping spent ones."""
    for fault in faults:
        if not fault.meets(line):
            continue
        if fault.skip > 0:
            fault.skip -= 1
            continue
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                faults.remove(fault)
        return fault
    return None
