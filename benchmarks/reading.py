"""How quick is reading from InfluxDB: columns at a start, and a warm answer beside one from the mirror?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from benchmarks.measure import Ratio, measure
from benchmarks.questions import QUESTIONS
from benchmarks.stored import NOW
from toggl_pulse.influx import Influx, InfluxSource
from toggl_pulse.metrics import Answers, Contact
from toggl_pulse.mirror import Mirror

__all__ = ["reading"]


class Listening(Influx):
    """Keeps what was asked, so that the same can be asked again."""

    asked: list[tuple[str, dict[str, object]]]

    @contextmanager
    def query(self, flux: str, **values: object) -> Iterator[Iterator[bytes]]:
        self.asked.append((flux, values))
        with super().query(flux, **values) as pieces:  # type: ignore[arg-type]
            yield pieces


def reading(mirror: Mirror, made: Callable[[type[Listening]], Listening]) -> Iterator[Ratio]:
    """`made` makes a client of that kind for the bucket that holds the mirror's points."""
    influx = made(Listening)
    influx.asked = []
    InfluxSource(influx, mirror.points).load()
    asked = influx.asked[:]

    def download() -> None:
        for flux, values in asked:
            with influx.query(flux, **values) as pieces:
                for _ in pieces:
                    pass

    yield measure(
        "loading the columns from InfluxDB",
        2.0,
        lambda: InfluxSource(influx, mirror.points).load(),
        download,
        of="downloading the same answers",
    )
    answers, ours = (
        Answers(source, clock=lambda: NOW, contact=lambda: Contact(None, timedelta(0)))
        for source in (InfluxSource(influx, mirror.points), mirror)
    )
    question = QUESTIONS[0]
    for one, other in zip(*(each.answer(question.query).series for each in (answers, ours)), strict=True):
        assert (one.key, one.values.tolist()) == (other.key, other.values.tolist())
    yield measure(
        f"{question.text}, answers from InfluxDB, warm",
        1.2,
        lambda: answers.answer(question.query),
        lambda: ours.answer(question.query),
        of="the same from the mirror",
    )
    influx.close()
