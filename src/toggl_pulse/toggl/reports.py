"""The detailed report of Reports v3: what is sent, and what a page of its answer means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from toggl_pulse.model import JSON, Amount, TimeEntry
from toggl_pulse.toggl.answers import PageToken, ReportPage
from toggl_pulse.toggl.entry_schemas import Names, read_report_row
from toggl_pulse.toggl.sift import Sieve
from toggl_pulse.toggl.translate import header_int, server_date

__all__ = ["read_report_page", "report_body", "totals_seconds"]


def report_body(
    first: date, last: date, *, user_id: int, page: PageToken | None = None, page_size: int | None = None
) -> dict[str, Any]:
    """Without `page_size` the body asks for totals. Rounding is sent, for its default is the person's preference."""
    body: dict[str, Any] = {
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "user_ids": [user_id],
        "rounding": 0,
        "grouped": False,
    }
    if page_size is not None:
        body |= {"page_size": page_size, "order_by": "date", "order_dir": "DESC", "enrich_response": True}
    if page is not None:
        told = {
            "first_id": page.first_id,
            "first_row_number": page.first_row_number,
            "first_timestamp": page.first_timestamp,
        }
        body |= {name: value for name, value in told.items() if value is not None}
    return body


def read_report_page(
    rows: list[Any],
    headers: Mapping[str, str],
    workspace_id: int,
    *,
    hide: Callable[[str], str],
    floor: datetime,
) -> ReportPage:
    """`floor` is the server's time when neither a Date header nor an entry tells a later one."""
    sieve, names = Sieve(hide), Names()
    entries: list[TimeEntry] = []
    amounts: list[Amount] = []

    def read(row: Mapping[str, Any]) -> None:
        for entry, amount in read_report_row(row, workspace_id):
            names.take(row, entry)
            entries.append(entry)
            if amount is not None:
                amounts.append(amount)

    sieve.rows("report_row", rows, read)
    return ReportPage(
        entries=tuple(entries),
        amounts=tuple(amounts),
        next_page=_next_page(headers),
        set_aside=tuple(sieve.set_aside),
        range_first=_day(headers, "x-range-start"),
        range_last=_day(headers, "x-range-end"),
        server_time=server_date(headers) or max((entry.at for entry in entries), default=floor),
        named=names.all(),
    )


def totals_seconds(data: JSON) -> int | None:
    """The whole seconds of a totals answer (null counts as none tracked); None when it holds no such number."""
    if not isinstance(data, dict) or "seconds" not in data:
        return None
    seconds = data["seconds"]
    if seconds is None:
        return 0
    if type(seconds) is float and seconds.is_integer():
        seconds = int(seconds)
    return seconds if type(seconds) is int else None


def _next_page(headers: Mapping[str, str]) -> PageToken | None:
    """Toggl leaves the headers out on the last page."""
    token = PageToken(
        first_id=header_int(headers, "x-next-id"),
        first_row_number=header_int(headers, "x-next-row-number"),
        first_timestamp=header_int(headers, "x-next-timestamp"),
    )
    return None if token == PageToken() else token


def _day(headers: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(headers[name][:10])
    except (KeyError, ValueError):
        return None
