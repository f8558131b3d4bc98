"""Why this person, why today, why not: one customer in, each moment's answer on a date out. Writes nothing."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine
from sqlmodel import Session, col

from outreach.database import reading
from outreach.errors import NotFound
from outreach.intake.contacts import load_key
from outreach.models import Customer, Decision, Message, Moment
from outreach.moments import MOMENTS, Found, knobs_for
from outreach.moments.anniversary import ANNIVERSARY
from outreach.planning.candidates import Candidate, Day
from outreach.planning.channels import choose_route
from outreach.planning.holds import first_hold
from outreach.planning.pacing import Touches
from outreach.planning.run import candidates_for, latest_decisions, look_around, start_of
from outreach.planning.standing import load_facts
from outreach.settings import Settings


@dataclass(frozen=True)
class Answer:
    """What stands, or would be decided, about one moment; `occasion` is empty where there is none on the date."""

    kind: str
    occasion: str
    outcome: str
    rule: str
    reason: str
    decided_on: date | None = None
    next_on: date | None = None
    reference: str | None = None
    status: str | None = None


def explain_customer(engine: Engine, settings: Settings, customer_id: str, on: date, now: datetime) -> list[Answer]:
    """What was decided of each of the customer's moments, then what planning would say of any it has not decided.

    Raises NotFound for an id that is no customer's.
    """
    key = load_key(engine, settings)
    with reading(engine) as session:
        if session.get(Customer, customer_id) is None:
            raise NotFound(f"There is no customer “{customer_id}”. Ids are those of customers.csv")
        settings = settings.model_copy(update={"start_on": start_of(session, settings, on)})
        decided = list_decided(session, customer_id)
        found = [item for item in look_around(session, settings, on).values() if item.customer_id == customer_id]
        undecided = [
            item for item in found if (item.kind, item.occasion) not in {(a.kind, a.occasion) for a in decided}
        ]
        answers = decided + _foreseen(session, settings, key, on, now, undecided)
    present = {answer.kind for answer in answers}
    silent = [_nothing(kind, on, settings) for kind in MOMENTS if kind not in present]
    return sorted(answers, key=lambda answer: (answer.decided_on or on, answer.kind)) + silent


def list_decided(session: Session, customer_id: str) -> list[Answer]:
    """What stands of each of the customer's moments that planning has decided on, in no order."""
    rows = session.execute(
        latest_decisions()
        .join(Moment, col(Moment.moment_id) == Decision.moment_id)
        .outerjoin(Message, col(Message.reference) == Decision.reference)
        .where(Moment.customer_id == customer_id)
        .add_columns(Moment, Message)
    )
    return [
        Answer(
            kind=moment.kind,
            occasion=moment.occasion,
            outcome=decision.outcome,
            rule=decision.rule,
            reason=decision.reason,
            decided_on=decision.run_on,
            next_on=decision.next_on,
            reference=decision.reference,
            status=message and (message.status + (f": {message.status_reason}" if message.status_reason else "")),
        )
        for decision, moment, message in rows
    ]


def _foreseen(
    session: Session, settings: Settings, key: bytes, on: date, now: datetime, found: list[Found]
) -> list[Answer]:
    day = Day(on, now, settings, load_facts(session, ANNIVERSARY.knobs_of(settings).shared_since_percent))
    touches = Touches(settings.pacing.quiet_days)
    return [_foresee(candidate, day, touches) for candidate in candidates_for(session, day, key, found)]


def _foresee(candidate: Candidate, day: Day, touches: Touches) -> Answer:
    """What planning would decide of this candidate alone; a moment of somebody else's may still come first."""
    hold = first_hold(candidate, day)
    route, against = (None, []) if hold else choose_route(candidate, day)
    hold = hold or (touches.hold_for(candidate, route) if route else None)
    if hold:
        outcome = "never" if hold.next_on is None or hold.next_on > candidate.useful_until else "not_yet"
        return Answer(
            candidate.kind, candidate.occasion, f"would be {outcome}", hold.rule, hold.reason, next_on=hold.next_on
        )
    if route is None:
        return Answer(candidate.kind, candidate.occasion, "would be not_yet", "no_channel", "; ".join(against))
    return Answer(candidate.kind, candidate.occasion, "would be send", "send", f"by {route.channel} on {route.send_on}")


def _nothing(kind: str, on: date, settings: Settings) -> Answer:
    if not knobs_for(settings, kind).enabled:
        return Answer(kind, "", "none", "disabled", "this moment is switched off")
    return Answer(kind, "", "none", "no_moment", f"no such moment on {on}: {MOMENTS[kind].summary}")
