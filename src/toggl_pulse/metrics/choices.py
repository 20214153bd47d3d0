"""What can be chosen: the values of each word of a question, for whoever offers a choice.

Pure, but for the names of things, which it asks of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics.catalogue import METRICS
from toggl_pulse.metrics.elapsed import PERIODS
from toggl_pulse.metrics.engine import Answers
from toggl_pulse.metrics.query import ATTRIBUTIONS, DIMENSIONS, INTERVAL_NAMES, MATRIX, ONLY, SORTS, zone_names

__all__ = ["FORMATS", "FRAME", "choices", "text_and_value", "word_choices"]

FRAME = "frame"
FORMATS = ("time_series", "table", MATRIX, FRAME)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

Choice = tuple[str, str]
"""Value and label."""


def choices(name: str, answers: Answers, default_zone: Callable[[], ZoneInfo]) -> list[Choice]:
    """What a payload field, a dashboard variable or an ad-hoc filter can be; names come with ids as their values.

    An id stays when a project is renamed, and tells two projects of one name apart.
    """
    if name in DIMENSIONS:
        return [text_and_value(key, label) for key, label in answers.values(name)]
    if name == "timezone":
        first = dict.fromkeys((default_zone().key, "UTC"))
        return [(zone, zone) for zone in (*first, *sorted(zone_names() - first.keys()))]
    found = word_choices().get(name)
    if found is None:
        names = ", ".join((*DIMENSIONS, "timezone", *word_choices()))
        raise BadRequest(f"There are no choices for “{name[:60]}”: use one of {names}.", code="unknown_filter")
    return found


def word_choices() -> Mapping[str, list[Choice]]:
    return {
        "group_by": [(word, word) for word in ("none", *DIMENSIONS)],
        "interval": [(word, word) for word in INTERVAL_NAMES],
        "attribution": [(word, word) for word in ATTRIBUTIONS],
        "format": [(word, word.replace("_", " ")) for word in FORMATS],
        "sort": [(word, word) for word in SORTS],
        "only": [(word, word.replace("_", " ")) for word in ONLY],
        "periods": [(name, period.title) for name, period in PERIODS.items()],
        "week_start": [(str(number), day) for number, day in enumerate(_WEEKDAYS)],
        "metric": [(metric.slug, metric.title) for metric in METRICS.values()],
    }


def text_and_value(key: object, label: str) -> Choice:
    """The value that means this group in a filter: its id; its label where it has none."""
    if isinstance(key, bool):
        return str(key).lower(), label
    return (str(key) if isinstance(key, int) else label), label
