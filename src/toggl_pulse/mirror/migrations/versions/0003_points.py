"""Which point each entry has in InfluxDB, and what each run is told there with; empty until a projection fills them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TO_DO = sa.text("status <> 0")


def lane() -> list[sa.Column[int] | sa.Column[bool]]:
    return [
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "points",
        sa.Column("time_ns", KEY, autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        *lane(),
        sa.Column("tags", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("time_ns", name=op.f("pk_points")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_points_entry_id")),
    )
    op.create_index("ix_points_to_do", "points", ["status", "time_ns"], sqlite_where=TO_DO, postgresql_where=TO_DO)
    op.create_table(
        "stale_points",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        *lane(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_points")),
    )
    op.create_table(
        "run_figures",
        sa.Column("run_id", KEY, autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_figures")),
    )
