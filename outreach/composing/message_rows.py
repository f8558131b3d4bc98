"""Makes the rows that write a composed message down. Whoever writes them has locked the message before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlmodel import Session, col, select

from outreach.composing.digests import message_digest
from outreach.composing.provenance import Made
from outreach.composing.store.contents import Row
from outreach.composing.templating.templates import Words
from outreach.composing.writing import WrittenMessage
from outreach.models import Message
from outreach.planning.rewards import expected_cost, value_of_gift
from outreach.settings import Settings


@dataclass(frozen=True)
class Composed:
    """One message as it was written."""

    written: WrittenMessage
    words: Words
    #: The rewards that it gives.
    rewards: list[Row]
    #: Hashes of the facts that it states, as JSON.
    facts: str
    #: What it was written with.
    made: Made


def lock_planned(session: Session, references: Sequence[str]) -> set[str]:
    """Those of `references` that are still planned, locked in an order that is the same for everyone."""
    still = select(Message.reference).where(Message.status == "planned", col(Message.reference).in_(references))
    # SQLite locks no rows, and SQLAlchemy leaves FOR UPDATE out there: `writing` holds the whole file.
    return set(session.exec(still.order_by(Message.reference).with_for_update()))


def composed_row(settings: Settings, message: Message, composed: Composed) -> dict[str, Any]:
    written, words = composed.written, composed.words
    values = [value_of_gift(settings, message.kind, row["amount"], row["currency"]) for row in composed.rewards]
    reward_cost = sum(expected_cost(settings, value) for value in values)
    provider = settings.provider_for(message.channel)  # type: ignore[arg-type]
    # The digest is of the message as it will stand, with its recipient and its provider.
    sealed = message.model_copy(update={"recipient": written.recipient, "provider": provider})
    return {
        "for_reference": message.reference,
        "status": "composed",
        "status_reason": None,
        "recipient": written.recipient,
        "facts": composed.facts,
        "content_sha256": written.sha256,
        "template_sha256": words.sha256,
        "language": words.language,
        "size": written.size,
        "cost": written.cost + reward_cost,
        "reward_cost": reward_cost,
        "reward_value": sum(values),
        "provenance_id": composed.made.provenance_id,
        "provider": provider,
        "digest": message_digest(sealed, written.sha256),
    }


def change_messages(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes the rows over the messages that they are for, which the caller has locked."""
    if rows:
        table: Table = Message.__table__  # type: ignore[attr-defined]
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "for_reference"}
        statement = update(table).where(table.c.reference == bindparam("for_reference")).values(values)
        session.connection().execute(statement, [dict(row) for row in rows])
