"""every moment: whom staff named after an event, what a moment's day is, and what a person must look at first"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "goodwill",
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("named_on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("event", "customer_id"),
    )
    op.create_index("goodwill_by_customer", "goodwill", ["customer_id", "named_on"])
    op.create_index("ix_goodwill_named_on", "goodwill", ["named_on"])
    with op.batch_alter_table("feedback") as feedback:
        # A public review has no customer until staff have matched its writer with one.
        feedback.alter_column("customer_id", existing_type=sa.String(), nullable=True)
        feedback.add_column(sa.Column("source", sa.String(), nullable=True))
        feedback.add_column(sa.Column("answered_at", INSTANT, nullable=True))
    op.create_index("feedback_by_kind", "feedback", ["kind", "status", "given_on"])
    op.add_column("messages", sa.Column("wants_person", sa.String(), nullable=True))
    op.add_column("moments", sa.Column("occasion_on", sa.Date(), nullable=True))
    # Until today every occasion was a date; SQLite keeps dates as the text they are.
    day = "CAST(occasion AS DATE)" if op.get_bind().dialect.name == "postgresql" else "occasion"
    op.execute(f"UPDATE moments SET occasion_on = CASE WHEN occasion LIKE '____-__-__' THEN {day} ELSE found_on END")
    with op.batch_alter_table("moments") as moments:
        moments.alter_column("occasion_on", existing_type=sa.Date(), nullable=False)

