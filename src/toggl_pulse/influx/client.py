"""InfluxDB as Toggl Pulse uses it: one bucket that points are written to, deleted from and read back from.

Statements are constants of ours; whatever varies goes beside them as values, so that nothing anyone typed is ever
read as Flux, nor as a predicate. Knows neither the mirror nor what a point means.
"""

from __future__ import annotations

import random
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from toggl_pulse.errors import NeedsUser
from toggl_pulse.influx.troubles import Refused, fault_of
from toggl_pulse.influx.wire import GZIP, Request, Wire, pieces

__all__ = ["INFLUX_ID", "KEPT", "YEAR_SECONDS", "Bucket", "Influx", "Value", "read_bucket"]

T = TypeVar("T")

Value = str | int | bool | Sequence[str] | Sequence[int]

YEAR_SECONDS = 365 * 24 * 3600
"""Of a shard group: a delete walks every shard, and ten years in InfluxDB's usual weeks would be 520."""

KEPT = {"type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": YEAR_SECONDS}
"""The retention of a bucket that is made here: points stay for ever, in shard groups of a year."""

NANOSECONDS = 10**9
PREDICATE_KEY = re.compile(r"_measurement|[a-z_]+_id|billable")
PREDICATE_VALUE = re.compile(r"-?[0-9]+|true|false|toggl_time_entry|toggl_sync")
INFLUX_ID = re.compile(r"[0-9a-f]{16}")
NAME = re.compile(r"[a-z][a-z_]*")


class Bucket(NamedTuple):
    """`retention_seconds` 0: points are kept for ever. A bucket that was made anew has another id.

    `shard_seconds` is None where the server does not tell, as InfluxDB Cloud does not.
    """

    id: str
    retention_seconds: int
    shard_seconds: int | None

    @property
    def shards_are_short(self) -> bool:
        """Whether a delete in a long history has many shards to walk."""
        return self.shard_seconds is not None and self.shard_seconds < YEAR_SECONDS


class Influx:
    """One bucket of one organisation; may be used from several threads, though only one should write.

    Any call may raise `NeedsUser` that names the setting (`influxdb_token`, `influxdb_rights`, `influxdb_org`,
    `influxdb_bucket`), or `Unavailable`: `Refused` where the same would be refused again, `Unanswered` where a write
    or a delete may have been done, otherwise nothing was done.
    """

    def __init__(
        self,
        url: str,
        token: str,
        org: str,
        bucket: str,
        *,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[], float] = random.random,
        attempts: int = 3,
        connect_seconds: float = 3.0,
        read_seconds: float = 10.0,
        delete_seconds: float = 120.0,
        query_seconds: float = 60.0,
    ) -> None:
        self._org = org
        self._bucket = bucket
        # Packing takes InfluxDB several times as long as answering; an address without encryption is a near one.
        self._packing = "gzip" if url.startswith("https://") else "identity"
        self._read_seconds = read_seconds
        self._delete_seconds = delete_seconds
        self._query_seconds = query_seconds
        self._wire = Wire(url, token, connect_seconds=connect_seconds, attempts=attempts, sleep=sleep, jitter=jitter)

    def close(self) -> None:
        self._wire.close()

    @property
    def left_open(self) -> int:
        """How many writes and deletes broke off so far; a repetition that was answered says nothing of the first."""
        return self._wire.left_open

    # --- the bucket -------------------------------------------------------------------------------------------

    def bucket(self) -> Bucket:
        """The bucket as it is; the cheapest call that shows that address, token, organisation and bucket are right."""
        params = {**self._org_for_lists(), "name": self._bucket}
        found = self._get("/api/v2/buckets", params, lambda answer: [read_bucket(row) for row in answer["buckets"]])
        if not found:
            raise fault_of("unseen")
        return found[0]

    def prepare(self) -> Bucket:
        """The bucket, made if there is none and the token may: kept for ever, one year a shard group."""
        try:
            return self.bucket()
        except NeedsUser as error:
            if error.code != "influxdb_bucket":
                raise
        body = {"orgID": self._org_id(), "name": self._bucket, "retentionRules": [KEPT]}
        try:
            return self._post("/api/v2/buckets", body, read_bucket)
        except Refused:
            return self.bucket()  # somebody was quicker; or else this says what is wrong
        except NeedsUser as error:
            raise (fault_of("unmade") if error.code == "influxdb_rights" else error) from None

    # --- points -----------------------------------------------------------------------------------------------

    def write(self, body: bytes) -> None:
        """Write points in line protocol, times in nanoseconds. A point that is there already is overwritten."""
        if not body:
            return
        self._wire.done(
            Request(
                "POST",
                "/api/v2/write",
                {"org": self._org, "bucket": self._bucket, "precision": "ns"},
                zlib.compress(body, level=1, wbits=GZIP),
                {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"},
                seconds=self._read_seconds,
                changes=True,
            )
        )

    def delete(self, first_ns: int, last_ns: int, predicate: Mapping[str, str]) -> None:
        """Delete the points from the first time to the last, both included, whose tags are as the predicate says.

        It must name `_measurement`: an empty one deletes all that there is. Values are numbers, `true`, `false` or a
        measurement. That nothing was there to be deleted, InfluxDB does not tell.
        """
        if "_measurement" not in predicate or first_ns > last_ns:
            raise ValueError("a delete needs a measurement and a stretch of time")
        for key, value in predicate.items():
            if not (PREDICATE_KEY.fullmatch(key) and PREDICATE_VALUE.fullmatch(value)):
                raise ValueError("only names and values of our own may stand in a predicate")
        body = {
            "start": _rfc3339(first_ns),
            "stop": _rfc3339(last_ns),
            "predicate": " AND ".join(f'{key}="{value}"' for key, value in predicate.items()),
        }
        self._wire.done(
            Request(
                "POST",
                "/api/v2/delete",
                {"org": self._org, "bucket": self._bucket},
                body,
                {"Content-Type": "application/json"},
                seconds=self._delete_seconds,
                changes=True,
            )
        )

    # --- reading ----------------------------------------------------------------------------------------------

    @contextmanager
    def query(self, flux: str, **values: Value) -> Iterator[Iterator[bytes]]:
        """The answer as CSV in pieces: a header for each table, no annotations, lines ended by CR and LF.

        `flux` is a constant that uses `bucket` and the names of the values. An answer that breaks off raises
        `Unavailable`; an error that InfluxDB met on the way stands in the CSV as a last table `error,reference`.
        """
        body = {
            "type": "flux",
            "query": flux,
            "extern": _extern({"bucket": self._bucket, **values}),
            "dialect": {"header": True, "delimiter": ",", "annotations": []},
        }
        request = Request(
            "POST",
            "/api/v2/query",
            {"org": self._org},
            body,
            {"Content-Type": "application/json", "Accept": "application/csv", "Accept-Encoding": self._packing},
            seconds=self._query_seconds,
        )
        with self._wire.stream(request) as response:
            yield pieces(response)

    # --- asking -----------------------------------------------------------------------------------------------

    def _org_for_lists(self) -> dict[str, str]:
        """Writes and queries take an organisation's name or its id; lists want to know which it is."""
        return {"orgID" if INFLUX_ID.fullmatch(self._org) else "org": self._org}

    def _org_id(self) -> str:
        if INFLUX_ID.fullmatch(self._org):
            return self._org
        found = self._get("/api/v2/orgs", {"org": self._org}, lambda answer: [str(row["id"]) for row in answer["orgs"]])
        if not found:  # it is there, and the token may not see it
            raise fault_of("unmade")
        return found[0]

    def _get(self, path: str, params: Mapping[str, str], read: Callable[[Any], T]) -> T:
        return self._wire.json(Request("GET", path, params, seconds=self._read_seconds), read)

    def _post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], T]) -> T:
        headers = {"Content-Type": "application/json"}
        request = Request("POST", path, {}, body, headers, seconds=self._read_seconds, changes=True)
        return self._wire.json(request, read)


def read_bucket(row: Mapping[str, Any]) -> Bucket:
    """A bucket as a list of them, or an answer that one was made, tells it."""
    rules = row.get("retentionRules") or [{}]
    shard = rules[0].get("shardGroupDurationSeconds")
    return Bucket(str(row["id"]), int(rules[0].get("everySeconds") or 0), None if shard is None else int(shard))


def _rfc3339(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _extern(values: Mapping[str, Value]) -> dict[str, Any]:
    """A piece of Flux as a syntax tree in which each value stands as what it is: data that no parser reads."""
    for name in values:
        if not NAME.fullmatch(name):
            raise ValueError("a value's name has only small letters and underscores")
    return {
        "type": "File",
        "package": None,
        "imports": [],
        "body": [
            {
                "type": "OptionStatement",
                "assignment": {
                    "type": "VariableAssignment",
                    "id": {"type": "Identifier", "name": name},
                    "init": _literal(value),
                },
            }
            for name, value in values.items()
        ],
    }


def _literal(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "BooleanLiteral", "value": value}
    if isinstance(value, int):
        return {"type": "IntegerLiteral", "value": str(value)}
    if isinstance(value, str):
        return {"type": "StringLiteral", "value": value}
    return {"type": "ArrayExpression", "elements": [_literal(each) for each in value]}
