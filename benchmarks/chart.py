"""The rivals as bars on a logarithmic scale, in colours that can be read on white and on black."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measure import Ratio

__all__ = ["draw"]

GREY = "#7a828c"  # 3.9 : 1 on white, 4.7 : 1 on a dark page
COLOURS = ("#2f8f5b", "#4f83cc", "#c9952b", "#9a6bc4", "#8a8f98")
LINE = 40


def draw(ours: Sequence[Ratio], rivals: Sequence[Ratio], target: Path) -> None:
    """An SVG with its letters as text, the same bytes for the same figures; PNG by the target's name."""
    names = ["Toggl Pulse", *dict.fromkeys(each.who for each in rivals)]
    rows = {"Toggl Pulse": {each.question: each.ratio for each in ours}}
    for each in rivals:
        rows.setdefault(each.who, {})[each.question] = each.ratio
    mpl.rcParams.update({"svg.hashsalt": "toggl-pulse", "svg.fonttype": "none", "font.family": "sans-serif"})
    figure = Figure(figsize=(9, 1.2 * len(ours) + 1), layout="constrained")
    axes = figure.add_subplot()
    height = 0.84 / len(names)
    least = min(min(row.values()) for row in rows.values())
    left = 10 ** int(f"{least:e}".split("e")[1])
    for place, (name, colour) in enumerate(zip(names, COLOURS, strict=True)):
        values = [rows[name][each.question] for each in ours]
        at = [row + (place - (len(names) - 1) / 2) * height for row in range(len(ours))]
        bars = axes.barh(at, [value - left for value in values], height * 0.9, left=left, color=colour, label=name)
        weight = "bold" if place == 0 else "normal"
        labels = [f"{value:,.0f}" if value >= 10 else f"{value:.1f}" for value in values]
        axes.bar_label(bars, labels, padding=3, fontsize=8, color=GREY, fontweight=weight)
    axes.set_xscale("log")
    axes.set_xlim(left, max(max(row.values()) for row in rows.values()) * 2)
    axes.set_yticks(range(len(ours)), [_lines(each.question) for each in ours])
    axes.invert_yaxis()
    axes.set_xlabel("times F, the mere sum of the columns (logarithmic; shorter is better)", color=GREY)
    axes.tick_params(colors=GREY, labelcolor=GREY)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"bottom", "left"})
        spine.set_color(GREY)
    figure.legend(loc="outside upper center", ncols=len(names), frameon=False, labelcolor=GREY)
    metadata = {"Date": None} if target.suffix == ".svg" else {}
    figure.savefig(target, transparent=True, metadata=metadata, dpi=110)


def _lines(question: str) -> str:
    lines = [""]
    for word in question.split():
        if len(lines[-1]) + len(word) > LINE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
