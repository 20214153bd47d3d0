"""A client of the code's own on a real server, with a token that may use one bucket and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from influxdb import Server
from toggl_pulse.influx import Influx


@pytest.fixture
def influx(influxdb: Server, influxdb_bucket: str) -> Iterator[Influx]:
    """As the service has it: pauses between attempts need not pass."""
    client = Influx(
        influxdb.url, influxdb.service_token(influxdb_bucket), influxdb.org, influxdb_bucket, sleep=lambda _: None
    )
    yield client
    client.close()
