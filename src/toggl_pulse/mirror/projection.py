"""What is remembered of the projection into InfluxDB as a whole, in one small value.

Knows no point and no request.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection

from toggl_pulse.mirror.journal import read_state, write_state

__all__ = ["Projection", "read_projection", "write_projection"]

KEY = "projection"


@dataclass(frozen=True, slots=True)
class Projection:
    """How far InfluxDB follows the mirror; times are microseconds since 1970.

    Every change up to `revision` stood there at `at_us` (both None: never yet). Changes up to `intended` are laid
    down as points that stand, are pending or are stale. `writing` is true from that moment until all of them are done,
    and `generation` grows with each change of `writing`. `emptying`: the bucket is to be emptied before anything is
    written, for `bucket` is not the one that was filled, or everything is to be written again. `runs` is the last sync
    run that was told. `sending`: requests may be on their way; who finds it so follows one that was cut off.
    `doubted`: since `doubted_us` a request may be done that nobody waits for any more, so that what stands must be
    read back, at once and again when it can be no longer.
    """

    revision: int | None = None
    at_us: int | None = None
    intended: int = 0
    writing: bool = False
    generation: int = 0
    emptying: bool = False
    bucket: str = ""
    runs: int = 0
    sending: bool = False
    doubted: bool = False
    doubted_us: int | None = None
    verified_us: int | None = None
    trouble: str = ""
    trouble_us: int | None = None


NAMES = {field.name for field in fields(Projection)}


def read_projection(connection: Connection) -> Projection:
    value = read_state(connection, KEY) or {}
    return Projection(**{name: each for name, each in value.items() if name in NAMES})


def write_projection(connection: Connection, projection: Projection) -> None:
    write_state(connection, KEY, asdict(projection))
