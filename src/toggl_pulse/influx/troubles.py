"""What goes wrong with InfluxDB, sorted by what to do next.

InfluxDB's own messages repeat what was sent, which is private, so nothing of them is ever part of an error here: they
are only looked at to tell cases apart.
"""

from __future__ import annotations

from typing import Literal

from toggl_pulse.errors import NeedsUser, PulseError, Unavailable

__all__ = [
    "INSIDE",
    "Kind",
    "Refused",
    "Unanswered",
    "broken_off",
    "failed_inside",
    "fault_of",
    "judge",
    "not_influxdb",
]

Kind = Literal["malformed", "conflict", "too_large"]
Fault = Literal["token", "rights", "org", "bucket", "unseen", "unmade"]

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_LARGE, UNPROCESSABLE = 400, 401, 403, 404, 413, 422
INSIDE = "X-Platform-Error-Code"
"""The header by which InfluxDB's own errors are told from those of whoever else answers at its address."""

KINDS: dict[int, Kind] = {BAD_REQUEST: "malformed", UNPROCESSABLE: "conflict", TOO_LARGE: "too_large"}
FAULTS: dict[Fault, tuple[str, str]] = {
    "token": ("influxdb_token", "InfluxDB does not accept the token in INFLUXDB_TOKEN."),
    "rights": (
        "influxdb_rights",
        "The token in INFLUXDB_TOKEN lacks a right: it must be able to read and write the bucket in INFLUXDB_BUCKET.",
    ),
    "org": ("influxdb_org", "InfluxDB has no organisation of the name in INFLUXDB_ORG."),
    "bucket": ("influxdb_bucket", "InfluxDB has no bucket of the name in INFLUXDB_BUCKET."),
    "unseen": ("influxdb_rights", "The token in INFLUXDB_TOKEN may not see the bucket in INFLUXDB_BUCKET."),
    "unmade": (
        "influxdb_bucket",
        "InfluxDB has no bucket of the name in INFLUXDB_BUCKET, and the token in INFLUXDB_TOKEN may not make it.",
    ),
}
"""What a person must set right: its code, and its sentence, which names the setting."""

STRANGER = "Something answers at INFLUXDB_URL that is not InfluxDB."
SENTENCES: dict[Kind, str] = {
    "malformed": "InfluxDB could not read what was sent to it.",
    "conflict": "InfluxDB could not store all of what was sent to it.",
    "too_large": "InfluxDB finds what was sent to it too large.",
}


class Refused(Unavailable):
    """InfluxDB will not take what was sent, and will not the next time either.

    `malformed` (400): nothing of it was stored, whatever else stood in the batch. `conflict` (422): some points were
    stored and some were not, and nobody knows which. `too_large` (413): nothing was stored; send less at a time.
    """

    def __init__(self, kind: Kind) -> None:
        super().__init__(SENTENCES[kind], code="influxdb_refused")
        self.kind: Kind = kind


class Unanswered(Unavailable):
    """A write or a delete was sent and no answer came: whether it was done is not known, and it may yet be done.

    `stranger`: an answer came, and not one of InfluxDB's.
    """

    def __init__(self, *, stranger: bool = False) -> None:
        sentence = "InfluxDB did not say whether it has done what it was asked; it is tried again."
        if stranger:
            super().__init__(STRANGER, code="not_influxdb")
        else:
            super().__init__(sentence, code="influxdb_unanswered")


def judge(status: int, *, inside: bool, message: str) -> PulseError:
    """The error for an answer that says no and that is not worth repeating; `inside`: InfluxDB itself gave it."""
    fault = _fault(status, message) if inside else None
    if fault is not None:
        return fault_of(fault)
    return Refused(KINDS[status]) if inside and status in KINDS else not_influxdb()


def fault_of(fault: Fault) -> NeedsUser:
    code, sentence = FAULTS[fault]
    return NeedsUser(sentence, code=code)


def not_influxdb() -> Unavailable:
    return Unavailable(STRANGER, code="not_influxdb")


def broken_off() -> Unavailable:
    return Unavailable("InfluxDB's answer broke off.", code="influxdb_cut")


def failed_inside() -> Unavailable:
    """For an error that stands in the middle of an answer that began well."""
    return Unavailable("InfluxDB met an error while it answered.", code="influxdb_query")


def _fault(status: int, message: str) -> Fault | None:
    if status == UNAUTHORIZED and not message.endswith(" is unauthorized"):
        return "token"
    if status in {UNAUTHORIZED, FORBIDDEN}:
        return "rights"
    # Only at the beginning, where InfluxDB's own words stand: further on there may be words of whoever tracks time.
    about = message.removeprefix("failed to decode request body: ")
    if status in {NOT_FOUND, BAD_REQUEST} and about.startswith("organization name "):
        return "org"
    return "bucket" if status == NOT_FOUND else None
