"""Words that the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

PRIVATE = ("private", "demo@example.com", "Acme", "Site", "Garden", "deep", "calm")
"""What stands in the small account's texts and names."""


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams together."""
        return self.out + self.err


Run = Callable[..., Ran]
