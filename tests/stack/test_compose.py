"""The compose files, read by the specification's own implementation: what is open, what is limited, who sees what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from stack.model import PLAIN, ROOT, Model, resolve
from toggl_pulse import __version__
from toggl_pulse.cli.stack_secrets import DEMO as DEMO_SECRETS
from toggl_pulse.cli.stack_secrets import SECRETS
from toggl_pulse.settings import InfluxDBSetup, Settings

ONE_SHOT = {"bootstrap", "secrets"}
SERVICES = {"influxdb", "bootstrap", "toggl-pulse", "grafana", "caddy"}
OURS = {"toggl-pulse", "bootstrap", "secrets"}
VERSION = re.compile(r"[a-z0-9/-]+:\d+\.\d+(\.\d+)?(-alpine|-slim-[a-z]+)?(@sha256:[0-9a-f]{64})?")
FILES = ("compose.yaml", "compose.demo.yaml", "compose.postgresql.yaml")
TWO_GB = 2 * 10**9
FOR_THE_SYSTEM = 350 * 2**20
SECRET_WORDS = re.compile("TOKEN|PASSWORD|SECRET|KEY|DATABASE_URL")


def services(model: Model) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = model["services"]
    return found


def long_running(model: Model) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services(model).items() if name not in ONE_SHOT}


def networks(model: Model, name: str) -> set[str]:
    return set(services(model)[name].get("networks") or ())


def test_the_services_are_those_of_the_stack(models: dict[str, Model]) -> None:
    assert SERVICES == set(services(models["plain"]))
    assert SERVICES | {"secrets"} == set(services(models["demo"]))
    assert SERVICES | {"postgresql"} == set(services(models["postgresql"]))


def test_only_caddy_has_ports_and_only_80_and_443(model: Model) -> None:
    ports = {name: service["ports"] for name, service in services(model).items() if service.get("ports")}

    assert {"caddy"} == set(ports)
    assert {("80", 80), ("443", 443)} == {(port["published"], port["target"]) for port in ports["caddy"]}


def test_the_demo_is_open_to_this_machine_alone(models: dict[str, Model]) -> None:
    assert {"127.0.0.1"} == {port["host_ip"] for port in services(models["demo"])["caddy"]["ports"]}


def test_no_service_leaves_its_box(model: Model) -> None:
    """No host network, no host's processes, no device, no extra right, no socket of Docker's."""
    opened = {"privileged", "pid", "ipc", "userns_mode", "devices", "extra_hosts", "volumes_from", "cgroup"}
    for name, service in services(model).items():
        assert set() == opened & {key for key, value in service.items() if value}, name
        assert service.get("network_mode", "none") == "none", name
        assert "docker.sock" not in str(service), name


def test_every_image_is_pinned_to_a_version(model: Model) -> None:
    images = {name: service["image"] for name, service in services(model).items()}

    bases = {
        str(path): image
        for path in (ROOT / "deploy").rglob("Dockerfile")
        for image in re.findall(r"^FROM (\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert 3 == len(bases)
    assert {} == {name: image for name, image in (images | bases).items() if not VERSION.fullmatch(image)}
    assert {f"toggl-pulse:{__version__}"} == {images[name] for name in OURS & set(images)}
    assert "influxdb:2.7.12" == images["influxdb"]


def test_our_images_are_built_once_each_and_fetched_from_nobody(model: Model) -> None:
    built = {name: service["image"] for name, service in services(model).items() if service.get("build")}

    names = {"toggl-pulse": "toggl-pulse", "grafana": "toggl-pulse-grafana", "caddy": "toggl-pulse-caddy"}
    assert {name: f"{image}:{__version__}" for name, image in names.items()} == built
    # without a word Compose asks the world for an image of that name first
    policies = {name: each["pull_policy"] for name, each in services(model).items() if "pull_policy" in each}
    users = (OURS - {"toggl-pulse"}) & set(services(model))
    assert dict.fromkeys(built, "build") | dict.fromkeys(users, "never") == policies


def test_every_service_is_fenced_in(model: Model) -> None:
    for name, service in services(model).items():
        assert service["read_only"] is True, name
        assert ["ALL"] == service["cap_drop"], name
        assert ["no-new-privileges:true"] == service["security_opt"], name
        assert {"max-size": "10m", "max-file": "3"} == service["logging"]["options"], name
        assert int(service["mem_limit"]) > 0, name
        assert service["pids_limit"] > 0, name
    added = {name: service["cap_add"] for name, service in services(model).items() if service.get("cap_add")}
    assert {"caddy": ["NET_BIND_SERVICE"]} == added


def test_every_service_that_stays_has_a_health_check_and_comes_back(model: Model) -> None:
    for name, service in long_running(model).items():
        assert "CMD" == service["healthcheck"]["test"][0], name
        assert "unless-stopped" == service["restart"], name
    for name in ONE_SHOT & set(services(model)):
        assert services(model)[name]["healthcheck"]["disable"] is True
        assert "no" == services(model)[name]["restart"]


def test_all_memory_limits_together_leave_room_on_two_gigabytes(models: dict[str, Model]) -> None:
    """PostgreSQL is one more, for larger machines."""
    for name in ("plain", "demo"):
        total = sum(int(service["mem_limit"]) for service in long_running(models[name]).values())
        assert total + FOR_THE_SYSTEM < TWO_GB


def test_who_waits_for_whom(models: dict[str, Model]) -> None:
    def waits(model: Model, name: str) -> dict[str, str]:
        needed = services(model)[name].get("depends_on") or {}
        assert all(each["required"] for each in needed.values())
        return {other: each["condition"] for other, each in needed.items()}

    healthy, done = "service_healthy", "service_completed_successfully"
    plain = models["plain"]
    assert {} == waits(plain, "influxdb")
    assert {"influxdb": healthy} == waits(plain, "bootstrap")
    assert {"bootstrap": done, "influxdb": healthy} == waits(plain, "toggl-pulse")
    assert {"bootstrap": done, "toggl-pulse": healthy} == waits(plain, "grafana")
    assert {"toggl-pulse": healthy, "grafana": healthy} == waits(plain, "caddy")
    assert {"secrets": done, "influxdb": healthy} == waits(models["demo"], "bootstrap")
    assert healthy == waits(models["postgresql"], "toggl-pulse")["postgresql"]


def test_networks_let_each_service_reach_what_it_must_and_nothing_else(models: dict[str, Model]) -> None:
    for model in models.values():
        assert {"edge", "front"} == networks(model, "caddy")
        assert {"front", "data"} == networks(model, "grafana")
        assert {"data"} == networks(model, "influxdb")
        assert {"data"} == networks(model, "bootstrap")
        inner = {name for name, network in model["networks"].items() if network.get("internal")}
        assert {"front", "data"} <= inner
        assert set() == inner & {"edge", "egress"}
    assert {"front", "data", "egress"} == networks(models["plain"], "toggl-pulse")
    assert {"front", "data"} == networks(models["demo"], "toggl-pulse")
    assert "none" == services(models["demo"])["secrets"]["network_mode"]
    with_database = models["postgresql"]
    assert {"mirror"} == networks(with_database, "postgresql")
    assert {"front", "data", "egress", "mirror"} == networks(with_database, "toggl-pulse")
    assert with_database["networks"]["mirror"]["internal"] is True


def test_only_the_service_can_reach_toggl(models: dict[str, Model]) -> None:
    for model in models.values():
        outward = {name for name in services(model) if "egress" in networks(model, name)}
        assert outward <= {"toggl-pulse"}


def values(service: dict[str, Any]) -> dict[str, str]:
    return {name: value or "" for name, value in (service.get("environment") or {}).items()}


def test_no_secret_stands_in_an_environment_a_command_or_a_label(model: Model) -> None:
    for name, service in services(model).items():
        for variable, value in values(service).items():
            if SECRET_WORDS.search(variable) and not variable.endswith("_FILE"):
                assert variable in {"GF_SECURITY_COOKIE_SECURE", "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED"}, variable
            if variable.endswith("_FILE"):
                assert value == "" or value.startswith(("/run/secrets/", "/bootstrap/")), (name, variable)
        assert not service.get("labels"), name
        assert not service.get("env_file"), name
        assert not service.get("build", {}).get("args"), name


def test_who_reads_which_secret(models: dict[str, Model]) -> None:
    def read(model: Model, name: str) -> set[str]:
        return {secret["source"] for secret in services(model)[name].get("secrets") or ()}

    assert {
        "influxdb": set(),
        "bootstrap": {"influxdb_admin_password"},
        "toggl-pulse": {"api_token", "toggl_api_token"},
        "grafana": {"api_token", "grafana_admin_password", "grafana_secret_key"},
        "caddy": set(),
    } == {name: read(models["plain"], name) for name in SERVICES}
    assert {"postgresql_password"} == read(models["postgresql"], "postgresql")
    assert {"api_token", "toggl_api_token", "database_url"} == read(models["postgresql"], "toggl-pulse")
    assert set() == {secret for name in services(models["demo"]) for secret in read(models["demo"], name)}


def test_every_secret_that_is_named_is_mounted_there(model: Model) -> None:
    """Each `…_FILE` leads to a file that this service has: a secret, or a volume of that place."""
    for name, service in services(model).items():
        mounted = {f"/run/secrets/{secret['source']}" for secret in service.get("secrets") or ()}
        volumes = {mount["target"]: mount for mount in service.get("volumes") or ()}
        for variable, value in values(service).items():
            if variable.endswith("_FILE") and value:
                assert value in mounted or str(Path(value).parent) in volumes, (name, variable)


def test_init_makes_every_secret_and_the_demo_s_those_that_it_reads(models: dict[str, Model]) -> None:
    known = {f"./secrets/{secret.name}" for secret in SECRETS}
    for model in models.values():
        assert {str(ROOT / path) for path in known} >= {secret["file"] for secret in model["secrets"].values()}
    asked = {
        Path(value).name
        for service in services(models["demo"]).values()
        for variable, value in values(service).items()
        if variable.endswith("_FILE") and value.startswith("/run/secrets/")
    }
    assert asked == {secret.name for secret in DEMO_SECRETS}


def test_tokens_of_influxdb_are_seen_by_their_readers_alone(model: Model) -> None:
    seen: dict[str, set[tuple[str, bool]]] = {}
    for name, service in services(model).items():
        for mount in service.get("volumes") or ():
            if mount.get("source", "").startswith("token-"):
                seen.setdefault(mount["source"], set()).add((name, bool(mount.get("read_only"))))

    assert {
        "token-service": {("bootstrap", False), ("toggl-pulse", True)},
        "token-grafana": {("bootstrap", False), ("grafana", True)},
        "token-admin": {("bootstrap", False)},
    } == seen


def test_what_is_kept_lies_in_volumes_of_one_service_each(model: Model) -> None:
    homes = {
        "mirror": "/data",
        "influxdb-data": "/var/lib/influxdb2",
        "grafana-data": "/var/lib/grafana",
        "caddy-data": "/data",
        "postgresql-data": "/var/lib/postgresql/data",
    }
    writers: dict[str, list[str]] = {}
    for name, service in services(model).items():
        for mount in service.get("volumes") or ():
            if (volume := mount.get("source")) in homes:
                assert homes[volume] == mount["target"]
                writers.setdefault(volume, []).append(name)
    assert all(len(names) == 1 for names in writers.values())
    assert set(homes) - {"postgresql-data"} <= set(writers)


def test_nothing_of_the_machine_is_mounted_but_secrets_and_every_build_folder_is_there(model: Model) -> None:
    for name, service in services(model).items():
        assert {"volume"} >= {mount["type"] for mount in service.get("volumes") or ()}, name
        if build := service.get("build"):
            assert (Path(build["context"]) / build["dockerfile"]).exists(), name


def test_the_demo_touches_nothing_of_the_account_s_stack(compose_check: Path) -> None:
    """Whatever `.env` says: another project and so other volumes, no domain of the account's, no token of Toggl's."""
    mine = {"DOMAIN": "hours.example.com", "TLS": "me@example.com", "QUERY_SOURCE": "influxdb"}
    demo = resolve(compose_check, ("compose.yaml", "compose.demo.yaml"), **mine)

    assert "toggl-pulse-demo" == demo["name"]
    assert "hours.example.com" not in str(demo)
    assert "me@example.com" not in str(demo)
    assert ["demo"] == services(demo)["toggl-pulse"]["command"]
    assert "" == values(services(demo)["toggl-pulse"])["TOGGL_API_TOKEN_FILE"]
    assert all(name.startswith("toggl-pulse-demo_") for name in (each["name"] for each in demo["volumes"].values()))


def test_answers_are_made_from_influxdb_unless_the_owner_wants_the_mirror(compose_check: Path) -> None:
    for given, used in (({}, "influxdb"), ({"QUERY_SOURCE": ""}, "influxdb"), ({"QUERY_SOURCE": "mirror"}, "mirror")):
        model = resolve(compose_check, PLAIN, **given)
        assert used == values(services(model)["toggl-pulse"])["QUERY_SOURCE"]


def test_without_a_domain_it_is_localhost(compose_check: Path) -> None:
    model = resolve(compose_check, PLAIN)

    assert "localhost" == values(services(model)["caddy"])["DOMAIN"]
    assert "https://localhost/grafana/" == values(services(model)["grafana"])["GF_SERVER_ROOT_URL"]
    assert "toggl-pulse,localhost" == values(services(model)["toggl-pulse"])["ALLOWED_HOSTS"]


# .env.example


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def variables() -> set[str]:
    """Every variable of the compose files; a dollar of Docker's own is doubled."""
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in FILES).replace("$$", "")
    assert text.count("${") == text.count("$")
    return set(re.findall(r"\$\{([A-Z_]+)", text))


def test_every_variable_is_explained_in_the_example_and_no_other() -> None:
    seeds = {secret.given_as for secret in SECRETS if secret.given_as}

    assert variables() | seeds == set(example())
    assert {} == {name: value for name, value in example().items() if name in seeds and value}


def test_a_line_of_the_example_is_what_holds_without_it(compose_check: Path) -> None:
    given = {name: value for name, value in example().items() if value and name != "DOMAIN"}

    with_example = resolve(compose_check, PLAIN, DOMAIN="a.example.com", **given)
    without = resolve(compose_check, PLAIN, DOMAIN="a.example.com")

    differing = {
        (name, variable)
        for name, service in services(without).items()
        for variable, value in values(service).items()
        if value != values(services(with_example)[name])[variable]
    }
    assert {("toggl-pulse", "LOG_LEVEL")} == differing
    assert "INFO" == Settings.model_fields["log_level"].default


@pytest.mark.parametrize("name", ["toggl-pulse", "bootstrap"])
def test_the_program_knows_every_variable_that_it_is_given(models: dict[str, Model], name: str) -> None:
    known = {field.upper() for kind in (Settings, InfluxDBSetup) for field in kind.model_fields}

    given = {variable.removesuffix("_FILE") for variable in values(services(models["postgresql"])[name])}
    assert set() == given - known
