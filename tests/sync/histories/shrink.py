"""Makes a failing history as small as it gets: fewer steps, plainer values, fewer oddities of Toggl."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sync.histories.steps import CHOICES, History, Step

__all__ = ["shrink"]


def shrink(history: History, fails: Callable[[History], bool], *, most: int = 600) -> History:
    """The smallest history found by `most` tries that still fails."""
    left = most
    smaller = True
    while smaller and left:
        smaller = False
        for candidate in _simpler(history):
            left -= 1
            if fails(candidate):
                history, smaller = candidate, True
                break
            if not left:
                break
    return history


def _simpler(history: History) -> Iterator[History]:
    steps = history.steps
    size = len(steps) // 2
    while size:
        for first in range(0, len(steps), size):
            yield History(history.options, steps[:first] + steps[first + size :])
        size //= 2
    for name in history.options:
        yield History({n: value for n, value in history.options.items() if n != name}, steps)
    for place, step in enumerate(steps):
        for plainer in _plainer(step):
            yield History(history.options, (*steps[:place], plainer, *steps[place + 1 :]))


def _plainer(step: Step) -> Iterator[Step]:
    if step[0] == "during":
        yield step[2]
        for inner in _plainer(step[2]):
            yield (*step[:2], inner)
    if step[0] in {"finish", "start_again"}:
        yield ("full",)
    if step[0] == "full":
        yield ("poll",)
    for place, choices in enumerate(CHOICES[step[0]], 1):
        for value in choices[: choices.index(step[place])] if step[place] in choices else ():
            yield (*step[:place], value, *step[place + 1 :])
