"""The protocol of Grafana's JSON data source (simPod), and of the older ones that have a `/search`.

Each route reads its request, asks in a worker thread, and answers in the shape that the data source reads.
Knows no arithmetic: questions go to the metrics as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from string import ascii_uppercase
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from toggl_pulse.api.builder import builder, sync_builder
from toggl_pulse.api.encode import Times, as_series, as_table, dump, joined, table_of
from toggl_pulse.api.frames import FrameTimes, as_frames, sync_frame
from toggl_pulse.api.requests import (
    MAX_TARGETS,
    AnnotationsRequest,
    NoBody,
    OptionsRequest,
    QueryRequest,
    SearchRequest,
    TagValuesRequest,
    VariableRequest,
    object_of,
    read_body,
)
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import DIMENSIONS, METRICS, Moment, Query, parse_adhoc, parse_query
from toggl_pulse.metrics.calendar import MAX_POINTS
from toggl_pulse.metrics.choices import FORMATS, FRAME, choices
from toggl_pulse.metrics.query import undo_grafana
from toggl_pulse.model import epoch
from toggl_pulse.service.context import Context
from toggl_pulse.service.sync_rows import SyncRows, gaps
from toggl_pulse.service.sync_tables import SYNC_TABLES
from toggl_pulse.service.work import Check

__all__ = ["GrafanaRoutes"]

MOST_POINTS = 1_000_000
"""Datapoints of one answer, all series together: some 30 MB of JSON, more than a browser can draw."""


class _Question(NamedTuple):
    """A target as it is to be answered: in series, tables or frames."""

    target: str
    query: Query
    ref_id: str
    form: str


class GrafanaRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def query(self, request: Request) -> Response:
        """Answer every target of a panel; always a list.

        A time series is `{"target", "refId", "datapoints": [[value, epoch_ms], …]}`, anything else a table; or all are
        data frames. What is asked in one request is answered within ten seconds or not at all.
        """
        asked = await read_body(request, QueryRequest)

        def answer(check: Check) -> bytes:
            return joined(self._answer(asked, check))

        return _json(await self._context.work.run(answer))

    def _answer(self, asked: QueryRequest, check: Check) -> Iterator[bytes]:
        start_ms, end_ms = asked.span.milliseconds()
        pulse = self._context.pulse
        questions = self._questions(asked, start_ms, end_ms)
        times, frame_times, points = Times(), FrameTimes(), 0
        moment: Moment | None = None
        about_sync = SyncRows(pulse, start_ms, end_ms)
        for target, query, ref_id, form in questions:
            if target in SYNC_TABLES:
                table = about_sync.table(target, query.limit)
                yield sync_frame(target, table, ref_id) if form == FRAME else as_table(table, ref_id)
                continue
            moment = moment or pulse.answers.moment()
            answer = moment.answer(query, check=check)
            points += sum(len(each.values) for each in answer.series)
            if points > MOST_POINTS:
                raise BadRequest(
                    f"The answer would have more than {MOST_POINTS:,} points; ask for a larger interval or a limit.",
                    code="too_many_points",
                )
            if form == FRAME:
                yield from as_frames(query, answer, moment.catalogue, ref_id, frame_times)
            elif answer.table is not None or form != FORMATS[0]:
                yield as_table(table_of(query, answer), ref_id, answer)
            else:
                yield from as_series(answer, ref_id, times)

    def _questions(self, asked: QueryRequest, start_ms: int, end_ms: int) -> list[_Question]:
        """Every target that is asked, read before anything is answered."""
        adhoc = parse_adhoc([*(asked.filters or ()), *(asked.adhocFilters or ())])
        zone, week_start = self._context.pulse.default_zone(), self._context.pulse.week_start()
        questions = []
        for number, target in enumerate(asked.targets):
            if target.hide or not (target.target or "").strip():
                continue
            ref_id = target.refId if target.refId is not None else _letters(number)
            payload = object_of(target.payload, f"targets[{number}].payload")
            for name in undo_grafana((target.target or "").strip()):
                query = parse_query(
                    # a payload is read alike whatever is asked, so that a slip in it is always told
                    "entries" if name in SYNC_TABLES else name,
                    payload,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    zone=zone,
                    week_start=week_start,
                    interval_ms=int(asked.intervalMs or 0),
                    max_points=MAX_POINTS if asked.maxDataPoints is None else int(asked.maxDataPoints),
                    adhoc=adhoc,
                )
                questions.append(_Question(name, query, ref_id, _format(payload)))
        if len(questions) > MAX_TARGETS:
            raise BadRequest(f"A request may ask {MAX_TARGETS} questions at most.", code="bad_value")
        return questions

    async def search(self, request: Request) -> list[str]:
        """The metrics, and tables about the sync, whose name or title contains `target`."""
        asked = await read_body(request, SearchRequest)
        wanted = [part.casefold() for part in undo_grafana(asked.target or "")]
        titles = {metric.slug: metric.title for metric in METRICS.values()}
        titles |= {table.slug: table.title for table in SYNC_TABLES.values()}
        return [
            slug for slug, title in titles.items() if any(part in slug or part in title.casefold() for part in wanted)
        ]

    async def metrics(self, request: Request) -> list[dict[str, Any]]:
        """Every metric, and table about the sync, with its payload fields, for the query builder."""
        await read_body(request, NoBody)
        return [*map(builder, METRICS.values()), *map(sync_builder, SYNC_TABLES.values())]

    async def metric_payload_options(self, request: Request) -> Response:
        """The choices of one payload field."""
        asked = await read_body(request, OptionsRequest)
        return await self._choices(asked.name, lambda value, label: {"label": label, "value": value})

    async def variable(self, request: Request) -> Response:
        """The values of a dashboard variable; the payload's `target` names a dimension or a payload field."""
        asked = await read_body(request, VariableRequest)
        return await self._choices(_wanted(asked), lambda value, label: {"__text": label, "__value": value})

    async def tag_keys(self, request: Request) -> list[dict[str, str]]:
        """What ad-hoc filters can be about."""
        await read_body(request, NoBody)
        return [{"type": "string", "text": name} for name in DIMENSIONS]

    async def tag_values(self, request: Request) -> Response:
        """What an ad-hoc filter's key can be; the text is the value."""
        asked = await read_body(request, TagValuesRequest)
        if asked.key not in DIMENSIONS:
            raise BadRequest(f"There is no filter “{asked.key[:60]}”.", code="unknown_filter")
        # an ad-hoc filter sends back the text it shows, and a label means one group as surely as its id does
        return await self._choices(asked.key, lambda _, label: {"text": label})

    async def annotations(self, request: Request) -> list[dict[str, Any]]:
        """Stretches of note in the range: times in which Toggl was not reached."""
        asked = await read_body(request, AnnotationsRequest)
        start_ms, end_ms = asked.span.milliseconds()
        found = await self._context.work.run(lambda _: gaps(self._context.pulse, start_ms, end_ms))
        return [
            {
                "time": epoch(gap.start) * 1000,
                "timeEnd": epoch(gap.end) * 1000,
                "isRegion": True,
                "title": "Sync gap",
                "text": gap.sentence,
                "tags": ["sync"],
            }
            for gap in found
        ]

    async def _choices(self, name: str, shape: Callable[[str, str], dict[str, str]]) -> Response:
        pulse = self._context.pulse

        def answer(_: Check) -> bytes:
            # made into text here: an account may have a hundred thousand descriptions
            return dump([shape(value, label) for value, label in choices(name, pulse.answers, pulse.default_zone)])

        return _json(await self._context.work.run(answer))


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _letters(number: int) -> str:
    """Grafana's own names of targets that have none: A, B, … Z, AA."""
    first, last = divmod(number, len(ascii_uppercase))
    return (ascii_uppercase[first - 1] if first else "") + ascii_uppercase[last]


def _format(payload: Mapping[str, Any]) -> str:
    form = payload.get("format")
    if form is None or form == "":
        return FORMATS[0]
    if not isinstance(form, str) or form not in FORMATS:
        raise BadRequest(f"`format` must be one of {', '.join(FORMATS)}.", code="bad_value")
    return form


def _wanted(asked: VariableRequest) -> str:
    """What a variable's query names: `{"target": "project"}`, the same as text, or the bare word."""
    if isinstance(asked.payload, str) and not asked.payload.lstrip().startswith("{"):
        name: Any = asked.payload
    else:
        name = object_of(asked.payload).get("target", asked.target)
    if not isinstance(name, str) or not name.strip():
        raise BadRequest('`payload` must name what to list, as in {"target": "project"}.', code="bad_value")
    return undo_grafana(name.strip())[0]
