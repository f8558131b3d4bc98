"""Taking an approval back: until when, by whom, what comes back, and what a sender does that is at it meanwhile."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from outreach.approval.approving import AT_THE_DESK
from outreach.approval.audit import find_break
from outreach.approval.open_batches import open_batches
from outreach.approval.rejections import reject
from outreach.approval.withdrawals import expire_unapproved
from outreach.clock import stopped_clock
from outreach.database import reading, writing
from outreach.delivery import outbox
from outreach.delivery.control.undoing import Undone, undo_approval
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.errors import ChangedSince, NotAllowed, NotFound, NotWaiting
from outreach.models import Attempt, AuditEntry, Message
from outreach.settings import Settings
from waiting import ANNIVERSARY, approve, batch_of, compose, hire, message_of, open_one, require_true_seals, statuses

LATER = NOW + timedelta(minutes=15)


def at_the_desk(engine: Engine, settings: Settings, batch_id: str = ANNIVERSARY, **more: Any) -> None:
    approve(engine, settings, batch_id, marked=AT_THE_DESK, **more)


def deliver(engine: Engine, settings: Settings, at: datetime = NOW, **more: Any) -> DeliverReport:
    return deliver_due(engine, settings, stopped_clock(at), "sender", **more)


def undo(engine: Engine, settings: Settings, at: datetime = NOW, by: str = "jon", batch: str = ANNIVERSARY) -> Undone:
    return undo_approval(engine, settings, batch, by, at)


def test_an_approval_at_the_desk_leaves_once_it_cannot_be_undone_any_more(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A", "B")
    at_the_desk(engine, settings)
    assert batch_of(engine).undo_until == LATER
    early = deliver(engine, settings, LATER - timedelta(seconds=1))
    assert (early.sent.total(), early.undoable, early.undo_until) == (0, 2, LATER)
    on_time = deliver(engine, settings, LATER)
    assert (on_time.sent, on_time.undoable, on_time.undo_until) == ({"letter": 2}, 0, None)


@pytest.mark.parametrize(
    ("marked", "may_undo", "sent"),
    [("command line", None, 1), ("command line", True, 0), (AT_THE_DESK, False, 1), (AT_THE_DESK, None, 0)],
)
def test_only_approvals_at_the_desk_wait_unless_told_otherwise(
    sqlite_engine: Engine, settings: Settings, marked: str, may_undo: bool | None, sent: int
) -> None:
    open_one(sqlite_engine, settings, "A")
    approve(sqlite_engine, settings, marked=marked, may_undo=may_undo)
    assert deliver(sqlite_engine, settings).sent.total() == sent


def test_what_goes_by_rule_does_not_wait_and_cannot_be_undone(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", channel="email")
    (first,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    approve(sqlite_engine, settings, first.batch_id)
    compose(sqlite_engine, "B", channel="email", run_on=TODAY + timedelta(days=1), send_on=TODAY)
    (second,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    with pytest.raises(NotWaiting, match="no approval that could be undone"):
        undo(sqlite_engine, settings, by="maria", batch=second.batch_id)
    assert deliver(sqlite_engine, settings).sent == {"email": 2}


def test_undoing_brings_the_batch_back_as_it_was(engine: Engine, settings: Settings) -> None:
    seen = open_one(engine, settings, "A", "B")
    at_the_desk(engine, settings)
    undone = undo(engine, settings, LATER - timedelta(seconds=1))
    assert (undone.back, undone.left) == (2, 0)
    batch = batch_of(engine)
    assert (batch.status, batch.decided_by, batch.undo_until) == ("waiting", None, None)
    assert (batch.seal, batch.count, batch.cost) == (seen.seal, 2, 210)
    assert statuses(engine) == {"A": "composed", "B": "composed"}
    assert message_of(engine, "A").not_before is None
    assert deliver(engine, settings, LATER).sent.total() == 0
    reject(engine, "A", "jon", "that is why", NOW, "test")
    approve(engine, settings)
    assert deliver(engine, settings, LATER).sent == {"letter": 1}
    with reading(engine) as session:
        require_true_seals(session)
        assert find_break(session) is None
        acts = [(entry.actor, entry.act) for entry in session.exec(select(AuditEntry).order_by(AuditEntry.sequence))]
    assert ("jon", "approval undone") in acts


def test_a_page_from_before_the_approval_still_fits_an_undone_batch_and_one_that_changed_does_not(
    sqlite_engine: Engine, settings: Settings
) -> None:
    seen = open_one(sqlite_engine, settings, "A", "B")
    at_the_desk(sqlite_engine, settings)
    undo(sqlite_engine, settings)
    reject(sqlite_engine, "B", "jon", "no", NOW, "test")
    with pytest.raises(ChangedSince):
        approve(sqlite_engine, settings, seal=seen.seal, count=2, cost=210)
    assert statuses(sqlite_engine) == {"A": "composed", "B": "rejected"}


def test_it_is_too_late_when_the_time_is_over(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A")
    at_the_desk(engine, settings)
    with pytest.raises(NotWaiting, match="could be undone until 11:15. To stop it: outreach pause --batch"):
        undo(engine, settings, LATER)
    assert statuses(engine) == {"A": "approved"}


def test_any_approver_may_undo_and_nobody_below(sqlite_engine: Engine, settings: Settings) -> None:
    open_one(sqlite_engine, settings, "A")
    at_the_desk(sqlite_engine, settings)
    hire(sqlite_engine, "wil", "writer")
    with pytest.raises(NotAllowed):
        undo(sqlite_engine, settings, by="wil")
    with pytest.raises(NotFound, match="no batch"):
        undo(sqlite_engine, settings, batch="nothing")
    undo(sqlite_engine, settings, by="maria")
    with pytest.raises(NotWaiting, match="is waiting"):
        undo(sqlite_engine, settings)


def test_what_is_approved_twice_waits_anew(sqlite_engine: Engine, settings: Settings) -> None:
    open_one(sqlite_engine, settings, "A")
    at_the_desk(sqlite_engine, settings)
    undo(sqlite_engine, settings)
    at_the_desk(sqlite_engine, settings, at=NOW + timedelta(minutes=10))
    assert deliver(sqlite_engine, settings, LATER).sent.total() == 0
    assert deliver(sqlite_engine, settings, LATER + timedelta(minutes=10)).sent == {"letter": 1}


def test_what_waits_for_its_undo_time_still_expires_and_leaves_in_order(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A", useful_until=TODAY)
    compose(engine, "C", send_on=TODAY)
    compose(engine, "B", send_on=TODAY - timedelta(days=1))
    open_batches(engine, settings, TODAY, NOW)
    at_the_desk(engine, settings)
    at_the_desk(engine, settings, f"{ANNIVERSARY}-2")
    told: list[str] = []
    report = deliver(engine, settings, NOW + timedelta(days=1), tell=told.append)
    assert (report.sent, report.expired) == ({"letter": 2}, 1)
    assert [line.split()[0] for line in told] == ["B", "C"]
    with writing(engine) as session:
        assert expire_unapproved(session, TODAY + timedelta(days=1), NOW) == 0


def ahead(engine: Engine, settings: Settings, point: str, undone: list[Undone | str]) -> DeliverReport:
    """A sender whose clock is ahead, and a person who undoes the approval when it has come to `point`."""

    def at_point(here: str) -> None:
        if here == point and not undone:
            try:
                undone.append(undo(engine, settings))
            except NotWaiting as refused:
                undone.append(str(refused))

    return deliver(engine, settings, LATER, at_point=at_point)


@pytest.mark.parametrize("point", ["claiming", "claimed", "beginning"])
def test_a_sender_that_has_claimed_at_that_instant_finds_its_claim_gone(
    engine: Engine, settings: Settings, point: str
) -> None:
    open_one(engine, settings, "A", "B")
    at_the_desk(engine, settings)
    undone: list[Undone | str] = []
    report = ahead(engine, settings, point, undone)
    assert [(each.back, each.left) for each in undone if isinstance(each, Undone)] == [(2, 0)]
    assert (report.sent.total(), report.blocked) == (0, 0)
    assert statuses(engine) == {"A": "composed", "B": "composed"}
    approve(engine, settings)
    assert deliver(engine, settings, LATER).sent == {"letter": 2}


@pytest.mark.parametrize("point", ["begun", "sending", "answered", "settling", "settled"])
def test_what_is_on_its_way_is_not_taken_back(engine: Engine, settings: Settings, point: str) -> None:
    open_one(engine, settings, "A")
    at_the_desk(engine, settings)
    undone: list[Undone | str] = []
    assert ahead(engine, settings, point, undone).sent == {"letter": 1}
    assert [str(each) for each in undone] == [
        f"All of {ANNIVERSARY} has left, or was stopped on its way; there is nothing to take back"
    ]
    assert (statuses(engine), batch_of(engine).status) == ({"A": "accepted"}, "approved")


def test_the_rest_comes_back_and_what_had_left_is_counted(engine: Engine, settings: Settings) -> None:
    seen = open_one(engine, settings, "A", "B", "C")
    at_the_desk(engine, settings)
    capped = settings.model_copy(update={"daily_cap": 1})
    assert deliver(engine, capped, LATER).sent == {"letter": 1}
    undone = undo(engine, settings)
    assert (undone.back, undone.left, undone.batch.count) == (2, 1, 2)
    assert statuses(engine) == {"A": "accepted", "B": "composed", "C": "composed"}
    with pytest.raises(ChangedSince):
        approve(engine, settings, seal=seen.seal, count=3, cost=315)
    approve(engine, settings)
    assert deliver(engine, settings, LATER).sent == {"letter": 2}


def test_an_undo_that_waits_for_a_sender_sees_the_attempt_it_has_opened(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A")
    at_the_desk(engine, settings)
    with writing(engine) as session:
        (claim,) = outbox.claim_due(
            session, "sender", ["outbox"], TODAY, LATER, LATER + timedelta(minutes=5), 9, True, None
        )
    results: list[Undone | str] = []

    def take_back() -> None:
        try:
            results.append(undo(engine, settings))
        except NotWaiting as refused:
            results.append(str(refused))

    with writing(engine) as session:
        ((_, message),) = outbox.require_claims(session, [claim])
        person = threading.Thread(target=take_back)
        person.start()
        person.join(timeout=0.5)  # long enough for the undoing to stand at the lock
        assert results == []
        outbox.add_attempts(session, [outbox.new_attempt(message, 1, LATER, TODAY)])
    person.join(timeout=60)
    assert [str(result)[:6] for result in results] == ["All of"]
    with reading(engine) as session:
        assert session.get_one(Message, "A").status == "sending"
        assert session.exec(select(Attempt)).one().outcome is None
