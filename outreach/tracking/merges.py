"""Merges two customers when staff say that they are one person, keeps it when they say two, and takes merges back.

Nothing is merged here that a person did not confirm, and what was moved can be moved back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.clock import business_date
from outreach.database import insert_new, writing
from outreach.delivery.providers import Provider
from outreach.errors import ApprovalError, NotFound, NotWaiting
from outreach.identity.aliases import find_aliases, merges_of, move_all, move_all_back
from outreach.identity.households import apply_words
from outreach.identity.merge_consents import carry, keep_stops
from outreach.identity.merge_moments import move_moments, move_moments_back
from outreach.identity.merge_rows import combine, remove, separate, set_aside
from outreach.locks import take_turns
from outreach.models import Customer, Double, Merge, Message
from outreach.settings import Settings
from outreach.tracking.pulling_back import BEFORE_APPROVAL, PullReport, cancel_pulled, pull_back

TWICE = "they were on file twice, and another message is on its way to them"


@dataclass(frozen=True)
class MergeReport:
    """What a merge has done."""

    #: As it is on record.
    merge: Merge
    #: What was open and must not go, now that both are known to be one person.
    pulled: PullReport


def merge_people(
    engine: Engine,
    settings: Settings,
    kept_id: str,
    merged_id: str,
    by: str,
    now: datetime,
    providers: Mapping[str, Provider] | None = None,
) -> MergeReport:
    """Makes `merged_id` another number of `kept_id`, because the member of staff `by` says so.

    Raises NotFound and NotAllowed, and ApprovalError for two who cannot be one person.
    """
    with writing(engine) as session:
        _take_all_turns(session)
        require_writer(session, by)
        _require_two(session, kept_id, merged_id)
        # Before the merge, which points the messages of both at the number that is kept.
        pulled = _pull_second(session, settings, kept_id, merged_id, now)
        merge = Merge(kept_id=kept_id, merged_id=merged_id, by=by, at=now)
        session.add(merge)
        session.flush()
        # Before anything is moved: each row is kept as the data had it, for the way back.
        for id_ in (kept_id, merged_id):
            set_aside(session, id_)
        carry(session, merge)
        move_all(session, merge)
        move_moments(session, merge, business_date(now, settings.business.timezone))
        remove(session, merged_id)
        combine(session, kept_id)
        apply_words(session)
        _answer(session, kept_id, merged_id, "merged", by, now)
        # Once all is combined: what the consents and flags of one number forbid now holds for what waits under the
        # other.
        more = pull_back(session, settings, (col(Message.recipient_id) == kept_id), now)
        record_act(session, by, "people merged", kept_id, merged_id, now)
        session.refresh(merge)
    # Outside of the transaction: vendors may take their time.
    return MergeReport(merge, cancel_pulled(engine, settings, _add(pulled, more), now, providers))


def unmerge_people(engine: Engine, merged_id: str, by: str, now: datetime) -> Merge:
    """Takes the standing merge of `merged_id` back; the two are never proposed again. Returns the merge.

    Raises NotWaiting where there is none, or where the kept number was itself merged into another since.
    """
    with writing(engine) as session:
        _take_all_turns(session)
        require_writer(session, by)
        chain = find_aliases(session, [merged_id]).get(merged_id)
        if not chain:
            raise NotWaiting(f"“{merged_id}” is merged into nobody, or it has been taken back already")
        if len(chain) > 1:
            raise NotWaiting(f"“{chain[0].kept_id}” was merged into “{chain[1].kept_id}” since; take that back first")
        merge = chain[0]
        keep_stops(session, merge)
        move_moments_back(session, merge)
        merge.undone_by, merge.undone_at = by, now
        session.flush()
        move_all_back(session, merge)
        # What this merge had copied first, another number of theirs may have said as well.
        for other in merges_of(session, [merge.kept_id]):
            carry(session, other)
        separate(session, merge)
        apply_words(session)
        _answer(session, merge.kept_id, merged_id, "two", by, now)
        record_act(session, by, "merge taken back", merge.kept_id, merged_id, now)
        session.refresh(merge)
        return merge


def say_two_people(engine: Engine, one: str, other: str, by: str, now: datetime) -> None:
    """Keeps for ever that these are two people. Raises NotFound where nobody asked."""
    with writing(engine) as session:
        require_writer(session, by)
        double = session.get(Double, _pair(one, other), with_for_update=True)
        if double is None:
            raise NotFound(f"Nobody proposed that “{one}” and “{other}” are one person")
        if double.status == "merged":
            raise NotWaiting("They were merged already; take the merge back first")
        _answer(session, one, other, "two", by, now)
        record_act(session, by, "two people", double.first_id, double.second_id, now)


def _take_all_turns(session: Session) -> None:
    """Always in this order: no import, plan or approval may see half of a merge."""
    for turn in ("plan", "import", "approval"):
        take_turns(session, turn)


def _require_two(session: Session, kept_id: str, merged_id: str) -> None:
    if kept_id == merged_id:
        raise ApprovalError("That is one number; name two")
    kept, merged = (_require_customer(session, id_) for id_ in (kept_id, merged_id))
    if kept.guardian_id == merged_id or merged.guardian_id == kept_id:
        raise ApprovalError("One of them is the other's guardian: they are two people")


def _require_customer(session: Session, customer_id: str) -> Customer:
    customer = session.get(Customer, customer_id, with_for_update=True)
    if customer:
        return customer
    if chain := find_aliases(session, [customer_id]).get(customer_id):
        raise NotWaiting(f"“{customer_id}” was merged into “{chain[-1].kept_id}” already; name that number")
    raise NotFound(f"There is no customer “{customer_id}”. Ids are those of customers.csv")


def _pull_second(session: Session, settings: Settings, kept_id: str, merged_id: str, now: datetime) -> PullReport:
    """Where something is open for both numbers, what is open for the one that goes is withdrawn."""
    waiting = select(Message.reference).where(
        Message.recipient_id == kept_id, col(Message.status).in_((*BEFORE_APPROVAL, "approved", "sending"))
    )
    if session.exec(waiting.limit(1)).first() is None:
        return PullReport()
    return pull_back(session, settings, col(Message.recipient_id) == merged_id, now, (merged_id, TWICE))


def _add(one: PullReport, other: PullReport) -> PullReport:
    return PullReport(
        withdrawn=one.withdrawn + other.withdrawn,
        left=one.left + other.left,
        to_cancel={**one.to_cancel, **other.to_cancel},
    )


def _pair(one: str, other: str) -> tuple[str, str]:
    # One row for two people, whichever is named first.
    return (one, other) if one < other else (other, one)


def _answer(session: Session, one: str, other: str, status: str, by: str, now: datetime) -> None:
    # Staff may know of two whom nobody proposed.
    first, second = _pair(one, other)
    asked = {"first_id": first, "second_id": second, "reasons": "named by staff", "found_at": now, "status": "open"}
    insert_new(session, Double, [asked])
    double = session.get_one(Double, (first, second))
    double.status, double.decided_by, double.decided_at = status, by, now
    session.flush()
