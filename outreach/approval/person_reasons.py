"""Whether the messages of a run may go by their moment's rule, or why a person must look at them first.

Nothing goes by rule whose words nobody has looked at. It only says so: it approves nothing.
"""

from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.channels import LETTER
from outreach.chunks import select_for
from outreach.composing.contributors import LET_GO
from outreach.models import Batch, Message, Moment, Staff
from outreach.moments import knobs_for
from outreach.planning.ceilings import GIVEN, GiftTotals, find_given, why_too_much
from outreach.settings import Settings

# So many earlier runs say what is usual.
RUNS_COUNTED = 30
UNKNOWN = "it is not on record what they were made with"
CHANGED = "the first run since its words, knobs or mapping changed"


@dataclass(frozen=True)
class Opening:
    """Messages that would be one batch."""

    run_on: date
    kind: str
    channel: str
    #: Of what they were made with; empty where nobody knows what that was.
    fingerprint: str
    #: Whether the knobs they were made with ask for a person's approval.
    for_person: bool
    messages: list[Message]


def why_person(session: Session, settings: Settings, opening: Opening) -> str:
    """Why a person must look first; empty when the rule may let them go."""
    if opening.channel == LETTER.name:
        return "letters wait for a person"
    if opening.for_person or knobs_for(settings, opening.kind).approval == "person":
        return "this moment waits for a person"
    if wanted := sorted({message.wants_person for message in opening.messages if message.wants_person}):
        return f"somebody must look at them first: {wanted[0]}" + (" …" if len(wanted) > 1 else "")
    return (
        _why_changed(session, opening)
        or _why_unseen(session, opening)
        or _why_large(session, settings, opening)
        or why_too_much(settings, given_by(session, opening.run_on, opening.messages))
    )


def given_by(session: Session, run_on: date, messages: list[Message]) -> GiftTotals:
    """What the gifts of messages that are to be approved together come to, and those of their month with them."""
    values = [message.reward_value for message in messages]
    batch = sum(values)
    # A batch that gives nothing is not held by what others gave.
    return GiftTotals(max(values, default=0), batch, find_given(session, run_on, GIVEN) + batch if batch else 0)


def _approved(opening: Opening) -> tuple[Any, ...]:
    """The conditions of a batch of the moment by the channel that was approved, as one run."""
    return (
        Batch.kind == opening.kind,
        Batch.channel == opening.channel,
        Batch.status == "approved",
        # A single message that was set apart says nothing of a run's usual size.
        col(Batch.apart_from).is_(None),
    )


def _why_changed(session: Session, opening: Opening) -> str:
    if not opening.fingerprint:
        return UNKNOWN
    newest = select(Batch.fingerprint).where(*_approved(opening))
    newest = newest.order_by(col(Batch.run_on).desc(), col(Batch.decided_at).desc(), col(Batch.batch_id).desc())
    return "" if session.exec(newest.limit(1)).first() == opening.fingerprint else CHANGED


def _why_unseen(session: Session, opening: Opening) -> str:
    """A language, or an event that somebody named, of which no person has approved a message yet."""
    seen = (
        select(Message.reference)
        .join(Batch, col(Batch.batch_id) == Message.batch_id)
        .where(
            Message.kind == opening.kind,
            Message.channel == opening.channel,
            col(Message.status).in_(LET_GO),
            Batch.status == "approved",
            col(Batch.decided_by).in_(select(Staff.staff_id)),
        )
    )
    words = {message.template_sha256: message.language for message in opening.messages if message.template_sha256}
    for template, language in sorted(words.items()):
        if session.exec(seen.where(Message.template_sha256 == template).limit(1)).first() is None:
            return f"nobody has looked at its words in “{language}” yet"
    about = seen.join(Moment, col(Moment.moment_id) == Message.moment_id)
    for event, named_on in _events_of(session, opening):
        of_event = about.where(Moment.occasion == event, Moment.occasion_on == named_on)
        if session.exec(of_event.limit(1)).first() is None:
            return f"nobody has looked at “{event}” yet, and whom it hit"
    return ""


def _events_of(session: Session, opening: Opening) -> list[tuple[str, date]]:
    """The events that staff named for these messages, in words of their own, with the day of the list."""
    if opening.kind != "goodwill":
        return []
    ids = {message.moment_id for message in opening.messages}
    moments = select_for(session, select(Moment), Moment.moment_id, ids)
    return sorted({(moment.occasion, moment.occasion_on) for moment in moments})


def _why_large(session: Session, settings: Settings, opening: Opening) -> str:
    """A run that is far larger than usual, in however many batches it is approved."""
    runs = select(col(Batch.run_on), func.sum(col(Batch.count))).where(*_approved(opening)).group_by(col(Batch.run_on))
    sizes = {on: int(size) for on, size in session.exec(runs.order_by(col(Batch.run_on).desc()).limit(RUNS_COUNTED))}
    count, so_far = len(opening.messages), sizes.pop(opening.run_on, 0)
    usual = median(sizes.values()) if sizes else so_far
    size = count + so_far if sizes else count
    if size <= settings.approval.usual_size_times * usual:
        return ""
    return f"{size} messages, over {settings.approval.usual_size_times} times the usual {usual:g}"
