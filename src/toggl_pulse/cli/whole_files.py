"""A small file is there whole, with its mode, or as it was before; whoever reads meanwhile sees one or the other."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, text: str, mode: int) -> None:
    """Write or replace a file; nobody else can open it before it has its mode. Raises `OSError`."""
    half = path.with_name(f".{path.name.lstrip('.')}.new")
    half.unlink(missing_ok=True)
    number = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        os.fchmod(number, mode)
        file.write(text)
        file.flush()
        os.fsync(number)
    half.replace(path)
