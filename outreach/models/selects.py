"""Selects that several rooms ask in the same words. They never change a row."""

from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import col, select

from outreach.models.messages import Decision


def select_latest_decisions() -> Any:
    """A select of the decision that stands for each moment: the one that no later one follows."""
    later = aliased(Decision)
    followed = select(later.moment_id).where(
        later.moment_id == Decision.moment_id, col(later.sequence) > col(Decision.sequence)
    )
    return select(Decision).where(~followed.exists())
