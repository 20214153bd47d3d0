"""The compose files as Docker reads them: resolved by the specification's own implementation, built here once.

It is a small Go program of ours, `compose_check`; without Go its tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["DEMO", "MISSING", "PLAIN", "POSTGRESQL", "ROOT", "Model", "build", "resolve"]

ROOT = Path(__file__).parent.parent.parent
SOURCE = Path(__file__).parent / "compose_check"
MISSING = "go is missing (1.24 or later), and the compose files are read by the specification's own Go library"
PLAIN = ("compose.yaml",)
DEMO = (*PLAIN, "compose.demo.yaml")
POSTGRESQL = (*PLAIN, "compose.postgresql.yaml")

Model = dict[str, Any]


def build(folder: Path) -> Path:
    """The program, from its sources and Go's cache of modules."""
    program = folder / "compose_check"
    go = shutil.which("go")
    assert go is not None
    done = subprocess.run(
        [go, "build", "-o", program, "."], cwd=SOURCE, capture_output=True, text=True, timeout=600, check=False
    )
    assert 0 == done.returncode, done.stderr
    return program


def resolve(program: Path, files: tuple[str, ...], **variables: str) -> Model:
    """What `docker compose config` would show with only these variables set."""
    done = subprocess.run(
        [program, ROOT, *files],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    model: Model = json.loads(done.stdout)
    return model
