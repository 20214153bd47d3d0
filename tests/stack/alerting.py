"""Alert rules evaluated as Grafana does: macros put into the Flux, tables read as time series, reduced, compared.

Only what our rules use; a rule that uses anything else is an error here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import yaml

from influxdb import Server
from stack.model import ROOT

__all__ = ["RULES", "Rule", "interpolate", "state"]

Rule = dict[str, Any]
Labels = frozenset[tuple[str, str]]
Series = dict[Labels, list[float]]

FILE = ROOT / "deploy" / "grafana" / "provisioning" / "alerting" / "toggl-pulse.yaml"
RULES: dict[str, Rule] = {
    rule["uid"]: rule for group in yaml.safe_load(FILE.read_text("utf-8"))["groups"] for rule in group["rules"]
}

REDUCERS: dict[str, Callable[[list[float]], float]] = {"last": lambda values: values[-1]}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {"gt": float.__gt__, "lt": float.__lt__}


def interpolate(query: str, *, bucket: str, start: datetime, stop: datetime) -> str:
    """Grafana replaces `word.word` by what the second word says, whatever the first is, and knows no others."""
    texts = {
        "defaultBucket": f'"{bucket}"',
        "bucket": f'"{bucket}"',  # also where a column of that name is meant
        "organization": '""',
        "windowPeriod": "1m",
        "timeRangeStart": f"{start:%Y-%m-%dT%H:%M:%S.%fZ}",
        "timeRangeStop": f"{stop:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    assert "$" not in query
    return re.sub(r"([a-zA-Z]+)\.([a-zA-Z]+)", lambda found: texts.get(found[2], found[0]), query)


def read(answer: str) -> Series:
    """Each table with `_measurement` is a series, its labels what begins with no `_`; without it there is none."""
    found: Series = {}
    for block in answer.split("\r\n\r\n"):
        for row in csv.DictReader(io.StringIO(block, newline="")):
            assert row["_measurement"]
            assert row["_field"]
            assert row["_time"]
            names = [name for name in row if name and not name.startswith("_") and name not in {"result", "table"}]
            found.setdefault(frozenset((name, row[name]) for name in names), []).append(float(row["_value"]))
    return found


def state(rule: Rule, server: Server, bucket: str, now: datetime) -> str:
    """What an evaluation at this moment comes to: `Normal` or `Alerting`, nothing found counted as the rule says."""
    question, reduction, comparison = rule["data"]
    assert question["datasourceUid"] == "toggl-pulse-influxdb"
    reach = question["relativeTimeRange"]
    start, stop = (now - timedelta(seconds=reach[side]) for side in ("from", "to"))
    series = read(server.flux(interpolate(question["model"]["query"], bucket=bucket, start=start, stop=stop)))
    if not series:
        return {"Alerting": "Alerting", "OK": "Normal"}[rule["noDataState"]]
    assert question["refId"] == reduction["model"]["expression"]
    assert reduction["refId"] == comparison["model"]["expression"]
    assert comparison["refId"] == rule["condition"]
    assert ("reduce", "threshold") == (reduction["model"]["type"], comparison["model"]["type"])
    reduced = {labels: REDUCERS[reduction["model"]["reducer"]](values) for labels, values in series.items()}
    return "Alerting" if any(_compare(comparison["model"], value) for value in reduced.values()) else "Normal"


def _compare(model: Mapping[str, Any], value: float) -> bool:
    (condition,) = model["conditions"]
    (limit,) = condition["evaluator"]["params"]
    return COMPARISONS[condition["evaluator"]["type"]](value, float(limit))
