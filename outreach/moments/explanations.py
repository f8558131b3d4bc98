"""Explains one customer's moment on a day: each clause, met or not, with what the customer has to show for it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from outreach.models import Customer
from outreach.moments.definition import Clause, MomentDefinition, business_day
from outreach.settings import MomentKnobs, Settings


@dataclass(frozen=True)
class ClauseAnswer:
    """What is true of one clause for one customer on a day."""

    #: The clause, with the values of its knobs.
    says: str
    is_met: bool
    #: What the customer has to show for it.
    value: str
    #: What would have to change.
    change: str


def explain_clauses(
    session: Session, settings: Settings, definition: MomentDefinition[Any], customer_id: str, on: date
) -> list[ClauseAnswer]:
    """The clauses in their order. The customer has the moment on `on` exactly when every one of them is met."""
    knobs, answers = definition.knobs_of(settings), list[ClauseAnswer]()
    has_rows = True
    for place, clause in enumerate(definition.clauses):
        is_met = _is_met(session, settings, definition, place, customer_id, on)
        # Of what is not there, nobody can say whether it was answered.
        value = _value(session, settings, definition, clause, customer_id, on) if has_rows or not clause.of_rows else ""
        answers.append(ClauseAnswer(in_words(clause.says, knobs), is_met, value, in_words(clause.change, knobs)))
        has_rows = has_rows and (is_met or not clause.of_rows)
    return answers


def in_words(text: str, knobs: MomentKnobs) -> str:
    """`text` with the values of its knobs in place of their names."""
    values = knobs.model_dump()
    shown = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in values.items()}
    return text.format(**shown)


def _is_met(
    session: Session, settings: Settings, definition: MomentDefinition[Any], place: int, customer_id: str, on: date
) -> bool:
    """A clause on rows is met by a row that meets those before it as well: that very invoice, not some other."""
    clause = definition.clauses[place]
    if clause.of_rows:
        before = [other for other in definition.clauses[: place + 1] if other.of_rows]
        query = definition.select_found(settings, on, before)
    else:
        query = select(col(Customer.customer_id)).where(
            clause.where(definition.knobs_of(settings), business_day(settings, on))
        )
    return session.execute(query.where(col(Customer.customer_id) == customer_id).limit(1)).first() is not None


def _value(
    session: Session,
    settings: Settings,
    definition: MomentDefinition[Any],
    clause: Clause[Any],
    customer_id: str,
    on: date,
) -> str:
    shown = clause.value(definition.knobs_of(settings), business_day(settings, on))
    theirs = select(shown).select_from(Customer).where(col(Customer.customer_id) == customer_id)
    return clause.tell(session.execute(theirs).scalar_one_or_none(), on)
