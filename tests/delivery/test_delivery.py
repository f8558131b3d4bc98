"""Sending: what leaves, what is stopped on the way and why, and what a failed try is taken to mean."""

import email
import itertools
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from approved import add_approved, add_batch, content_for, days
from conftest import NOW, TODAY
from outreach.clock import stopped_clock
from outreach.database import reading, writing
from outreach.delivery import outbox as outbox_rows
from outreach.delivery import sender
from outreach.delivery.control.pauses import pause, pauses_over, resume
from outreach.delivery.due import count_due
from outreach.delivery.providers import Handover
from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.protocol import FOR_EVER, NO_KEYS
from outreach.delivery.recovery.recovery import recover_lost
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import FRESH_SECONDS, deliver_due
from outreach.errors import AlreadyAccepted, NotFound, NotSent, OutcomeUnknown, Refused, SettingsError
from outreach.locks import hold
from outreach.models import (
    Attempt,
    AuditEntry,
    Batch,
    Consent,
    Content,
    Customer,
    Feedback,
    Flag,
    Installation,
    Invoice,
    Message,
    Payment,
    Staff,
    Suppression,
)
from outreach.moments.late_payment import LATE_PAYMENT
from outreach.settings import Settings

DAY = TODAY.isoformat()


def deliver(engine: Engine, settings: Settings, at: datetime = NOW, **more: Any) -> DeliverReport:
    return deliver_due(engine, settings, stopped_clock(at), "sender", **more)


def message_of(engine: Engine, reference: str = "A") -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


def attempts_of(engine: Engine, reference: str = "A") -> list[Attempt]:
    with reading(engine) as session:
        return list(session.exec(select(Attempt).where(Attempt.reference == reference).order_by(Attempt.number)))


def test_each_channel_leaves_as_a_file_that_holds_byte_for_byte_what_was_sealed(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        for channel in ("letter", "email", "text", "call"):
            add_approved(session, channel.upper(), channel)
    report = deliver(engine, settings)
    folder = settings.providers.outbox.folder / DAY
    assert report.sent == {"letter": 1, "email": 1, "text": 1, "call": 1}
    assert (folder / "LETTER.pdf").read_bytes() == content_for("LETTER", "letter")
    assert (folder / "EMAIL.eml").read_bytes() == content_for("EMAIL", "email")
    assert (folder / "TEXT.txt").read_bytes() == content_for("TEXT", "text")
    assert email.message_from_bytes((folder / "EMAIL.eml").read_bytes())["Subject"] == "EMAIL"
    assert "Good morning, CALL" in (folder / "calls.csv").read_text(encoding="utf-8-sig")
    assert "TEXT,Ada TEXT,'+18025550140" in (folder / "texts.csv").read_text(encoding="utf-8-sig")
    assert set(report.files) == {f"{DAY}/calls.csv", f"{DAY}/texts.csv"}
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == {
        "LETTER.pdf", "EMAIL.eml", "TEXT.txt", "calls.csv", "texts.csv",
    }  # fmt: skip


def test_an_accepted_message_carries_its_providers_id_and_one_accepted_attempt(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    deliver(engine, settings)
    message, [attempt] = message_of(engine), attempts_of(engine)
    assert (message.status, message.provider_id, message.accepted_at) == ("accepted", f"{DAY}/A.pdf", NOW)
    assert (attempt.key, attempt.outcome, attempt.tries, attempt.started_on) == ("A.1", "accepted", 1, TODAY)


def test_delivering_again_sends_nothing_twice_and_says_so(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    deliver(engine, settings)
    again = deliver(engine, settings)
    assert (again.sent.total(), again.before) == (0, 1)
    assert len(attempts_of(engine)) == 1


def test_a_message_for_a_later_day_waits_for_it(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", send_on=TODAY + days(1), useful_until=TODAY + days(2))
    assert deliver(engine, settings).waiting == 1
    assert deliver(engine, settings, NOW + days(1)).sent.total() == 1
    assert (settings.providers.outbox.folder / "2026-03-11" / "A.pdf").exists()


def test_a_message_past_its_use_expires_unsent(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", useful_until=TODAY - days(1))
    report = deliver(engine, settings)
    assert (report.expired, report.sent.total()) == (1, 0)
    assert message_of(engine).status_reason == "not sent while it was useful"


def test_only_approved_messages_leave(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        for status in ("planned", "composed", "held", "rejected", "withdrawn"):
            add_approved(session, status, status=status)
    assert deliver(engine, settings).sent.total() == 0
    assert not settings.providers.outbox.folder.exists()


# --- the last word ---

Change = Callable[[Session], None]


def _suppress(session: Session) -> None:
    session.add(Suppression(contact_hash="hash of A", channel="letter", source="staff", at=NOW))


def _withdraw(session: Session) -> None:
    common = {"customer_id": "customer of A", "channel": "letter", "purpose": "service"}
    session.add(Consent(**common, at=NOW - days(9), state="granted"))
    session.add(Consent(**common, at=NOW, state="withdrawn"))


def _die(session: Session) -> None:
    session.get_one(Customer, "customer of A").died_on = TODAY


def _raise_flag(session: Session) -> None:
    session.add(Flag(customer_id="customer of A", kind="bereaved", from_on=TODAY))


def _lose_a_housemate(session: Session) -> None:
    session.get_one(Customer, "customer of A").household_id = "h"
    session.add(Customer(customer_id="other", household_id="h", died_on=TODAY - days(1)))


def _unapprove(session: Session) -> None:
    session.get_one(Batch, "B1").status = "waiting"


def _readdress(session: Session) -> None:
    message = session.get_one(Message, "A")
    message.recipient = (message.recipient or "").replace("Elm", "Oak")


STOPS: list[tuple[Change, str, str]] = [
    (_suppress, "suppressed", "asked us not to use this contact"),
    (_withdraw, "suppressed", "withdrawn their consent"),
    (_die, "withdrawn", "died"),
    (_raise_flag, "withdrawn", "mourning"),
    (_lose_a_housemate, "withdrawn", "household has died"),
    (_unapprove, "blocked", "batch is not approved"),
    (_readdress, "blocked", "not those that were approved"),
]


@pytest.mark.parametrize(("change", "status", "reason"), STOPS, ids=lambda value: getattr(value, "__name__", None))
def test_what_happens_between_approval_and_sending_stops_that_message(
    engine: Engine, settings: Settings, change: Change, status: str, reason: str
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    with writing(engine) as session:
        change(session)
    report = deliver(engine, settings)
    message = message_of(engine)
    assert (message.status, getattr(report, status)) == (status, 1)
    assert reason in (message.status_reason or "")
    assert attempts_of(engine) == []
    assert not settings.providers.outbox.folder.exists()


def test_row_19_an_address_changed_after_approval_is_blocked(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    with writing(engine) as session:
        _readdress(session)
    assert deliver(engine, settings).blocked == 1


def test_row_18_a_byte_changed_after_approval_blocks_that_message_alone(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        changed = add_approved(session, "A").content_sha256
        add_approved(session, "B")
    with writing(engine) as session:
        content = session.get_one(Content, changed)
        content.body = content.body[:-1] + b"!"
    report = deliver(engine, settings)
    assert (report.blocked, report.sent.total()) == (1, 1)
    assert (message_of(engine, "A").status, message_of(engine, "B").status) == ("blocked", "accepted")


def test_consent_that_was_granted_again_after_a_withdrawal_lets_the_message_go(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        common = {"customer_id": "customer of A", "channel": "letter", "purpose": "service"}
        session.add(Consent(**common, at=NOW - days(9), state="withdrawn"))
        session.add(Consent(**common, at=NOW, state="granted"))
    assert deliver(engine, settings).sent.total() == 1


def test_an_opt_out_of_marketing_does_not_stop_a_service_letter(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        session.add(
            Consent(customer_id="customer of A", channel="letter", purpose="marketing", at=NOW, state="withdrawn")
        )
    assert deliver(engine, settings).sent.total() == 1


def test_the_death_of_the_person_written_to_in_their_place_stops_the_message(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        session.add(Customer(customer_id="guardian", died_on=TODAY))
        session.flush()
        add_approved(session, "A", recipient_id="guardian")
    # Not because the reason is gone: it would go to somebody else by now.
    assert deliver(engine, settings).changed == 1
    assert message_of(engine).status == "withdrawn"


def _owe(session: Session, invoice_id: str, due: int = 12, **changes: Any) -> None:
    values = {"customer_id": "customer of A", "issued_on": TODAY - days(40), "amount": 5000, "status": "open"}
    session.add(Invoice(invoice_id=invoice_id, due_on=TODAY - days(due), **(values | changes)))


# What the customer of a late payment made by hand owes.
OWED = 18_550


def _pay(session: Session, amount: int) -> None:
    session.add(Payment(payment_id="p", invoice_id="invoice of customer of A", paid_on=TODAY, amount=amount))


def test_a_late_payment_letter_goes_while_something_worth_a_letter_is_owed(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", kind="late_payment")
        _pay(session, OWED - LATE_PAYMENT.knobs_of(settings).min_balance)
    assert deliver(engine, settings).sent.total() == 1


def test_a_late_payment_letter_stays_here_when_next_to_nothing_is_left(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", kind="late_payment")
        _pay(session, OWED - LATE_PAYMENT.knobs_of(settings).min_balance + 1)
    assert deliver(engine, settings).withdrawn == 1
    assert message_of(engine).status_reason == "the balance is too small to write about"


def test_a_payment_dated_today_withdraws_the_late_payment_letter(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", kind="late_payment")
        _owe(session, "not yet due", due=-5)
        _pay(session, OWED)
    assert deliver(engine, settings).withdrawn == 1
    assert message_of(engine).status_reason == "the reason to write is no longer there: it is paid"


def test_a_dispute_or_a_complaint_withdraws_the_late_payment_letter(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", kind="late_payment")
        _owe(session, "i1")
        _owe(session, "i2", status="disputed")
        add_approved(session, "B", kind="late_payment", customer_id="customer of B")
        complaint = {"customer_id": "customer of B", "given_at": NOW, "given_on": TODAY, "kind": "complaint"}
        session.add(Feedback(feedback_id="f", **complaint))
    assert deliver(engine, settings).withdrawn == 2
    assert message_of(engine, "A").status_reason == "an invoice of theirs is in dispute"
    assert message_of(engine, "B").status_reason == "a complaint of theirs is still open"


# --- pauses and the daily cap ---


@pytest.mark.parametrize(
    ("scope", "name"), [("everything", ""), ("moment", "checkin"), ("provider", "outbox"), ("batch", "B1")]
)
def test_a_pause_holds_what_it_names_until_it_is_resumed(
    engine: Engine, settings: Settings, scope: str, name: str
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        held = pause(session, scope, name, NOW)
    assert (held.held, held.leaving, held.left) == (1, 0, 0)
    report = deliver(engine, settings)
    assert (report.paused, report.sent.total(), message_of(engine).status) == (1, 0, "approved")
    with writing(engine) as session:
        assert resume(session, scope, name, NOW) is True
    assert deliver(engine, settings).sent.total() == 1


def test_a_pause_leaves_other_moments_providers_and_batches_alone(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        add_batch(session, "B2")
        for scope, name in [("moment", "late_payment"), ("provider", "printroom"), ("batch", "B2")]:
            pause(session, scope, name, NOW)
    assert deliver(engine, settings).sent.total() == 1


def test_a_pause_says_what_had_already_left(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    deliver(engine, settings)
    with writing(engine) as session:
        add_approved(session, "B")
        report = pause(session, "everything", "", NOW + timedelta(minutes=1))
    assert (report.held, report.left) == (1, 1)


def test_a_pause_set_while_a_sender_runs_stops_what_it_has_claimed_and_begun_within_two_seconds(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "FRESH_SECONDS", FRESH_SECONDS)

    class Pausing(Outbox):
        def send(self, handover: Handover) -> str:
            with writing(engine) as session:
                pause(session, "everything", "", NOW)
            time.sleep(FRESH_SECONDS)
            return super().send(handover)

    with writing(engine) as session:
        for reference in "ABC":
            add_approved(session, reference)
    report = deliver(engine, settings, providers={"outbox": Pausing(settings.providers.outbox.folder)})
    assert (report.sent.total(), report.paused) == (1, 2)
    with reading(engine) as session:
        assert pauses_over(session, [session.get_one(Message, "B")])["B"].scope == "everything"
    assert [message_of(engine, reference).status for reference in "ABC"] == ["accepted", "approved", "approved"]


def test_pausing_something_that_does_not_exist_is_an_error_that_names_it(engine: Engine) -> None:
    for scope, name in [("batch", "b9"), ("moment", "chekin"), ("provider", "pigeon"), ("everything", "x")]:
        with pytest.raises(NotFound, match=name), writing(engine) as session:
            pause(session, scope, name, NOW)


def test_pausing_twice_is_one_act_in_the_audit(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Staff(staff_id="nora", name="Nora", role="approver", added_at=NOW))
        pause(session, "everything", "", NOW)
        pause(session, "everything", "", NOW, by="nora")
        resume(session, "everything", "", NOW, by="nora")
        assert resume(session, "everything", "", NOW) is False
    with reading(engine) as session:
        acts = session.exec(select(AuditEntry.actor, AuditEntry.act).order_by(AuditEntry.sequence)).all()
    assert acts == [("command line", "everything paused"), ("nora", "everything resumed")]


def test_the_daily_cap_lets_the_earliest_go_and_the_rest_follow_the_next_day(
    engine: Engine, settings: Settings
) -> None:
    capped = settings.model_copy(update={"daily_cap": 2})
    with writing(engine) as session:
        for number in range(5):
            add_approved(session, f"A{number}")
        session.add(Suppression(contact_hash="hash of A1", channel="letter", source="staff", at=NOW))
    first = deliver(engine, capped)
    assert (first.sent.total(), first.suppressed, first.over_cap) == (2, 1, 2)
    assert [message_of(engine, f"A{number}").status for number in range(5)] == [
        "accepted", "suppressed", "accepted", "approved", "approved",
    ]  # fmt: skip
    assert deliver(engine, capped).sent.total() == 0
    assert deliver(engine, capped, NOW + days(1)).sent.total() == 2


def test_a_limited_run_hands_over_so_many_and_says_what_it_leaves(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        for number in range(5):
            add_approved(session, f"A{number}", "email")
    first, second = deliver(engine, settings, limit=2), deliver(engine, settings)
    assert (first.sent.total(), first.left) == (2, 3)
    assert (second.sent.total(), second.left, second.before) == (3, 0, 2)


def test_a_hand_over_that_fails_counts_against_the_limit(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        for number in range(4):
            add_approved(session, f"A{number}", "email")
    down = Failing(settings, *[NotSent("closed for lunch")] * 9)
    report = deliver(engine, settings, limit=3, providers={"outbox": down})
    assert (report.sent.total(), report.again, report.retrying, report.resting) == (0, 3, {"outbox": 3}, ())
    assert sum(len(attempts_of(engine, f"A{number}")) for number in range(4)) == 3


def test_a_provider_that_fails_too_often_in_a_row_rests_and_is_named(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        for number in range(20):
            add_approved(session, f"A{number:02}", "email")
    down = Failing(settings, *[NotSent("closed for lunch")] * 99)
    report = deliver(engine, settings, providers={"outbox": down})
    assert report.resting == ("outbox",)
    assert report.retrying == {"outbox": report.again}
    assert report.again > 0


def test_what_is_due_is_counted_and_nothing_leaves(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        for number, channel in enumerate(("letter", "letter", "email")):
            add_approved(session, f"A{number}", channel)
        add_approved(session, "LATER", send_on=TODAY + days(1))
        add_approved(session, "TOO-LATE", send_on=TODAY - days(5), useful_until=TODAY - days(1))
    due = count_due(engine, settings, stopped_clock(NOW))
    assert due.due == {("checkin", "letter"): 2, ("checkin", "email"): 1}
    assert (due.leaving, due.waits.waiting) == (3, 1)
    assert count_due(engine, settings, stopped_clock(NOW), limit=2).leaving == 2
    capped = settings.model_copy(update={"daily_cap": 1})
    assert count_due(engine, capped, stopped_clock(NOW)).leaving == 1
    assert message_of(engine, "A0").status == "approved"
    assert not attempts_of(engine, "A0")
    assert deliver(engine, settings).sent.total() == 3


def test_a_dry_run_says_what_a_run_would_stop_at(engine: Engine, settings: Settings) -> None:
    live = settings.model_copy(update={"mode": "live"})
    with pytest.raises(SettingsError, match="start_on"):
        count_due(engine, live, stopped_clock(NOW))


def test_live_sending_needs_a_first_day(engine: Engine, settings: Settings) -> None:
    live = settings.model_copy(update={"mode": "live"})
    with writing(engine) as session:
        add_approved(session, "A")
    with pytest.raises(SettingsError, match="start_on"):
        deliver(engine, live)
    with writing(engine) as session:
        session.add(Installation(first_import_on=date(2026, 1, 1)))
    assert deliver(engine, live).sent.total() == 1


def test_in_rehearsal_a_message_composed_for_the_printroom_stays_where_it_is(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", provider="printroom")
    assert deliver(engine, settings).sent.total() == 0
    assert not settings.providers.printroom.folder.exists()
    assert deliver(engine, settings.model_copy(update={"mode": "live", "start_on": TODAY})).sent.total() == 1
    assert (settings.providers.printroom.folder / DAY / "B1" / "B1.pdf").exists()


# --- what a failed try means ---


class Failing(Outbox):
    """Fails as told, one error a hand-over, before or after the file is written; then works."""

    def __init__(self, settings: Settings, *errors: Exception, keyed: bool = True, writes: bool = False) -> None:
        super().__init__(settings.providers.outbox.folder)
        self.errors, self.writes, self.keys = list(errors), writes, []
        self.key_life = FOR_EVER if keyed else NO_KEYS

    def send(self, handover: Handover) -> str:
        self.keys.append(handover.key)
        if not self.errors:
            return super().send(handover)
        if self.writes:
            super().send(handover)
        raise self.errors.pop(0)


def test_a_refusal_of_the_first_try_is_final(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    failing = {"outbox": Failing(settings, Refused("no such street"))}
    assert deliver(engine, settings, providers=failing).failed == 1
    assert (message_of(engine).status, message_of(engine).status_reason) == ("failed", "no such street")
    assert deliver(engine, settings).sent.total() == 0


def test_what_was_surely_not_sent_goes_again_under_a_new_key(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    failing = Failing(settings, NotSent("the disk is full"))
    assert deliver(engine, settings, providers={"outbox": failing}).again == 1
    assert deliver(engine, settings, providers={"outbox": failing}).sent.total() == 1
    assert failing.keys == ["A.1", "A.2"]
    assert [attempt.outcome for attempt in attempts_of(engine)] == ["not_sent", "accepted"]


def test_row_5_an_unanswered_try_goes_again_under_the_same_key_where_the_provider_takes_a_key_once(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    failing = Failing(settings, OutcomeUnknown("no answer"), OutcomeUnknown("no answer"), writes=True)
    for _ in range(3):
        deliver(engine, settings, providers={"outbox": failing})
    assert failing.keys == ["A.1"] * 3
    assert [(attempt.outcome, attempt.tries) for attempt in attempts_of(engine)] == [("accepted", 3)]


def test_an_unanswered_try_is_uncertain_where_the_provider_knows_no_keys(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    failing = Failing(settings, OutcomeUnknown("no answer"), keyed=False)
    assert deliver(engine, settings, providers={"outbox": failing}).uncertain == 1
    assert deliver(engine, settings, providers={"outbox": failing}).sent.total() == 0
    assert (message_of(engine).status, attempts_of(engine)[0].outcome) == ("uncertain", "unknown")


@pytest.mark.parametrize("second", [Refused("no"), NotSent("not now")])
def test_row_7_a_refusal_of_a_second_try_proves_nothing_about_the_first(
    engine: Engine, settings: Settings, second: Exception
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    failing = Failing(settings, OutcomeUnknown("no answer"), second, writes=True)
    deliver(engine, settings, providers={"outbox": failing})
    deliver(engine, settings, providers={"outbox": failing})
    assert (message_of(engine).status, attempts_of(engine)[0].outcome) == ("approved", None)
    assert deliver(engine, settings, providers={"outbox": failing}).sent.total() == 1
    assert len(attempts_of(engine)) == 1


def test_five_unanswered_tries_of_one_key_end_in_uncertain(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    failing = Failing(settings, *[OutcomeUnknown("no answer")] * 5)
    reports = [deliver(engine, settings, providers={"outbox": failing}) for _ in range(6)]
    assert [report.again for report in reports] == [1, 1, 1, 1, 0, 0]
    assert [report.uncertain for report in reports] == [0, 0, 0, 0, 1, 0]


def test_a_provider_that_has_it_already_has_accepted_it(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    assert deliver(engine, settings, providers={"outbox": Failing(settings, AlreadyAccepted("theirs"))}).sent == {
        "letter": 1
    }
    assert message_of(engine).provider_id == "theirs"


def test_a_fault_in_a_provider_is_an_unknown_outcome_and_does_not_stop_the_others(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        add_approved(session, "B")
    report = deliver(engine, settings, providers={"outbox": Failing(settings, KeyError("id"), keyed=False)})
    assert (report.uncertain, report.sent.total()) == (1, 1)
    assert "KeyError" in (message_of(engine, "A").status_reason or "")


def test_an_opt_out_after_an_unanswered_try_waits_for_the_look_up(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    deliver(engine, settings, providers={"outbox": Failing(settings, OutcomeUnknown("no answer"), writes=True)})
    with writing(engine) as session:
        _suppress(session)
    assert deliver(engine, settings).uncertain == 1
    assert (message_of(engine).status, attempts_of(engine)[0].outcome) == ("uncertain", "unknown")


def test_lists_that_cannot_be_written_are_due_again_and_undo_no_sending(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "call")
    in_the_way = settings.providers.outbox.folder / DAY / "calls.csv"
    in_the_way.mkdir(parents=True)
    said: list[str] = []
    report = deliver(engine, settings, tell=said.append)
    assert (report.sent.total(), report.files) == (1, ())
    assert "the next run tries again" in said[-1]
    in_the_way.rmdir()
    assert deliver(engine, settings).files == (f"{DAY}/calls.csv",)


# --- facts and decisions ---


def _claimed(session: Session, owner: str = "sender") -> outbox_rows.Claim:
    lease_until = NOW + timedelta(minutes=5)
    [claim] = outbox_rows.claim_due(session, owner, ["outbox"], TODAY, NOW, lease_until, 9, True, None)
    attempt = outbox_rows.open_attempt(session.get_one(Message, claim.reference), [], NOW, TODAY)
    outbox_rows.add_attempts(session, [attempt])
    return claim


def test_an_acceptance_is_recorded_though_the_claim_was_lost_meanwhile_and_only_once(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        claim = _claimed(session)
    with writing(engine) as session:
        assert recover_lost(session, []) == 1
    with writing(engine) as session:
        assert outbox_rows.decide(session, claim, "failed", "no", "refused") is False
        for _ in range(2):
            outbox_rows.record_acceptance(session, "A", 1, "theirs", NOW)
    assert (message_of(engine).status, message_of(engine).provider_id) == ("accepted", "theirs")
    assert attempts_of(engine)[0].outcome == "accepted"


def test_a_second_acceptance_under_another_id_is_kept_as_evidence(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        _claimed(session)
        outbox_rows.record_acceptance(session, "A", 1, "first", NOW)
        outbox_rows.record_acceptance(session, "A", 1, "second", NOW)
    assert message_of(engine).provider_id == "first"
    assert attempts_of(engine)[0].evidence == "the provider also names it second"


@pytest.mark.parametrize(("keyed", "status", "outcome"), [(["outbox"], "approved", None), ([], "uncertain", "unknown")])
def test_the_claim_of_a_dead_sender_is_taken_back_and_a_begun_message_goes_again_only_under_its_key(
    engine: Engine, keyed: list[str], status: str, outcome: str | None
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        _claimed(session, "dead")
    with writing(engine) as session:
        assert recover_lost(session, keyed) == 1
    assert (message_of(engine).status, attempts_of(engine)[0].outcome) == (status, outcome)


def test_row_11_the_claim_of_a_living_sender_is_never_taken_however_old_it_is(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        _claimed(session, "slow")
    with hold(engine, outbox_rows.owner_lock("slow")), writing(engine) as session:
        assert recover_lost(session, []) == 0
    with writing(engine) as session:
        assert recover_lost(session, []) == 1


def test_row_10_a_sender_that_was_held_up_between_its_attempt_and_the_hand_over_does_not_send(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
    minutes = itertools.count(0, 2)
    slow = deliver_due(engine, settings, lambda: NOW + timedelta(minutes=next(minutes)), "slow")
    assert (slow.sent.total(), slow.again) == (0, 1)
    assert not settings.providers.outbox.folder.exists()
    assert attempts_of(engine)[0].outcome == "not_sent"


def test_row_10_claims_that_ran_out_while_an_earlier_message_was_slow_are_made_anew(
    engine: Engine, settings: Settings
) -> None:
    hours = [0]

    class Slow(Outbox):
        def send(self, handover: Handover) -> str:
            hours[0] += 1
            return super().send(handover)

    with writing(engine) as session:
        for reference in "ABC":
            add_approved(session, reference)
    slow = {"outbox": Slow(settings.providers.outbox.folder)}
    report = deliver_due(engine, settings, lambda: NOW + timedelta(hours=hours[0]), "slow", providers=slow)
    assert report.sent.total() == 3
    assert [message_of(engine, reference).fence for reference in "ABC"] == [1, 2, 3]


def test_row_2_one_message_can_have_only_one_attempt_that_may_have_been_taken(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        _claimed(session)
    when = {"started_at": NOW, "last_try_at": NOW, "started_on": TODAY}
    second = Attempt(reference="A", number=2, key="A.2", provider="outbox", owner="o", fence=1, **when)
    with pytest.raises(Exception, match=r"(?i)unique"), writing(engine) as session:
        session.add(second)


def test_sqlite_claims_in_an_immediate_transaction(sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as session, pytest.raises(Exception, match="within a transaction"):
        session.connection().execute(text("BEGIN"))
