"""Many clients that look at dashboards, as a program of its own: keep-alive, gzip, Grafana's mix of requests.

Writes what it saw as JSON: latencies by route, everything that went wrong, its own processor time and delays (so
that its being the bottleneck would show), and for each question that adds up the revision and the sum answered.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

DAY_MS = 86_400_000
RANGES = (7, 30, 90, 365, 2000)
GROUPS = ("project", "client", "none", "billable", "description", "tag", "weekday")
ONE_SUM = {"none", "project", "client", "billable", "description"}  # an entry stands in one group of these
LONGEST = 60.0


@dataclass
class Seen:
    """What all clients saw together."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    sums: set[tuple[int, int, int, int]] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    bytes: int = 0
    late: float = 0.0


def panel(rng: Random, end_ms: int, zone: str) -> dict[str, Any]:
    """One panel's question: one to four targets over one range."""
    days = rng.choice(RANGES)
    targets = []
    for letter in "ABCD"[: rng.choice((1, 1, 2, 4))]:
        group = rng.choice(GROUPS)
        if group == "weekday":
            targets.append({"target": "weekday_hour_hours", "refId": letter, "payload": {"timezone": zone}})
            continue
        interval = rng.choice(("range", "month", "week") if days > 30 else ("range", "day", "auto"))
        limit = {"limit": 20} if group == "description" else {}
        payload = {"group_by": group, "interval": interval, "timezone": zone, **limit}
        targets.append({"target": "tracked_hours", "refId": letter, "payload": payload})
    return {
        "range": {"from": end_ms - days * DAY_MS, "to": end_ms},
        "targets": targets,
        "intervalMs": 3_600_000,
        "maxDataPoints": 1000,
    }


def refresh(rng: Random, number: int, end_ms: int) -> Iterator[tuple[str, str, Any]]:
    """What one look at a dashboard asks: (method, path, body)."""
    zone = rng.choice(("Europe/Berlin", "America/New_York", "UTC"))
    yield "POST", "/variable", {"payload": {"target": "project"}}
    yield "POST", "/variable", {"payload": {"target": "client"}}
    for _ in range(12):
        yield "POST", "/query", panel(rng, end_ms, zone)
    yield "POST", "/annotations", {"range": {"from": end_ms - 30 * DAY_MS, "to": end_ms}}
    yield "GET", "/status", None
    if number % 3 == 0:
        yield "POST", "/search", {"target": "hours"}
        yield "POST", "/tag-values", {"key": "project"}
        yield "GET", "/metrics", None
    if number % 10 == 0:
        yield "GET", f"/entries.csv?from={end_ms - 30 * DAY_MS}&to={end_ms}", None


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str, body: Any
) -> tuple[int, bytes, int]:
    """One request on a kept connection: status, body unpacked, bytes on the wire."""
    content = b"" if body is None else orjson.dumps(body)
    kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n{kind}\r\n".encode() + content
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if "content-length: " in head:
        data = await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
    else:
        pieces = []
        while size := int((await reader.readline()), 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
        data = b"".join(pieces)
    wire = len(data)
    return int(head.split()[1]), gzip.decompress(data) if "content-encoding: gzip" in head else data, wire


def note_sums(seen: Seen, asked: dict[str, Any], answer: Any) -> None:
    """Remember (revision, from, to, seconds) of every target whose groups add up to the whole."""
    by_ref: dict[str, list[Any]] = {}
    for one in answer:
        by_ref.setdefault(one["refId"], []).append(one)
    span = asked["range"]
    for target in asked["targets"]:
        series = by_ref.get(target["refId"], [])
        if target["payload"].get("group_by") in ONE_SUM and series:
            hours = sum(value or 0.0 for one in series for value, _ in one["datapoints"])
            revision = series[0]["meta"]["custom"]["revision"]
            seen.sums.add((revision, span["from"], span["to"], round(hours * 3600)))


async def client(seed: int, port: int, until: float, end_ms: int, thinking: float, seen: Seen) -> None:
    rng = Random(seed)  # noqa: S311 (repeatable, not secret)
    await asyncio.sleep(rng.random() * min(2.0, (until - time.monotonic()) / 3))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    number = rng.randrange(30)
    try:
        while time.monotonic() < until:
            number += 1
            for method, path, body in refresh(rng, number, end_ms):
                if time.monotonic() >= until:
                    break
                began = time.perf_counter()
                async with asyncio.timeout(LONGEST):
                    status, data, wire = await exchange(reader, writer, method, path, body)
                route = f"{method} {path.partition('?')[0]}"
                seen.seconds.setdefault(route, []).append(time.perf_counter() - began)
                seen.statuses[status] += 1
                seen.bytes += wire
                if not 200 <= status < 300:
                    seen.wrong[f"{route}: {status} {data[:200]!r}"] += 1
                elif path == "/query":
                    note_sums(seen, body, orjson.loads(data))
                # people look at what they have got, for as long as they do, however slowly it came
                looks = thinking * rng.uniform(0.5, 1.5)
                await asyncio.sleep(max(0.0, min(looks, until - time.monotonic())))
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        seen.wrong[f"{type(error).__name__}: {error}"] += 1
    finally:
        writer.close()


async def watch(seen: Seen) -> None:
    """How late this program itself is: its own delays stand in every latency that it reports."""
    while True:
        due = time.monotonic() + 0.05
        await asyncio.sleep(0.05)
        seen.late = max(seen.late, time.monotonic() - due)


async def load(port: int, clients: int, seconds: float, end_ms: int, thinking: float, seed: int) -> Seen:
    seen = Seen()
    until = time.monotonic() + seconds
    watching = asyncio.create_task(watch(seen))
    await asyncio.gather(*(client(seed + number, port, until, end_ms, thinking, seen) for number in range(clients)))
    watching.cancel()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser()
    numbers = {"port": int, "clients": int, "seconds": float, "end-ms": int, "thinking": float, "seed": int}
    for name, kind in numbers.items():
        parser.add_argument(f"--{name}", type=kind, required=True)
    chosen = parser.parse_args()
    began = time.perf_counter()
    seen = asyncio.run(load(chosen.port, chosen.clients, chosen.seconds, chosen.end_ms, chosen.thinking, chosen.seed))
    took = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "seconds": seen.seconds,
            "wrong": seen.wrong,
            "statuses": seen.statuses,
            "sums": sorted(seen.sums),
            "bytes": seen.bytes,
            "took": took,
            "late": seen.late,
            "processor": used.ru_utime + used.ru_stime,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
