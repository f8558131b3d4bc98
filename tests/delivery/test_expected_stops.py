"""A dry run of deliver: it says what the run would hand over and what would stop the rest, and writes nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from approved import add_approved, days
from conftest import NOW, TODAY
from foreseen import counts_foreseen, deliver_as_foreseen
from outreach.approval.approving import approve_batch
from outreach.approval.open_batches import open_batches
from outreach.clock import stopped_clock
from outreach.commands.dry_run import show_due
from outreach.commands.output import show_delivered
from outreach.composing.run import compose_planned
from outreach.database import reading, writing
from outreach.delivery.control.pauses import pause
from outreach.delivery.expected_stops import foresee_delivery
from outreach.models import Attempt, Batch, Content, Customer, Flag, Import, Message, Payment, Suppression
from outreach.settings import Settings
from planned import add_customer, plan
from waiting import hire

NIGHT = NOW.replace(hour=6)
Change = Callable[[Session], object]


def _all_rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with reading(engine) as session:
        tables = SQLModel.metadata.sorted_tables
        return {table.name: sorted(map(tuple, session.execute(table.select())), key=repr) for table in tables}


CHANGES: dict[str, tuple[Change, ...]] = {
    "suppressed": (
        lambda session: session.add(Suppression(contact_hash="hash of A", channel="letter", source="staff", at=NOW)),
    ),
    "withdrawn": (
        lambda session: setattr(session.get_one(Customer, "customer of A"), "died_on", TODAY),
        lambda session: session.add(Flag(customer_id="customer of A", kind="bereaved", from_on=TODAY)),
    ),
    "blocked": (
        lambda session: setattr(session.get_one(Batch, "B1"), "status", "waiting"),
        lambda session: setattr(session.get_one(Message, "A"), "recipient", "{}"),
    ),
    "expired": (lambda session: setattr(session.get_one(Message, "A"), "useful_until", TODAY - days(1)),),
}


@pytest.mark.parametrize(("status", "change"), [(name, one) for name, many in CHANGES.items() for one in many])
def test_a_dry_run_counts_what_the_last_check_would_stop_and_writes_nothing(
    engine: Engine, settings: Settings, status: str, change: Change
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    with writing(engine) as session:
        change(session)
    before = _all_rows(engine)
    foreseen = foresee_delivery(engine, settings, stopped_clock(NOW))
    assert (foreseen.leaving, foreseen.stops) == (0, {status: 1})
    assert _all_rows(engine) == before
    deliver_as_foreseen(engine, settings, NOW)


def test_after_a_payment_and_an_opt_out_a_dry_run_promises_only_what_then_leaves(
    engine: Engine, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(engine) as session:
        add_approved(session, "PAID", kind="late_payment")
        add_approved(session, "OUT", kind="late_payment")
        add_approved(session, "GOES", kind="late_payment")
        session.add(Payment(payment_id="p", invoice_id="invoice of customer of PAID", paid_on=TODAY, amount=18_550))
        session.add(Suppression(contact_hash="hash of OUT", channel="letter", source="staff", at=NOW))
    show_due(foresee_delivery(engine, settings, stopped_clock(NOW)), as_json=False)
    said = capsys.readouterr().out
    assert "1 would be handed over" in said
    assert "1 stopped: the person may not be contacted this way any more" in said
    assert "1 withdrawn: paid, died, or the reason to write is gone" in said
    assert deliver_as_foreseen(engine, settings, NOW).sent.total() == 1


def test_a_new_address_is_counted_in_words_of_its_own(
    sqlite_engine: Engine, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hire(sqlite_engine)
    add_customer(sqlite_engine, "moved")
    plan(sqlite_engine, "anniversary", "letter", "moved")
    compose_planned(sqlite_engine, settings, TODAY, NOW)
    [batch] = open_batches(sqlite_engine, settings, TODAY, NOW)
    approve_batch(sqlite_engine, settings, batch.batch_id, "maria", NOW, "command line")
    with writing(sqlite_engine) as session:
        session.get_one(Customer, "moved").address_line1 = "9 New Street"
    foreseen = foresee_delivery(sqlite_engine, settings, stopped_clock(NOW))
    assert foreseen.stops == {"changed": 1}
    report = deliver_as_foreseen(sqlite_engine, settings, NOW)
    assert (report.changed, report.withdrawn) == (1, 0)
    show_delivered(report, settings.business, as_json=False)
    assert "1 withdrawn: what it says, or whom and where it goes to, has changed" in capsys.readouterr().out


def test_what_is_stopped_makes_room_under_the_cap_and_under_a_limit(engine: Engine, settings: Settings) -> None:
    capped = settings.model_copy(update={"daily_cap": 2})
    with writing(engine) as session:
        for number in range(5):
            add_approved(session, f"A{number}")
        session.add(Suppression(contact_hash="hash of A1", channel="letter", source="staff", at=NOW))
    limited = foresee_delivery(engine, settings, stopped_clock(NOW), limit=2)
    assert counts_foreseen(limited) == {"sent": 2, "suppressed": 1, "left": 2}
    foreseen = foresee_delivery(engine, capped, stopped_clock(NOW))
    assert counts_foreseen(foreseen) == {"sent": 2, "suppressed": 1, "over_cap": 2}
    deliver_as_foreseen(engine, capped, NOW)
    assert foresee_delivery(engine, capped, stopped_clock(NOW)).leaving == 0
    deliver_as_foreseen(engine, capped, NOW + days(1))


def test_pauses_hours_and_bytes_that_changed_are_foreseen(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "PAUSED", kind="late_payment", batch_id="B2")
        add_approved(session, "NIGHT", "text")
        changed = add_approved(session, "BYTES").content_sha256
        add_approved(session, "GOES")
        pause(session, "moment", "late_payment", NOW)
    with writing(engine) as session:
        content = session.get_one(Content, changed)
        content.body = (content.body or b"")[:-1] + b"!"
    foreseen = foresee_delivery(engine, settings, stopped_clock(NIGHT))
    assert counts_foreseen(foreseen) == {"sent": 1, "out_of_hours": 1, "blocked": 1}
    assert foreseen.waits.paused == 1
    deliver_as_foreseen(engine, settings, NIGHT)


def test_one_number_is_not_promised_more_texts_than_it_may_get(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.delivery.expected_stops.AT_ONCE", 1)
    with writing(engine) as session:
        for number in range(3):
            add_approved(session, f"A{number}", "text", contact_hash="one number", step=number + 1)
    foreseen = foresee_delivery(engine, settings, stopped_clock(NOW))
    assert counts_foreseen(foreseen) == {"sent": 1, "out_of_hours": 2}
    deliver_as_foreseen(engine, settings, NOW)


def test_what_a_rule_makes_wait_is_not_promised(
    engine: Engine, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", kind="late_payment")
        for taken_in in session.exec(select(Import)):
            taken_in.at = NOW - days(9)
    foreseen = foresee_delivery(engine, settings, stopped_clock(NOW))
    assert counts_foreseen(foreseen) == {"held": 1}
    show_due(foreseen, as_json=False)
    assert "1 wait for something that a rule asks" in capsys.readouterr().out
    assert deliver_as_foreseen(engine, settings, NOW).sent.total() == 0


def test_what_an_earlier_try_may_have_sent_is_foreseen_as_uncertain(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        session.add(Suppression(contact_hash="hash of A", channel="letter", source="staff", at=NOW))
        tried = {"started_at": NOW - timedelta(minutes=5), "last_try_at": NOW, "started_on": TODAY}
        session.add(
            Attempt(reference="A", number=1, key="A.1", provider="outbox", owner="other", fence=0, tries=1, **tried)
        )
    foreseen = foresee_delivery(engine, settings, stopped_clock(NOW))
    assert counts_foreseen(foreseen) == {"uncertain": 1}
