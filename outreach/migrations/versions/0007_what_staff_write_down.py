"""what staff write down: which reviews they matched with a person"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # By it models/precedence.py knows a customer that staff chose; without it the next import would undo their choice.
    op.add_column("feedback", sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True))
