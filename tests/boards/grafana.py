"""What Grafana and the JSON plugin make of a dashboard: the requests that arrive here, and the addresses of its links.

Variables are put in as Grafana does it for each format, payloads are read as the plugin does it, down to the empty
object that it makes of text that is no JSON. Decision 31 tells how this was compared with the real plugin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]
Value = str | list[str]

ALL = "$__all"
VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}", re.ASCII)
UNRESERVED = "-_.~"
KEPT_IN_LINKS = UNRESERVED + "$@:,;"
KEPT_IN_ADDRESSES = "-_.~;/?:@&=+$,#"

HANDLED = ("custom", "query", "constant", "datasource", "groupby", "interval", "textbox")
"""Kinds of variables that the plugin sends along; it leaves out `adhoc` and `system`, and fails over any other."""


class UnknownVariable(Exception):
    """The plugin throws, and every panel of the dashboard shows an error."""


@dataclass
class Variable:
    name: str
    kind: str
    value: Value = ""
    options: list[str] = field(default_factory=list)
    multi: bool = False
    all_value: str | None = None

    @property
    def all(self) -> bool:
        return self.value in (ALL, [ALL]) or (isinstance(self.value, list) and self.value[:1] == [ALL])


@dataclass
class Grafana:
    """A dashboard that somebody looks at: its JSON, what is chosen, the time, the zone, and the panels' width."""

    dashboard: Json
    now: datetime
    zone: str = "Europe/Berlin"
    width: int = 1200
    chosen: Mapping[str, Value] = field(default_factory=dict)
    options: Mapping[str, list[str]] = field(default_factory=dict)
    adhoc: list[Json] = field(default_factory=list)
    start: datetime | None = None

    @property
    def variables(self) -> dict[str, Variable]:
        return {row["name"]: self._variable(row) for row in self.dashboard["templating"]["list"]}

    def _variable(self, row: Json) -> Variable:
        name = row["name"]
        value = self.chosen.get(name, row.get("current", {}).get("value", ""))
        if row.get("multi") and isinstance(value, str):
            value = [value]
        options = self.options.get(name) or [str(each["value"]) for each in row.get("options") or ()]
        return Variable(name, row["type"], value, options, row.get("multi", False), row.get("allValue"))

    # --- variables in texts -------------------------------------------------------------------------------------

    def replace(self, text: str, form: str = "glob", scoped: Mapping[str, str] | None = None) -> str:
        def found(match: re.Match[str]) -> str:
            name = match[1] or match[2] or match[4]
            asked = match[3] or match[6] or form
            path = f"{name}.{match[5]}"
            if scoped is not None and path in scoped:
                return FORMATS[asked.partition(":")[0]](scoped[path], name)
            if name in self.variables:
                return self._formatted(self.variables[name], asked)
            return self._built_in(name, asked, match)

        return VARIABLE.sub(found, text)

    def _formatted(self, variable: Variable, form: str) -> str:
        """A custom value for All is put in as it stands, but where a link is made of it."""
        kind = form.partition(":")[0]
        if kind == "queryparam":
            values = variable.value if isinstance(variable.value, list) else [variable.value]
            return "&".join(f"var-{variable.name}={quote(each, safe=KEPT_IN_LINKS)}" for each in values)
        value: Value = variable.value
        if variable.all:
            if variable.all_value:
                if kind == "percentencode":
                    return FORMATS[kind](variable.all_value, variable.name)
                return self.replace(variable.all_value)
            value = variable.options
        return FORMATS[kind](value, variable.name)

    def _built_in(self, name: str, form: str, match: re.Match[str]) -> str:
        start, end = self.range
        if name in {"__from", "__to"}:
            moment = start if name == "__from" else end
            if form.startswith("date"):
                return iso(moment)
            return str(milliseconds(moment))
        if name == "__timezone":
            return FORMATS[form.partition(":")[0]](self.zone, name)
        if name == "__url_time_range":
            sides = "&".join(f"{side}={self.dashboard['time'][side]}" for side in ("from", "to"))
            return f"{sides}&timezone={quote(self.zone, safe='')}"
        return match[0]

    # --- requests -----------------------------------------------------------------------------------------------

    @property
    def range(self) -> tuple[datetime, datetime]:
        if self.start is not None:
            return self.start, self.now
        return moment_of(self.dashboard["time"]["from"], self.now), moment_of(self.dashboard["time"]["to"], self.now)

    def query(self, panel: Json) -> Json:
        """The body of the `/query` that a panel sends."""
        return self._request(panel["targets"], panel.get("maxDataPoints") or self.width, panel.get("interval"))

    def annotation(self, annotation: Json) -> Json:
        return self._request([{**annotation["target"], "refId": "Anno"}], 100, None)

    def _request(self, targets: list[Json], points: int, least: str | None) -> Json:
        start, end = self.range
        asked = [self.target(each) for each in targets if each.get("target") is not None and not each.get("hide")]
        raw = self.dashboard["time"]
        return {
            "app": "dashboard",
            "requestId": "Q100",
            "timezone": self.dashboard["timezone"],
            "range": {"from": iso(start), "to": iso(end), "raw": {"from": raw["from"], "to": raw["to"]}},
            "interval": "1d",
            "intervalMs": interval_ms(start, end, points, least),
            "maxDataPoints": points,
            "targets": asked,
            "filters": self.adhoc,
            "scopedVars": {**self.sent_variables(), "__interval": {"text": "1d", "value": "1d"}},
            "startTime": milliseconds(self.now),
        }

    def target(self, target: Json) -> Json:
        return {
            **target,
            "payload": self.payload(target.get("payload", ""), target.get("editorMode")),
            "target": self.replace(target["target"], "regex"),
        }

    def payload(self, payload: str | Json, mode: str | None) -> Json:
        """What becomes of a payload: `{}` wherever the plugin cannot read it."""
        try:
            if isinstance(payload, str) and mode != "builder":
                return loads(VARIABLE.sub(lambda match: self._cleaned(match[0]), payload)) if payload.strip() else {}
            made = loads(payload) if isinstance(payload, str) else payload
            return {
                key: [self.replace(text_of(each), "regex") for each in value]
                if isinstance(value, list)
                else self.replace(text_of(value), "regex")
                for key, value in made.items()
            }
        except ValueError:
            return {}

    def _cleaned(self, match: str) -> str:
        replaced = self.replace(match, "json")
        if replaced[:1] == '"' == replaced[-1:]:
            # undefined in JavaScript only where the text is shorter than its own quotation mark
            return str(loads(replaced))
        return replaced

    def sent_variables(self) -> Json:
        sent = {}
        for variable in self.variables.values():
            if variable.kind in {"adhoc", "system"}:
                continue
            if variable.kind not in HANDLED:
                raise UnknownVariable(variable.kind)
            value: Value = variable.value
            if variable.all and variable.kind in {"custom", "query"}:
                value = variable.all_value or variable.options
            sent[variable.name] = {"selected": False, "text": value, "value": value}
        return sent

    def variable_request(self, row: Json) -> Json:
        """The body of the `/variable` with which a variable's values are asked for."""
        query = row["query"]
        if query.get("format") == "json":
            payload = loads(self.replace(query["query"], "json"))
        else:
            payload = {"target": self.replace(query["query"], "regex")}
        start, end = self.range
        return {"payload": payload, "range": {"from": iso(start), "to": iso(end), "raw": self.dashboard["time"]}}

    def link(self, url: str, scoped: Mapping[str, str] | None = None) -> str:
        return self.replace(url, scoped=scoped)


# --- formats of variables -----------------------------------------------------------------------------------------


def _json(value: Value, _: str) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _regex(value: Value, _: str) -> str:
    parts = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", each) for each in as_list(value)]
    return parts[0] if isinstance(value, str) or len(parts) == 1 else f"({'|'.join(parts)})"


def _glob(value: Value, _: str) -> str:
    if isinstance(value, list) and len(value) > 1:
        return "{" + ",".join(value) + "}"
    return ",".join(as_list(value))


def _percent(value: Value, _: str) -> str:
    return quote(value if isinstance(value, str) else "{" + ",".join(value) + "}", safe=UNRESERVED)


def _address(value: Value, _: str) -> str:
    return quote(value if isinstance(value, str) else "{" + ",".join(value) + "}", safe=KEPT_IN_ADDRESSES)


FORMATS: Mapping[str, Callable[[Value, str], str]] = {
    "json": _json,
    "regex": _regex,
    "glob": _glob,
    "raw": lambda value, _: ",".join(as_list(value)),
    "percentencode": _percent,
    "uriencode": _address,
}


def as_list(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else value


def loads(text: str) -> Any:
    """As strict as a browser's `JSON.parse`."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def text_of(value: object) -> str:
    """JavaScript's `toString`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "[object Object]"
    return str(value)


# --- time ---------------------------------------------------------------------------------------------------------

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY, "w": 7 * DAY, "M": 30 * DAY, "y": 365 * DAY}


def moment_of(text: str, now: datetime) -> datetime:
    """`now` and `now-30d`; roundings such as `now/d` are not used by the dashboards."""
    found = re.fullmatch(r"now(?:-(\d+)([smhdwMy]))?", text)
    assert found is not None, text
    if found[1] is None:
        return now
    return datetime.fromtimestamp((milliseconds(now) - int(found[1]) * _UNITS[found[2]]) / 1000, UTC)


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel, those folded into rows too."""
    for panel in dashboard["panels"]:
        yield from panel.get("panels") or ()
        if panel["type"] != "row":
            yield panel


def asking(dashboard: Json) -> Iterable[Json]:
    """The panels with a question to Toggl Pulse."""
    return (panel for panel in panels(dashboard) if panel.get("datasource", {}).get("uid") == "toggl-pulse")


_ROUND = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000), (3_500, 2_000),
    (7_500, 5_000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000), (90_000, 60_000),
    (210_000, 120_000), (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000),
    (2_700_000, 1_800_000), (5_400_000, HOUR), (9_000_000, 2 * HOUR), (16_200_000, 3 * HOUR), (32_400_000, 6 * HOUR),
    (DAY, 12 * HOUR), (7 * DAY, DAY), (21 * DAY, 7 * DAY), (42 * DAY, 30 * DAY),
)  # fmt: skip


def interval_ms(start: datetime, end: datetime, points: int, least: str | None) -> int:
    """The length of a step that Grafana thinks fits; never below the panel's own least."""
    exact = (milliseconds(end) - milliseconds(start)) / points
    fits = next((step for below, step in _ROUND if exact < below), 365 * DAY)
    if least is None:
        return fits
    found = re.fullmatch(r"(\d+)([smhdwMy])", least)
    assert found is not None, least
    return max(fits, int(found[1]) * _UNITS[found[2]])
