"""Writes what planning planned: planned messages in; composed ones out, or withdrawn ones that say why.

The same data gives the same rows, in whichever process and however often. What staff must mend (a template, a setting)
stops only the messages it concerns, and these stay planned.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select

from outreach.composing.contents import Row, content_row, keep_bodies, open_to_write
from outreach.composing.digests import media_type_for, message_digest
from outreach.composing.facts import Assignment, FactFinder, Facts
from outreach.composing.templates import Templates, Words, saved_sources
from outreach.composing.writing import Written, write_message
from outreach.database import hold, insert_new, reading, writing
from outreach.errors import CannotWrite, ComposingError, SettingsError, StorageError, TemplateRefused
from outreach.intake.contacts import contact_hash, load_key
from outreach.models import Content, Decision, Message, Moment, Wording
from outreach.planning.run import latest_decisions
from outreach.settings import Settings

AT_ONCE = 20


@dataclass(frozen=True)
class ComposeReport:
    """Counts by (moment, channel). `waiting` messages stay planned until what `to_mend` lists is mended."""

    composed: Counter[tuple[str, str]] = field(default_factory=Counter)
    withdrawn: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: Counter[tuple[str, str]] = field(default_factory=Counter)
    to_mend: set[str] = field(default_factory=set)


def compose_planned(
    engine: Engine, settings: Settings, on: date, now: datetime, tell: Callable[[str], None] = lambda _: None
) -> ComposeReport:
    """Writes every planned message of `on` and before, in the order of their references. `tell` hears how far it is.

    Raises SettingsError when there is no templates folder.
    """
    composer = Composer(engine, settings, on)
    # One composer at a time: a second would only spend the same time on the same messages.
    with hold(engine, "compose"):
        references = composer.references()
        for start in range(0, len(references), AT_ONCE):
            composer.compose(references[start : start + AT_ONCE])
            tell(f"{min(start + AT_ONCE, len(references))} of {len(references)} messages written")
    for problem in sorted(composer.report.to_mend):
        tell(f"To mend: {problem}")
    return composer.report


class Composer:
    """One run. Each chunk is read, written without a transaction open, and stored in one transaction."""

    def __init__(self, engine: Engine, settings: Settings, on: date) -> None:
        self.engine, self.settings, self.on = engine, settings, on
        self.key = load_key(engine, settings)
        self.storage = open_to_write(engine, settings)
        with reading(engine) as session:
            self.templates = Templates(settings.templates, saved_sources(session))
        self.report = ComposeReport()

    def references(self) -> Sequence[str]:
        planned = select(Message.reference).where(Message.status == "planned", Message.run_on <= self.on)
        with reading(self.engine) as session:
            return session.exec(planned.order_by(Message.reference)).all()

    def compose(self, references: Sequence[str]) -> None:
        """Writes those of `references` that are still planned."""
        with reading(self.engine) as session:
            still = select(Message).where(Message.status == "planned", col(Message.reference).in_(references))
            messages = session.exec(still.order_by(Message.reference)).all()
            assignments = assignments_for(session, messages)
            finder = FactFinder(session, self.settings, assignments)
        done = [
            (message, result)
            for message, assignment in zip(messages, assignments, strict=True)
            if (result := self._write(message, assignment, finder)) is not None
        ]
        # Before the transaction: what is on record as composed has its bytes, whenever this process dies.
        rows = [self._row(message, result[0]) for message, result in done if isinstance(result, tuple)]
        kept = keep_bodies(self.storage, rows)
        with writing(self.engine) as session:
            for message, result in done:
                self._store(session, message, result, kept)

    def _write(
        self, message: Message, assignment: Assignment, finder: FactFinder
    ) -> tuple[Written, Words] | ComposingError | None:
        """The message, or why it cannot be written; None when something of ours must be mended first."""
        try:
            words = self.templates.find(message.kind, message.channel, finder.languages_for(assignment))
            facts = finder.facts_for(assignment, words.language)
            self._require_same_contact(message, facts)
            return write_message(self.settings, self.key, assignment, facts, words), words
        except (TemplateRefused, SettingsError) as problem:
            self._leave(message, problem)
            return None
        except ComposingError as reason:
            return reason

    def _leave(self, message: Message, problem: Exception) -> None:
        self.report.waiting[message.kind, message.channel] += 1
        self.report.to_mend.add(str(problem))

    def _require_same_contact(self, message: Message, facts: Facts) -> None:
        contact = facts.contacts.get(message.channel)
        if contact and message.contact_hash not in {None, contact_hash(self.key, message.channel, contact)}:
            raise CannotWrite("their contact has changed since the message was planned")

    def _row(self, message: Message, written: Written) -> Row:
        media_type = media_type_for(message.channel, self.settings.provider_for(message.channel))  # type: ignore[arg-type]
        return content_row(written.sha256, media_type, written.body)

    def _store(
        self,
        session: Session,
        message: Message,
        result: tuple[Written, Words] | ComposingError,
        kept: Mapping[str, Row | StorageError],
    ) -> None:
        counted = message.kind, message.channel
        if isinstance(result, ComposingError):
            if _change(session, message, {"status": "withdrawn", "status_reason": str(result)}):
                _decide_never(session, message, self.on, str(result))
                self.report.withdrawn[counted] += 1
            return
        written, words = result
        row = kept[written.sha256]
        if isinstance(row, StorageError):
            self._leave(message, row)
            return
        insert_new(session, Content, [row])
        if _change(session, message, _composed(self.settings, message, written, words)):
            insert_new(session, Wording, [{"reference": message.reference, "words": written.words}])
            self.report.composed[counted] += 1


def _composed(settings: Settings, message: Message, written: Written, words: Words) -> dict[str, Any]:
    provider = settings.provider_for(message.channel)  # type: ignore[arg-type]
    sealed = message.model_copy(update={"recipient": written.recipient, "provider": provider})
    return {
        "status": "composed",
        "recipient": written.recipient,
        "content_sha256": written.sha256,
        "template_sha256": words.sha256,
        "language": words.language,
        "size": written.size,
        "cost": written.cost,
        "provider": provider,
        "digest": message_digest(sealed, written.sha256),
    }


def _change(session: Session, message: Message, values: dict[str, Any]) -> bool:
    """Writes `values` if the message is still planned; whether it was."""
    still = update(Message).where(col(Message.reference) == message.reference, col(Message.status) == "planned")
    changed: int = session.connection().execute(still.values(**values)).rowcount
    return changed == 1


def _decide_never(session: Session, message: Message, on: date, reason: str) -> None:
    """Closes every moment that the message would have carried."""
    carried = latest_decisions().where(Decision.reference == message.reference, Decision.outcome == "send")
    for decision in session.execute(carried).scalars().all():
        last = select(func.max(Decision.sequence)).where(Decision.moment_id == decision.moment_id)
        never = {
            "moment_id": decision.moment_id,
            "sequence": session.exec(last).one() + 1,
            "run_on": on,
            "outcome": "never",
            "rule": "composing",
            "reason": reason,
            "next_on": None,
            "reference": message.reference,
        }
        insert_new(session, Decision, [never])


def assignments_for(session: Session, messages: Sequence[Message]) -> list[Assignment]:
    """What each message has to say: the moment it was planned for, and any other that a standing decision gives it."""
    references = [message.reference for message in messages]
    carried = (
        latest_decisions()
        .join(Moment, col(Moment.moment_id) == Decision.moment_id)
        .where(col(Decision.reference).in_(references), Decision.outcome == "send")
        .with_only_columns(Decision.reference, Moment.customer_id, Moment.occasion)
    )
    own = (
        select(Message.reference, Moment.customer_id, Moment.occasion)
        .join(Moment, col(Moment.moment_id) == Message.moment_id)
        .where(col(Message.reference).in_(references))
    )
    occasions: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for rows in (session.execute(own), sorted(session.execute(carried))):
        for reference, customer_id, occasion in rows:
            occasions[reference][customer_id, occasion] = None
    return [
        Assignment(
            message.reference,
            message.kind,
            message.channel,
            message.recipient_id,
            tuple(occasions[message.reference]),
            message.run_on,
            message.send_on,
        )
        for message in messages
    ]
