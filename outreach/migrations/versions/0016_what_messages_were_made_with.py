"""what messages were made with, and who had a hand in it; what their gifts come to"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provenances",
        sa.Column("provenance_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("for_person", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("provenance_id"),
    )
    op.create_table(
        "hands",
        sa.Column("provenance_id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.CheckConstraint("part IN ('words', 'knobs', 'event', 'treatment')", name="part_is_known"),
        sa.PrimaryKeyConstraint("provenance_id", "by", "part", "name"),
        sa.ForeignKeyConstraint(["provenance_id"], ["provenances.provenance_id"]),
    )
    op.create_index("hands_by_part", "hands", ["part", "name"])
    op.create_table(
        # Once for all messages that were planned with them; a message names them by their hash.
        "knob_sets",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("knobs", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    # Empty for messages from before: one that is not written yet takes the knobs of the day on which it is.
    op.add_column("messages", sa.Column("planned_with", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("provenance_id", sa.String(), nullable=True))
    op.create_index("ix_messages_provenance_id", "messages", ["provenance_id"])
    op.add_column("messages", sa.Column("reward_value", sa.Integer(), nullable=False, server_default="0"))
    # What was given in another currency than the business's counts as nothing here: nobody can say what it counted as.
    op.execute(
        "UPDATE messages SET reward_value = COALESCE((SELECT SUM(rewards.amount) FROM rewards WHERE "
        "rewards.reference = messages.reference AND rewards.currency IN (SELECT currency FROM batches)), 0) "
        "WHERE reference IN (SELECT reference FROM rewards)"
    )
