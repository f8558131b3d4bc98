"""Pulls back whatever is open and must not go any more after what staff have just learned, and counts it.

What waits is withdrawn, what is approved is stopped, and what a vendor has not printed yet is cancelled there. What has
left has left: that is said too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Engine, or_
from sqlmodel import Session, col, select

from outreach.approval.batches import WAITING
from outreach.approval.withdrawals import withdraw_messages
from outreach.channels import LETTER
from outreach.clock import business_date, stopped_clock
from outreach.composing.recheck import recheck
from outreach.delivery import outbox
from outreach.delivery.providers import Provider, open_providers
from outreach.delivery.recovery.cancelling import cancel_messages
from outreach.errors import OutreachError
from outreach.locks import take_turns
from outreach.models import Message
from outreach.planning.decisions import decide_again
from outreach.planning.verdicts import Stop
from outreach.settings import Settings

BEFORE_APPROVAL = ("planned", *WAITING)
ON_THEIR_WAY = ("sending", "uncertain", "needs_person", "accepted")


@dataclass(frozen=True)
class PullReport:
    """What was pulled back, in messages."""

    #: They had not left yet.
    withdrawn: int = 0
    #: They were called back at their vendors.
    cancelled: int = 0
    #: The cost of the cancelled ones, in minor units.
    saved: int = 0
    #: They are gone, or may be, and can still arrive.
    left: int = 0
    #: Why a vendor was not asked.
    problem: str = ""
    #: The reason for each reference that a vendor may still be asked about.
    to_cancel: Mapping[str, str] = field(default_factory=dict)


def pull_back(
    session: Session,
    settings: Settings,
    concerned: ColumnElement[bool],
    now: datetime,
    theirs: tuple[str, str] | None = None,
) -> PullReport:
    """Withdraws what is open among the messages `concerned` and is held back by what is on record now.

    `theirs` is a customer and a reason: whatever is open, goes to them and is about them is withdrawn with it, whether
    or not a rule would hold it. Write what was learned first, and the audit's entry afterwards; then ask the vendors
    with `cancel_pulled`, outside of the transaction.
    """
    take_turns(session, "approval")
    on = business_date(now, settings.business.timezone)
    messages = _lock_open(session, concerned, on)
    reasons = _reasons(session, settings, messages, on, now, theirs)
    concerned_here = [message for message in messages if message.reference in reasons]
    waiting = [message for message in concerned_here if message.status in BEFORE_APPROVAL]
    withdraw_messages(session, waiting, reasons, on, now)
    stopped = _stop_approved(session, [m for m in concerned_here if m.status in {"approved", "sending"}], reasons)
    decide_again(session, {reference: reasons[reference] for reference in stopped}, on)
    gone = [m for m in concerned_here if m not in waiting and m.reference not in stopped]
    to_cancel = {m.reference: reasons[m.reference].reason for m in gone if m.cancel_until and m.cancel_until > now}
    session.expire_all()
    return PullReport(withdrawn=len(waiting) + len(stopped), left=len(gone) - len(to_cancel), to_cancel=to_cancel)


def _lock_open(session: Session, concerned: ColumnElement[bool], on: date) -> Sequence[Message]:
    status = col(Message.status)
    # A letter that a provider took may arrive until the last day of its use; anything else has arrived.
    on_its_way = (col(Message.channel) == LETTER.name) & (col(Message.useful_until) >= on)
    is_open = or_(
        status.in_((*BEFORE_APPROVAL, "approved", "sending", "uncertain", "needs_person")),
        (status == "accepted") & on_its_way,
    )
    # Found first: with both conditions at once, SQLite would read everything that was ever accepted.
    references = session.exec(select(Message.reference).where(concerned)).all()
    theirs = col(Message.reference).in_(references)
    # All at once, and always in the same order: two that lock several never wait for each other in a circle.
    locked = select(Message).where(theirs, is_open).order_by(Message.reference).with_for_update()
    return session.exec(locked.execution_options(populate_existing=True)).all()


def _reasons(
    session: Session,
    settings: Settings,
    messages: Sequence[Message],
    on: date,
    now: datetime,
    theirs: tuple[str, str] | None,
) -> dict[str, Stop]:
    held = recheck(session, settings, messages, on, now)
    # Something wrong with a message itself, or what makes it wait, is no news of anybody; the senders find it.
    stops = {name: stop for name, stop in held.items() if stop.status in {"withdrawn", "suppressed"}}
    if theirs:
        customer_id, reason = theirs
        for message in messages:
            if {message.customer_id, message.recipient_id} == {customer_id}:
                stops.setdefault(message.reference, Stop("withdrawn", reason))
    return stops


def _stop_approved(session: Session, messages: Sequence[Message], reasons: Mapping[str, Stop]) -> set[str]:
    """Stops what no try was ever made for; the references. A sender that has claimed one finds its claim gone.

    What was tried may have arrived: the sender looks it up first, and comes to the same reason by itself.
    """
    references = [message.reference for message in messages]
    tried = set(session.exec(select(Message.reference).where(col(Message.reference).in_(references), outbox.begun())))
    stopped = [message for message in messages if message.reference not in tried]
    for message in stopped:
        stop = reasons[message.reference]
        outbox.put_down(session, [message], stop.status, stop.reason)
    return {message.reference for message in stopped}


def cancel_pulled(
    engine: Engine,
    settings: Settings,
    report: PullReport,
    now: datetime,
    providers: Mapping[str, Provider] | None = None,
) -> PullReport:
    """The report, once the vendors have been asked to cancel what they had not printed. It never raises for a vendor.

    `providers` are used as they are; otherwise those that are set up are opened.
    """
    if not report.to_cancel:
        return report
    asked = len(report.to_cancel)
    try:
        with open_providers(settings, providers) as carriers:
            done = cancel_messages(engine, stopped_clock(now), carriers, report.to_cancel)
    except OutreachError as error:
        return replace(report, left=report.left + asked, problem=str(error))
    return replace(report, cancelled=done.cancelled, saved=done.saved, left=report.left + asked - done.cancelled)
