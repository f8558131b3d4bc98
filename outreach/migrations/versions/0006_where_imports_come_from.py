"""Imports know the database they came from, and up to which change they read."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty for imports from before: `--since last` reads those sources once more as a whole, and loses no change.
    op.add_column("imports", sa.Column("origin", sa.String(), nullable=True))
    op.add_column("imports", sa.Column("changed_until", sa.DateTime(timezone=True), nullable=True))
