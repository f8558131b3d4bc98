"""who imported what, and what came of it; of a file also what was new, changed or the same"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "intakes",
        sa.Column("intake_id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
    )
    with op.batch_alter_table("imports") as imports:
        imports.add_column(sa.Column("intake_id", sa.Integer(), nullable=True))
        imports.create_foreign_key("imports_of_an_intake", "intakes", ["intake_id"], ["intake_id"])
        for name in ("new", "changed", "same"):
            imports.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_imports_intake_id", "imports", ["intake_id"])
    # Files that were read together have one instant; by whom, nobody wrote down.
    op.execute(
        'INSERT INTO intakes (at, "by", source, finished, problem) '
        "SELECT DISTINCT at, '', '', TRUE, '' FROM imports ORDER BY at"
    )
    op.execute("UPDATE imports SET intake_id = (SELECT intake_id FROM intakes WHERE intakes.at = imports.at)")
