"""what a message's words state and its place in the queue, kept with it; the day for which a moment was found"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty for messages from before. composing/recheck.py does not ask these whether their words are still true.
    op.add_column("messages", sa.Column("facts", sa.String(), nullable=True))
    op.add_column("moments", sa.Column("looked_on", sa.Date(), nullable=True))
    # These are found ahead of their day, and would not be there when asked for the day on which they were found.
    op.execute("UPDATE moments SET looked_on = occasion_on WHERE kind IN ('anniversary', 'first_hundred')")
    op.add_column("messages", sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
    # Senders now go by what is of use for the shortest time (delivery/send_queue.py); this was another order.
    op.drop_index("messages_due", table_name="messages")
    op.create_index("messages_queue", "messages", ["status", "useful_until", "place", "reference"])
