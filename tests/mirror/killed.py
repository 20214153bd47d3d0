"""A writer to be killed: batches without end, each moving the cursor along with its rows.

    python killed.py URL FIRST

Batch n gives 50 entries the text `batch n` and adds one entry; it tells n when the commit is done.
"""

from __future__ import annotations

import sys

from mirror.rows import clock, entry
from toggl_pulse.mirror import Mirror


def main(url: str, first: int) -> None:
    mirror = Mirror.open(url, clock=clock)
    with mirror.lock():
        tell("locked")
        number = first
        while True:
            with mirror.batch() as batch:
                batch.write_entries(entry(place, description=f"batch {number}") for place in range(50))
                batch.set_state("cursor", number)
                batch.write_entries([entry(1000 + number)])
            tell(number)
            number += 1


def tell(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
