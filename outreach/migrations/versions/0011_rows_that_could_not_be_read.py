"""rows that could not be read, imports that read a file to its end, and instants written without a zone"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LOCAL = {
    "treatments": ("done_at_local", "promised_at_local"),
    "visits": ("starts_at_local", "ended_at_local"),
    "feedback": ("given_at_local",),
}


def upgrade() -> None:
    op.create_table(
        # Ids that cannot be read are empty texts: PostgreSQL allows no NULL in a key, SQLite takes two for different.
        "unread_rows",
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("row_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("payer_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.import_id"]),
        sa.PrimaryKeyConstraint("table_name", "file", "origin", "row_id", "customer_id", "payer_id", "invoice_id"),
    )
    op.create_index("unread_rows_by_id", "unread_rows", ["table_name", "row_id"])
    for name in ("customer_id", "payer_id", "invoice_id"):
        op.create_index(f"ix_unread_rows_{name}", "unread_rows", [name])
    # Imports from before count as complete: else no payments were fresh, and late notes would wait for the next.
    op.add_column("imports", sa.Column("complete", sa.Boolean(), nullable=False, server_default=sa.true()))
    # What was imported before keeps its instants, as it did until now.
    for table, columns in LOCAL.items():
        for name in columns:
            op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
