"""the runs that sent, so that a restored or copied database is told from its own; what an attempt asked and missed"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        # A number alone does not tell a copy from the original: both go on counting. A run that is not here shows it.
        "run_marks",
        sa.Column("run", sa.String(), primary_key=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("installation", sa.Column("run", sa.String(), nullable=True))
    op.add_column("installation", sa.Column("restored_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attempts", sa.Column("request_sha256", sa.String(), nullable=True))
    op.add_column("attempts", sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True))
