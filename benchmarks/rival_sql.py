"""The questions in SQL, as DuckDB and SQLite understand it."""

from __future__ import annotations

import sqlite3
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from benchmarks.account import END, Account
from benchmarks.rivals_data import DAY, clock_changes, local_day, tag_members

__all__ = ["DuckDB", "SQLite"]

LAST = END - 30 * DAY


class DuckDB:
    name = "DuckDB"

    def __init__(self, account: Account) -> None:
        self.database = duckdb.connect()
        columns = account.columns
        entries = pd.DataFrame(
            {
                "start": columns.start,
                "stop": columns.stop,
                "seconds": columns.duration,
                "project": columns.project_id,
                "tag_set": columns.tag_set,
            }
        )
        members = pd.DataFrame(dict(zip(("tag_set", "tag"), tag_members(account), strict=True)))
        self.database.register("loaded", entries)
        self.database.register("loaded_members", members)
        self.database.execute(
            "CREATE TABLE entries AS SELECT * REPLACE (to_timestamp(start) AS start, to_timestamp(stop) AS stop) "
            "FROM loaded"
        )
        self.database.execute("CREATE TABLE members AS SELECT * FROM loaded_members")

    def _ask(self, statement: str, *values: int) -> dict[str, Any]:
        found: dict[str, Any] = self.database.execute(statement, values).fetchnumpy()
        return found

    def days(self) -> dict[str, Any]:
        return self._ask(
            "SELECT CAST(timezone('Europe/Berlin', start) AS DATE) AS day, project, sum(seconds) AS seconds "
            "FROM entries GROUP BY ALL"
        )

    def last(self) -> dict[str, Any]:
        return self._ask(
            "SELECT CAST(timezone('Europe/Berlin', start) AS DATE) AS day, project, sum(seconds) AS seconds "
            "FROM entries WHERE start >= to_timestamp(?) GROUP BY ALL",
            LAST,
        )

    def split(self) -> dict[str, Any]:
        return self._ask("""
            WITH entry AS (
                SELECT project, start, stop,
                    CAST(timezone('Europe/Berlin', start) AS DATE) AS first,
                    CAST(timezone('Europe/Berlin', stop - INTERVAL 1 microsecond) AS DATE) AS last
                FROM entries
            ), piece AS (
                SELECT first AS day, project, epoch(stop) - epoch(start) AS seconds FROM entry WHERE last <= first
                UNION ALL
                SELECT day, project,
                    epoch(least(stop, timezone('Europe/Berlin', CAST(day + 1 AS TIMESTAMP))))
                    - epoch(greatest(start, timezone('Europe/Berlin', CAST(day AS TIMESTAMP))))
                FROM (
                    SELECT project, start, stop, first + unnest(range(last - first + 1))::INTEGER AS day
                    FROM entry WHERE last > first
                )
            )
            SELECT day, project, sum(seconds) AS seconds FROM piece GROUP BY ALL
        """)

    def week(self) -> dict[str, Any]:
        return self._ask("""
            WITH entry AS (SELECT timezone('Europe/Berlin', start) AS local, seconds FROM entries)
            SELECT dayofweek(local) * 24 + hour(local) AS slot, 0 AS whole, sum(seconds) AS seconds
            FROM entry GROUP BY slot
        """)

    def tags(self) -> dict[str, Any]:
        return self._ask("""
            WITH by_set AS (
                SELECT date_trunc('month', timezone('Europe/Berlin', start)) AS month, tag_set, sum(seconds) AS seconds
                FROM entries GROUP BY ALL
            )
            SELECT month, tag, sum(seconds) AS seconds FROM by_set JOIN members USING (tag_set) GROUP BY ALL
        """)

    @staticmethod
    def cells(found: dict[str, Any]) -> list[Any]:
        step, group, seconds = found.values()
        if np.issubdtype(step.dtype, np.datetime64):
            step = step.astype(f"datetime64[{'M' if 'month' in found else 'D'}]").astype(np.int64)
        return list(zip(step.tolist(), group.tolist(), seconds.tolist(), strict=True))

    def close(self) -> None:
        self.database.close()


class SQLite:
    name = "SQLite"

    def __init__(self, account: Account) -> None:
        self.database = sqlite3.connect(":memory:")
        columns = account.columns
        self.database.execute(
            "CREATE TABLE entries (id INTEGER PRIMARY KEY, start INTEGER, stop INTEGER, seconds INTEGER, "
            "project INTEGER, tag_set INTEGER)"
        )
        rows = (columns.start, columns.stop, columns.duration, columns.project_id, columns.tag_set)
        self.database.executemany(
            "INSERT INTO entries (start, stop, seconds, project, tag_set) VALUES (?, ?, ?, ?, ?)",
            zip(*(column.tolist() for column in rows), strict=True),
        )
        self.database.execute("CREATE INDEX entries_by_start ON entries (start)")
        self.database.execute("CREATE TABLE members (tag_set INTEGER, tag INTEGER, PRIMARY KEY (tag_set, tag))")
        members = zip(*(each.tolist() for each in tag_members(account)), strict=True)
        self.database.executemany("INSERT INTO members VALUES (?, ?)", members)
        self.database.execute("CREATE TABLE days (day INTEGER PRIMARY KEY, begin INTEGER, until INTEGER)")
        self.database.executemany("INSERT INTO days VALUES (?, ?, ?)", _days(account))

    def _ask(self, statement: str) -> list[Any]:
        return self.database.execute(statement).fetchall()

    def days(self) -> list[Any]:
        return self._ask(f"SELECT {_local('start')} / 86400 AS day, project, sum(seconds) FROM entries GROUP BY 1, 2")  # noqa: S608

    def last(self) -> list[Any]:
        return self._ask(
            f"SELECT {_local('start')} / 86400 AS day, project, sum(seconds) FROM entries "  # noqa: S608
            f"WHERE start >= {LAST} GROUP BY 1, 2"
        )

    def split(self) -> list[Any]:
        return self._ask(f"""
            WITH entry AS MATERIALIZED (
                SELECT project, start, stop, {_local("start")} / 86400 AS first,
                    ({_local("stop - 1")}) / 86400 AS last
                FROM entries
            )
            SELECT day, project, sum(seconds) FROM (
                SELECT first AS day, project, stop - start AS seconds FROM entry WHERE last <= first
                UNION ALL
                SELECT day, project, min(stop, until) - max(start, begin)
                FROM entry JOIN days ON day BETWEEN first AND last WHERE last > first
            ) GROUP BY 1, 2
        """)  # noqa: S608 - made of our own numbers

    def week(self) -> list[Any]:
        return self._ask(f"""
            SELECT (local / 86400 + 4) % 7 * 24 + local % 86400 / 3600 AS slot, 0, sum(seconds)
            FROM (SELECT {_local("start")} AS local, seconds FROM entries) GROUP BY 1
        """)  # noqa: S608

    def tags(self) -> list[Any]:
        return self._ask(f"""
            SELECT month, tag, sum(seconds) FROM (
                SELECT strftime('%Y-%m', {_local("start")}, 'unixepoch') AS month, tag_set, sum(seconds) AS seconds
                FROM entries GROUP BY 1, 2
            ) JOIN members USING (tag_set) GROUP BY 1, 2
        """)  # noqa: S608

    @staticmethod
    def cells(found: list[Any]) -> list[Any]:
        if isinstance(found[0][0], str):
            return [((int(step[:4]) - 1970) * 12 + int(step[5:]) - 1, *more) for step, *more in found]
        return found

    def close(self) -> None:
        self.database.close()


def _local(moment: str) -> str:
    """SQL for the local clock reading."""
    (_, offset), *changes = clock_changes()
    cases = ""
    for since, after in changes:
        cases += f" WHEN {moment} < {since} THEN {offset}"
        offset = after
    return f"({moment} + CASE{cases} ELSE {offset} END)"


def _days(account: Account) -> list[tuple[int, int, int]]:
    """Every local day with its first second and the next one's."""
    first, last = (int(each) for each in local_day(np.array([account.columns.start.min(), account.columns.stop.max()])))
    changes = clock_changes()

    def midnight(day: int) -> int:
        found: int = next(day * DAY - offset for since, offset in reversed(changes) if day * DAY - offset >= since)
        return found

    return [(day, midnight(day), midnight(day + 1)) for day in range(first, last + 1)]
