"""Grafana's image and its provisioning files: only keys that Grafana reads, references that lead somewhere, no secret.

The tables hold what Grafana 12's own readers of these files know (`pkg/services/provisioning`, `pkg/tsdb/influxdb`,
`pkg/expr`); a key that is not there is one that Grafana would pass over in silence.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.model import ROOT

GRAFANA = ROOT / "deploy" / "grafana"
PROVISIONING = GRAFANA / "provisioning"
DASHBOARDS = sorted((GRAFANA / "dashboards").rglob("*.json"))
EXPRESSION = "__expr__"
DURATION = re.compile(r"\d+[smhdw]")

Keys = Mapping[str, type | tuple[type, ...]]

DATA_SOURCE: Keys = {
    "name": str,
    "uid": str,
    "type": str,
    "access": str,
    "url": str,
    "isDefault": bool,
    "editable": bool,
    "jsonData": dict,
    "secureJsonData": dict,
    "orgId": int,
}
JSON_DATA: Mapping[str, Keys] = {
    "simpod-json-datasource": {"defaultEditorMode": str, "httpHeaderName1": str, "timeout": int},
    "influxdb": {"version": str, "organization": str, "defaultBucket": str, "timeInterval": str, "maxSeries": int},
}
SECURE_JSON_DATA: Mapping[str, Keys] = {
    "simpod-json-datasource": {"httpHeaderValue1": str},
    "influxdb": {"token": str},
}
PROVIDER: Keys = {
    "name": str,
    "type": str,
    "orgId": int,
    "disableDeletion": bool,
    "allowUiUpdates": bool,
    "updateIntervalSeconds": int,
    "options": dict,
}
PROVIDER_OPTIONS: Keys = {"path": str, "foldersFromFilesStructure": bool}
GROUP: Keys = {"orgId": int, "name": str, "folder": str, "interval": str, "rules": list}
RULE: Keys = {
    "uid": str,
    "title": str,
    "condition": str,
    "data": list,
    "noDataState": str,
    "execErrState": str,
    "for": str,
    "annotations": dict,
    "labels": dict,
}
QUERY: Keys = {"refId": str, "datasourceUid": str, "relativeTimeRange": dict, "model": dict}
FLUX_MODEL: Keys = {"refId": str, "query": str, "intervalMs": int, "maxDataPoints": int}
EXPRESSION_MODELS: Mapping[str, Keys] = {
    "reduce": {"refId": str, "type": str, "expression": str, "reducer": str, "datasource": dict},
    "threshold": {"refId": str, "type": str, "expression": str, "conditions": list, "datasource": dict},
}

NO_ONE_OUTSIDE = {
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
}
NO_ONE_WITHOUT_A_LOGIN = {
    "GF_AUTH_ANONYMOUS_ENABLED": "false",
    "GF_AUTH_ANONYMOUS_HIDE_VERSION": "true",
    "GF_USERS_ALLOW_SIGN_UP": "false",
    "GF_USERS_ALLOW_ORG_CREATE": "false",
    "GF_PUBLIC_DASHBOARDS_ENABLED": "false",
    "GF_METRICS_ENABLED": "false",
    "GF_SECURITY_COOKIE_SECURE": "true",
    "GF_SERVER_SERVE_FROM_SUB_PATH": "true",
}


def load(kind: str) -> dict[str, Any]:
    """The one file of a kind; more would be read by Grafana too."""
    (file,) = (PROVISIONING / kind).iterdir()
    loaded: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return loaded


DATA_SOURCES: list[dict[str, Any]] = load("datasources")["datasources"]
(PROVIDER_FILE,) = load("dashboards")["providers"]
(ALERT_GROUP,) = load("alerting")["groups"]
RULES: list[dict[str, Any]] = ALERT_GROUP["rules"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICE: dict[str, Any] = COMPOSE["services"]["grafana"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's lines, joined where they go on."""
    text = (GRAFANA / "Dockerfile").read_text("utf-8")
    joined = re.sub(r"\\\n\s*", "", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def baked() -> dict[str, str]:
    """What the image's own environment says."""
    pairs = [pair for word, rest in instructions() if word == "ENV" for pair in shlex.split(rest)]
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def environment() -> dict[str, str]:
    """What Grafana has in the end: the image's, and compose's over it."""
    return {**baked(), **{name: str(value) for name, value in SERVICE["environment"].items()}}


def check(given: Mapping[str, Any], keys: Keys) -> None:
    assert {} == {name: value for name, value in given.items() if name not in keys}
    assert {} == {name: value for name, value in given.items() if not isinstance(value, keys[name])}


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


# keys


@pytest.mark.parametrize(
    ("kind", "part"), [("datasources", "datasources"), ("dashboards", "providers"), ("alerting", "groups")]
)
def test_each_file_has_its_version_and_one_part(kind: str, part: str) -> None:
    assert {"apiVersion", part} == set(load(kind))
    assert load(kind)["apiVersion"] == 1


@pytest.mark.parametrize("source", DATA_SOURCES, ids=lambda source: source["uid"])
def test_grafana_reads_every_key_of_a_data_source(source: dict[str, Any]) -> None:
    check(source, DATA_SOURCE)
    check(source["jsonData"], JSON_DATA[source["type"]])
    check(source["secureJsonData"], SECURE_JSON_DATA[source["type"]])
    assert ("proxy", False) == (source["access"], source["editable"])


def test_grafana_reads_every_key_of_the_dashboards_provider() -> None:
    check(PROVIDER_FILE, PROVIDER)
    check(PROVIDER_FILE["options"], PROVIDER_OPTIONS)
    assert "folder" not in PROVIDER_FILE  # it would win over the folders of the files


def test_grafana_reads_every_key_of_the_rules_group() -> None:
    check(ALERT_GROUP, GROUP)
    assert DURATION.fullmatch(ALERT_GROUP["interval"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["uid"])
def test_grafana_reads_every_key_of_a_rule(rule: dict[str, Any]) -> None:
    check(rule, RULE)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", rule["uid"])
    assert DURATION.fullmatch(rule["for"])
    assert rule["noDataState"] in {"Alerting", "OK"}
    assert rule["execErrState"] in {"Alerting", "KeepLast"}
    assert {"summary", "description"} == set(rule["annotations"])
    for query in rule["data"]:
        check(query, QUERY)
        model = query["model"]
        assert query["refId"] == model["refId"]
        if query["datasourceUid"] == EXPRESSION:
            check(model, EXPRESSION_MODELS[model["type"]])
        else:
            check(model, FLUX_MODEL)
            assert {"from", "to"} == set(query["relativeTimeRange"])
    assert rule["condition"] in {query["refId"] for query in rule["data"]}


def test_silence_is_an_alarm() -> None:
    """Of the rules that points feed at all times; the two others would only repeat it."""
    assert {"toggl-pulse-no-success", "toggl-pulse-projection"} == {
        rule["uid"] for rule in RULES if rule["noDataState"] == "Alerting"
    }


def test_the_contact_point_in_the_documents_has_grafana_s_keys_and_lies_where_it_looks() -> None:
    page = (ROOT / "docs" / "grafana.md").read_text("utf-8")
    blocks = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    (contact,) = [block for block in blocks if "contactPoints" in block]
    (override,) = [
        block["services"]["grafana"] for block in blocks if "volumes" in block.get("services", {}).get("grafana", {})
    ]

    assert {"apiVersion", "contactPoints", "policies"} == set(contact)
    (point,), (policy,) = contact["contactPoints"], contact["policies"]
    check(point, {"orgId": int, "name": str, "receivers": list})
    check(point["receivers"][0], {"uid": str, "type": str, "settings": dict})
    check(policy, {"orgId": int, "receiver": str})
    assert point["name"] == policy["receiver"]
    assert "/etc/grafana/provisioning/alerting/contact-points.yaml" == override["volumes"][0].split(":")[1]
    assert set(override["networks"]) <= set(COMPOSE["networks"])


# references


def test_the_data_sources_are_the_stack_s_two() -> None:
    assert {"toggl-pulse": "simpod-json-datasource", "toggl-pulse-influxdb": "influxdb"} == {
        source["uid"]: source["type"] for source in DATA_SOURCES
    }
    assert ["toggl-pulse"] == [source["uid"] for source in DATA_SOURCES if source.get("isDefault")]


def test_every_rule_asks_a_data_source_that_can_feed_alerts() -> None:
    """The JSON plugin runs in the browser alone."""
    asked = {query["datasourceUid"] for rule in RULES for query in rule["data"]}

    assert {"toggl-pulse-influxdb", EXPRESSION} == asked


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_every_dashboard_asks_a_data_source_that_is_there(file: Path) -> None:
    known = {source["uid"]: source["type"] for source in DATA_SOURCES}
    known["-- Grafana --"] = "grafana"

    def named(value: object) -> Iterator[dict[str, Any]]:
        if isinstance(value, Mapping):
            if isinstance(value.get("datasource"), dict):
                yield value["datasource"]
            for each in value.values():
                yield from named(each)
        elif isinstance(value, list):
            for each in value:
                yield from named(each)

    found = list(named(json.loads(file.read_text("utf-8"))))
    assert found
    assert [] == [each for each in found if known.get(each.get("uid", "")) != each.get("type")]


@pytest.mark.parametrize("source", DATA_SOURCES, ids=lambda source: source["uid"])
def test_every_data_source_is_a_service_on_a_network_of_grafana_s(source: dict[str, Any]) -> None:
    found = re.fullmatch(r"http://([a-z-]+):(\d+)", source["url"])
    assert found is not None
    other = COMPOSE["services"][found[1]]

    assert set(SERVICE["networks"]) & set(other["networks"])
    assert {"toggl-pulse": "8000", "influxdb": "8086"}[found[1]] == found[2]


def test_grafana_itself_has_no_way_out() -> None:
    assert [] == [name for name in SERVICE["networks"] if not (COMPOSE["networks"][name] or {}).get("internal")]


def test_the_service_answers_to_the_name_by_which_grafana_asks_it() -> None:
    assert "toggl-pulse" in COMPOSE["services"]["toggl-pulse"]["environment"]["ALLOWED_HOSTS"].split(",")


def test_every_variable_in_the_files_is_in_grafana_s_environment() -> None:
    parts = (DATA_SOURCES, PROVIDER_FILE, ALERT_GROUP)
    used = {name for text in texts(list(parts)) for name in re.findall(r"\$\{([A-Z_]+)\}", text)}
    given = {name.removesuffix("__FILE") for name in environment()}

    assert {"GF_TOGGL_PULSE_API_TOKEN", "GF_TOGGL_PULSE_INFLUXDB_TOKEN", "INFLUXDB_ORG", "INFLUXDB_BUCKET"} == used
    assert used <= given


def test_a_dollar_stands_for_nothing_but_those_variables() -> None:
    """Grafana puts variables into every text but a rule's model."""
    parts = [DATA_SOURCES, PROVIDER_FILE, [{**rule, "data": []} for rule in RULES]]

    assert [] == [text for text in texts(parts) if "$" in re.sub(r"\$\{[A-Z_]+\}", "", text)]


def test_organisation_and_bucket_are_those_that_the_service_writes_to() -> None:
    writer = COMPOSE["services"]["toggl-pulse"]["environment"]

    for name in ("INFLUXDB_ORG", "INFLUXDB_BUCKET"):
        assert writer[name] == SERVICE["environment"][name]


def test_every_secret_comes_from_a_file_that_grafana_alone_and_its_owner_see() -> None:
    given = environment()
    files = {name: value for name, value in given.items() if name.endswith("__FILE")}
    secret = {name for name in given if re.search("PASSWORD|SECRET|TOKEN", name)}

    assert secret == set(files)
    places = {f"/run/secrets/{name}" for name in SERVICE["secrets"]}
    volumes = {volume.split(":")[1] for volume in SERVICE["volumes"] if volume.endswith(":ro")}
    for value in files.values():
        assert value in places or str(Path(value).parent) in volumes, value
    assert {"GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_SECURITY_SECRET_KEY__FILE"} < set(files)
    for source in DATA_SOURCES:
        for text in source["secureJsonData"].values():
            assert re.fullmatch(r"(Bearer )?\$\{GF_TOGGL_PULSE_[A-Z_]+\}", text)


def test_dashboards_and_provisioning_are_where_grafana_looks() -> None:
    copied = dict(rest.split()[-2:] for word, rest in instructions() if word == "COPY")

    assert {"provisioning": "/etc/grafana/provisioning", "dashboards": PROVIDER_FILE["options"]["path"]} == copied
    home = Path(environment()["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (GRAFANA / "dashboards" / home.relative_to(PROVIDER_FILE["options"]["path"])).is_file()


# the image


def test_the_image_is_grafana_12_4_pinned_to_its_bytes() -> None:
    (base,) = [rest for word, rest in instructions() if word == "FROM"]

    assert re.fullmatch(r"grafana/grafana:12\.4\.\d+@sha256:[0-9a-f]{64}", base)


def test_the_plugin_is_pinned_and_lies_beside_the_volume() -> None:
    (install,) = [rest for word, rest in instructions() if word == "RUN"]
    plugins = Path(environment()["GF_PATHS_PLUGINS"])

    assert re.search(
        r'--pluginsDir "\$GF_PATHS_PLUGINS" plugins install simpod-json-datasource \d+\.\d+\.\d+ ', install
    )
    for volume in SERVICE["volumes"]:
        assert not plugins.is_relative_to(volume.split(":")[1])


def test_the_image_ends_as_its_own_user() -> None:
    assert "472" == [rest for word, rest in instructions() if word == "USER"][-1]


def test_nothing_is_downloaded_or_told_to_anyone_outside() -> None:
    given = environment()

    assert {} == {name: given.get(name) for name, value in NO_ONE_OUTSIDE.items() if given.get(name) != value}
    assert [] == [name for name in given if name in {"GF_INSTALL_PLUGINS", "GF_PLUGINS_PREINSTALL"} or "SYNC" in name]


def test_nothing_is_shown_without_a_login() -> None:
    given = environment()

    assert {} == {name: given.get(name) for name, value in NO_ONE_WITHOUT_A_LOGIN.items() if given.get(name) != value}


def test_grafana_knows_that_it_is_served_under_its_path() -> None:
    assert environment()["GF_SERVER_ROOT_URL"].endswith("/grafana/")
    assert environment()["GF_SERVER_ROOT_URL"].startswith("https://")
