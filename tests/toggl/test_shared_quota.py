"""The reserve while the person's other tools draw on the same buckets, played by the simulated Toggl's own counting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toggl.scene import NOW, Clock, MemoryQuota, bucket
from toggl_pulse.demo import Clock as WorldClock
from toggl_pulse.demo import World, create_simulator
from toggl_pulse.errors import QuotaSpent
from toggl_pulse.toggl import Credentials, Quota, RequestNote, TogglClient
from toggl_pulse.toggl.assumptions import KNOWLEDGE_FRESH

RESERVE = 10

Step = tuple[int, int, int, str]
"""Seconds that pass, requests of others in the person's bucket and in the organisation's, and what we ask."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 20, 59, 61, 600, 1800, 3500, 3601]),
        st.integers(0, 9),
        st.integers(0, 9),
        st.sampled_from(["user", "organization", "look"]),
    ),
    max_size=20,
)


class Below(NamedTuple):
    """One request of ours that left less than the reserve.

    `unseen` requests of others had come since we last heard of its bucket, `age` ago; `window` tells it from others;
    `free` is whether looking was known to be free.
    """

    unseen: int
    age: timedelta
    window: tuple[str, float | None]
    free: bool | None


class Shared:
    """An account whose two buckets others drain, one client of ours, and every time that we went below the reserve."""

    def __init__(self, *, counted: bool, free_look: bool | None) -> None:
        self.clock = WorldClock(NOW)
        self.world = World.empty(self.clock)
        self.world.behaviour.quota_counted = counted
        self.counted = counted
        self.home = next(iter(self.world.workspaces))
        self.unseen = {"user": 0, f"organization:{next(iter(self.world.organizations))}": 0}
        self.heard = dict.fromkeys(self.unseen, NOW)
        self.below: list[Below] = []
        self.quota = Quota(MemoryQuota(), reserve=RESERVE, clock=self.clock, free_look=free_look)

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def note(self, note: RequestNote) -> None:
        """Right after each of our requests: what Toggl itself has left."""
        bucket = self.world.bucket(note.bucket)
        look = note.path.endswith("/me/quota")
        if bucket.remaining(self.clock().timestamp()) < RESERVE and (self.counted or not look):
            age = self.clock() - self.heard[note.bucket]
            self.below.append(Below(self.unseen[note.bucket], age, (note.bucket, bucket.opened), self.quota.free_look))
        for name in self.unseen if look and note.status == 200 else (note.bucket,):
            self.unseen[name], self.heard[name] = 0, self.clock()

    async def play(self, steps: Iterable[Step]) -> list[Below]:
        client = TogglClient(
            "https://toggl.test",
            Credentials.token(self.world.token),
            quota=self.quota,
            clock=self.clock,
            sleep=self.sleep,
            transport=httpx2.ASGITransport(app=create_simulator(self.world)),
            on_request=self.note,
            pace=1000.0,
        )
        client.know_workspaces((await client.me()).workspaces)
        asks: dict[str, Any] = {
            "user": client.current,
            "organization": partial(client.clients, self.home),
            "look": client.quotas,
        }
        for pause, mine, ours, what in steps:
            self.clock.advance(pause)
            for name, count in zip(self.unseen, (mine, ours), strict=True):
                self.unseen[name] += count
                if count:
                    self.world.drain(name, count)
            with suppress(QuotaSpent):
                await asks[what]()
        await client.aclose()
        return self.below


@settings(max_examples=12)
@given(steps=STEPS, counted=st.booleans())
@example(steps=[(0, 0, 18, "organization"), (1, 0, 9, "organization"), (1, 0, 0, "organization")], counted=False)
def test_only_what_others_took_unseen_leads_below_the_reserve_and_once_a_window(
    steps: list[Step], *, counted: bool
) -> None:
    below = asyncio.run(Shared(counted=counted, free_look=None).play(steps))

    assert all(each.unseen > 0 for each in below)
    assert len({each.window for each in below}) == len(below)


@settings(max_examples=12)
@given(steps=STEPS)
@example(steps=[(0, 8, 0, "user"), (600, 9, 0, "user")])
def test_where_looking_is_free_nothing_older_than_a_minute_leads_below_the_reserve(steps: list[Step]) -> None:
    below = asyncio.run(Shared(counted=False, free_look=True).play(steps))

    # a look of ours between two requests of others may seem to be counted: from then on it is not trusted
    assert all(each.age <= KNOWLEDGE_FRESH for each in below if each.free)


@settings(max_examples=12)
@given(steps=STEPS)
@example(steps=[(0, 8, 0, "user"), (0, 8, 0, "user"), (600, 1, 0, "user")])
def test_where_looking_is_counted_one_unseen_request_of_others_is_forgiven(steps: list[Step]) -> None:
    shared = Shared(counted=True, free_look=False)

    below = asyncio.run(shared.play(steps))

    assert all(each.unseen > 1 for each in below if each.age > KNOWLEDGE_FRESH)


def test_old_knowledge_keeps_one_request_more_unless_looking_is_free() -> None:
    kept = Quota(MemoryQuota([bucket(remaining=11, age=61)]), reserve=RESERVE, clock=Clock())

    with pytest.raises(QuotaSpent):
        kept.check("user")
    assert kept.spendable("user", NOW) == 0
    kept.check("user", use_reserve=True)
    kept.free_look = True
    kept.check("user")
