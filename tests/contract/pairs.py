"""A mirror and an entry source that is to say the same: the mirror itself, or InfluxDB filled from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from mirror.rows import clock
from toggl_pulse.influx import Influx, InfluxSource
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import EntrySource
from toggl_pulse.sync import Projector

__all__ = ["FreshPair", "Pair", "fresh_pair"]


@dataclass(frozen=True)
class Pair:
    mirror: Mirror
    source: EntrySource
    settle: Callable[[], object]
    """Brings the source to the mirror's revision."""


FreshPair = Callable[[], AbstractContextManager[Pair]]


@contextmanager
def fresh_pair(influx: Influx | None) -> Iterator[Pair]:
    """An empty mirror, and a source over it: InfluxDB, in the bucket that is given, or else itself."""
    with TemporaryDirectory() as folder, Mirror.open(f"sqlite:///{folder}/mirror.db", clock=clock) as mirror:
        if influx is None:
            yield Pair(mirror, mirror, lambda: None)
        else:
            projector = Projector(mirror, influx, clock=clock)
            projector.project()  # a new mirror empties the bucket of what another one wrote there
            yield Pair(mirror, InfluxSource(influx, mirror.points), projector.project)
