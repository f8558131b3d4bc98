"""Plans one day: writes a decision on each moment that is found, and a message for those we write to.

One transaction, one run at a time: a second run of the same day finds everything decided. Nothing is sent from here.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, case, insert
from sqlmodel import Session, col, select

from outreach.chunks import select_for
from outreach.contacts import load_key
from outreach.database import insert_new, writing
from outreach.errors import SettingsError
from outreach.locks import take_turns
from outreach.models import TOUCHING, Decision, Installation, Message, Moment
from outreach.models.selects import select_latest_decisions
from outreach.moments import MOMENTS, PLACES, require_kinds
from outreach.moments.anniversary import ANNIVERSARY
from outreach.planning.budget import find_spent
from outreach.planning.candidates import Candidate, Day, candidates_for
from outreach.planning.ceilings import find_given
from outreach.planning.customer_state import load_business_state
from outreach.planning.decisions import decision_row, hold_row
from outreach.planning.due_moments import Due, Surroundings, read_due, select_lost
from outreach.planning.earlier_messages import NOTHING_EARLIER, find_earlier
from outreach.planning.judgements import Judge, PlannedLegs, Shared
from outreach.planning.knobs import keep_knobs, knob_set
from outreach.planning.routes import Leg
from outreach.planning.tally import DayTally, Planned
from outreach.planning.verdicts import Hold
from outreach.settings import Settings, today_of
from outreach.stable_ids import moment_id
from outreach.temporary_tables import trying_out

# A day beyond this is a slip of the keyboard: what was put off would be found to be over, and never comes back.
FARTHEST_AHEAD = 31
# However long its reason lasts, what was written a month ago and never sent is not sent as it is.
LONGEST_USE = timedelta(days=31)
LOST = Hold("no_longer", "the reason to write is no longer there")


@dataclass(frozen=True)
class PlanReport:
    """What this run decided."""

    on: date
    #: By (moment, channel).
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: By (moment, outcome, rule).
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    #: Moments that an earlier run had settled, or that are not due to be looked at again.
    already_decided: int = 0

    def __add__(self, other: "PlanReport") -> "PlanReport":
        """What this run and a later one of the same day decided."""
        return PlanReport(
            self.on, self.messages + other.messages, self.decisions + other.decisions, self.already_decided
        )


def plan_day(
    engine: Engine,
    settings: Settings,
    on: date,
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
    kinds: Collection[str] = (),
    dry_run: bool = False,
) -> PlanReport:
    """Finds the moments of `on`, decides on each that is not decided yet, and plans the messages.

    With `kinds` only moments of these are looked at, and the others wait as they are for a run that takes them in.
    A dry run decides all the same, and of what it decides nothing is kept.

    Raises SettingsError for a day more than a month ahead of `now`, and for a kind that there is not.
    """
    require_kinds(kinds)
    ahead = (on - today_of(settings, now)).days
    if ahead > FARTHEST_AHEAD:
        raise SettingsError(
            f"{on} is {ahead} days ahead, and moments put off until then would be closed. Is it a slip?"
        )
    key = load_key(engine, settings)
    with (on_copies if dry_run else writing)(engine) as session:
        if not dry_run:
            # Before anything is read: a second run must see what the first has decided.
            take_turns(session, "plan")
            keep_knobs(session, settings)
        return plan_in(Surroundings(session), load_day(session, settings, on, now), key, tell, kinds)


def on_copies(engine: Engine) -> AbstractContextManager[Session]:
    """A session in which planning runs as it always does, and of whose work nobody else ever sees anything."""
    return trying_out(engine, {Moment: select(Moment), Decision: select_latest_decisions(), Message: select(Message)})


def plan_in(
    surroundings: Surroundings,
    day: Day,
    key: bytes,
    tell: Callable[[str], None] = lambda _: None,
    kinds: Collection[str] = (),
) -> PlanReport:
    """Plans the day in the session of `surroundings`, which is the caller's to commit or to forget."""
    session, settings, on = surroundings.session, day.settings, day.on
    counts = surroundings.move_to(settings, on, kinds)
    tell(f"{sum(counts.values())} moments around {on}")
    planner, due = Planner(session, day, key), 0
    planner.drop_lost(kinds)
    for page in read_due(session, settings, on, counts):
        planner.decide(page)
        due += len(page)
    return replace(planner.report, already_decided=sum(counts.values()) - due)


def load_day(
    session: Session, settings: Settings, on: date, now: datetime, since: Collection[date | None] | None = None
) -> Day:
    """The day that rules are asked for; of the days on which customers came, only `since` are counted where given."""
    settings = settings.model_copy(update={"start_on": start_of(session, settings, on)})
    facts = load_business_state(session, ANNIVERSARY.knobs_of(settings).shared_since_percent, now, since)
    if since is not None:
        return Day(on, now, settings, facts)
    return Day(on, now, settings, facts, DayTally(find_spent(session, settings, on), find_given(session, on)))


def start_of(session: Session, settings: Settings, on: date) -> date | None:
    """The day before which no moment is acted on: `start_on`, or in live mode the day of the first import."""
    if settings.start_on or settings.mode == "rehearsal":
        return settings.start_on
    installation = session.get(Installation, 1)
    return (installation and installation.first_import_on) or on


def planned_on(session: Session, on: date) -> list[Planned]:
    """The messages that were planned on `on` so far."""
    given = case((col(Message.status).in_(TOUCHING), col(Message.reward_value)), else_=0)
    planned = select(Message.kind, Message.channel, Message.contact_hash, given).where(Message.run_on == on)
    return [Planned(*row) for row in session.execute(planned)]


class Planner:
    """Decides page after page of moments, as the judge says, and writes the rows."""

    def __init__(self, session: Session, day: Day, key: bytes) -> None:
        self.session, self.day, self.key, self.report = session, day, key, PlanReport(day.on)
        day.tally.take_over(planned_on(session, day.on))
        self.judge = Judge(day, key)
        self.knobs = {kind: knob_set(day.settings, kind).sha256 for kind in MOMENTS}
        self.sequences: dict[str, int] = {}
        self.decisions: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []

    def drop_lost(self, kinds: Collection[str] = ()) -> None:
        """Closes moments that were put off until today and are no longer there: paid, for example, or out of time.

        One of a kind that this run does not look at cannot be known to be gone.
        """
        for moment, kind, sequence in self.session.execute(select_lost(self.day.on, kinds)).all():
            self.sequences[moment] = sequence
            self._write(moment, kind, LOST)
        self._store()

    def decide(self, page: Sequence[Due]) -> None:
        """Decides on some moments. Those of kinds that come first stand before them, or were decided on before."""
        due = {moment_id(item.found.kind, item.found.customer_id, item.found.occasion): item for item in page}
        self.sequences = {id_: item.sequence for id_, item in due.items()}
        insert_new(self.session, Moment, [self._moment(id_, item) for id_, item in due.items() if not item.sequence])
        self._correct_days({id_: item for id_, item in due.items() if item.sequence})
        earlier = find_earlier(self.session, [id_ for id_, item in due.items() if item.sequence])
        for candidate in candidates_for(self.session, self.day, self.key, [item.found for item in page]):
            self._decide(earlier.get(candidate.moment_id, NOTHING_EARLIER).continue_with(candidate))
        self._store()
        # What was read for this page is not needed for the next.
        self.session.expunge_all()

    def _correct_days(self, due: dict[str, Due]) -> None:
        """The day that a moment is about may have been corrected since it was found."""
        for moment in select_for(self.session, select(Moment), Moment.moment_id, due):
            moment.occasion_on = due[moment.moment_id].found.occasion_on
        self.session.flush()

    def _moment(self, id_: str, item: Due) -> dict[str, Any]:
        found = item.found
        return {
            "moment_id": id_,
            "kind": found.kind,
            "customer_id": found.customer_id,
            "occasion": found.occasion,
            "occasion_on": found.occasion_on,
            "found_on": self.day.on,
            # For this day composing/recheck.py asks again whether somebody has it.
            "looked_on": found.on,
        }

    def _decide(self, candidate: Candidate) -> None:
        verdict = self.judge.judge(candidate)
        if isinstance(verdict, Hold):
            # A ladder that cannot go on yet stays where it is: what was sent was sent.
            if not candidate.tried:
                self._write(candidate.moment_id, candidate.kind, verdict)
        elif isinstance(verdict, Shared):
            self._write_send(candidate, verdict.reference, "shared", "one message names all whom they care for")
        else:
            self._send(candidate, verdict)

    def _send(self, candidate: Candidate, sent: PlannedLegs) -> None:
        for leg in sent.legs:
            self.messages.append(self._message(candidate, leg) | {"wants_person": sent.wants_person})
            self.report.messages[candidate.kind, leg.route.channel] += 1
        first = sent.legs[0]
        passed = f" (not by {'; '.join(first.route.passed_over)})" if first.route.passed_over else ""
        how = f"by {' and '.join(leg.route.channel for leg in sent.legs)}{passed}"
        if candidate.tried:
            how = f"{how}, since {' and '.join(candidate.tried)} brought no answer"
        self._write_send(candidate, first.reference, "ladder" if candidate.tried else "send", how)

    def _message(self, candidate: Candidate, leg: Leg) -> dict[str, Any]:
        assert candidate.recipient is not None, "a route leads to somebody"  # noqa: S101
        return {
            "reference": leg.reference,
            "moment_id": candidate.moment_id,
            "step": leg.step,
            "kind": candidate.kind,
            "customer_id": candidate.customer.id,
            "recipient_id": candidate.recipient.id,
            "channel": leg.route.channel,
            "purpose": candidate.purpose,
            "status": "planned",
            "run_on": self.day.on,
            "send_on": leg.route.send_on,
            "useful_until": min(candidate.useful_until, leg.route.send_on + LONGEST_USE),
            "place": PLACES[candidate.kind],
            "contact_hash": leg.contact_hash,
            # Not known before it is composed; until then `counted_cost` in budget.py counts the most that it may be.
            "cost": 0,
            "reward_cost": candidate.gift(self.day.settings).cost,
            "reward_value": candidate.gift_value(self.day.settings),
            "planned_with": self.knobs[candidate.kind],
            "fence": 0,
        }

    def _write_send(self, candidate: Candidate, code: str, rule: str, how: str) -> None:
        because = MOMENTS[candidate.kind].because.format(day=candidate.occasion_on, occasion=candidate.occasion)
        number, why = self._next_sequence(candidate.moment_id), f"{because}; {how}"
        row = decision_row(candidate.moment_id, number, self.day.on, "send", rule, why, reference=code)
        self._append(candidate.kind, row)

    def _write(self, moment: str, kind: str, hold: Hold) -> None:
        self._append(kind, hold_row(moment, self._next_sequence(moment), self.day.on, hold))

    def _next_sequence(self, moment: str) -> int:
        return self.sequences.get(moment, 0) + 1

    def _append(self, kind: str, row: dict[str, Any]) -> None:
        self.decisions.append(row)
        self.report.decisions[kind, row["outcome"], row["rule"]] += 1

    def _store(self) -> None:
        """Writes what was decided since the last time; one statement for all of it, not one for each."""
        for table, rows in ((Message, self.messages), (Decision, self.decisions)):
            if rows:
                # Left to itself it drops what is None, and then each change of columns begins another statement:
                # half of the time of a first plan on PostgreSQL.
                self.session.execute(insert(table), rows, execution_options={"render_nulls": True})
                rows.clear()
