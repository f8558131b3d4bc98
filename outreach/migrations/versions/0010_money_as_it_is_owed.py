"""payments of a person, in a currency, in several parts under one number; invoices that are paid, void or drafts"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATUSES = "status IN ('open', 'disputed', 'plan', 'written_off', 'paid', 'void', 'draft')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _alter()
    else:
        _rebuild()
    op.create_index("ix_payments_customer_id", "payments", ["customer_id"])


def _alter() -> None:
    op.add_column("payments", sa.Column("customer_id", sa.String(), nullable=True))
    op.add_column("payments", sa.Column("currency", sa.String(), nullable=True))
    # The first migration named no key, and this is the name that PostgreSQL gives to such a one.
    op.drop_constraint("payments_pkey", "payments", type_="primary")
    # By `payment_id` alone, one receipt for two invoices was one row: the later overwrote the earlier, whose invoice
    # then looked unpaid.
    op.create_primary_key("payments_pkey", "payments", ["payment_id", "invoice_id"])
    op.drop_constraint("status_is_known", "invoices", type_="check")
    op.create_check_constraint("status_is_known", "invoices", STATUSES)


def _rebuild() -> None:
    """SQLite changes neither a key nor a CHECK of a table that is there; each is made anew and filled."""
    op.rename_table("payments", "payments_before")
    # An index keeps its name when its table gets another, and the new table needs that name.
    op.drop_index("ix_payments_invoice_id", "payments_before")
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("payment_id", "invoice_id"),
    )
    op.create_index("ix_payments_invoice_id", "payments", ["invoice_id"])
    _fill("payments", "payment_id, invoice_id, paid_on, amount")
    op.rename_table("invoices", "invoices_before")
    for index in ("invoices_by_customer", "ix_invoices_due_on", "ix_invoices_payer_id"):
        op.drop_index(index, "invoices_before")
    op.create_table(
        "invoices",
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("payer_id", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.CheckConstraint(STATUSES, name="status_is_known"),
        sa.PrimaryKeyConstraint("invoice_id"),
    )
    op.create_index("invoices_by_customer", "invoices", ["customer_id", "issued_on"])
    op.create_index("ix_invoices_due_on", "invoices", ["due_on"])
    op.create_index("ix_invoices_payer_id", "invoices", ["payer_id"])
    _fill("invoices", "invoice_id, customer_id, payer_id, issued_on, due_on, amount, currency, status")


def _fill(table: str, columns: str) -> None:
    op.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}_before")  # noqa: S608 - our own names
    op.drop_table(f"{table}_before")
