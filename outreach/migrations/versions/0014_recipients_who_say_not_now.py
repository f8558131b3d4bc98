"""how often the recipient's own server has put a message off"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("put_off", sa.Integer(), nullable=False, server_default="0"))
