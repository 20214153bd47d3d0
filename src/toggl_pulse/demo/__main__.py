"""`python -m toggl_pulse.demo`: the simulated Toggl as a process of its own, on loopback only."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from .generate import large_world
from .host import loopback_socket, server_of
from .simulator import create_simulator
from .world import DEMO_TOKEN, Clock, World

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted; the first line printed is the address."""
    parser = argparse.ArgumentParser(prog="python -m toggl_pulse.demo", description="A simulated Toggl on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--token", default=DEMO_TOKEN, help="the API token that opens the account")
    parser.add_argument("--timezone", default="Europe/Berlin", help="the profile's time zone")
    parser.add_argument("--seed", type=int, default=2026, help="another seed is another account")
    parser.add_argument(
        "--plan", default="free", choices=["free", "starter", "premium"], help="plan of --empty, --years"
    )
    parser.add_argument("--now", type=datetime.fromisoformat, help="an RFC 3339 time at which the clock stands still")
    parser.add_argument("--control", action="store_true", help="serve /_control/, by which tests change the account")
    parser.add_argument("--empty", action="store_true", help="an account without entries instead of the seeded year")
    parser.add_argument("--years", type=float, help="a large account of so many years instead of the seeded one")
    parser.add_argument("--entries", type=int, default=40_000, help="how many entries --years has")
    chosen = parser.parse_args(arguments)
    world = _world(chosen)
    listener = loopback_socket(chosen.port)
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server_of(create_simulator(world, control=chosen.control), signals=True).run([listener])


def _world(chosen: argparse.Namespace) -> World:
    now = (chosen.now or _utc_now()).astimezone(UTC)
    if chosen.empty:
        world = World.empty(Clock(now), timezone=chosen.timezone, plan=chosen.plan, token=chosen.token)
    elif chosen.years:
        world = large_world(
            now,
            years=chosen.years,
            entries=chosen.entries,
            seed=chosen.seed,
            timezone=chosen.timezone,
            plan=chosen.plan,
            token=chosen.token,
        )
    else:
        world = World.seeded(now, seed=chosen.seed, timezone=chosen.timezone, token=chosen.token)
    if chosen.now is None:
        world.clock = _utc_now
    return world


def _utc_now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
