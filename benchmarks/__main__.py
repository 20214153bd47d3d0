"""`python -m benchmarks [entries] [--only NAME …] [--write]`: every benchmark in turn.

With `--write` the results go to `benchmarks/RESULTS.md`, and at the usual size the rivals into its chart.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from benchmarks.account import Account
from benchmarks.measure import Ratio, count_processor_time
from benchmarks.results import machine, write

A_MILLION = 1_000_000

PARTS = (
    "questions",
    "rivals",
    "variety",
    "encoding",
    "whole_query",
    "memory",
    "loading",
    "process",
    "syncing",
    "projecting",
    "reading",
    "page",
)
"""Modules with `ratios(account)`, which yields a `Ratio` for each of their questions."""

AT_ANY_SIZE = ("questions", "memory")
"""Those that are also run with many more entries; the others say the same at any size."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="A question and a ratio each.")
    parser.add_argument("entries", nargs="?", type=int, default=A_MILLION)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="NAME", help=", ".join(PARTS))
    parser.add_argument("--busy", action="store_true", help="count the process's processor time, not the clock's")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    asked = parser.parse_args()
    if asked.write and (asked.only or asked.busy):
        parser.error("what is written down is everything, by the clock")
    if asked.busy:
        count_processor_time()
    print(f"{asked.entries:,} entries, five years, 200 projects; {', '.join(machine().values())}")
    print("F = np.sum over the columns that the question needs, as int64; × F: the smaller the better\n")
    account = Account(asked.entries)
    found: dict[str, list[Ratio]] = {}
    for name in asked.only or (PARTS if asked.entries == A_MILLION else AT_ANY_SIZE):
        part = import_module(f"benchmarks.{name}")
        found[name] = []
        for ratio in part.ratios(account):
            found[name].append(ratio)
            print(ratio, flush=True)
    if asked.write:
        write(asked.entries, found)


if __name__ == "__main__":
    main()
