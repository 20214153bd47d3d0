"""The figures for Prometheus: read from the mirror when asked for, and counted here as requests come.

Names carry no client, project or person.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toggl_pulse.api.lag import LoopLag
from toggl_pulse.api.paths import route_path
from toggl_pulse.mirror import MonthState
from toggl_pulse.service.ports import Pulse

__all__ = ["CONTENT_TYPE", "CountRequests", "Traffic", "exposition"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Traffic:
    """Counts of this process, one registry an application, so that two in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter(
            "toggl_pulse_http_requests", "Answered requests.", ("route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "toggl_pulse_http_request_seconds",
            "Time to the end of the answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.loop_lag = Histogram(
            "toggl_pulse_loop_lag_seconds",
            "How late the event loop came to what was due.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.lag = LoopLag(self.loop_lag.observe, clock=time.monotonic)
        longest = Gauge(
            "toggl_pulse_loop_lag_max_seconds", "The longest such delay of the last minute.", registry=self.registry
        )
        longest.set_function(self.lag.most)
        ProcessCollector(registry=self.registry)


class CountRequests:
    """Counts requests by route and status; addresses that are no route are one, or a guesser could fill memory."""

    def __init__(self, app: ASGIApp, traffic: Traffic, routes: Iterable[str]) -> None:
        self.app = app
        self.traffic = traffic
        self.routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0
        began = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            path = route_path(scope)
            route = path if path in self.routes else "other"
            self.traffic.requests.labels(route, str(status or "gone")).inc()
            self.traffic.seconds.labels(route).observe(time.perf_counter() - began)


class _State(Collector):
    """The mirror's figures as of now."""

    def __init__(self, pulse: Pulse) -> None:
        self.pulse = pulse

    def collect(self) -> Iterator[Metric]:
        pulse = self.pulse
        counts = pulse.mirror.counts()
        yield GaugeMetricFamily("toggl_pulse_up", "1 while this answers.", 1)
        yield GaugeMetricFamily("toggl_pulse_entries", "Time entries in the mirror.", counts.entries)
        yield GaugeMetricFamily("toggl_pulse_entries_running", "Entries that still run.", counts.running)
        yield GaugeMetricFamily("toggl_pulse_entries_deleted", "Entries kept as deleted.", counts.deleted)
        yield GaugeMetricFamily("toggl_pulse_rows_set_aside", "Rows that could not be read.", counts.set_aside)
        yield CounterMetricFamily("toggl_pulse_revision", "Committed changes so far.", pulse.mirror.revision())
        contact = pulse.contact()
        if contact.last is not None:
            yield GaugeMetricFamily(
                "toggl_pulse_last_contact_timestamp_seconds", "When Toggl was last reached.", contact.last.timestamp()
            )
        now = pulse.clock()
        quota = GaugeMetricFamily(
            "toggl_pulse_quota_remaining", "Requests left in Toggl's window, as last seen.", labels=["bucket"]
        )
        for bucket in pulse.mirror.load_quota():
            if bucket.resets_at > now:
                quota.add_metric([bucket.name], bucket.remaining)
        yield quota
        for run in pulse.mirror.runs(1):
            outcome = GaugeMetricFamily("toggl_pulse_last_sync", "1 for the last run's outcome.", labels=["outcome"])
            outcome.add_metric([run.outcome], 1)
            yield outcome
            yield GaugeMetricFamily(
                "toggl_pulse_last_sync_requests", "Requests that the last run has spent.", run.requests
            )
        projected = pulse.mirror.points.projected()
        if projected.revision is not None:
            yield GaugeMetricFamily(
                "toggl_pulse_projected_revision", "The revision that InfluxDB is at.", projected.revision
            )
        months = GaugeMetricFamily(
            "toggl_pulse_months", "Months by how they compare with Toggl's own totals.", labels=["state"]
        )
        states = [month.state for month in pulse.mirror.months()]
        for state in get_args(MonthState):
            months.add_metric([state], states.count(state))
        yield months


def exposition(pulse: Pulse, traffic: Traffic) -> bytes:
    """Blocks: reads the mirror."""
    registry = CollectorRegistry()
    registry.register(_State(pulse))
    return generate_latest(registry) + generate_latest(traffic.registry)
