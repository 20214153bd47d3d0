"""Writes `RESULTS.md`: goals beside results, a section for each size that was measured."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.measure import Ratio

__all__ = ["machine", "write"]

HERE = Path(__file__).parent
PAGE = HERE / "RESULTS.md"
CHART = HERE / "rivals.svg"
TITLES = {
    "questions": "Answers",
    "rivals": "The same questions, asked of others",
    "variety": "Out of the ordinary",
    "encoding": "Encoding",
    "whole_query": "Over HTTP",
    "memory": "Memory",
    "loading": "Loading",
    "process": "The whole process",
    "syncing": "Syncing",
    "projecting": "Writing to InfluxDB",
    "reading": "Answers from InfluxDB",
    "page": "The page",
}
HEAD = """# Results of the benchmarks

Written by `make bench-results`; `make bench` prints the same without writing.
Every figure is a ratio, and its floor was measured in the same run, in turns, best of several.
**F** is `np.sum` over the columns that a question needs, each a plain array of 64-bit whole numbers, warm.
The engine holds some of these columns in 32 bits; F does not depend on that.
Nothing of an answer is kept for the next one.
What is kept are the sorted columns, the numbering of names, and which rows run or have no length.
"""


def machine() -> dict[str, str]:
    """What the figures depend on; no name and no path of the machine."""
    return {
        "processor": _processor(),
        "cores": f"{os.cpu_count()} cores",
        "system": platform.system(),
        "Python": f"Python {platform.python_version()}",
        "NumPy": f"NumPy {np.__version__}",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def write(entries: int, found: Mapping[str, Sequence[Ratio]]) -> None:
    """Put a size's section in the place of its older one, and draw the chart where rivals took part."""
    sections = _sections(PAGE.read_text() if PAGE.exists() else "")
    sections[entries] = _section(entries, found)
    PAGE.write_text(HEAD + "".join(sections[size] for size in sorted(sections)))
    if rivals := found.get("rivals"):
        from benchmarks.chart import draw

        ours = {ratio.question: ratio for ratio in found["questions"]}
        draw([ours[question] for question in dict.fromkeys(each.question for each in rivals)], rivals, CHART)


def _sections(page: str) -> dict[int, str]:
    found = re.finditer(r"\n## ([0-9,]+) entries\n.*?(?=\n## |\Z)", page, re.DOTALL)
    return {int(each[1].replace(",", "")): each[0] for each in found}


def _section(entries: int, found: Mapping[str, Sequence[Ratio]]) -> str:
    lines = [f"\n## {entries:,} entries\n\n", f"{', '.join(machine().values())}.\n"]
    for name, ratios in found.items():
        lines.append(f"\n### {TITLES.get(name, name.replace('_', ' ').capitalize())}\n\n")
        lines += _against(ratios, found["questions"]) if name == "rivals" else _table(ratios)
    return "".join(lines)


def _table(ratios: Sequence[Ratio]) -> list[str]:
    lines = ["| question | result | goal | |\n", "|---|---:|---:|---|\n"]
    lines += [f"| {each.question} | {_result(each)} | {_goal(each)} | {_verdict(each)} |\n" for each in ratios]
    notes = [each for each in ratios if each.note and not each.reached]
    return lines + [f"\nMissed: {each.question}. {each.note}\n" for each in notes]


def _result(ratio: Ratio) -> str:
    return f"{_short(ratio.ratio)} × {ratio.of} ({ratio.amounts})"


def _goal(ratio: Ratio) -> str:
    return "" if ratio.goal is None else f"{'at least' if ratio.at_least else 'at most'} {ratio.goal:g}"


def _verdict(ratio: Ratio) -> str:
    return "" if ratio.goal is None else "reached" if ratio.reached else "**missed**"


def _against(rivals: Sequence[Ratio], ours: Sequence[Ratio]) -> list[str]:
    names = list(dict.fromkeys(each.who for each in rivals))
    own = {each.question: each for each in ours}
    by = {(each.question, each.who): each for each in rivals}
    lines = [
        (
            "In F; all answers are equal to the second. The others may use all cores, ours uses one. "
            f"{', '.join(_versions(names))}.\n\n"
        ),
        f"![Bars: the time of each question in F, on a logarithmic scale]({CHART.name})\n\n",
        f"| question | Toggl Pulse | {' | '.join(names)} |\n",
        f"|---|---:|{'---:|' * len(names)}\n",
    ]
    for question in dict.fromkeys(each.question for each in rivals):
        figures = [own[question], *(by[question, name] for name in names)]
        lines.append(f"| {question} | {' | '.join(_short(each.ratio) for each in figures)} |\n")
    return lines


def _versions(names: Sequence[str]) -> list[str]:
    import sqlite3
    from importlib.metadata import version

    return [f"{name} {sqlite3.sqlite_version if name == 'SQLite' else version(name.lower())}" for name in names]


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
