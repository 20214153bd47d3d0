"""`python -m benchmarks [entries]`: every benchmark in turn."""

from __future__ import annotations

import platform
import sys

import numpy as np

from benchmarks.account import Account
from benchmarks.questions import questions

A_MILLION = 1_000_000


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else A_MILLION
    print(
        f"{size:,} entries, five years, 200 projects; Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{platform.machine()}; F = np.sum over the columns that the question needs, best of several\n"
    )
    for ratio in questions(Account(size)):
        print(ratio, flush=True)


main()
