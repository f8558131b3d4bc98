"""vendors, and what they say of what they carry"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
OLD_KINDS = "kind IN ('accepted', 'in_transit', 'delivered', 'returned', 'bounced', 'complained', 'unsubscribed', 'replied')"
KINDS = "kind IN ('accepted', 'in_transit', 'delivered', 'returned', 'bounced', 'failed', 'cancelled', 'complained', 'unsubscribed', 'replied')"
ONE_A_DAY = sa.text("channel IN ('email', 'text') AND contact_hash IS NOT NULL")


def upgrade() -> None:
    op.add_column("installation", sa.Column("name", sa.String(), nullable=True))
    # SQLite adds a column that may not be NULL only with a default (https://www.sqlite.org/lang_altertable.html).
    op.add_column("installation", sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("installation", sa.Column("restored_at", INSTANT, nullable=True))
    op.add_column("messages", sa.Column("not_before", INSTANT, nullable=True))
    op.add_column("messages", sa.Column("cancel_until", INSTANT, nullable=True))
    op.create_index("messages_to_cancel", "messages", ["status", "cancel_until"])
    op.create_index(
        "one_a_contact",
        "messages",
        ["kind", "step", "run_on", "channel", "contact_hash"],
        unique=True,
        sqlite_where=ONE_A_DAY,
        postgresql_where=ONE_A_DAY,
    )
    op.add_column("attempts", sa.Column("last_try_at", INSTANT, nullable=True))
    # Of an attempt from before only its beginning is on record.
    op.execute("UPDATE attempts SET last_try_at = started_at")
    with op.batch_alter_table("attempts") as attempts:
        # SQLite changes no column that is there, so Alembic copies the table; the rows must have their value before.
        attempts.alter_column("last_try_at", nullable=False)
    op.create_index("attempts_of_a_day", "attempts", ["started_on", "outcome"])
    with op.batch_alter_table("events") as events:
        events.add_column(sa.Column("provider_id", sa.String(), nullable=True))
        events.add_column(sa.Column("reason", sa.String(), nullable=True))
        events.drop_constraint("kind_is_known", type_="check")
        events.create_check_constraint("kind_is_known", KINDS)
    op.create_index("events_by_provider_id", "events", ["provider", "provider_id"])
    op.create_table(
        # A request is kept as it came and acted on afterwards: what cannot be acted on at once is not lost.
        "webhooks",
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("headers", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("webhook_id"),
    )
    op.create_index(op.f("ix_webhooks_applied_at"), "webhooks", ["applied_at"])
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    op.create_index(op.f("ix_incidents_reference"), "incidents", ["reference"])
    op.create_table(
        # In the database, since a provider counts what all of our senders ask for together.
        "allowances",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("used_until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("provider"),
    )


def downgrade() -> None:
    op.drop_table("allowances")
    op.drop_table("incidents")
    op.drop_table("webhooks")
    op.drop_index("events_by_provider_id", table_name="events")
    # The older CHECK would refuse these rows, and with them the whole way back.
    op.execute("DELETE FROM events WHERE kind IN ('failed', 'cancelled')")
    with op.batch_alter_table("events") as events:
        events.drop_constraint("kind_is_known", type_="check")
        events.create_check_constraint("kind_is_known", OLD_KINDS)
        events.drop_column("reason")
        events.drop_column("provider_id")
    op.drop_index("attempts_of_a_day", table_name="attempts")
    with op.batch_alter_table("attempts") as attempts:
        attempts.drop_column("last_try_at")
    op.drop_index("one_a_contact", table_name="messages")
    op.drop_index("messages_to_cancel", table_name="messages")
    for table, column in (
        ("messages", "cancel_until"),
        ("messages", "not_before"),
        ("installation", "restored_at"),
        ("installation", "generation"),
        ("installation", "name"),
    ):
        op.drop_column(table, column)
