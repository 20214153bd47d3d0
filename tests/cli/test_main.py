import subprocess
import sys
from pathlib import Path

import pytest

from cli.scene import Run
from e2e.processes import environment
from toggl_pulse import __version__
from toggl_pulse.cli import VERBS


def test_the_version_is_told(run: Run) -> None:
    assert (0, f"toggl-pulse {__version__}\n", "") == run("--version")


def test_help_has_a_whole_line_for_every_verb(run: Run) -> None:
    ran = run("--help")

    assert ran.code == 0
    for verb, meaning in VERBS.items():
        assert f"  {verb:<11}  {meaning}\n" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_explains_itself(run: Run, verb: str) -> None:
    ran = run(verb, "--help")

    assert ran.code == 0
    assert ran.out.startswith(f"Usage: toggl-pulse {verb}")


def test_nothing_asked_is_wrong_use_and_shows_the_verbs(run: Run) -> None:
    ran = run()

    assert ran.code == 2
    assert "healthcheck" in ran.said


def test_an_unknown_verb_is_wrong_use_and_names_the_nearest(run: Run) -> None:
    ran = run("querry")

    assert (2, "") == (ran.code, ran.out)
    assert "There is no verb “querry”; did you mean query?" in ran.err
    assert "“made-up”." in run("made-up").err


@pytest.mark.parametrize(
    "arguments",
    [("--bogus",), ("query", "--bogus"), ("sync", "--wait", "x"), ("sync", "--wait", "-1"), ("serve", "--port", "-1"),
     ("export", "--format", "xml"), ("query", "--limit", "0"), ("backup",), ("status", "surplus")],
)  # fmt: skip
def test_a_bad_option_is_wrong_use(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)

    assert (2, "") == (ran.code, ran.out)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "verb", ["serve", "sync", "status", "doctor", "query", "export", "demo", "config", "healthcheck"]
)
def test_a_bad_setting_is_one_sentence_that_names_it(run: Run, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    monkeypatch.setenv("POLL_MINUTES", "often")

    ran = run(verb)

    assert (2, "") == (ran.code, ran.out)
    assert ran.err.startswith("toggl-pulse: POLL_MINUTES ")
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("verb", ["serve", "sync", "status", "doctor", "query", "export", "demo"])
def test_a_bad_schedule_is_one_sentence_that_names_it(run: Run, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    monkeypatch.setenv("SYNC_SCHEDULE", "whenever")
    monkeypatch.setenv("PORT", "0")

    assert (2, "", "toggl-pulse: SYNC_SCHEDULE must have five fields, for example `0 2,14 * * *`.\n") == run(verb)


@pytest.mark.parametrize("verb", ["query", "export"])
def test_an_empty_mirror_is_the_users_to_fill(run: Run, verb: str) -> None:
    ran = run(verb)

    assert (4, "") == (ran.code, ran.out)
    assert ran.err == "toggl-pulse: The mirror is empty: run `toggl-pulse sync` or `toggl-pulse serve` first.\n"


@pytest.mark.parametrize("verb", ["sync", "status", "doctor", "query", "export", "demo"])
def test_a_folder_that_cannot_be_used_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, home: Path, verb: str
) -> None:
    (home / "file").write_text("no folder")
    monkeypatch.setenv("DATA_DIR", str(home / "file"))
    monkeypatch.setenv("PORT", "0")

    ran = run(verb)

    assert (4, "") == (ran.code, ran.out)
    assert len(ran.err.splitlines()) == 1


def test_quick_verbs_load_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from toggl_pulse.cli import main\n"
        "for words in (['--version'], ['--help'], ['healthcheck', '--port', '1']):\n"
        "    try: main(words)\n"
        "    except SystemExit: pass\n"
        "sys.exit(' '.join({'numpy', 'sqlalchemy', 'fastapi', 'rich.console', 'httpx2'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "toggl-pulse: Nothing answers at 127.0.0.1 port 1.\n\n" == done.stderr


def piped(arguments: str, filled: Path) -> subprocess.CompletedProcess[str]:
    """A shell's pipeline that begins with the program; its exit code is the program's."""
    return subprocess.run(
        ["bash", "-c", f'"$0" -m toggl_pulse {arguments}; exit ${{PIPESTATUS[0]}}', sys.executable],
        env=environment(filled.parent, DATA_DIR=str(filled)),
        cwd=filled.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_that_goes_away_is_nobodys_fault(filled: Path) -> None:
    done = piped("export --format json | head -c 1", filled)

    assert (0, "[", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no full device")
@pytest.mark.parametrize("verb", ["query", "export"])
def test_output_that_is_lost_is_no_success(filled: Path, verb: str) -> None:
    done = piped(f"{verb} > /dev/full", filled)

    assert done.returncode == 1
    assert done.stderr == "toggl-pulse: The output cannot be written: no space left on device.\n"
