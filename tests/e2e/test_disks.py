"""Disks that are full, out of files or read-only while real programs work: a sentence, nothing lost, and on it goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from e2e.changes import Hand
from e2e.equal import differences
from e2e.processes import TOKEN, SimulatedToggl
from e2e.warm import Child, Nursery
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import utc_now

Mount = Callable[..., Path]

EVERYTHING = {
    "range": {"from": "2024-01-01T00:00:00Z", "to": "2040-01-01T00:00:00Z"},
    "targets": [{"target": "tracked_hours", "refId": "A", "payload": {"group_by": "project", "interval": "range"}}],
}


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts something as root; unmounted at the end."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own can be mounted by root only")
    numbers, mounts = count(1), []

    def make(*arguments: str) -> Path:
        disk = tmp_path / f"disk-{next(numbers)}"
        disk.mkdir()
        if subprocess.run(["mount", *arguments, str(disk)], capture_output=True, check=False).returncode:
            pytest.skip("root cannot mount here")
        mounts.append(disk)
        return disk

    yield make
    for disk in mounts:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Leave not a byte free; returns the file that holds it all."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return ballast


class Home:
    """A data folder on some disk, and the programs that use it."""

    def __init__(self, disk: Path, toggl: SimulatedToggl, nursery: Nursery) -> None:
        self.data = disk / "data"
        self._home, self._toggl, self._nursery = disk, toggl, nursery

    def start(self, *arguments: str) -> Child:
        settings = {"TOGGL_API_URL": self._toggl.url, "DATA_DIR": str(self.data), "LOG_FORMAT": "json"}
        return self._nursery.start(Path("/"), *arguments, TOGGL_API_TOKEN=TOKEN, **settings)

    def run(self, *arguments: str) -> tuple[int, str]:
        child = self.start(*arguments)
        return child.wait(), child.said()

    def sync_and_compare(self) -> None:
        code, said = self.run("sync", "--wait", "0")
        assert 0 == code, said
        self.compare()

    def compare(self) -> None:
        with Mirror.open(f"sqlite:///{self.data}/mirror.db", clock=utc_now) as mirror:
            assert [] == differences(mirror, self._toggl.get("state"))


class Served:
    """A running `serve` and what it says."""

    def __init__(self, home: Home) -> None:
        self.child = home.start("serve", "--port", "0")
        while "curl " not in self.child.said():
            assert not self.child.ends_within(0.02), self.child.said()
        self.url = self.child.said().split("curl -s ")[1].split("/query")[0]
        self.wait()

    def wait(self) -> dict[str, Any]:
        """The status once no run is at work."""
        while (status := dict(self.get("/status")))["sync"]["running"]:
            self.child.ends_within(0.05)
        return status

    def get(self, path: str) -> Any:
        answer = httpx2.get(self.url + path, timeout=60)
        assert answer.is_success, answer.text
        return answer.json()

    def sync(self) -> dict[str, Any]:
        """One sync on request; returns the status after it."""
        answer = httpx2.post(f"{self.url}/sync", json={}, timeout=60)
        assert 202 == answer.status_code, answer.text
        return self.wait()

    def hours(self) -> Any:
        """Every hour of the mirror, without the running entry's, which grows."""
        answer = httpx2.post(f"{self.url}/query", json=EVERYTHING, timeout=60)
        assert answer.is_success, answer.text
        return sorted((series["target"], round(series["datapoints"][0][0], 1)) for series in answer.json())

    def told(self, *events: str) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in self.child.said().splitlines() if line.startswith("{")]
        return [(line["event"], line["code"]) for line in lines if line["event"] in events]


@pytest.mark.long
@pytest.mark.parametrize("kilobytes", [40, 150, 250, 330, 400, 500])
def test_a_sync_whose_disk_runs_full_says_so_and_the_next_one_goes_on(
    mount: Mount, toggl: SimulatedToggl, nursery: Nursery, kilobytes: int
) -> None:
    disk = mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "none")
    home = Home(disk, toggl, nursery)

    code, said = home.run("sync")

    sentence = f"The disk that holds the mirror {disk}/data/mirror.db is full; free some space, nothing was lost."
    assert (4, True) == (code, said.rstrip().endswith(sentence)), said
    assert "Traceback" not in said
    assert 1 == said.count("is full")
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    home.sync_and_compare()


def test_a_service_whose_disk_runs_full_answers_on_and_tells_it_once(
    mount: Mount, toggl: SimulatedToggl, nursery: Nursery
) -> None:
    disk = mount("-t", "tmpfs", "-o", "size=8m", "none")
    home = Home(disk, toggl, nursery)
    served = Served(home)
    hours, events = served.hours(), ("sync.unrecorded", "sync.failed", "sync.recovered", "sync.broke")
    ballast = fill(disk)
    Hand(toggl, Random(5)).change(12)  # noqa: S311 - changes, not secrets

    for _ in range(3):
        assert "disk_full" == served.sync()["history"]["trouble"]
        assert {"status": "ok"} == served.get("/health/ready")
        assert hours == served.hours()
    assert [("sync.unrecorded", "disk_full")] == served.told(*events)

    ballast.unlink()
    assert served.sync()["history"]["trouble"] is None
    assert [("sync.unrecorded", "disk_full"), ("sync.recovered", "disk_full")] == served.told(*events)
    assert "Traceback" not in served.child.said()
    home.compare()
    served.child.kill()


@pytest.mark.long
def test_without_room_for_another_file_a_service_goes_on_and_a_program_that_starts_says_why_it_cannot(
    mount: Mount, toggl: SimulatedToggl, nursery: Nursery
) -> None:
    disk = mount("-t", "tmpfs", "-o", "size=8m,nr_inodes=12", "none")
    home = Home(disk, toggl, nursery)
    served = Served(home)
    with suppress(OSError):
        for number in count(1):
            (disk / f"file-{number}").touch()
    Hand(toggl, Random(6)).change(12)  # noqa: S311 - changes, not secrets

    assert served.sync()["history"]["trouble"] is None
    home.compare()
    code, said = home.run("backup", str(disk / "copy.db"))
    assert (4, f"toggl-pulse: The disk is full; {disk}/copy.db was not written.\n") == (code, said)
    served.child.kill()

    for leftover in home.data.glob("mirror.db-*"):  # a killed service leaves them; another machine's copy has none
        leftover.unlink()
    (disk / "two").touch()
    (disk / "three").touch()
    code, said = home.run("sync")
    assert (4, 1) == (code, len(said.splitlines())), said
    assert "cannot be opened" in said or "is full" in said
    (disk / "file-1").unlink()
    (disk / "file-2").unlink()
    home.sync_and_compare()


@pytest.mark.long
def test_a_disk_that_turns_read_only_under_a_service_stops_the_syncs_and_not_the_answers(
    mount: Mount, toggl: SimulatedToggl, nursery: Nursery, tmp_path: Path
) -> None:
    """What the kernel does with a file system on which a write has failed."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is not installed")
    image = tmp_path / "image"
    image.write_bytes(bytes(16 << 20))
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    disk = mount("-o", "loop", str(image))
    home = Home(disk, toggl, nursery)
    served = Served(home)
    hours = served.hours()
    subprocess.run(["mount", "-o", "remount,abort", str(disk)], check=False, capture_output=True)
    with pytest.raises(OSError, match="Read-only"):
        (disk / "probe").touch()

    refused = httpx2.post(f"{served.url}/sync", json={}, timeout=60)

    assert (503, "mirror_unwritable") == (refused.status_code, refused.json()["error"]["code"])
    assert "read-only file system" in refused.json()["message"]
    assert {"status": "ok"} == served.get("/health/ready")
    assert hours == served.hours()
    code, said = home.run("sync", "--wait", "0")
    # Kernels differ in whether the directory says so, or only the first file that is made in it.
    assert (4, True) == (code, f" {home.data}/mirror.db" in said and "read-only" in said.splitlines()[-1])
    assert "Traceback" not in served.child.said() + said
    served.child.kill()
    subprocess.run(["umount", str(disk)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(disk)], check=True)
    Hand(toggl, Random(7)).change(12)  # noqa: S311 - changes, not secrets
    home.sync_and_compare()


@pytest.mark.long
@pytest.mark.parametrize("verb", ["sync", "serve"])
def test_a_read_only_directory_is_one_sentence(
    mount: Mount, toggl: SimulatedToggl, nursery: Nursery, verb: str
) -> None:
    disk = mount("-t", "tmpfs", "-o", "size=8m", "none")
    home = Home(disk, toggl, nursery)
    home.sync_and_compare()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

    code, said = home.run(verb, *(["--port", "0"] if verb == "serve" else []))

    assert (4, 1) == (code, len(said.splitlines())), said
    assert "read-only; make it writable or set DATABASE_URL." in said
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    home.sync_and_compare()


@pytest.mark.parametrize("replaced", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_mirror_whose_file_is_taken_away_is_not_written_to_and_the_status_says_so(
    tmp_path: Path, toggl: SimulatedToggl, nursery: Nursery, *, replaced: bool
) -> None:
    """Written on, it would be lost at the service's end; beside another program's new file there would be two."""
    home = Home(tmp_path, toggl, nursery)
    served = Served(home)
    hours = served.hours()
    for file in home.data.iterdir():
        file.unlink()
    if replaced:
        home.sync_and_compare()
    events = ("sync.unrecorded", "sync.failed", "sync.recovered", "sync.broke")

    for _ in range(2):
        assert "mirror_gone" == served.sync()["history"]["trouble"]
        assert hours == served.hours()

    assert [("sync.unrecorded", "mirror_gone")] == served.told(*events)
    assert "Traceback" not in served.child.said()
    assert replaced == (home.data / "mirror.db").exists()
    served.child.kill()
    home.sync_and_compare()
