"""The mirror's tables as they stand now; `migrations/` brings an older file here, and a test compares the two.

Times are integers: whole seconds since 1970 for `start` and `stop`, microseconds for every column ending in `_us`.
Toggl's ids are the keys. Only SQL that SQLite and PostgreSQL both speak.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy import text as text_clause

__all__ = [
    "account",
    "amounts",
    "catalogue_versions",
    "clients",
    "entries",
    "entry_versions",
    "kept_columns",
    "metadata",
    "months",
    "points",
    "profile",
    "projects",
    "quota",
    "revision",
    "run_figures",
    "set_aside",
    "stale_points",
    "states",
    "sync_runs",
    "tag_set_members",
    "tag_sets",
    "tags",
    "tasks",
    "users",
    "workspaces",
]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite makes a key the row's own number (no second tree) only when its type is spelled INTEGER.
KEY = BigInteger().with_variant(Integer(), "sqlite")


def number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def key(*, given: bool = True) -> Column[int]:
    """The primary key; `given` when the number comes from Toggl or us, not from the database."""
    return Column("id", KEY, primary_key=True, autoincrement=not given)


# One row. Each writing transaction locks it first, so that the order of commits is the order of revisions.
revision = Table(
    "revision",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    number("value"),
    CheckConstraint("id = 1", name="one_row"),
)

account = Table(
    "account",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    text("origin"),
    number("user_id"),
    CheckConstraint("id = 1", name="one_row"),
)


def entry_columns() -> list[Column[int] | Column[str] | Column[bool]]:
    """What Toggl says of an entry; the same columns hold the standing version and the replaced ones."""
    return [
        number("workspace_id"),
        number("user_id"),
        number("project_id", nullable=True),
        number("task_id", nullable=True),
        number("start"),
        number("stop", nullable=True),
        number("duration"),
        flag("billable"),
        Column("tag_set", BigInteger, ForeignKey("tag_sets.id"), nullable=True),
        number("at_us"),
        number("deleted_at_us", nullable=True),
        text("deletion", nullable=True),
        text("description"),
    ]


tag_sets = Table(
    "tag_sets",
    metadata,
    key(given=False),
    Column("digest", Text, nullable=False, unique=True),  # of the sorted ids; a set itself may outgrow an index
)

tag_set_members = Table(
    "tag_set_members",
    metadata,
    Column("tag_set", BigInteger, ForeignKey("tag_sets.id"), primary_key=True),
    Column("tag_id", BigInteger, primary_key=True),
    Index(None, "tag_id"),
)

RUNS = "stop IS NULL"
entries = Table(
    "entries",
    metadata,
    key(),
    number("revision"),
    *entry_columns(),
    Index(None, "revision", unique=True),
    Index(None, "workspace_id", "start"),
    Index(None, "tag_set"),
    # Holds the running entry and no other, so that asking for it does not walk the table.
    Index("ix_entries_running", "stop", sqlite_where=text_clause(RUNS), postgresql_where=text_clause(RUNS)),
)

entry_versions = Table(
    "entry_versions",
    metadata,
    Column("entry_id", BigInteger, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    number("replaced_by"),
    number("replaced_at_us"),
    *entry_columns(),
)

amounts = Table(
    "amounts",
    metadata,
    Column("entry_id", KEY, primary_key=True, autoincrement=False),
    number("billable_cents", nullable=True),
    number("hourly_rate_cents", nullable=True),
    text("currency", nullable=True),
)

workspaces = Table(
    "workspaces",
    metadata,
    key(),
    number("revision"),
    text("name"),
    number("organization_id", nullable=True),
    text("default_currency", nullable=True),
    number("default_hourly_rate_cents", nullable=True),
    flag("premium"),
    number("rounding"),
    number("rounding_minutes"),
    flag("deleted"),
)

clients = Table(
    "clients",
    metadata,
    key(),
    number("revision"),
    number("workspace_id"),
    text("name"),
    flag("archived"),
    flag("deleted"),
)

projects = Table(
    "projects",
    metadata,
    key(),
    number("revision"),
    number("workspace_id"),
    text("name"),
    number("client_id", nullable=True),
    flag("active"),
    text("color", nullable=True),
    flag("billable"),
    text("currency", nullable=True),
    number("rate_cents", nullable=True),
    number("fixed_fee_cents", nullable=True),
    flag("deleted"),
)

tasks = Table(
    "tasks",
    metadata,
    key(),
    number("revision"),
    number("workspace_id"),
    number("project_id"),
    text("name"),
    flag("active"),
    flag("deleted"),
)

# Negative ids are placeholders: tags known by name only, until Toggl tells their id.
tags = Table(
    "tags",
    metadata,
    key(),
    number("revision"),
    number("workspace_id"),
    text("name"),
    flag("deleted"),
)

users = Table(
    "users",
    metadata,
    key(),
    number("revision"),
    text("name"),
    text("email", nullable=True),
    flag("active"),
    flag("deleted"),
)

profile = Table(
    "profile",
    metadata,
    key(),
    number("revision"),
    text("email"),
    text("fullname"),
    text("timezone"),
    number("week_start"),
    number("default_workspace_id", nullable=True),
    number("created_at_us", nullable=True),
)

# Replaced versions of every table of names; `body` is the row as JSON, for nothing but people searches in it.
catalogue_versions = Table(
    "catalogue_versions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("row_id", BigInteger, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    number("replaced_by"),
    number("replaced_at_us"),
    text("body"),
)

states = Table(
    "states",
    metadata,
    Column("key", Text, primary_key=True),
    text("value"),  # JSON
)

quota = Table(
    "quota",
    metadata,
    Column("name", Text, primary_key=True),
    number("remaining"),
    number("resets_at_us"),
    number("seen_at_us"),
    number("total", nullable=True),
)

sync_runs = Table(
    "sync_runs",
    metadata,
    key(given=False),
    text("reason"),
    number("started_at_us"),
    number("finished_at_us", nullable=True),
    text("outcome"),
    text("why"),
    number("requests"),
    number("new"),
    number("changed"),
    number("deleted"),
    number("unchanged"),
    number("set_aside"),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("digest", Text, primary_key=True),  # of kind, id, reason and raw: a row that stays broken is kept once
    text("kind"),
    number("row_id", nullable=True),
    text("reason"),
    text("raw"),
    number("run_id", nullable=True),
    number("times"),
    number("last_seen_us"),
)

months = Table(
    "months",
    metadata,
    Column("workspace_id", BigInteger, primary_key=True),
    Column("month", Text, primary_key=True),
    text("state"),
    number("mirror_seconds", nullable=True),
    number("toggl_seconds", nullable=True),
    number("checked_at_us", nullable=True),
)

# All living entries as arrays, as of one revision (`kept.py`): made from the rows, and of no use against them.
kept_columns = Table(
    "kept_columns",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)


def lane_columns() -> list[Column[int] | Column[bool]]:
    """What a delete in InfluxDB names, beside the time; 0 for no project."""
    return [number("workspace_id"), number("project_id"), number("user_id"), flag("billable")]


# The one point that each finished entry has in InfluxDB, or is about to have there; no two share a time.
STATUS = "status <> 0"
points = Table(
    "points",
    metadata,
    Column("time_ns", KEY, primary_key=True, autoincrement=False),
    Column("entry_id", BigInteger, nullable=False, unique=True),
    *lane_columns(),
    number("tags"),  # a digest of their names, 0 for none
    Column("status", SmallInteger, nullable=False),
    Index(
        "ix_points_to_do", "status", "time_ns", sqlite_where=text_clause(STATUS), postgresql_where=text_clause(STATUS)
    ),
)

# Points that may still stand in InfluxDB and must not: deleted there before anything is written.
stale_points = Table("stale_points", metadata, key(given=False), number("time_ns"), *lane_columns())

# What else a finished run is told to InfluxDB with, as JSON.
run_figures = Table(
    "run_figures",
    metadata,
    Column("run_id", KEY, primary_key=True, autoincrement=False),
    text("body"),
)
