"""letters in a storage: a content may have its bytes outside the database"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Kept apart from the bytes, so that sizes are compared without fetching letters from the storage.
    op.add_column("contents", sa.Column("length", sa.Integer(), nullable=True))
    # Of a binary column both databases count the bytes.
    op.execute("UPDATE contents SET length = length(body)")
    with op.batch_alter_table("contents") as contents:
        contents.alter_column("length", existing_type=sa.Integer(), nullable=False)
        contents.alter_column("body", existing_type=sa.LargeBinary(), nullable=True)
