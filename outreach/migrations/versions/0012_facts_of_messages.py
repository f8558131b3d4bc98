"""what a message's words state, kept with it; the day for which a moment was found"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("facts", sa.String(), nullable=True))
    op.add_column("moments", sa.Column("looked_on", sa.Date(), nullable=True))
