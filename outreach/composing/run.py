"""Writes what planning planned: each planned message is composed, or withdrawn with the reason.

The same data gives the same rows, in whichever process and however often. What staff must mend (a template, a setting)
stops only the messages it concerns, and these stay planned. What one person's data do not allow is decided on again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from outreach.composing.digests import media_type_for
from outreach.composing.fallbacks import find_carried, find_put_off
from outreach.composing.message_rows import Composed, change_messages, composed_row, lock_planned
from outreach.composing.moment_data import Assignment, Occasion
from outreach.composing.paper.letterhead import read_letterhead
from outreach.composing.paper.vouchers import code_for, hash_code
from outreach.composing.proofing.letter_check import currency_of
from outreach.composing.provenance import Made, Provenances, keep_provenances
from outreach.composing.reports import ComposeReport
from outreach.composing.set_aside import cannot_be_written, write_reasons
from outreach.composing.shards import Shard, cut_shards, planned_in, write_each
from outreach.composing.stated_facts import hash_facts, names_stated, write_facts
from outreach.composing.store.contents import Row, content_row, keep_bodies, open_to_write
from outreach.composing.template_data import FactFinder, Facts
from outreach.composing.templating.templates import Templates, saved_sources
from outreach.composing.writing import WrittenMessage, reward_in, write_message
from outreach.contacts import contact_hash, load_key
from outreach.database import insert_new, reading, writing
from outreach.errors import ComposingError, ContactChanged, SettingsError, StorageError, TemplateRefused
from outreach.models import Content, Message, Moment, Reward, Wording
from outreach.planning.ceilings import GiftTotals, why_too_much
from outreach.planning.decisions import decide_again
from outreach.planning.rewards import value_of_gift
from outreach.settings import Settings

# So many are read and stored together: what a killed process has to write again at most.
AT_ONCE = 100
Progress = Callable[[int, int], None]
CallHelp = Callable[[int], None]


Result = Composed | ComposingError


def compose_planned(
    engine: Engine,
    settings: Settings,
    on: date,
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
    limit: int | None = None,
    progress: Progress = lambda _done, _of: None,
    call_help: CallHelp = lambda _shards: None,
) -> ComposeReport:
    """Writes the planned messages of `on` and before, at most `limit` of them, shard by shard.

    Any number of processes may do so at once: each takes the shards that no other has, and at the end each waits until
    all are written. `tell` and `progress` hear how far the day is; `call_help` hears, before the first is written, how
    many shards there are to share, unless there is a limit. Raises SettingsError when there is no templates folder.
    """
    composer = Composer(engine, settings, on, limit)
    shards = cut_shards(engine, on, settings.scaling.shard_size)
    if limit is None:
        call_help(len(shards))
    planned, passed = sum(shard.planned for shard in shards), 0
    of = planned if limit is None else min(planned, limit)

    def write(shard: Shard) -> None:
        nonlocal passed
        for tried in composer.write(shard):
            tell(_progress_line(composer.report, of))
            progress(passed + tried, of)
        passed += shard.planned

    write_each(engine, shards, write)
    return replace(composer.report, left=composer.left)


def _progress_line(report: ComposeReport, of: int) -> str:
    """How far the day is: only what was written counts as written, and each other message is told with its fate."""
    rest = {"cannot be written": report.withdrawn, "wait for what must be mended": report.waiting}
    others = "".join(f"; {count.total()} {fate}" for fate, count in rest.items() if count)
    return f"{report.composed.total()} of {of} messages written{others}"


class Composer:
    """One run. Each chunk is read, written without a transaction open, and stored in one transaction.

    Raises SettingsError for a letterhead that may not be printed, before anything is written.
    """

    def __init__(self, engine: Engine, settings: Settings, on: date, limit: int | None = None) -> None:
        self.engine, self.settings, self.on, self.limit = engine, settings, on, limit
        self.key = load_key(engine, settings)
        self.storage = open_to_write(engine, settings)
        read_letterhead(settings)
        with reading(engine) as session:
            self.templates = Templates(settings.templates, saved_sources(session))
            self.provenances = Provenances(session, settings, self.templates.sources)
        self.report, self.left = ComposeReport(), 0
        #: Why messages of the chunk in work stay planned, by reference.
        self.set_aside: dict[str, str] = {}

    def write(self, shard: Shard) -> Iterator[int]:
        """Writes what is still planned in a shard that this process holds; says after each chunk how many it tried."""
        planned = planned_in(self.engine, shard)
        references = planned[: self.limit]
        self.left += len(planned) - len(references)
        if self.limit is not None:
            self.limit -= len(references)
        for start in range(0, len(references), AT_ONCE):
            self.compose(references[start : start + AT_ONCE])
            yield min(start + AT_ONCE, len(references))

    def compose(self, references: Sequence[str]) -> None:
        """Writes those of `references` that are still planned."""
        with reading(self.engine) as session:
            still = select(Message).where(Message.status == "planned", col(Message.reference).in_(references))
            messages = session.exec(still.order_by(Message.reference)).all()
            assignments = assignments_for(session, messages)
            finder = self._find_facts(session, messages, assignments)
        # One of them is at fault: alone, each of the others can still be written.
        if finder is None and len(messages) > 1:
            for message in messages:
                self.compose([message.reference])
            return
        done = [
            (message, result)
            for message, assignment in zip(messages, assignments, strict=True)
            if finder and (result := self._write(message, assignment, finder)) is not None
        ]
        # Before the transaction: what is on record as composed has its bytes, whenever this process dies.
        rows = [self._row(message, result.written) for message, result in done if isinstance(result, Composed)]
        kept = keep_bodies(self.storage, rows)
        with writing(self.engine) as session:
            self._store(session, done, kept)
            reasons, self.set_aside = self.set_aside, {}
            write_reasons(session, reasons)

    def _find_facts(
        self, session: Session, messages: Sequence[Message], assignments: Sequence[Assignment]
    ) -> FactFinder | None:
        """The facts of all; None where reading them failed over one that is not known yet, or is the only one."""
        try:
            self.provenances.look(session, messages, assignments)
            return FactFinder(session, self.settings, assignments, self.key)
        except SQLAlchemyError:
            raise
        except Exception as error:
            if len(messages) == 1:
                self._leave(messages[0], cannot_be_written(error))
        return None

    def _write(self, message: Message, assignment: Assignment, finder: FactFinder) -> Result | None:
        """The message, or why it cannot be written; None when something of ours must be mended first."""
        try:
            words = self.templates.find(message.kind, message.channel, finder.languages_for(assignment))
            facts = finder.facts_for(assignment, words.language)
            self._require_same_contact(message, facts)
            written = write_message(self.settings, self.key, assignment, facts, words, finder.people)
            names = names_stated(words.sources)
            hashes = hash_facts(self.key, message.reference, names, facts, written.recipient, message.channel)
            rewards = self._rewards(assignment, facts)
            made = self.provenances.of(message, words)
            return Composed(written, words, rewards, write_facts(hashes), made)
        except (TemplateRefused, SettingsError) as problem:
            self._leave(message, problem)
            return None
        except ComposingError as reason:
            return reason
        # The database's fault is not this message's: all the others would fail as it does.
        except SQLAlchemyError:
            raise
        except Exception as error:
            # Whatever it is, it is about this message: the others are written.
            self._leave(message, cannot_be_written(error))
            return None

    def _rewards(self, assignment: Assignment, facts: Facts) -> list[Row]:
        """What the message gives each customer it is about, for a code of their own."""
        given, kind = reward_in(facts), assignment.kind
        if not given:
            return []
        value = value_of_gift(self.settings, kind, given, currency_of(facts, self.settings))
        if why := why_too_much(self.settings, GiftTotals(value * len(assignment.occasions))):
            raise SettingsError(f"{kind}: {why}")
        codes = {
            occasion.customer_id: code_for(self.key, assignment.reference, occasion.customer_id)
            for occasion in assignment.occasions
        }
        return [
            {
                "code_hash": hash_code(self.key, code),
                "reference": assignment.reference,
                "customer_id": customer_id,
                "amount": given,
                "currency": currency_of(facts, self.settings),
                "issued_on": assignment.send_on,
                "valid_until": assignment.send_on + timedelta(days=self.settings.rewards.valid_days),
            }
            for customer_id, code in codes.items()
        ]

    def _leave(self, message: Message, problem: Exception) -> None:
        self.report.waiting[message.kind, message.channel] += 1
        self.report.to_mend.add(str(problem))
        if message.status_reason != str(problem):
            self.set_aside[message.reference] = str(problem)

    def _require_same_contact(self, message: Message, facts: Facts) -> None:
        contact = facts.contacts.get(message.channel)
        if contact and message.contact_hash not in {None, contact_hash(self.key, message.channel, contact)}:
            raise ContactChanged("their contact has changed since the message was planned")

    def _row(self, message: Message, written: WrittenMessage) -> Row:
        media_type = media_type_for(message.channel, self.settings.provider_for(message.channel))  # type: ignore[arg-type]
        return content_row(written.sha256, media_type, written.body)

    def _store(
        self,
        session: Session,
        done: Sequence[tuple[Message, Result]],
        kept: Mapping[str, Row | StorageError],
    ) -> None:
        """Stores what became of those that are still planned, many in each statement."""
        # While they were written no transaction was open: some may have been withdrawn since.
        still = lock_planned(session, [message.reference for message, _ in done])
        rows, contents, wordings, rewards, made = [], {}, [], list[Row](), list[Made]()
        unwritten: list[tuple[Message, ComposingError]] = []
        for message, result in done:
            if message.reference not in still:
                continue
            if isinstance(result, ComposingError):
                unwritten.append((message, result))
                continue
            written = result.written
            content = kept[written.sha256]
            if isinstance(content, StorageError):
                self._leave(message, content)
                continue
            contents[written.sha256] = content
            wordings.append({"reference": message.reference, "words": written.words})
            rows.append(composed_row(self.settings, message, result))
            rewards += result.rewards
            made.append(result.made)
            self.report.composed[message.kind, message.channel] += 1
        # In one order in every process: two that insert the same texts must not wait for each other in a circle.
        keep_provenances(session, made)
        insert_new(session, Content, [contents[sha256] for sha256 in sorted(contents)])
        change_messages(session, rows)
        insert_new(session, Wording, wordings)
        insert_new(session, Reward, rewards)
        self._put_off(session, unwritten)

    def _put_off(self, session: Session, unwritten: Sequence[tuple[Message, ComposingError]]) -> None:
        """Withdraws what cannot be written, and has its moments decided on again: the fault may be mended by then."""
        withdrawn = [
            {"for_reference": message.reference, "status": "withdrawn", "status_reason": str(reason)}
            for message, reason in unwritten
        ]
        change_messages(session, withdrawn)
        stops = find_put_off(session, self.settings, unwritten, self.on)
        decide_again(session, stops, self.on)
        at_once = {reference for reference, stop in stops.items() if any(h.next_on == self.on for _, h in stop.holds)}
        self.report.due_again.update(message.kind for message, _ in unwritten if message.reference in at_once)
        self.report.withdrawn.update((message.kind, message.channel) for message, _ in unwritten)


def assignments_for(session: Session, messages: Sequence[Message]) -> list[Assignment]:
    """What each message has to say: the moment it was planned for, and any other that a standing decision gives it."""
    carried = find_carried(session, [message.reference for message in messages])
    return [
        Assignment(
            message.reference,
            message.kind,
            message.channel,
            message.recipient_id,
            tuple(_occasion(moment) for moment in carried[message.reference]),
            message.run_on,
            message.send_on,
        )
        for message in messages
    ]


def _occasion(moment: Moment) -> Occasion:
    return Occasion(moment.customer_id, moment.occasion, moment.occasion_on)
