"""The documents: complete, current, and true as far as a machine can tell; their commands are run as printed."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from e2e.processes import PATIENCE, TOKEN, environment, running, simulated_toggl
from toggl_pulse.cli.status import described
from toggl_pulse.metrics import METRICS, parse_query
from toggl_pulse.settings import InfluxDBSetup, Settings

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "toggl_pulse"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *DOCS]
OUR_ADDRESS = "http://127.0.0.1:8000"
CURL = shutil.which("curl")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def script(name: str) -> ModuleType:
    """A script beside the documents, imported by its path."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


tables = script("tables")


def fences(page: Path, language: str) -> list[str]:
    """The code blocks of a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines that people have written as sentences: no code, no tables, no headings, nothing printed."""
    printed = code = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        printed = "[[[cog" in line or (printed and "[[[end]]]" not in line)
        code = code != (line.startswith("```") and not printed)
        if not (printed or code or line.startswith(("#", "|", "<", "!", "    ", "```"))):
            yield number, line


# complete


def test_every_setting_is_documented() -> None:
    page = text_of("docs/settings.md")

    names = {**Settings.model_fields, **InfluxDBSetup.model_fields}
    assert [] == [name for name in names if f"`{name.upper()}`" not in page]


def test_every_verb_is_documented() -> None:
    page = text_of("docs/cli.md")

    assert [] == [
        verb for verb in (*tables.verbs(), "init influxdb", "init stack") if f"## `toggl-pulse {verb}`" not in page
    ]


def test_every_verb_is_in_the_list_of_the_changelog() -> None:
    listed = re.findall(r"^\* \*\*Command line\*\*: (.*)$", text_of("CHANGELOG.md"), re.MULTILINE)

    assert [] == [verb for verb in tables.verbs() if f"`{verb}`" not in listed[-1]]


def test_every_metric_is_documented() -> None:
    page = text_of("docs/metrics.md")

    assert [] == [slug for slug in METRICS if f"`{slug}`" not in page]


def test_every_route_is_documented() -> None:
    page = text_of("docs/http.md")

    assert [] == [path for method, path, _ in tables.addresses() if f"`{method} {path}`" not in page]


def test_every_error_code_is_documented() -> None:
    page = text_of("docs/http.md") + text_of("docs/operations.md")
    codes = error_codes()

    assert {"unknown_metric", "unauthorized", "too_large", "toggl_cut", "busy", "not_found"} <= codes
    assert [] == sorted(code for code in codes if f"`{code}`" not in page)


def error_codes() -> set[str]:
    """Every slug that the code gives to an error: `code=`, defaults of `code`, and the tables of slug and sentence."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if "demo" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                named = [word.value for word in node.keywords if word.arg == "code"]
                placed = node.args[1:2] if ast.unparse(node.func) == "error_response" else []
                found |= {value.value for value in (*named, *placed) if isinstance(value, ast.Constant)}
            elif isinstance(node, ast.arguments):
                defaults = dict(zip([word.arg for word in node.kwonlyargs], node.kw_defaults, strict=True))
                if isinstance(default := defaults.get("code"), ast.Constant):
                    found.add(default.value)
            elif isinstance(node, ast.Tuple):  # ("toggl_cut", "The connection to Toggl broke off.")
                found |= slug_before_sentence(node)
    return {code for code in found if isinstance(code, str)}


def slug_before_sentence(node: ast.Tuple) -> set[str]:
    words = [each.value if isinstance(each, ast.Constant) else None for each in node.elts]
    slug, sentence = (*words, None, None)[-4:-2] if len(words) > 1 else (None, None)
    whole = isinstance(slug, str) and isinstance(sentence, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", slug)
    return {str(slug)} if whole and re.fullmatch(r"[A-Z].*[.?]", str(sentence)) else set()


def test_every_figure_for_prometheus_is_documented() -> None:
    names = set(re.findall(r'"(toggl_pulse_[a-z_]+)"', (SOURCE / "api" / "prometheus.py").read_text(encoding="utf-8")))
    page = text_of("docs/operations.md")

    assert len(names) > 10
    assert [] == sorted(name for name in names if f"`{name}" not in page)


def test_every_line_of_the_status_is_documented() -> None:
    lines = set(re.findall(r'\(+"([A-Z][a-z]+(?: [a-z]+)*)"(?:,| if)', inspect.getsource(described)))
    page = text_of("docs/operations.md")

    assert {"Account", "Last sync", "Quota", "Set aside"} <= lines
    assert [] == sorted(line for line in lines if f"\n| {line} |" not in page)


def test_every_part_of_the_package_is_in_the_architecture() -> None:
    parts = {path.name + "/" if path.is_dir() else path.name for path in SOURCE.iterdir() if path.name[0] != "_"}
    page = text_of("docs/architecture.md")

    assert [] == sorted(part for part in parts - {"py.typed"} if f"`{part}`" not in page)
    in_table = re.findall(r"`([a-z_]+(?:/|\.py))`", "".join(re.findall(r"^\| `[^|]*\|", page, re.MULTILINE)))
    assert sorted(set(in_table)) == sorted(in_table)


def test_verbs_that_the_documents_name_exist() -> None:
    named = {
        (page.name, verb)
        for page in [ROOT / "README.md", *DOCS]
        for verb in re.findall(r"(?<!exec )toggl-pulse ([a-z]+)\b", page.read_text(encoding="utf-8"))
    }

    assert [] == sorted((page, verb) for page, verb in named if verb not in tables.verbs())


# current


def cogged() -> list[str]:
    found = re.search(r"^COGGED := (.*)$", text_of("Makefile"), re.MULTILINE)
    assert found is not None
    return found[1].split()


def test_make_check_looks_at_every_printed_table() -> None:
    assert sorted(str(page.relative_to(ROOT)) for page in PAGES if "[[[cog" in page.read_text("utf-8")) == cogged()


def test_printed_tables_are_current_on_any_machine(tmp_path: Path) -> None:
    odd = {"COLUMNS": "200", "TERM": "xterm-256color", "FORCE_COLOR": "1", "TZ": "Asia/Tokyo", "DATA_DIR": "/elsewhere"}
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "-PUe", "-I", "docs", *cogged()],
        cwd=ROOT,
        env=environment(tmp_path, **odd),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert 0 == done.returncode, f"run `make docs`\n{done.stdout}{done.stderr}"


# well formed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert [] == broken


def anchors(page: Path) -> set[str]:
    """Headings as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS], ids=lambda page: page.name)
def test_a_line_has_one_sentence(page: Path) -> None:
    crowded = [
        f"{number}: {line}"
        for number, line in prose(page)
        if re.search(r"[.!?][)*”\"]* +[A-Z`*(\[]", re.sub(r"`[^`]*`", "`x`", re.sub(r"^ *(\*|\d+\.) ", "", line)))
    ]

    assert [] == crowded


def test_the_two_commands_stand_at_the_top_of_the_readme() -> None:
    top = text_of("README.md").splitlines()[:20]

    assert 2 == sum(line.startswith("make run") for line in top)
    assert any("TOGGL_API_TOKEN=" in line for line in top)


def test_the_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))]

    assert list(range(1, len(numbers) + 1)) == numbers


@pytest.mark.parametrize("payload", fences(ROOT / "docs" / "grafana.md", "json"))
def test_payloads_for_grafana_can_be_read(payload: str) -> None:
    written = json.loads(payload.replace("$client", '["Kiosk 24"]'))

    query = parse_query("tracked_hours", written, start_ms=10**12 * 2, end_ms=10**12 * 2 + 1, zone=ZoneInfo("UTC"))

    assert written["interval"] == query.interval
    assert written.get("group_by", "none") == query.group_by


# the commands work as they are printed


def commands(page: Path) -> list[str]:
    """The commands of all shell blocks, comments cut, lines of an open quotation joined."""
    found = []
    for block in fences(page, "sh"):
        open_ = ""
        for line in block.splitlines():
            open_ += line + "\n"
            try:
                words = shlex.split(open_, comments=True)
            except ValueError:
                continue
            if words:
                found.append(open_.strip())
            open_ = ""
        assert not open_, f"an open quotation in {page.name}: {open_}"
    return found


PRINTED = [command for page in ("README.md", "docs/http.md") for command in commands(ROOT / page)]
SET_UP = ("make run", "echo ")


@dataclass(frozen=True)
class Place:
    """A folder like a fresh clone's, a demo that serves on some port, and a simulated account."""

    folder: Path
    demo: str
    account: dict[str, str]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Hand the command to a shell; a refusal of ours makes curl fail."""
        settings = {} if "--demo" in command else self.account
        return subprocess.run(
            ["/bin/sh", "-c", 'curl() { command curl -f "$@"; }\n' + command.replace(OUR_ADDRESS, self.demo)],
            cwd=self.folder,
            env=environment(self.folder, DATA_DIR=str(self.folder / "data"), **settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("clone")
    program = folder / ".venv" / "bin" / "toggl-pulse"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m toggl_pulse "$@"\n')
    program.chmod(0o755)
    with (
        simulated_toggl(folder, "--empty") as toggl,
        running(["serve", "--or-demo", "--port", "0"], folder, DATA_DIR=str(folder / "data")) as (_, output),
    ):
        address = output.wait_for("  address ").split()[-1]
        output.wait_for("curl ")
        account = {"TOGGL_API_URL": toggl.url, "TOGGL_API_TOKEN": TOKEN}
        toggl.do("create_entry", start="2026-01-05T09:00:00Z", stop="2026-01-05T10:00:00Z")
        yield Place(folder, address, account)


def test_printed_commands_of_the_program_work(place: Place) -> None:
    failed = []
    for command in PRINTED:
        if command.startswith(SET_UP) or "toggl-pulse" not in command:
            continue
        done = place.run(command)
        if done.returncode or not (done.stdout or "meetings.csv" in command):
            failed.append(f"{command}\n{done.stdout}{done.stderr}")

    assert [] == failed
    assert (place.folder / "meetings.csv").read_text(encoding="utf-8").count("meeting") > 10
    assert (place.folder / "hours.db").exists()


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_printed_curl_commands_work(place: Place) -> None:
    asked = [command for command in PRINTED if command.startswith("curl ")]
    failed = []
    answers: dict[str, str] = {}
    for command in asked:
        done = place.run(command)
        answers[command] = done.stdout
        if done.returncode or not (done.stdout or " -o " in command):
            failed.append(f"{command}\n{done.stdout}{done.stderr}")

    assert len(asked) > 12
    assert [] == failed
    assert "Admin" in (place.folder / "admin.csv").read_text(encoding="utf-8")
    first: list[dict[str, Any]] = json.loads(answers[next(command for command in asked if "/query" in command)])
    assert 4 == len(first)  # the three largest clients and (other)
    assert first[0]["datapoints"][0][0] > 100


def test_every_printed_command_is_of_a_kind_that_is_run() -> None:
    kinds = ("curl ", ".venv/bin/toggl-pulse ", *SET_UP)

    assert [] == [command for command in PRINTED if not command.startswith(kinds)]
    assert "run: .venv/run" in text_of("Makefile")
