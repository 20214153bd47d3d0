"""One batch of points between here and InfluxDB, while the next is made ready."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from toggl_pulse.influx import Influx, Unanswered
from toggl_pulse.model import Point

__all__ = ["Way"]


class Way:
    """At most one batch between here and InfluxDB, as its points were when changes up to `intended` were laid down."""

    def __init__(self, pool: ThreadPoolExecutor, influx: Influx) -> None:
        self._pool = pool
        self._influx = influx
        self._sent: Future[None] | None = None
        self.points: list[Point] = []
        self.intended = 0
        self.total = 0
        """Points written when all are that were pending."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, failure: BaseException | None, _traceback: object) -> None:
        """Whatever else ends the work: that a batch was never answered must not get lost."""
        if isinstance(failure, Exception) and self._sent is not None:
            unanswered = self._sent.exception()
            if isinstance(unanswered, Unanswered):
                raise unanswered

    def send(self, points: list[Point], intended: int, body: bytes) -> None:
        self.points, self.intended = points, intended
        self._sent = self._pool.submit(self._influx.write, body)

    def arrived(self) -> None:
        """Raises what sending it has raised."""
        sent, self._sent, self.points = self._sent, None, []
        if sent is not None:
            sent.result()
