"""the desk: how staff sign in, and what they decide there"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("staff") as staff:
        staff.add_column(sa.Column("email", sa.String(), nullable=True))
        staff.add_column(sa.Column("password_hash", sa.String(), nullable=True))
        # Whoever is on record has no password yet, and the first one that they are given is known to somebody else.
        staff.add_column(sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.true()))
        staff.create_unique_constraint("staff_email", ["email"])
    with op.batch_alter_table("batches") as batches:
        batches.add_column(sa.Column("undo_until", INSTANT, nullable=True))
        batches.add_column(sa.Column("reminded_at", INSTANT, nullable=True))
        batches.add_column(sa.Column("reminded", sa.String(), nullable=True))
        batches.add_column(sa.Column("single_person", sa.Boolean(), nullable=False, server_default=sa.false()))
        batches.add_column(sa.Column("apart_from", sa.String(), nullable=True))
        batches.create_foreign_key("batches_apart_from", "batches", ["apart_from"], ["batch_id"])
        batches.drop_constraint("status_is_known", type_="check")
        batches.create_check_constraint(
            "status_is_known", "status IN ('waiting', 'approved', 'rejected', 'expired', 'empty')"
        )
        batches.create_check_constraint(
            "author_is_not_approver", "status <> 'approved' OR decided_by <> author OR single_person"
        )
    # Without it, to lift the stronger of two sources would open a contact that the other still closes.
    op.add_column("suppressions", sa.Column("beneath", sa.String(), nullable=True))
    op.add_column("incidents", sa.Column("note", sa.String(), nullable=True))
    op.add_column("events", sa.Column("words", sa.String(), nullable=True))
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"]),
        sa.PrimaryKeyConstraint("token_hash"),
        sa.CheckConstraint("how IN ('password', 'account')", name="how_is_known"),
    )
    op.create_index(op.f("ix_sign_ins_staff_id"), "sign_ins", ["staff_id"])
    op.create_table(
        # In the database, since all processes of the desk share the counts; by a hash, since no name is kept.
        "failures",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "places",
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"]),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
        sa.PrimaryKeyConstraint("staff_id", "batch_id"),
    )
    op.create_table(
        "wordings",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["reference"], ["messages.reference"]),
        sa.PrimaryKeyConstraint("reference"),
    )
    op.create_table(
        "edits",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["reference"], ["messages.reference"]),
        sa.PrimaryKeyConstraint("reference", "number"),
    )
    op.create_table(
        "thumbnails",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["contents.sha256"]),
        sa.PrimaryKeyConstraint("sha256"),
    )
    for table, columns in (("knob_versions", _KNOBS), ("template_versions", _TEMPLATES)):
        op.create_table(
            table,
            sa.Column("version", sa.Integer(), nullable=False),
            *columns,
            sa.Column("by", sa.String(), nullable=False),
            sa.Column("at", INSTANT, nullable=False),
            sa.PrimaryKeyConstraint("version"),
        )
    op.create_index(op.f("ix_knob_versions_moment"), "knob_versions", ["moment"])
    op.create_index(op.f("ix_template_versions_name"), "template_versions", ["name"])
    op.create_table(
        "treatment_answers",
        sa.Column("treatment", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("answer IN ('yes', 'no')", name="answer_is_known"),
        sa.PrimaryKeyConstraint("treatment"),
    )


_KNOBS = (sa.Column("moment", sa.String(), nullable=False), sa.Column("knobs", sa.String(), nullable=False))
_TEMPLATES = (sa.Column("name", sa.String(), nullable=False), sa.Column("source", sa.String(), nullable=True))
