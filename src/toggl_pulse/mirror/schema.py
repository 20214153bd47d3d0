"""Which schema a mirror has, and the way to the current one; a file is copied before it is altered.

Alembic is imported only when there is something to migrate.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, text

from toggl_pulse.errors import NeedsUser
from toggl_pulse.mirror import tables
from toggl_pulse.mirror.backup import copy
from toggl_pulse.mirror.sqlite import SqliteStore
from toggl_pulse.mirror.store import Store

__all__ = ["SCHEMAS", "VERSION_TABLE", "is_empty", "make_tables", "migrate", "tables_in"]

SCHEMAS = ("0001", "0002", "0003")
"""Every schema there ever was, oldest first; the last one is this program's."""

VERSION_TABLE = "schema_version"
KINDS = {"sqlite": "file", "postgresql": "database"}
MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(store: Store, *, now: datetime) -> Path | None:
    """Bring the mirror to the current schema; returns the copy made before, if there was something to lose.

    Two programs that open a new mirror at once do this one after the other. A failing migration leaves everything as
    it was; only of a file is a copy made, for a database belongs to somebody who has ways of their own to copy it.
    """
    with store.reading() as connection:
        if _version(connection, store) == SCHEMAS[-1]:
            return None
    kept = None
    with store.preparing() as connection:
        found = _version(connection, store)
        if found == SCHEMAS[-1]:
            return None
        if found is not None and isinstance(store, SqliteStore):
            kept = _unused(store.path.with_name(f"{store.path.name}.schema-{found}-{now:%Y%m%dT%H%M%SZ}"))
            copy(store, kept)
        make_tables(connection)
        if found is None:
            connection.execute(insert(tables.revision).values(id=1, value=0))
    return kept


def _unused(path: Path) -> Path:
    """The name, with a number where an opening of the same second was cut off and has left its copy."""
    names = (path, *(path.with_name(f"{path.name}-{number}") for number in range(2, 100)))
    return next(name for name in names if not name.exists())


def _version(connection: Connection, store: Store) -> str | None:
    """The mirror's schema; None for a new place."""
    names = tables_in(connection)
    if VERSION_TABLE not in names:
        if names:
            raise NeedsUser(
                f"The {KINDS[store.kind]} {store.name} holds another program's tables; "
                f"set DATABASE_URL to {store.own_place}.",
                code="not_a_mirror",
            )
        return None
    version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    if version not in SCHEMAS:
        raise NeedsUser(
            f"The mirror {store.name} was written by a newer Toggl Pulse "
            f"(schema {version}, this one knows {SCHEMAS[-1]}); upgrade the program.",
            code="newer_schema",
        )
    return str(version)


def tables_in(connection: Connection) -> list[str]:
    """The tables of the place where a mirror's own would be: on PostgreSQL one schema, whatever else is in sight."""
    found = inspect(connection)
    return found.get_table_names(schema=found.default_schema_name)


def is_empty(connection: Connection) -> bool:
    """Whether nobody keeps anything in that place."""
    found = inspect(connection)
    schema = found.default_schema_name
    kinds = [found.get_table_names, found.get_view_names]
    if connection.dialect.supports_sequences:
        kinds += [found.get_materialized_view_names, found.get_sequence_names]
    return not any(names(schema=schema) for names in kinds)


def make_tables(connection: Connection) -> None:
    """Make all tables, or alter those of an older schema, in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # ConfigParser reads a percent sign as the start of a name.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    command.upgrade(config, "head")
