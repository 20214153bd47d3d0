import csv
import io
import json
import os
import threading
from pathlib import Path

import pytest

from cli.scene import Run


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_without_a_file_csv_goes_to_standard_output(run: Run, filled: Path) -> None:
    ran = run("export")

    assert (0, "") == (ran.code, ran.err)
    assert 41 == len(rows_of(ran.out))
    assert [row["id"] for row in rows_of(ran.out)] == [row["id"] for row in rows_of(run("export", "-").out)]


def test_the_files_name_says_the_form(run: Run, filled: Path, home: Path) -> None:
    said = [run("export", name) for name in ("a.csv", "a.json", "a")]

    assert [(0, f"{name}: 41 rows\n", "") for name in ("a.csv", "a.json", "a")] == said
    assert 41 == len(json.loads((home / "a.json").read_text()))
    assert 41 == len(rows_of((home / "a.csv").read_text()))
    assert (home / "a").read_bytes()[:200] == (home / "a.csv").read_bytes()[:200]


def test_a_name_that_says_no_form_needs_one(run: Run, filled: Path, home: Path) -> None:
    ran = run("export", "a.xlsx")

    assert (2, "toggl-pulse: The name a.xlsx says neither csv nor json: add --format csv or --format json.\n") == (
        ran.code,
        ran.err,
    )
    assert not (home / "a.xlsx").exists()
    assert run("export", "a.txt", "--format", "json").code == 0
    assert 41 == len(json.loads((home / "a.txt").read_text()))


def test_a_file_is_overwritten_only_when_asked_for(run: Run, filled: Path, home: Path) -> None:
    (home / "a.csv").write_text("precious")

    refused = run("export", "a.csv")

    assert (2, "", "toggl-pulse: a.csv exists; use --force to overwrite it.\n") == refused
    assert "precious" == (home / "a.csv").read_text()
    assert run("export", "a.csv", "--force").code == 0
    assert 41 == len(rows_of((home / "a.csv").read_text()))


def test_a_link_stays_a_link_and_its_file_is_written(run: Run, filled: Path, home: Path) -> None:
    (home / "there").mkdir()
    (home / "there" / "real.csv").write_text("old")
    (home / "a.csv").symlink_to(home / "there" / "real.csv")

    assert run("export", "a.csv", "--force").code == 0

    assert (home / "a.csv").is_symlink()
    assert 41 == len(rows_of((home / "there" / "real.csv").read_text()))


def test_a_pipe_is_written_to_and_not_replaced(run: Run, filled: Path, home: Path) -> None:
    os.mkfifo(home / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((home / "pipe").read_text()))
    reader.start()

    ran = run("export", "pipe", "--force")
    reader.join()

    assert (0, "pipe: 41 rows\n") == (ran.code, ran.out)
    assert (home / "pipe").is_fifo()
    assert 41 == len(rows_of(read[0]))


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("nowhere/a.csv", "nowhere/a.csv cannot be written: no such file or directory."),
        ("folder", "folder cannot be written: is a directory."),
    ],
)
def test_where_nothing_can_be_written_is_one_sentence(
    run: Run, filled: Path, home: Path, file: str, sentence: str
) -> None:
    (home / "folder").mkdir()

    assert (2, "", f"toggl-pulse: {sentence}\n") == run("export", file, "--force")
    assert [] == list(home.rglob("*.part"))


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no full device")
def test_a_full_disk_is_the_users_to_clear(run: Run, filled: Path) -> None:
    assert (4, "", "toggl-pulse: The disk is full; /dev/full was not written.\n") == run("export", "/dev/full")
    assert Path("/dev/full").is_char_device()


def test_an_export_that_breaks_leaves_the_old_file_and_no_other(
    run: Run, filled: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "a.csv").write_text("precious")
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            assert self.stat().st_size > 1000
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)

    ran = run("export", "a.csv", "--force")

    assert (4, "toggl-pulse: The disk is full; a.csv was not written.\n") == (ran.code, ran.err)
    assert "precious" == (home / "a.csv").read_text()
    assert ["a.csv", "data"] == sorted(path.name for path in home.iterdir())


def test_filters_and_range_are_those_of_query(run: Run, filled: Path) -> None:
    assert {"Site"} == {row["project"] for row in rows_of(run("export", "--filter", "client=Acme").out)}
    assert [] == rows_of(run("export", "--to", "2010-01-01").out)
    assert "[]\n" == run("export", "--format", "json", "--to", "2010-01-01").out
    assert {"Asia/Tokyo"} == {row["timezone"] for row in rows_of(run("export", "--timezone", "Asia/Tokyo").out)}
    assert run("export", "--filter", "mood=good").code == 2
    assert run("export", "--period", "never").code == 2
