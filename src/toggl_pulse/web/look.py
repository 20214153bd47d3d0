"""One look at a view: everything that it may ask, as of one moment, and the words and colours that go with answers.

All its numbers come from the metrics. Blocks; lives in a worker thread for the time of one request.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from toggl_pulse.metrics import METRICS, Answer, Filter, Moment, Query, Table
from toggl_pulse.metrics.colours import Colours
from toggl_pulse.metrics.groups import Key
from toggl_pulse.metrics.period import beginning, span_of
from toggl_pulse.model import Catalogue
from toggl_pulse.service.ports import Pulse
from toggl_pulse.web.asked import Asked

__all__ = ["Look", "Number"]


@dataclass(frozen=True, slots=True)
class Number:
    """A metric's value with what it counts. None: there is nothing to count, which is not 0."""

    metric: str
    value: float | None
    unit: str
    title: str
    meaning: str


@dataclass
class Look:
    pulse: Pulse
    asked: Asked
    moment: Moment
    now: datetime
    check: Callable[[], None] = field(default=lambda: None, repr=False)
    _answers: dict[Query, Answer] = field(default_factory=dict, init=False, repr=False)

    # --- answers --------------------------------------------------------------------------------------------------

    def answer(
        self,
        metric: str,
        *,
        span: tuple[datetime, datetime] | None = None,
        filters: Mapping[str, Any] = {},
        adhoc: Iterable[Filter] = (),
        **payload: Any,
    ) -> Answer:
        """The metric's answer for what is asked, made once; `payload` as in `POST /query`."""
        query = self.asked.query(metric, span=span, filters=filters, adhoc=adhoc, **payload)
        found = self._answers.get(query)
        if found is None:
            found = self._answers[query] = self.moment.answer(query, check=self.check)
        return found

    def number(self, metric: str, *, span: tuple[datetime, datetime] | None = None, **payload: Any) -> Number:
        """The metric as one value of the whole range."""
        answer = self.answer(metric, span=span, interval="range", **payload)
        return Number(metric, _first(answer), answer.unit, METRICS[metric].title, METRICS[metric].meaning)

    @staticmethod
    def named(table: Table | None) -> list[dict[str, Any]]:
        """A table's rows by the names of its columns."""
        if table is None:
            return []
        names = [name for name, _ in table.columns]
        return [dict(zip(names, row, strict=True)) for row in table.rows]

    def rows(self, answer: Answer) -> list[dict[str, Any]]:
        return self.named(answer.table)

    @property
    def ever(self) -> tuple[datetime, datetime]:
        """Everything up to the end of today."""
        return span_of("all", self.asked.today, self.asked.zone, 1)[0], self.day(1)

    @cached_property
    def ticks(self) -> bool:
        """Whether a running entry counts on at this moment; Toggl was reached lately enough for that."""
        contact = self.pulse.contact()
        return contact.last is not None and self.now - contact.last <= contact.fresh_for

    @property
    def counts_until_ms(self) -> int:
        """Where a running entry stops counting, for one that does not count on."""
        return int(self.moment.counts_until.timestamp()) * 1000

    # --- words and colours ----------------------------------------------------------------------------------------

    @cached_property
    def catalogue(self) -> Catalogue:
        return self.pulse.answers.catalogue()

    @cached_property
    def status(self) -> Mapping[str, Any]:
        return self.pulse.status()

    def name_of(self, dimension: str, value: str) -> str:
        """The name that a filter's value means, where it is an id that is known; else the value."""
        if dimension == "billable":
            return {"true": "billable", "false": "not billable"}.get(value, value)
        rows: Mapping[int, Any] = getattr(self.catalogue, f"{dimension}s", {})
        found = rows.get(int(value)) if value.isascii() and value.isdigit() else None
        return value if found is None else str(found.name)

    def colour_of(self, dimension: str, key: Key) -> str | None:
        """Toggl's colour of it, or None: any will do."""
        return self._colours.of(dimension, key)

    def colour_by_label(self, label: str) -> str | None:
        """The colour of the project that a table names by this label."""
        return self._project_colours.get(label)

    @cached_property
    def _project_colours(self) -> dict[str, str | None]:
        return {label: self.colour_of("project", key) for key, label in self.pulse.answers.values("project")}

    @cached_property
    def _colours(self) -> Colours:
        return Colours(self.catalogue)

    def day(self, offset_days: int = 0) -> datetime:
        """Where a local day begins, counted from today."""
        return beginning(self.asked.today + timedelta(days=offset_days), self.asked.zone)


def _first(answer: Answer) -> float | None:
    """The only value of an answer; None where it has none."""
    if not answer.series:
        return None
    value = float(answer.series[0].values[0])
    return None if math.isnan(value) else value
