"""Plans one day: the moments found go in; a decision for each, and a message for those we write to, come out.

One transaction, one run at a time: a second run of the same day finds everything decided. Nothing is sent from here.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from outreach.clock import add_business_days, business_date
from outreach.database import insert_new, take_turns, trying_out, writing
from outreach.errors import SettingsError
from outreach.intake.contacts import load_key
from outreach.models import Decision, Installation, Message, Moment
from outreach.moments import MOMENTS, Found, find_moments, knobs_for, require_kinds
from outreach.moments.anniversary import ANNIVERSARY
from outreach.planning.candidates import Candidate, Day
from outreach.planning.ids import moment_id
from outreach.planning.judging import Judge, Planned, Sent, Shared
from outreach.planning.people import load_people, select_for
from outreach.planning.recipients import choose_recipient, people_needed
from outreach.planning.standing import load_facts, load_standings
from outreach.planning.verdicts import Hold
from outreach.settings import Settings

# A day beyond this is a slip of the keyboard: what was put off would be found to be over, and never comes back.
FARTHEST_AHEAD = 31
LOST = Hold("no_longer", "the reason to write is no longer there")


@dataclass(frozen=True)
class PlanReport:
    """What this run decided: counts by (moment, channel) of messages, and by (moment, outcome, rule) of decisions.

    `already_decided` counts moments that an earlier run had settled, or that are not due to be looked at again.
    """

    on: date
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    already_decided: int = 0


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
    with (trying_out if dry_run else writing)(engine) as session:
        take_turns(session, "plan")
        settings = settings.model_copy(update={"start_on": start_of(session, settings, on)})
        found = look_around(session, settings, on, kinds=kinds)
        tell(f"{len(found)} moments around {on}")
        undecided, sequences = _settle_found(session, found, on)
        day = Day(on, now, settings, load_facts(session, ANNIVERSARY.knobs_of(settings).shared_since_percent))
        report = PlanReport(on, already_decided=len(found) - len(undecided))
        planner = Planner(session, day, key, sequences, report)
        planner.drop_lost(found, kinds)
        planner.decide(candidates_for(session, day, key, undecided.values()))
    return planner.report


def start_of(session: Session, settings: Settings, on: date) -> date | None:
    """The day before which no moment is acted on: `start_on`, or in live mode the day of the first import."""
    if settings.start_on or settings.mode == "rehearsal":
        return settings.start_on
    installation = session.get(Installation, 1)
    return (installation and installation.first_import_on) or on


Find = Callable[[Session, Settings, date, Sequence[str]], list[Found]]


def look_around(
    session: Session, settings: Settings, on: date, find: Find = find_moments, kinds: Collection[str] = ()
) -> dict[str, Found]:
    """Every moment to consider on `on`, by moment id: `lead_days` ahead and `grace_days` back for point dates.

    With `kinds`, only those of these.
    """
    found: dict[str, Found] = {}
    for kind, definition in MOMENTS.items():
        knobs = knobs_for(settings, kind)
        if not knobs.enabled or kind not in (kinds or MOMENTS):
            continue
        first, last = on, on
        if not definition.windowed:
            first, last = on - timedelta(days=knobs.grace_days), add_business_days(on, knobs.lead_days)
        for ahead in range((last - first).days + 1):
            for item in find(session, settings, first + timedelta(days=ahead), [kind]):
                found[moment_id(item.kind, item.customer_id, item.occasion)] = item
    return found


def _settle_found(session: Session, found: dict[str, Found], on: date) -> tuple[dict[str, Found], dict[str, int]]:
    """Records what is new; returns what this run must decide, and the last sequence of each moment's decisions."""
    insert_new(
        session,
        Moment,
        [
            {
                "moment_id": id_,
                "kind": f.kind,
                "customer_id": f.customer_id,
                "occasion": f.occasion,
                "occasion_on": f.occasion_on,
                "found_on": on,
            }
            for id_, f in found.items()
        ],
    )
    latest = {row.moment_id: row for row in select_for(session, latest_decisions(), Decision.moment_id, found)}
    undecided = {id_: item for id_, item in found.items() if is_due(latest.get(id_), on)}
    return undecided, {id_: decision.sequence for id_, decision in latest.items()}


def is_due(latest: Decision | None, on: date) -> bool:
    """Whether planning must decide on a moment on `on`, given the decision that stands on it."""
    if latest is None:
        return True
    return latest.outcome == "not_yet" and latest.run_on != on and (latest.next_on or on) <= on


def waiting_on(on: date) -> Any:
    """A select of the standing decisions, of other run dates, that put a moment off until `on` or before."""
    return latest_decisions().where(Decision.outcome == "not_yet", col(Decision.next_on) <= on, Decision.run_on != on)


def planned_on(session: Session, on: date) -> list[Planned]:
    """The messages that were planned on `on` so far."""
    rows = session.exec(select(Message.kind, Message.channel, Message.contact_hash).where(Message.run_on == on))
    return [Planned(*row) for row in rows]


def latest_decisions() -> Any:
    """A select of the decision that stands for each moment: the one that no later one follows."""
    later = aliased(Decision)
    followed = select(later.moment_id).where(
        later.moment_id == Decision.moment_id, col(later.sequence) > col(Decision.sequence)
    )
    return select(Decision).where(~followed.exists())


def candidates_for(session: Session, day: Day, key: bytes, found: Iterable[Found]) -> list[Candidate]:
    """Each moment with its people and standing, in the order in which moments come first, then by customer."""
    items = sorted(found, key=lambda item: (list(MOMENTS).index(item.kind), item.customer_id, item.occasion))
    standings = load_standings(session, day.on, {item.customer_id for item in items})
    people = load_people(session, day.settings, key, day.on, people_needed(session, items, standings))
    candidates = []
    for item in items:
        customer, standing = people[item.customer_id], standings[item.customer_id]
        definition = MOMENTS[item.kind]
        candidates.append(
            Candidate(
                moment_id=moment_id(item.kind, item.customer_id, item.occasion),
                kind=item.kind,
                purpose=definition.purpose,
                occasion=item.occasion,
                occasion_on=item.occasion_on,
                useful_until=definition.useful_until(definition.knobs_of(day.settings), item.occasion_on, day.on),
                customer=customer,
                recipient=choose_recipient(item, customer, standing, people, day.on),
                standing=standing,
            )
        )
    return candidates


class Planner:
    """Decides candidates one after another, as the judge says, and writes the rows."""

    def __init__(self, session: Session, day: Day, key: bytes, sequences: dict[str, int], report: PlanReport) -> None:
        self.session, self.day, self.sequences, self.report = session, day, sequences, report
        self.judge = Judge(day, key, planned_on(session, day.on))

    def drop_lost(self, found: dict[str, Found], kinds: Collection[str] = ()) -> None:
        """Closes moments that were put off until today and are no longer there: paid, for example, or out of time.

        One of a kind that this run does not look at cannot be known to be gone.
        """
        for decision in self.session.exec(waiting_on(self.day.on)).all():
            if decision.moment_id in found:
                continue
            moment = self.session.get_one(Moment, decision.moment_id)
            if moment.kind in (kinds or MOMENTS):
                self.sequences[moment.moment_id] = decision.sequence
                self._write(moment.moment_id, moment.kind, LOST)

    def decide(self, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            verdict = self.judge.judge(candidate)
            if isinstance(verdict, Hold):
                self._write(candidate.moment_id, candidate.kind, verdict)
            elif isinstance(verdict, Shared):
                self._write_send(candidate, verdict.reference, "shared", "one message names all whom they care for")
            else:
                self._send(candidate, verdict)
            self.session.flush()

    def _send(self, candidate: Candidate, sent: Sent) -> None:
        recipient, route = candidate.recipient, sent.route
        assert recipient is not None, "a route leads to somebody"  # noqa: S101
        message = Message(
            reference=sent.reference,
            moment_id=candidate.moment_id,
            kind=candidate.kind,
            customer_id=candidate.customer.id,
            recipient_id=recipient.id,
            channel=route.channel,
            purpose=candidate.purpose,
            run_on=self.day.on,
            send_on=route.send_on,
            useful_until=candidate.useful_until,
            contact_hash=sent.contact_hash,
        )
        self.session.add(message)
        self.report.messages[candidate.kind, route.channel] += 1
        passed = f" (not by {'; '.join(route.passed_over)})" if route.passed_over else ""
        self._write_send(candidate, sent.reference, "send", f"by {route.channel}{passed}")

    def _write_send(self, candidate: Candidate, code: str, rule: str, how: str) -> None:
        because = MOMENTS[candidate.kind].because.format(day=candidate.occasion_on, occasion=candidate.occasion)
        self._append(candidate.moment_id, candidate.kind, "send", rule, f"{because}; {how}", None, code)

    def _write(self, moment: str, kind: str, hold: Hold) -> None:
        outcome = "never" if hold.next_on is None else "not_yet"
        self._append(moment, kind, outcome, hold.rule, hold.reason, hold.next_on, None)

    def _append(
        self, moment: str, kind: str, outcome: str, rule: str, reason: str, next_on: date | None, code: str | None
    ) -> None:
        self.sequences[moment] = self.sequences.get(moment, 0) + 1
        self.session.add(
            Decision(
                moment_id=moment,
                sequence=self.sequences[moment],
                run_on=self.day.on,
                outcome=outcome,
                rule=rule,
                reason=reason,
                next_on=next_on,
                reference=code,
            )
        )
        self.report.decisions[kind, outcome, rule] += 1


def today_of(settings: Settings, now: datetime) -> date:
    """The business's date at `now`."""
    return business_date(now, settings.business.timezone)
