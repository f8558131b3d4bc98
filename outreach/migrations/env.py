"""Runs the migrations on the connection that `upgrade_database` hands over; there is no alembic.ini."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel

# For its effect alone: the next migration that Alembic writes would drop a table that no module has defined.
import outreach.models  # noqa: F401
from outreach.models.column_types import Instant


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Plain SQLAlchemy names in migration files, so that an old migration does not import today's code."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return "sa.String()" if type(item).__name__ == "AutoString" else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # Alembic takes it that SQLite cannot roll back a change of tables; with the BEGIN of database.py it can.
    transactional_ddl=True,
    render_item=render_item,
)
context.run_migrations()
