"""Explains why this person is written to today, and why not: each moment's answer on a date. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from sqlalchemy import Engine
from sqlmodel import Session, col

from outreach.contacts import load_key
from outreach.database import reading
from outreach.errors import NotFound
from outreach.models import Customer, Decision, Message, Moment
from outreach.models.selects import select_latest_decisions
from outreach.moments import MOMENTS, Found, find_moments, knobs_for
from outreach.moments.anniversary import ANNIVERSARY
from outreach.moments.explanations import ClauseAnswer, explain_clauses
from outreach.planning.budget import find_spent
from outreach.planning.candidates import Candidate, Day, candidates_for
from outreach.planning.ceilings import find_given
from outreach.planning.customer_state import load_business_state
from outreach.planning.due_moments import look_around
from outreach.planning.judgements import Judge, Shared
from outreach.planning.run import start_of
from outreach.planning.tally import DayTally
from outreach.planning.verdicts import Hold
from outreach.settings import Settings


@dataclass(frozen=True)
class MomentAnswer:
    """What stands, or would be decided, about one moment."""

    kind: str
    #: Empty where there is none on the date.
    occasion: str
    outcome: str
    rule: str
    reason: str
    decided_on: date | None = None
    next_on: date | None = None
    reference: str | None = None
    status: str | None = None
    #: The moment's conditions on the date, each with what the customer has to show for it.
    clauses: tuple[ClauseAnswer, ...] = ()


def explain_customer(
    engine: Engine, settings: Settings, customer_id: str, on: date, now: datetime
) -> list[MomentAnswer]:
    """What was decided of each of the customer's moments, then what planning would say of any it has not decided.

    Raises NotFound for an id that is no customer's.
    """
    key = load_key(engine, settings)
    with reading(engine) as session:
        if session.get(Customer, customer_id) is None:
            raise NotFound(f"There is no customer “{customer_id}”. Ids are those of customers.csv")
        settings = settings.model_copy(update={"start_on": start_of(session, settings, on)})
        decided = list_decided(session, customer_id)
        keys = {(answer.kind, answer.occasion) for answer in decided}
        around = look_around(session, settings, on, partial(find_moments, customer_id=customer_id))
        # What was decided is told as it was decided, whatever planning would say today.
        undecided = [item for item in around.values() if (item.kind, item.occasion) not in keys]
        answers = decided + _foreseen(session, settings, key, on, now, undecided)
        present = {answer.kind for answer in answers}
        answers = sorted(answers, key=lambda answer: (answer.decided_on or on, answer.kind))
        answers += [_nothing(kind, on, settings) for kind in MOMENTS if kind not in present]
        return [_with_clauses(session, settings, answer, customer_id, on) for answer in answers]


def _with_clauses(
    session: Session, settings: Settings, answer: MomentAnswer, customer_id: str, on: date
) -> MomentAnswer:
    """The answer with the moment's clauses; where there is no such moment, the first that fails is the reason."""
    clauses = tuple(explain_clauses(session, settings, MOMENTS[answer.kind], customer_id, on))
    failed = next((clause for clause in clauses if not clause.is_met), None)
    if answer.rule == "no_moment" and failed:
        return replace(answer, reason=f"{failed.value}; {failed.change}", clauses=clauses)
    return replace(answer, clauses=clauses)


def list_decided(session: Session, customer_id: str) -> list[MomentAnswer]:
    """What stands of each of the customer's moments that planning has decided on, in no order."""
    rows = session.execute(
        select_latest_decisions()
        .join(Moment, col(Moment.moment_id) == Decision.moment_id)
        # Most decisions have no message: they say no.
        .outerjoin(Message, col(Message.reference) == Decision.reference)
        .where(Moment.customer_id == customer_id)
        .add_columns(Moment, Message)
    )
    return [
        MomentAnswer(
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
    session: Session, settings: Settings, key: bytes, on: date, now: datetime, found: Sequence[Found]
) -> list[MomentAnswer]:
    facts = load_business_state(session, ANNIVERSARY.knobs_of(settings).shared_since_percent, now)
    tally = DayTally(find_spent(session, settings, on), find_given(session, on))
    judge = Judge(day := Day(on, now, settings, facts, tally), key)
    return [_foresee(candidate, judge) for candidate in candidates_for(session, day, key, found)]


def _foresee(candidate: Candidate, judge: Judge) -> MomentAnswer:
    """What planning would decide of this customer's moments alone; one of somebody else's may still come first."""
    kind, occasion, verdict = candidate.kind, candidate.occasion, judge.judge(candidate)
    if isinstance(verdict, Hold):
        outcome = verdict.outcome
        return MomentAnswer(
            kind, occasion, f"would be {outcome}", verdict.rule, verdict.reason, next_on=verdict.next_on
        )
    if isinstance(verdict, Shared):
        return MomentAnswer(kind, occasion, "would be send", "shared", "one message names all whom they care for")
    ways = " and ".join(f"by {leg.route.channel} on {leg.route.send_on}" for leg in verdict.legs)
    return MomentAnswer(kind, occasion, "would be send", "send", ways)


def _nothing(kind: str, on: date, settings: Settings) -> MomentAnswer:
    if not knobs_for(settings, kind).enabled:
        return MomentAnswer(kind, "", "none", "disabled", "this moment is switched off")
    return MomentAnswer(kind, "", "none", "no_moment", MOMENTS[kind].summary)
