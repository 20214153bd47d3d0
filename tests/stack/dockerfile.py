"""A Dockerfile as its stages and steps; enough of the format for ours, and strict about the rest."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

__all__ = ["Stage", "Step", "allowed", "stages"]

KNOWN = {"FROM", "ENV", "WORKDIR", "RUN", "COPY", "USER", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


class Step(NamedTuple):
    word: str
    rest: str

    def variables(self) -> dict[str, str]:
        """Of an ENV."""
        return dict(pair.split("=", 1) for pair in shlex.split(self.rest))

    def words(self) -> list[str]:
        """Of a COPY, an ENTRYPOINT or a CMD."""
        return list(json.loads(self.rest)) if self.rest.startswith("[") else shlex.split(self.rest)


class Stage(NamedTuple):
    image: str
    name: str
    steps: list[Step]

    def all(self, word: str) -> list[Step]:
        return [step for step in self.steps if step.word == word]


def stages(path: Path) -> list[Stage]:
    found: list[Stage] = []
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        word, rest = line.split(maxsplit=1)
        assert word in KNOWN, line
        if word == "FROM":
            named = re.fullmatch(r"(\S+)(?: AS (\S+))?", rest)
            assert named is not None
            found.append(Stage(named[1], named[2] or "", []))
        else:
            found[-1].steps.append(Step(word, rest))
    return found


def allowed(ignore: Path) -> tuple[set[str], set[str]]:
    """What `.dockerignore` lets through at the top, and what it drops below that, wherever it is."""
    lines = [line for line in ignore.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    dropped = {line.removeprefix("**/") for line in lines if line.startswith("**/")}
    assert len(lines) == 1 + len(kept) + len(dropped)
    return kept, dropped
