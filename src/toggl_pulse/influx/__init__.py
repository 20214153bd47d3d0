"""InfluxDB: a client that carries bytes, what an entry is there, and entries read back; knows no mirror."""

from toggl_pulse.influx.client import YEAR_SECONDS, Bucket, Influx
from toggl_pulse.influx.points import (
    MEASUREMENT,
    SYNC_MEASUREMENT,
    encode,
    encode_runs,
    join_tags,
    predicate_of,
    read_text,
    split_tags,
)
from toggl_pulse.influx.readback import Content, read_back, told
from toggl_pulse.influx.source import InfluxSource, Ledger
from toggl_pulse.influx.troubles import Refused, Unanswered

__all__ = [
    "MEASUREMENT",
    "SYNC_MEASUREMENT",
    "YEAR_SECONDS",
    "Bucket",
    "Content",
    "Influx",
    "InfluxSource",
    "Ledger",
    "Refused",
    "Unanswered",
    "encode",
    "encode_runs",
    "join_tags",
    "predicate_of",
    "read_back",
    "read_text",
    "split_tags",
    "told",
]
