"""people on file twice, what a merge moved, and households: detected, and as customers say"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
STANDS = sa.text("undone_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "doubles",
        sa.Column("first_id", sa.String(), nullable=False),
        sa.Column("second_id", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("doubt", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.CheckConstraint("status IN ('open', 'merged', 'two')", name="status_is_known"),
        sa.PrimaryKeyConstraint("first_id", "second_id"),
    )
    op.create_index("doubles_open", "doubles", ["status", "first_id"])
    op.create_table(
        "merges",
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("kept_id", sa.String(), nullable=False),
        sa.Column("merged_id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("merge_id"),
    )
    op.create_index("ix_merges_kept_id", "merges", ["kept_id"])
    op.create_index(
        # Of merges that stand alone: a customer whose merge was taken back may be merged again.
        "merged_once", "merges", ["merged_id"], unique=True, sqlite_where=STANDS, postgresql_where=STANDS
    )
    op.create_table(
        "set_aside",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("row", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_table(
        "repointed",
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("column_name", sa.String(), nullable=False),
        sa.Column("row_key", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["merge_id"], ["merges.merge_id"]),
        sa.PrimaryKeyConstraint("merge_id", "table_name", "column_name", "row_key"),
    )
    op.create_index("repointed_rows", "repointed", ["table_name", "row_key"])
    op.create_table(
        "household_words",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    # Each in a column of its own: an import writes only `household_id`, and so overwrites neither of these.
    op.add_column("customers", sa.Column("household_found", sa.String(), nullable=True))
    op.add_column("customers", sa.Column("household_said", sa.String(), nullable=True))
    op.create_index("ix_customers_household_found", "customers", ["household_found"])
    op.create_index("ix_customers_household_said", "customers", ["household_said"])
