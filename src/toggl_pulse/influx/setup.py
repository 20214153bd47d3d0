"""A server set up for Toggl Pulse: organisation, bucket, and tokens that may do no more than they must.

Every step looks first whether it has been taken, so that a set-up that was cut off is completed by the next one.
Token values are invented by InfluxDB. Where they are kept is for others to know.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.influx.client import INFLUX_ID, KEPT, Bucket, read_bucket
from toggl_pulse.influx.troubles import not_influxdb
from toggl_pulse.influx.wire import Request, Wire

__all__ = ["USER", "Administrator", "Place", "begin", "is_fresh", "knows_password", "sign_in"]

T = TypeVar("T")

USER = "admin"
"""InfluxDB's first user, whom nobody needs afterwards."""

PASSWORD_BYTES = range(8, 73)
SECONDS = 30.0
JSON = {"Content-Type": "application/json"}
ACTIONS: dict[str, tuple[Literal["read", "write"], ...]] = {"service": ("read", "write"), "grafana": ("read",)}
"""What each reader of the bucket may do with it, and with nothing else."""


class Place(NamedTuple):
    """The organisation's id and the bucket; `made`: it was not there, or not finished, before."""

    org_id: str
    bucket: Bucket
    made: bool


def _wire(url: str, token: str, *, attempts: int = 1) -> Wire:
    """Nothing is repeated: it may have been done, and the next run looks first."""
    return Wire(url, token, connect_seconds=3.0, attempts=attempts, sleep=time.sleep, jitter=random.random)


def is_fresh(url: str) -> bool:
    """Whether nobody has set this server up yet."""
    wire = _wire(url, "", attempts=3)
    try:
        return wire.json(Request("GET", "/api/v2/setup", {}), lambda answer: bool(answer["allowed"]))
    finally:
        wire.close()


def begin(url: str, *, password: str, org: str, bucket: str) -> str:
    """Set a fresh server up; returns the token that may do everything."""
    _check(password)
    body = {"username": USER, "password": password, "org": org, "bucket": bucket, "retentionPeriodSeconds": 0}
    wire = _wire(url, "")
    try:
        request = Request("POST", "/api/v2/setup", {}, body, JSON, seconds=SECONDS, changes=True)
        return wire.json(request, lambda answer: str(answer["auth"]["token"]))
    finally:
        wire.close()


def _check(password: str) -> None:
    if len(password.encode()) not in PASSWORD_BYTES:
        raise BadRequest("INFLUXDB_ADMIN_PASSWORD must have 8 to 72 characters.", code="bad_setting")


def knows_password(url: str, password: str) -> bool:
    """Whether this is the password of the first user."""
    wire = _wire(url, "")
    try:
        wire.done(Request("POST", "/api/v2/signout", {}, headers={**JSON, "Cookie": _session(wire, password)}))
    except NeedsUser as error:
        if error.code != "influxdb_admin":
            raise
        return False
    finally:
        wire.close()
    return True


def sign_in(url: str, password: str) -> str:
    """Another token that may do everything, for who has lost the first one and has the password."""
    wire = _wire(url, "")
    try:
        session = {**JSON, "Cookie": _session(wire, password)}
        whole = wire.json(Request("GET", "/api/v2/authorizations", {}, headers=session), _widest)
        body = {**whole, "description": "toggl-pulse: admin"}
        request = Request("POST", "/api/v2/authorizations", {}, body, session, seconds=SECONDS, changes=True)
        token = wire.json(request, lambda answer: str(answer["token"]))
        wire.done(Request("POST", "/api/v2/signout", {}, headers=session))
    finally:
        wire.close()
    return token


def _session(wire: Wire, password: str) -> str:
    login = base64.b64encode(f"{USER}:{password}".encode()).decode()
    request = Request("POST", "/api/v2/signin", {}, headers={**JSON, "Authorization": f"Basic {login}"})
    refused = False
    try:
        with wire.stream(request) as response:
            response.drain_conn()
            cookie = response.headers.get("Set-Cookie", "")
    except NeedsUser:
        refused = True
    if refused:
        raise NeedsUser(
            f"INFLUXDB_ADMIN_PASSWORD is not the password of InfluxDB's user {USER}.", code="influxdb_admin"
        )
    if not cookie:
        raise not_influxdb()
    return cookie.partition(";")[0]


def _widest(answer: Any) -> dict[str, Any]:
    """Organisation and rights of the token with the most of them, which is the one of the set-up."""
    found = max(answer["authorizations"], key=lambda row: len(row["permissions"]))
    return {"orgID": found["orgID"], "permissions": found["permissions"]}


class Administrator:
    """What may be done with the token that may do everything."""

    def __init__(self, url: str, token: str) -> None:
        self._wire = _wire(url, token)

    def close(self) -> None:
        self._wire.close()

    def place(self, org: str, bucket: str, *, begun: bool) -> Place:
        """The organisation and the bucket, made if there are none; a bucket that is there stays as it is.

        `begun`: it is the one that `begin` has made, which InfluxDB gives shard groups of a week until it is told.
        """
        org_id = self._org_id(org) or self._post("/api/v2/orgs", {"name": org}, lambda row: str(row["id"]))
        found = self._find(
            "/api/v2/buckets",
            {"orgID": org_id, "name": bucket},
            "influxdb_bucket",
            lambda answer: [read_bucket(row) for row in answer["buckets"]],
        )
        if not found:
            body = {"orgID": org_id, "name": bucket, "retentionRules": [KEPT]}
            return Place(org_id, self._post("/api/v2/buckets", body, read_bucket), made=True)
        there = found[0]
        if not begun or there.retention_seconds or not there.shards_are_short:
            return Place(org_id, there, made=False)
        path = f"/api/v2/buckets/{there.id}"
        request = Request("PATCH", path, {}, {"retentionRules": [KEPT]}, JSON, SECONDS, changes=True)
        return Place(org_id, self._wire.json(request, read_bucket), made=True)

    def token(self, reader: str, place: Place) -> str:
        """The token of one of `ACTIONS`; one that was made and got lost is given again where InfluxDB still tells."""
        description = f"toggl-pulse: {reader}"
        permissions = [
            {"action": action, "resource": {"type": "buckets", "id": place.bucket.id, "orgID": place.org_id}}
            for action in ACTIONS[reader]
        ]

        def read(answer: Any) -> list[str]:
            return [
                str(row["token"])
                for row in answer["authorizations"]
                if row["description"] == description and row["status"] == "active" and row.get("token")
                if _same_rights(row["permissions"], permissions)
            ]

        known = self._wire.json(Request("GET", "/api/v2/authorizations", {"orgID": place.org_id}), read)
        if known:
            return known[0]
        body = {"orgID": place.org_id, "description": description, "permissions": permissions}
        return self._post("/api/v2/authorizations", body, lambda row: str(row["token"]))

    def set_password(self, password: str) -> bool:
        """Give the first user this password; False where there is no such user, on a server that others set up."""
        _check(password)
        users = self._wire.json(
            Request("GET", "/api/v2/users", {"name": USER}),
            lambda answer: [str(row["id"]) for row in answer["users"] if row["name"] == USER],
        )
        for number in users:
            body = {"password": password}
            self._wire.done(
                Request("POST", f"/api/v2/users/{number}/password", {}, body, JSON, seconds=SECONDS, changes=True)
            )
        return bool(users)

    def revoke(self, reader: str) -> None:
        """Make every token of one of `ACTIONS` worthless that was made here, whichever bucket it is for."""
        self._revoke(lambda row: bool(row["description"] == f"toggl-pulse: {reader}"))

    def revoke_token(self, token: str) -> None:
        """Make this one token worthless."""
        self._revoke(lambda row: row.get("token") == token)

    def _revoke(self, wanted: Callable[[Any], bool]) -> None:
        known = self._wire.json(
            Request("GET", "/api/v2/authorizations", {}),
            lambda answer: [str(row["id"]) for row in answer["authorizations"] if wanted(row)],
        )
        for number in known:
            self._wire.done(Request("DELETE", f"/api/v2/authorizations/{number}", {}, changes=True))

    def _org_id(self, org: str) -> str | None:
        params = {"orgID" if INFLUX_ID.fullmatch(org) else "org": org}
        found = self._find(
            "/api/v2/orgs", params, "influxdb_org", lambda answer: [str(row["id"]) for row in answer["orgs"]]
        )
        return found[0] if found else None

    def _find(self, path: str, params: Mapping[str, str], missing: str, read: Callable[[Any], list[T]]) -> list[T]:
        """A list, or nothing where InfluxDB says that there is none."""
        try:
            return self._wire.json(Request("GET", path, params), read)
        except NeedsUser as error:
            if error.code != missing:
                raise
        return []

    def _post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], T]) -> T:
        return self._wire.json(Request("POST", path, {}, body, JSON, seconds=SECONDS, changes=True), read)


def _same_rights(some: Any, others: Any) -> bool:
    def told(permissions: Any) -> set[tuple[str, str, str | None]]:
        return {(each["action"], each["resource"]["type"], each["resource"].get("id")) for each in permissions}

    return told(some) == told(others)
