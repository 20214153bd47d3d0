"""Toggl's endpoints as typed questions; what to ask when, and what to do with the rows, is decided elsewhere.

Only reading is here, so that every request may be repeated. Times go out as UTC.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from toggl_pulse.errors import BadRequest, RetryLater
from toggl_pulse.model import JSON, Client, Project, QuotaBucket, Tag, Task, TimeEntry, User, Workspace
from toggl_pulse.toggl import schemas
from toggl_pulse.toggl.account import read_me
from toggl_pulse.toggl.answers import Entries, Me, Organization, PageToken, ReportPage, RequestNote, Rows
from toggl_pulse.toggl.assumptions import ENTRY_CAP, FAILURE_PAUSE, LIST_KEPT, PAGE_SIZE
from toggl_pulse.toggl.credentials import Credentials
from toggl_pulse.toggl.entry_schemas import Names, read_entry
from toggl_pulse.toggl.exchange import QUOTA_PATH, Exchange, Question
from toggl_pulse.toggl.fields import Broken
from toggl_pulse.toggl.pace import Pace
from toggl_pulse.toggl.paging import Pages
from toggl_pulse.toggl.quota import USER, Quota
from toggl_pulse.toggl.reports import read_report_page, report_body, totals_seconds
from toggl_pulse.toggl.sift import Sieve, rows_of
from toggl_pulse.toggl.translate import Asked, server_date
from toggl_pulse.toggl.wire import Answer, Limits

__all__ = ["TogglClient"]

T = TypeVar("T")
N = TypeVar("N", Client, Project, Tag, Task)
Row = Mapping[str, Any]
TRACK = "/api/v9"
REPORTS = "/reports/api/v3"


class TogglClient:
    """One account's window to Toggl. Requests are sent one after another, each checked against the quota first.

    Every question may raise what `errors.py` names: `QuotaSpent` and `RetryLater` with the time to go on,
    `PlanLimit`, `NeedsUser` (`token_refused`, `no_access`), `BadRequest` (`TooOld`, `toggl_not_found`, …).
    Set `use_reserve` for a person's explicit wish to spend the reserve too. `requests` counts what was spent.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        quota: Quota,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        transport: httpx2.AsyncBaseTransport | None = None,
        pace: float = 1.0,
        burst: int = 5,
        attempts: int = 3,
        timeout: float = 30.0,
        on_request: Callable[[RequestNote], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.quota = quota
        self.requests = 0
        self._on_request = on_request
        self._hide = credentials.hide_in
        self._clock = clock
        self._account: int | None = None
        self._organizations: dict[int, int] = {}
        self._unfinished: dict[str, tuple[datetime, Pages]] = {}
        self._workspaces: set[int] = set()
        self._exchange = Exchange(
            base_url,
            credentials,
            quota=quota,
            pace=Pace(pace, burst, clock=clock, sleep=sleep),
            limits=Limits(attempts=attempts, timeout=timeout),
            clock=clock,
            sleep=sleep,
            transport=transport,
            on_request=self._note,
            jitter=jitter,
        )

    def _note(self, note: RequestNote) -> None:
        if note.path != QUOTA_PATH or self.quota.free_look is not True:
            self.requests += 1
        if self._on_request is not None:
            self._on_request(note)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._exchange.aclose()

    @property
    def use_reserve(self) -> bool:
        return self._exchange.use_reserve

    @use_reserve.setter
    def use_reserve(self, value: bool) -> None:
        self._exchange.use_reserve = value

    def know_account(self, user_id: int) -> None:
        """Learn whose mirror it is for: rows of somebody else, as a cache on the way may give, are then set aside."""
        self._account = user_id

    def know_workspaces(self, workspaces: Iterable[Workspace]) -> None:
        """Learn which organisation's bucket each workspace draws on; call it with what the mirror holds, too."""
        for workspace in workspaces:
            self._workspaces.add(workspace.id)
            if workspace.organization_id is not None:
                self._organizations[workspace.id] = workspace.organization_id
                self.quota.carry(f"workspace:{workspace.id}", self.bucket_of(workspace.id))

    def bucket_of(self, workspace_id: int) -> str:
        organization = self._organizations.get(workspace_id)
        return f"workspace:{workspace_id}" if organization is None else f"organization:{organization}"

    # --- the person -------------------------------------------------------------------------------------------

    async def me(self, *, related: bool = True) -> Me:
        """Profile, and with `related` the catalogue with archived projects and about ten days of entries."""
        answer = await self._get("/me", params={"with_related_data": "true"} if related else None)
        me = read_me(answer, hide=self._hide, otherwise=self._clock())
        if isinstance(me, str):
            raise self._strange("/me", me)
        self.know_workspaces(me.workspaces)
        return me

    async def workspaces(self) -> Rows[Workspace]:
        rows = await self._whole("/me/workspaces", "workspace", schemas.read_workspace)
        self.know_workspaces(rows.rows)
        return rows

    async def organizations(self) -> Rows[Organization]:
        return await self._whole("/me/organizations", "organization", schemas.read_organization)

    async def quotas(self) -> tuple[QuotaBucket, ...]:
        """Every bucket as `/me/quota` tells it.

        Asked within seconds of another `/me` request, it also proves whether asking is counted: `quota.free_look`.
        """
        answer = await self._get(QUOTA_PATH.removeprefix(TRACK))
        return await self._exchange.note_buckets(answer.data)

    # --- time entries -----------------------------------------------------------------------------------------

    async def entries_since(self, since: datetime) -> Entries:
        """Everything modified since, deleted entries and the running one included; raises `TooOld` past the reach."""
        return await self._entries({"since": int(since.timestamp()), "meta": "true"}, since)

    async def entries_between(self, start: datetime, end: datetime) -> Entries:
        """Live entries whose start lies in the half-open range; raises `TooOld` past the reach."""
        return await self._entries({"start_date": _utc(start), "end_date": _utc(end), "meta": "true"}, start)

    async def current(self) -> TimeEntry | None:
        """The running entry, if there is one."""
        return await self._one("/me/time_entries/current", null=True)

    async def entry(self, entry_id: int) -> TimeEntry | None:
        """One entry of any age, or None when Toggl does not know it."""
        return await self._one(f"/me/time_entries/{entry_id}")

    # --- catalogue --------------------------------------------------------------------------------------------

    async def projects(self, workspace_id: int) -> Rows[Project]:
        """All pages, archived ones included."""
        path = f"/workspaces/{workspace_id}/projects"
        return await self._paged(path, workspace_id, "project", schemas.read_project, {"active": "both"})

    async def clients(self, workspace_id: int) -> Rows[Client]:
        """Archived ones included."""
        path, bucket = f"/workspaces/{workspace_id}/clients", self.bucket_of(workspace_id)
        clients = await self._whole(path, "client", schemas.read_client, {"status": "both"}, bucket=bucket)
        return _inside(clients, {workspace_id})

    async def tags(self, workspace_id: int) -> Rows[Tag]:
        return await self._paged(f"/workspaces/{workspace_id}/tags", workspace_id, "tag", schemas.read_tag, {})

    async def tasks(self, workspace_id: int) -> Rows[Task]:
        """All pages, finished ones included; plans without tasks answer `PlanLimit` or nothing."""
        path = f"/workspaces/{workspace_id}/tasks"
        return await self._paged(path, workspace_id, "task", schemas.read_task, {"active": "both"})

    async def users(self, workspace_id: int) -> Rows[User]:
        path, bucket = f"/workspaces/{workspace_id}/users", self.bucket_of(workspace_id)
        return await self._whole(path, "user", schemas.read_user, bucket=bucket)

    async def changed_projects(self, since: datetime) -> Rows[Project]:
        """Of all workspaces; deleted ones are flagged."""
        return await self._changed("/me/projects", "project", schemas.read_project, since, {"include_archived": "true"})

    async def changed_clients(self, since: datetime) -> Rows[Client]:
        return await self._changed("/me/clients", "client", schemas.read_client, since, {})

    async def changed_tags(self, since: datetime) -> Rows[Tag]:
        """The only place where a tag's deletion shows, for it leaves the entries' `at` alone."""
        return await self._changed("/me/tags", "tag", schemas.read_tag, since, {})

    async def changed_tasks(self, since: datetime) -> Rows[Task]:
        params = {"include_not_active": "true"}
        return await self._changed("/me/tasks", "task", schemas.read_task, since, params)

    # --- reports ----------------------------------------------------------------------------------------------

    async def report_page(
        self,
        workspace_id: int,
        first: date,
        last: date,
        *,
        user_id: int,
        page: PageToken | None = None,
        page_size: int = PAGE_SIZE,
    ) -> ReportPage:
        """One page of the detailed report, newest day first; both days are included, in the person's own zone."""
        body = report_body(first, last, user_id=user_id, page=page, page_size=page_size)
        path = f"/workspace/{workspace_id}/search/time_entries"
        answer = await self._report(path, workspace_id, body)
        floor = datetime(first.year, first.month, first.day, tzinfo=UTC)
        found = read_report_page(self._rows(answer, path), answer.headers, workspace_id, hide=self._hide, floor=floor)
        if page is not None and found.next_page == page:
            raise self._strange(path, "its pages do not move on")
        return found

    async def report_totals(self, workspace_id: int, first: date, last: date, *, user_id: int) -> int:
        """Seconds tracked in these days by Toggl's own count, without rounding."""
        path = f"/workspace/{workspace_id}/search/time_entries/totals"
        answer = await self._report(path, workspace_id, report_body(first, last, user_id=user_id))
        seconds = totals_seconds(answer.data)
        if seconds is None:
            raise self._strange(path, "seconds is missing")
        return seconds

    # --- asking -----------------------------------------------------------------------------------------------

    async def _get(
        self,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        bucket: str = USER,
        since: datetime | None = None,
    ) -> Answer:
        return await self._exchange.ask(Question("GET", Asked(TRACK + path, bucket, since), params))

    async def _report(self, path: str, workspace_id: int, body: JSON) -> Answer:
        asked = Asked(REPORTS + path, self.bucket_of(workspace_id))
        return await self._exchange.ask(Question("POST", asked, body=body))

    async def _entries(self, params: Mapping[str, str | int], since: datetime) -> Entries:
        path = "/me/time_entries"
        answer = await self._get(path, params=params, since=since)
        rows = self._rows(answer, path)
        sieve, names = Sieve(self._hide), Names()

        def read(row: Row) -> TimeEntry:
            entry = self._own(row)
            names.take(row, entry)
            return entry

        entries = tuple(sieve.rows("time_entry", rows, read))
        told = server_date(answer.headers)
        return Entries(
            entries=entries,
            set_aside=tuple(sieve.set_aside),
            server_time=told or max((entry.at for entry in entries), default=since),
            dated=told is not None,
            truncated=len(rows) >= ENTRY_CAP,
            named=names.all(),
        )

    def _own(self, row: Row) -> TimeEntry:
        entry = read_entry(row)
        if self._account not in {None, entry.user_id}:
            raise Broken("the entry is somebody else's")
        return entry

    async def _one(self, path: str, *, null: bool = False) -> TimeEntry | None:
        """None when Toggl does not know it; `null` says whether it may also answer so."""
        try:
            answer = await self._get(path)
        except BadRequest as error:
            if error.code in {"toggl_not_found", "toggl_gone"}:
                return None
            raise
        if answer.data is None and null:
            return None
        sieve = Sieve(self._hide)
        entries = sieve.rows("time_entry", [answer.data], self._own)
        if not entries:
            raise self._strange(path, sieve.set_aside[0].reason)
        return entries[0]

    async def _whole(
        self,
        path: str,
        kind: str,
        read: Callable[[Row], T],
        params: Mapping[str, str | int] | None = None,
        *,
        bucket: str = USER,
        since: datetime | None = None,
    ) -> Rows[T]:
        """A list that comes in one piece."""
        answer = await self._get(path, params=params, bucket=bucket, since=since)
        sieve = Sieve(self._hide)
        rows = sieve.rows(kind, self._rows(answer, path), read)
        return Rows(tuple(rows), tuple(sieve.set_aside), complete=not sieve.set_aside)

    async def _changed(
        self, path: str, kind: str, read: Callable[[Row], N], since: datetime, params: Mapping[str, str | int]
    ) -> Rows[N]:
        changed = await self._whole(path, kind, read, {**params, "since": int(since.timestamp())}, since=since)
        return _inside(changed, self._workspaces) if self._workspaces else changed

    async def _paged(
        self,
        path: str,
        workspace_id: int,
        kind: str,
        read: Callable[[Row], N],
        params: Mapping[str, str | int],
    ) -> Rows[N]:
        begun, pages = self._unfinished.pop(path) if path in self._unfinished else (self._clock(), Pages())
        if self._clock() - begun > LIST_KEPT:
            begun, pages = self._clock(), Pages()
        bucket = self.bucket_of(workspace_id)
        while pages.more:
            try:
                answer = await self._get(path, params={**params, **pages.params()}, bucket=bucket)
            except RetryLater:
                # a list of more pages than an hour's quota must not begin anew each hour
                self._unfinished[path] = begun, pages
                raise
            told_size = answer.data.get("per_page") if isinstance(answer.data, dict) else None
            pages.take(self._rows(answer, path), answer.headers, told_size)
        sieve = Sieve(self._hide)
        rows = sieve.rows(kind, pages.rows, read)
        found = Rows(tuple(rows), tuple(sieve.set_aside), complete=pages.ended and not sieve.set_aside)
        return _inside(found, {workspace_id})

    def _rows(self, answer: Answer, path: str) -> list[Any]:
        rows = rows_of(answer.data)
        if rows is None:
            raise self._strange(path, "it is not a list")
        return rows

    def _strange(self, path: str, reason: str) -> RetryLater:
        return RetryLater(
            f"Toggl's answer for {path} cannot be understood: {reason}.",
            at=self._clock() + FAILURE_PAUSE,
            code="bad_answer",
        )


def _inside(rows: Rows[N], workspace_ids: Container[int]) -> Rows[N]:
    """Without rows of workspaces that were not asked about: such an answer is not, or not only, for this account."""
    own = tuple(row for row in rows.rows if row.workspace_id in workspace_ids)
    return rows if len(own) == len(rows.rows) else replace(rows, rows=own, complete=False)


def _utc(moment: datetime) -> str:
    """RFC 3339 with seconds: bounds without them are refused, and bare days are read in an unknown zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
