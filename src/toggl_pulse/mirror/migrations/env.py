"""Alembic's entry point: runs migrations on the connection that `schema.py` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from toggl_pulse.mirror.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
