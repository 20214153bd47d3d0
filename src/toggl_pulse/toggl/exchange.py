"""One question to Toggl and its answer: pace, quota, repeats, errors translated; knows only the quota's endpoint."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import httpx2
import stamina
import stamina.instrumentation

from toggl_pulse.errors import PulseError, QuotaSpent
from toggl_pulse.model import JSON, QuotaBucket
from toggl_pulse.toggl.answers import RequestNote
from toggl_pulse.toggl.assumptions import LONGEST_WAIT, RESET_MARGIN
from toggl_pulse.toggl.credentials import Credentials
from toggl_pulse.toggl.pace import Pace
from toggl_pulse.toggl.quota import USER, Quota
from toggl_pulse.toggl.translate import LARGEST, Asked, Trouble, header_int, judge, resets_in, said
from toggl_pulse.toggl.wire import Answer, Limits, Params, Reply, Wire, parse

__all__ = ["QUOTA_PATH", "Exchange", "Question"]

QUOTA_PATH = "/api/v9/me/quota"
OK, MULTIPLE_CHOICES = 200, 300

# stamina would print each repeat itself; a failure is logged once, by whoever records the run.
stamina.instrumentation.set_on_retry_hooks(())


@dataclass(frozen=True, slots=True)
class Question:
    """`asked` is what errors and quota need of it."""

    method: str
    asked: Asked
    params: Params | None = None
    body: JSON = None


class Exchange:
    """Asks one thing at a time, so that the quota is counted right and Toggl is asked politely."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        quota: Quota,
        pace: Pace,
        limits: Limits,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        transport: httpx2.AsyncBaseTransport | None = None,
        on_request: Callable[[RequestNote], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.quota = quota
        self.use_reserve = False
        self._hide = credentials.hide_in
        self._pace = pace
        self._attempts = limits.attempts
        self._clock = clock
        self._sleep = sleep
        self._on_request = on_request
        self._jitter = jitter
        self._lock = asyncio.Lock()
        self._written: dict[str, QuotaBucket] = {}
        self._wire = Wire(base_url, credentials, limits, transport)

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def ask(self, question: Question) -> Answer:
        """The answer's JSON, or an error from `errors.py`; every attempt is checked against the quota and noted."""
        bucket = question.asked.bucket
        async with self._lock:
            # First what is certain: within a window others can only lower the rest, so there is nothing to look for.
            self.quota.check(bucket, use_reserve=self.use_reserve)
            if question.asked.path != QUOTA_PATH and self.quota.worth_a_look(bucket):
                await self._look(bucket)
            answer = await self._repeated(question)
        if isinstance(answer, Trouble):
            raise answer.later(self._clock())
        return answer

    async def _repeated(self, question: Question) -> Answer | Trouble:
        wait = 0.0
        # The hook's 0 makes stamina go on at once: waiting is ours, by the sleep that was handed in.
        attempts = stamina.retry_context(
            on=lambda error: 0.0 if isinstance(error, Trouble) and _worth_repeating(error) else False,
            attempts=self._attempts,
            timeout=None,
            wait_initial=1.0,
            wait_max=LONGEST_WAIT,
            wait_jitter=0.0,
        )
        try:
            async for attempt in attempts:
                if wait:
                    await self._sleep(wait)
                with attempt:
                    self.quota.check(question.asked.bucket, use_reserve=self.use_reserve)
                    try:
                        return await self._once(question)
                    except Trouble as trouble:
                        wait = max(attempt.next_wait, trouble.wait) * (1 + self._jitter() / 2)
                        raise
        except Trouble as trouble:
            return trouble
        raise AssertionError("stamina ended without an answer and without an error")

    async def _look(self, bucket: str) -> None:
        """Ask `/me/quota`, known to be free; a failure leaves the old knowledge to judge by.

        What it tells of `bucket` is only written down when that forbids the question that follows: its answer will
        tell something newer.
        """
        try:
            answer = await self._once(Question("GET", Asked(QUOTA_PATH, USER)))
        except (Trouble, PulseError):
            return
        seen = self._observed(answer.data)
        allowed = self.quota.spendable(bucket, self._clock(), use_reserve=self.use_reserve) != 0
        for other in seen:
            if not (allowed and other.name == bucket):
                await self._save(other)

    async def note_buckets(self, rows: JSON) -> tuple[QuotaBucket, ...]:
        """Take note of the rows of `/me/quota`: `organization_id` null is the bucket of `/me…`."""
        seen = self._observed(rows)
        for bucket in seen:
            await self._save(bucket)
        return seen

    def _observed(self, rows: JSON) -> tuple[QuotaBucket, ...]:
        seen: list[QuotaBucket] = []
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, dict) or not _is_count(row.get("remaining")):
                continue
            organization, resets, total = row.get("organization_id"), row.get("resets_in_secs"), row.get("total")
            if organization is not None and type(organization) is not int:
                continue
            seen.append(
                self.quota.observe(
                    USER if organization is None else f"organization:{organization}",
                    row["remaining"],
                    resets if isinstance(resets, int | float) else 0,
                    total=total if _is_count(total) else None,
                )
            )
        return tuple(seen)

    async def _once(self, question: Question) -> Answer:
        await self._pace.slot()
        started = self._clock()
        status, outcome = await self._outcome(question)
        if self._on_request is not None:
            self._on_request(
                RequestNote(
                    method=question.method,
                    path=question.asked.path,
                    bucket=question.asked.bucket,
                    status=status,
                    seconds=max(0.0, (self._clock() - started).total_seconds()),
                    trouble=None if isinstance(outcome, Answer) else outcome.code,
                )
            )
        if isinstance(outcome, Answer):
            return outcome
        raise outcome

    async def _outcome(self, question: Question) -> tuple[int | None, Answer | PulseError | Trouble]:
        """Errors are returned, not raised: no traceback shall hold a frame that holds the answer's text."""
        asked = question.asked
        reply = await self._wire.send(question.method, asked.path, question.params, question.body)
        if isinstance(reply, Trouble):
            await self._save(self.quota.observe_silence(asked.bucket))
            return None, reply
        await self._note_headers(asked, reply)
        if OK <= reply.status < MULTIPLE_CHOICES:
            return reply.status, parse(reply)
        error = judge(reply.status, reply.headers, reply.content, asked, now=self._clock(), hide=self._hide)
        if isinstance(error, QuotaSpent):
            words = said(reply.headers, reply.content)
            bucket = self.quota.observe_refusal(asked.bucket, resets_in(reply.headers, words))
            error.at = bucket.resets_at + RESET_MARGIN
            await self._save(bucket)
        return reply.status, error

    async def _note_headers(self, asked: Asked, reply: Reply) -> None:
        remaining = header_int(reply.headers, "x-toggl-quota-remaining")
        resets = header_int(reply.headers, "x-toggl-quota-resets-in")
        if remaining is None or resets is None:
            await self._save(self.quota.observe_silence(asked.bucket))
            return
        before = self.quota.view().get(asked.bucket)
        after = self.quota.observe(asked.bucket, remaining, resets)
        if asked.path == QUOTA_PATH and reply.status == OK:
            self.quota.judge_look(before, after)
            return  # the body tells the same of every bucket
        await self._save(after)

    async def _save(self, bucket: QuotaBucket | None) -> None:
        """Write a bucket down, unless its window was over before and is over still: that tells nothing that lasts."""
        if bucket is None:
            return
        last = self._written.get(bucket.name)
        if last is not None and last.resets_at <= bucket.seen_at and bucket.resets_at <= bucket.seen_at:
            return
        self._written[bucket.name] = bucket
        await asyncio.to_thread(self.quota.save, bucket)


def _is_count(value: JSON) -> bool:
    return type(value) is int and abs(value) <= LARGEST


def _worth_repeating(trouble: Trouble) -> bool:
    return trouble.repeat and trouble.wait <= LONGEST_WAIT
