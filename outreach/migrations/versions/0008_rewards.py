"""rewards: what a message gives a customer, and whether it was redeemed"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("messages", sa.Column("reward_cost", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "rewards",
        # Only its hash is kept: with a copy of this table nobody can redeem a voucher.
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("redeemed_at", INSTANT, nullable=True),
        sa.Column("redeemed_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash"),
        sa.ForeignKeyConstraint(["reference"], ["messages.reference"]),
    )
    op.create_index("ix_rewards_reference", "rewards", ["reference"])
    op.create_index("ix_rewards_customer_id", "rewards", ["customer_id"])
