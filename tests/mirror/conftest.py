"""A mirror in a file of its own, and disks that are full or read-only for real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirror.rows import clock
from toggl_pulse.mirror import Mirror


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "mirror.db"


@pytest.fixture
def mirror(path: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{path}", clock=clock) as mirror:
        yield mirror


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one mebibyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=1m", "none", str(disk)):
        pytest.skip("a disk of its own can be mounted by root only")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def write_protect(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Makes a directory read-only even for root, whom modes do not stop."""
    mounts: list[Path] = []

    def protect(directory: Path) -> None:
        if os.geteuid() != 0:
            for inside in (*directory.iterdir(), directory):
                inside.chmod(0o500 if inside.is_dir() else 0o400)
        elif mounted("--bind", str(directory), str(directory)):
            mounts.append(directory)
            subprocess.run(["mount", "-o", "remount,ro,bind", str(directory)], check=True)
        else:
            pytest.skip("root cannot mount here, and modes do not stop root")

    yield protect
    for directory in mounts:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
    if os.geteuid() != 0:
        for directory in (tmp_path, *tmp_path.rglob("*")):
            directory.chmod(0o700)


def mounted(*arguments: str) -> bool:
    return os.geteuid() == 0 and subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0
