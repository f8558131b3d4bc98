"""Finds what ops must hear of now, in plain words: the alarms that stand.

Reads only. An alarm names no person: it has counts, dates and the names of providers.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, or_
from sqlmodel import Session, col, select

from outreach.clock import CLOCKS_DIFFER, business_date, instant_at
from outreach.delivery import outbox
from outreach.delivery.control.pauses import is_paused
from outreach.delivery.providers import REPORTERS, vendor_settings
from outreach.models import Attempt, Batch, Import, Message, RefusedWebhook, Webhook
from outreach.settings import Settings

# In the order in which they are told. Each has its section, of the same name, in docs/runbook.md.
KINDS = ("backlog", "uncertain", "webhook-silence", "refused-webhooks", "budget", "stale-import")
# A vendor that carried nothing for so much longer than its silence is not missed any more.
MISSED_FOR = timedelta(days=7)
REFUSED_WITHIN = timedelta(days=1)
WAITS_FOR_APPROVAL = ("planned", "composed", "held")


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong."""

    #: One of KINDS.
    kind: str
    #: Messages for a backlog and uncertain ones, vendors for silence and refusals, percent for the budget, and whole
    #: hours for stale data.
    count: int
    #: When it began.
    since: datetime
    #: What is wrong.
    sentence: str
    #: The first thing to do about it.
    advice: str

    @property
    def runbook(self) -> str:
        """The section to read."""
        return f"docs/runbook.md#{self.kind}"


def find_alarms(session: Session, settings: Settings, now: datetime) -> list[Alarm]:
    """Every alarm that stands at `now`, at most one of each kind, in the order of KINDS."""
    looks = (_find_backlog, _find_uncertain, _find_silence, _find_refused, _find_overspending, _find_stale_data)
    return [alarm for look in looks if (alarm := look(session, settings, now))]


def _find_backlog(session: Session, settings: Settings, now: datetime) -> Alarm | None:
    """What is approved and due, and nothing holds: no pause, no undo, no cap; and yet it does not leave."""
    before = now - timedelta(hours=settings.ops.backlog_hours)
    day = _last_day_begun(settings, before)
    waiting = select(col(Message.provider), col(Message.send_on), _let_go_at().label("let_go_at")).join(Batch)
    waiting = waiting.where(
        Message.status == "approved", col(Message.send_on) <= day, ~is_paused(), _let_go_at() < before
    )
    # What found no room on that day has been able to leave only since the next one, which is not long enough ago.
    room = max(outbox.room_left(session, settings.daily_cap, day), 0)
    in_turn = waiting.where(~outbox.begun()).order_by(col(Message.send_on), Message.reference).limit(room)
    counts: Counter[str] = Counter()
    since = now
    # A message already begun was counted against the cap on the day it was begun.
    for provider, send_on, number, let_go_at in [
        *_group(session, waiting.where(outbox.begun())),
        *_group(session, in_turn),
    ]:
        counts[provider or "nobody"] += number
        since = min(since, max(let_go_at, _sending_starts(settings, send_on)))
    if not counts:
        return None
    listed = ", ".join(f"{number} for {provider}" for provider, number in sorted(counts.items()))
    sentence = (
        f"{_messages(counts.total())} approved and due, and nothing holds them: {listed}. {_first(settings, since)}"
    )
    advice = "See in Prefect whether a worker lives and how `deliver` ended; `outreach deliver` by hand sends them."
    return Alarm("backlog", counts.total(), since, sentence, advice)


def _let_go_at() -> ColumnElement[datetime]:
    """When nothing held a message any more: neither an undo of its approval, nor the hours of whom it is for."""
    approved = func.coalesce(col(Batch.undo_until), col(Batch.decided_at), col(Batch.opened_at))
    # Without a `not_before` the comparison is NULL, and SQL takes the `else_`.
    return case((col(Message.not_before) > approved, col(Message.not_before)), else_=approved)


def _last_day_begun(settings: Settings, before: datetime) -> date:
    """The latest day whose sending hour came before `before`."""
    day = business_date(before, settings.business.timezone)
    # Before its sending hour a day has not begun, and what is due on it is not late.
    return day if _sending_starts(settings, day) < before else day - timedelta(days=1)


def _sending_starts(settings: Settings, day: date) -> datetime:
    return instant_at(day, settings.business.sending_hour, settings.business.timezone)


def _group(
    session: Session, waiting: "Select[tuple[str | None, date, datetime]]"
) -> Sequence[tuple[str | None, date, int, datetime]]:
    # Over a subquery: one of the two has a limit, which must count messages and not groups.
    rows = waiting.subquery()
    grouped = select(rows.c.provider, rows.c.send_on, func.count(), func.min(rows.c.let_go_at))
    return session.exec(grouped.group_by(rows.c.provider, rows.c.send_on)).all()


def _find_uncertain(session: Session, settings: Settings, now: datetime) -> Alarm | None:
    """What left without an answer and no look-up has settled in time, and what only a person can settle."""
    last_try = and_(col(Attempt.reference) == Message.reference, col(Attempt.outcome) == "unknown")
    before = now - timedelta(minutes=settings.ops.uncertain_minutes)
    # Where no such attempt is on record, nothing says that it is young.
    too_old = or_(col(Attempt.last_try_at).is_(None), col(Attempt.last_try_at) < before)
    still_open = or_(col(Message.status) == "needs_person", and_(col(Message.status) == "uncertain", too_old))
    counted = select(Message.status, func.count(), func.min(Attempt.last_try_at)).outerjoin(Attempt, last_try)
    rows = session.exec(
        counted.where(col(Message.status).in_(("uncertain", "needs_person")), still_open).group_by(Message.status)
    ).all()
    numbers = {status: number for status, number, _ in rows}
    if not numbers:
        return None
    total, for_a_person = sum(numbers.values()), numbers.get("needs_person", 0)
    since = min((at for _, _, at in rows if at), default=now)
    only = f", {for_a_person} of which only a person can settle" if for_a_person else ""
    sentence = f"{_some(total)} left without an answer{only}. "
    advice = (
        "`outreach track` looks them up; the desk's page “Open cases” closes the rest. Never send one again by hand."
    )
    return Alarm("uncertain", total, since, sentence + _first(settings, since), advice)


def _find_silence(session: Session, settings: Settings, now: datetime) -> Alarm | None:
    """A vendor that was given messages long enough ago, and has reported nothing on anything since."""
    vendors = [name for name in REPORTERS if not vendor_settings(settings, name).missing()]
    before = now - timedelta(hours=settings.ops.webhook_silence_hours)
    earliest = before - MISSED_FOR
    # By when it was acted on, which is never before it came and has an index.
    lately = or_(col(Webhook.applied_at) >= earliest, col(Webhook.applied_at).is_(None))
    heard = select(Webhook.provider, func.max(Webhook.received_at).label("at")).where(lately)
    last = heard.group_by(Webhook.provider).subquery()
    given = (
        select(Attempt.provider, func.count(), func.min(Attempt.started_at))
        .outerjoin(last, last.c.provider == Attempt.provider)
        .where(
            # By the day, which has an index (attempts_of_a_day), and not by the instant: some hours more do no harm.
            col(Attempt.started_on) >= business_date(earliest, settings.business.timezone),
            Attempt.outcome == "accepted",
            col(Attempt.provider).in_(vendors),
            or_(last.c.at.is_(None), col(Attempt.started_at) > last.c.at),
        )
        .group_by(Attempt.provider)
        .having(func.min(Attempt.started_at) < before)
    )
    silent = sorted(session.exec(given).all())
    if not silent:
        return None
    sentences = [
        f"{name} has reported nothing since {_when(settings, at)}, though it was given {_some(number)} since"
        for name, number, at in silent
    ]
    advice = "Compare the address and the secret of the webhooks in the vendor's account; /healthz counts refused ones."
    return Alarm("webhook-silence", len(silent), min(at for *_, at in silent), "; ".join(sentences) + ".", advice)


def _find_refused(session: Session, settings: Settings, now: datetime) -> Alarm | None:
    """Webhooks that could not be proved in the last day: an opt-out may have been among them."""
    lately = select(RefusedWebhook).where(col(RefusedWebhook.last_at) > now - REFUSED_WITHIN)
    refused = session.exec(lately.order_by(RefusedWebhook.provider)).all()
    if not refused:
        return None
    sentence = "; ".join(
        f"a webhook for {row.provider} was refused on {_when(settings, row.last_at)}, {row.count} in all: {row.reason}"
        for row in refused
    )
    advice = (
        "Compare the secret and the clock with the vendor's; then let the vendor repeat them. It may be a stranger."
    )
    since = min(row.last_at for row in refused)
    return Alarm("refused-webhooks", len(refused), since, f"{sentence[0].upper()}{sentence[1:]}.", advice)


def _find_overspending(session: Session, settings: Settings, now: datetime) -> Alarm | None:
    """What this month's messages cost, in the business's time: those handed over, and those that are approved."""
    budget = settings.budget.month
    if budget is None:
        return None
    today = business_date(now, settings.business.timezone)
    first = today.replace(day=1)
    # 31 days after the first of any month lie in the next one.
    after = (first + timedelta(days=31)).replace(day=1)
    spent = _cost_handed_over(session, first, after) + _cost_approved(session, after)
    if spent * 100 < budget * settings.ops.budget_percent:
        return None
    with_waiting = spent + _cost(session, col(Message.status).in_(WAITS_FOR_APPROVAL), col(Message.send_on) < after)
    sentence = f"{spent * 100 // budget} % of this month's budget is spent or approved."
    if with_waiting > spent:
        sentence += f" With what waits for approval it would be {with_waiting * 100 // budget} %."
    advice = "Nothing stops by itself: reject or pause what can wait, or raise the budget (budget.month)."
    return Alarm("budget", spent * 100 // budget, instant_at(first, 0, settings.business.timezone), sentence, advice)


def _cost_handed_over(session: Session, first: date, after: date) -> int:
    """What providers took, or may have taken, from `first` until before `after`, without what they let us cancel."""
    handed_over = select(func.coalesce(func.sum(Message.cost), 0)).join(
        Attempt, col(Attempt.reference) == Message.reference
    )
    # By the day of the hand-over: what was planned last month and left in this one is paid for in this one.
    in_the_month = and_(col(Attempt.started_on) >= first, col(Attempt.started_on) < after)
    return int(session.exec(handed_over.where(in_the_month, _is_live(), Message.status != "cancelled")).one())


def _cost_approved(session: Session, after: date) -> int:
    # Those are in `_cost_handed_over` already, and no message may count twice.
    handed_over = select(Attempt).where(Attempt.reference == Message.reference, _is_live()).exists()
    approved = col(Message.status).in_(("approved", "sending"))
    return _cost(session, approved, col(Message.send_on) < after, ~handed_over)


def _is_live() -> ColumnElement[bool]:
    return or_(col(Attempt.outcome).is_(None), col(Attempt.outcome).in_(outbox.LIVE))


def _cost(session: Session, *conditions: ColumnElement[bool]) -> int:
    return int(session.exec(select(func.coalesce(func.sum(Message.cost), 0)).where(*conditions)).one())


def _find_stale_data(session: Session, settings: Settings, now: datetime) -> Alarm | None:
    """Customer data that nobody has brought up to date; a business that never imported has none to be stale."""
    # One that is yet to come was dated by a clock that was ahead.
    in_time = col(Import.at) <= now + CLOCKS_DIFFER
    last = session.exec(select(func.max(Import.at)).where(col(Import.complete), in_time)).one()
    if last is None or last >= now - timedelta(hours=settings.ops.import_hours):
        return None
    hours = (now - last) // timedelta(hours=1)
    sentence = f"The last customer data came in on {_when(settings, last)}, {hours} hours ago."
    advice = (
        "See in Prefect how `intake` ended and whether its folder has today's files; `outreach import` takes them in."
    )
    return Alarm("stale-import", hours, last, sentence, advice)


def _messages(number: int) -> str:
    return "1 message is" if number == 1 else f"{number} messages are"


def _some(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def _first(settings: Settings, since: datetime) -> str:
    return f"The first has waited since {_when(settings, since)}."


def _when(settings: Settings, instant: datetime) -> str:
    return f"{instant.astimezone(settings.business.zone):%-d %b, %H:%M}"
