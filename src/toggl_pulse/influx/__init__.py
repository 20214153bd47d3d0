"""InfluxDB: a client that carries bytes. It knows neither the mirror nor any setting."""

from toggl_pulse.influx.client import Bucket, Influx
from toggl_pulse.influx.troubles import Refused, Unanswered

__all__ = ["Bucket", "Influx", "Refused", "Unanswered"]
