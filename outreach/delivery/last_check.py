"""The last check of claimed messages before they leave: a Stop with its reason for each that must not leave now.

It runs in the transaction that opens the attempts, so nothing can come between the check and the record of the try.
What the customer has said is asked of planning; this adds what only the moment of sending can tell. It writes nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial

from sqlmodel import Session, col, select

from outreach.approval.seals import find_unfit
from outreach.channels import CALL
from outreach.clock import add_business_days, business_date
from outreach.composing.recheck import recheck
from outreach.composing.store.contents import Bodies
from outreach.delivery.control.pauses import pauses_over
from outreach.delivery.status_reasons import MAY_HAVE_LEFT, OUTSIDE_HOURS, TOO_LATE
from outreach.errors import ContentLost, StorageError
from outreach.models import Attempt, Batch, Installation, Moment
from outreach.moments import knobs_for
from outreach.planning.checks import Check, Messages
from outreach.planning.debt_collection import check_collecting
from outreach.planning.hours import Leave
from outreach.planning.text_cap import check_text_cap
from outreach.planning.verdicts import Stop, Stops
from outreach.settings import Settings

NOT_APPROVED = "its recipient, words or options are not those that were approved"
OUT_OF_REACH = Stop("approved", "the storage does not give its letter out just now")
NO_HOURS = "no hour is right in every time zone they may be in; note their time zone (customers.timezone)"
# The longest quarter of a year.
A_QUARTER = timedelta(days=92)


def check_pauses(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """Whatever a person has paused: all, a moment, a provider or a batch."""
    over = pauses_over(session, messages)
    return {
        reference: Stop("approved", f"paused: {paused.scope} {paused.name}".strip())
        for reference, paused in over.items()
    }


def check_usefulness(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """Nothing leaves after the last day on which it is of use."""
    return {message.reference: Stop("expired", TOO_LATE) for message in messages if message.useful_until < on}


def check_again(session: Session, settings: Settings, messages: Messages, on: date, at: datetime) -> Stops:
    """What planning's rules say now, and what the words would say now."""
    return recheck(session, settings, messages, on, at)


def check_restore(session: Session, settings: Settings, messages: Messages, on: date) -> Stops:
    """After a restored backup, whatever of its moment may have left already, by any run, is looked up first."""
    installation = session.get(Installation, 1)
    restored_at = installation.restored_at if installation else None
    if restored_at is None:
        return {}
    restored_on = business_date(restored_at, settings.business.timezone)
    about = select(Moment).where(col(Moment.moment_id).in_({message.moment_id for message in messages}))
    moments = {moment.moment_id: moment for moment in session.exec(about)}
    doubtful = [
        message.reference for message in messages if _was_there_by(restored_on, moments[message.moment_id], settings)
    ]
    # Only an absence that was found after the restore proves that nothing had left before it.
    looked_up = select(Attempt.reference).where(
        col(Attempt.reference).in_(doubtful), Attempt.outcome == "absent", Attempt.last_try_at >= restored_at
    )
    cleared = set(session.exec(looked_up))
    return {reference: Stop("uncertain", MAY_HAVE_LEFT) for reference in doubtful if reference not in cleared}


def _was_there_by(day: date, moment: Moment, settings: Settings) -> bool:
    """Whether a run of `day` or before may have found the moment: the day of the run that found it now says nothing.

    Whom no run finds for a quarter after the restore had no such moment when it came.
    """
    began_on = moment.occasion_on
    # An occasion that is a year or a month begins with it, and the day that it is about is any day of it.
    if len(moment.occasion) in (4, 7) and str(began_on).startswith(moment.occasion):
        began_on = date.fromisoformat(f"{moment.occasion}-01-01"[:10])
    found_by = add_business_days(day, knobs_for(settings, moment.kind).lead_days)
    return began_on <= found_by and moment.found_on <= day + A_QUARTER


def check_seal(session: Session, settings: Settings, messages: Messages, on: date, bodies: Bodies) -> Stops:
    """What leaves is what was approved, hashed again from the very bytes that are handed over."""
    batches = {batch_id for message in messages if (batch_id := message.batch_id)}
    rows = select(Batch.batch_id).where(col(Batch.batch_id).in_(batches), Batch.status == "approved")
    approved = set(session.exec(rows))
    unfit = set(find_unfit(messages, bodies))
    stops = {}
    for message in messages:
        if message.batch_id not in approved:
            stops[message.reference] = Stop("blocked", "its batch is not approved")
        elif message.reference in unfit:
            stops[message.reference] = _unfit(bodies.failed.get(message.content_sha256 or ""))
    return stops


def _unfit(error: StorageError | None) -> Stop:
    """What is lost stays lost, and blocks; a storage that does not answer only makes its letters wait."""
    if error is None or isinstance(error, ContentLost):
        return Stop("blocked", str(error or NOT_APPROVED))
    return OUT_OF_REACH


def check_hours(
    session: Session, settings: Settings, messages: Messages, on: date, leaves: Mapping[str, Leave], at: datetime
) -> Stops:
    """Outside its hours a text or an e-mail waits for them; calls are made from a sheet, which names their hours."""
    stops = {}
    for message in messages:
        leave = leaves[message.reference]
        if message.channel == CALL.name or leave.at == at:
            continue
        waits = leave.at is not None
        stops[message.reference] = Stop("approved", OUTSIDE_HOURS, leave.at) if waits else Stop("withdrawn", NO_HOURS)
    return stops


def checks_on(bodies: Bodies, leaves: Mapping[str, Leave], at: datetime, before: Messages = ()) -> tuple[Check, ...]:
    """Every check, in the order in which their reasons count; what only makes a message wait comes last.

    `bodies` are what would be handed over, and `leaves` from when until when each may leave, looked at from `at` on.
    `before` are those that a dry run has let go: no attempt of theirs is on record.
    """
    seal, hours = partial(check_seal, bodies=bodies), partial(check_hours, leaves=leaves, at=at)
    collecting, cap = partial(check_collecting, whole=bodies.whole), partial(check_text_cap, before=before)
    asked_again = partial(check_again, at=at)
    return (check_pauses, check_usefulness, check_restore, asked_again, seal, collecting, hours, cap)
