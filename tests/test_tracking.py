"""What is said of a message after it left: events in any order, replies, unsubscribing, and closing what is open."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import Session, select

from approved import add_approved, days
from conftest import NOW, TODAY
from outreach.clock import stopped_clock
from outreach.composing.unsubscribing import unsubscribe_token
from outreach.database import hold, reading, writing
from outreach.delivery import deliver_due
from outreach.delivery import outbox as outbox_rows
from outreach.delivery.providers import Handover
from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.protocol import NO_KEYS
from outreach.errors import NoAnswer, OutcomeUnknown
from outreach.intake.contacts import load_key
from outreach.models import Attempt, AuditEntry, Event, Message, Suppression
from outreach.settings import Settings
from outreach.tracking import read_reply, record_event, track_open, unsubscribe

CLOCK = stopped_clock(NOW)
KINDS = ("accepted", "in_transit", "delivered", "returned", "bounced", "complained", "unsubscribed", "replied")


def say(session: Session, kind: str, event_id: str | None = None, provider_id: str | None = "theirs") -> str:
    return record_event(session, "outbox", event_id or kind, kind, NOW, NOW, "A", provider_id, b"{}")


def status_of(engine: Engine) -> str:
    with reading(engine) as session:
        return session.get_one(Message, "A").status


def add_uncertain(session: Session, channel: str = "letter") -> None:
    message = add_approved(session, "A", channel, status="uncertain", lease_until=NOW)
    attempt = outbox_rows.open_attempt(message, [], NOW, TODAY)
    attempt.outcome = "unknown"
    outbox_rows.add_attempts(session, [attempt])


# --- events ---


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["delivered"], "delivered"),
        (["returned", "delivered"], "returned"),
        (["delivered", "in_transit"], "delivered"),
        (["bounced", "delivered"], "failed"),
        (["complained"], "accepted"),
    ],
)
def test_an_event_moves_a_message_on_and_never_back(engine: Engine, kinds: list[str], status: str) -> None:
    with writing(engine) as session:
        add_approved(session, "A", status="accepted", provider_id="theirs", accepted_at=NOW)
        for kind in kinds:
            assert say(session, kind) == "applied"
    assert status_of(engine) == status


def test_row_27_an_event_that_comes_five_times_is_kept_and_counted_once(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A", status="accepted", provider_id="theirs", accepted_at=NOW)
        assert [say(session, "delivered") for _ in range(5)] == ["applied", *["known"] * 4]
        assert len(session.exec(select(Event)).all()) == 1


def test_row_27_an_event_before_our_own_answer_proves_that_the_message_was_taken(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        say(session, "delivered")
    with reading(engine) as session:
        message, attempt = session.get_one(Message, "A"), session.exec(select(Attempt)).one()
    assert (message.status, message.provider_id, attempt.outcome) == ("delivered", "theirs", "accepted")


def test_an_event_without_the_providers_id_proves_nothing_of_an_open_attempt(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        say(session, "delivered", provider_id=None)
    assert status_of(engine) == "uncertain"


def test_row_29_an_event_for_a_reference_that_is_not_ours_is_kept_and_reported(engine: Engine) -> None:
    with writing(engine) as session:
        seen = record_event(session, "outbox", "e1", "delivered", NOW, NOW, "ZZZ", "theirs", b"raw")
        nameless = record_event(session, "outbox", "e2", "delivered", NOW, NOW, None)
    assert (seen, nameless) == ("unknown reference", "unknown reference")
    with reading(engine) as session:
        assert session.get_one(Event, ("outbox", "e1")).raw == b"raw"


@pytest.mark.parametrize("kind", ["bounced", "complained", "unsubscribed", "returned"])
def test_after_a_bounce_a_complaint_an_opt_out_or_returned_mail_the_contact_is_not_used_again(
    engine: Engine, settings: Settings, kind: str
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "email", status="accepted", provider_id="theirs", contact_hash="h")
        add_approved(session, "B", "email", contact_hash="h", kind="referral_ask")
        add_approved(session, "C", "text", contact_hash="h")
        say(session, kind)
        assert session.get_one(Suppression, ("h", "email")).source == kind
    report = deliver_due(engine, settings, CLOCK, "sender")
    assert (report.suppressed, report.sent) == (1, {"text": 1})


def test_delivery_and_transit_suppress_nobody(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A", status="accepted", provider_id="theirs")
        for kind in ("accepted", "in_transit", "delivered", "replied"):
            say(session, kind)
        assert session.exec(select(Suppression)).all() == []


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=6), random=st.randoms(), is_open=st.booleans())
def test_events_in_any_order_and_any_number_end_in_the_same_status_and_suppressions(
    sqlite_engine: Engine, kinds: list[str], random: Random, is_open: bool
) -> None:
    def end_of(order: list[str]) -> tuple[str, str | None, list[str]]:
        with writing(sqlite_engine) as session:
            for table in (Event, Suppression, Attempt, Message):
                session.execute(delete(table))
            if is_open:
                add_uncertain(session)
            else:
                add_approved(session, "A", status="accepted", provider_id="theirs", accepted_at=NOW)
        for kind in order:
            with writing(sqlite_engine) as session:
                say(session, kind)
        with reading(sqlite_engine) as session:
            message = session.get_one(Message, "A")
            return message.status, message.provider_id, list(session.exec(select(Suppression.contact_hash)))

    shuffled = kinds + random.sample(kinds, k=random.randint(0, len(kinds)))
    random.shuffle(shuffled)
    assert end_of(shuffled) == end_of(kinds)


# --- replies ---


@pytest.mark.parametrize(
    "words", ["STOP", "stop", " Stop. ", "STOPALL", "stop all", "Unsubscribe!", "END", "quit", "Cancel", "REVOKE",
              "OPTOUT", "opt-out", "Arrêt", "ARRET", "ＳＴＯＰ", "“Stop”", "stop 🛑"],
)  # fmt: skip
def test_a_whole_message_that_says_stop_stops(words: str) -> None:
    assert read_reply(words) == "stop"


@pytest.mark.parametrize(
    ("words", "meaning"), [("START", "start"), ("unstop", "start"), ("Help", "help"), ("INFO", "help")]
)
def test_start_and_help_are_whole_messages_too(words: str, meaning: str) -> None:
    assert read_reply(words) == meaning


@pytest.mark.parametrize(
    "words", ["restart the washing machine", "please don't write to me any more", "stop by on Friday?", "Cancel?",
              "start at 9 works for me", "I need help with my bill", "never again", "", "2", "STOP2"],
)  # fmt: skip
def test_any_other_wording_goes_to_a_person(words: str) -> None:
    assert read_reply(words) == "person"


@given(st.text())
def test_whatever_is_written_has_one_of_four_meanings(words: str) -> None:
    assert read_reply(words) in {"stop", "start", "help", "person"}


# --- unsubscribing ---


def test_one_click_takes_the_address_off_for_good_and_a_second_changes_nothing(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "email", status="accepted", provider_id="theirs", contact_hash="h")
    token = unsubscribe_token(load_key(engine, settings), "A")
    assert unsubscribe(engine, settings, token, NOW) is True
    assert unsubscribe(engine, settings, token, NOW + days(1)) is True
    with reading(engine) as session:
        assert session.get_one(Suppression, ("h", "email")).at == NOW
        assert [event.kind for event in session.exec(select(Event))] == ["unsubscribed"]
        assert session.exec(select(AuditEntry.act, AuditEntry.subject)).all() == [("unsubscribed", "A")]


def test_a_token_that_we_did_not_make_changes_nothing(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "email", status="accepted", provider_id="theirs")
    key = load_key(engine, settings)
    for token in (
        "",
        "A",
        "A.0",
        unsubscribe_token(key, "A")[:-1],
        unsubscribe_token(key, "no such reference"),
        "é.é",
    ):
        assert unsubscribe(engine, settings, token, NOW) is False
    with reading(engine) as session:
        assert session.exec(select(Suppression)).all() == []


# --- closing what is open ---


class Asked(Outbox):
    """Answers look-ups from its files, or fails to when `is_down`; it forgets keys, so nothing may be repeated."""

    key_life = NO_KEYS
    is_down = False

    def send(self, handover: Handover) -> str:
        super().send(handover)
        raise OutcomeUnknown("no answer")

    def find(self, handover: Handover) -> list[str]:
        if self.is_down:
            raise NoAnswer("the search does not answer")
        return super().find(handover)


def test_an_uncertain_message_that_its_provider_has_is_accepted(engine: Engine, settings: Settings) -> None:
    asked = {"outbox": Asked(settings.providers.outbox.folder)}
    with writing(engine) as session:
        add_approved(session, "A")
    assert deliver_due(engine, settings, CLOCK, "sender", providers=asked).uncertain == 1
    assert track_open(engine, settings, CLOCK, providers=asked).found == 1
    with reading(engine) as session:
        message = session.get_one(Message, "A")
    assert (message.status, message.provider_id) == ("accepted", f"{TODAY}/A.pdf")


def test_row_8_a_look_up_that_fails_is_not_absence(engine: Engine, settings: Settings) -> None:
    asked = Asked(settings.providers.outbox.folder)
    asked.is_down = True
    with writing(engine) as session:
        add_uncertain(session)
    report = track_open(engine, settings, CLOCK, providers={"outbox": asked})
    assert (report.still_uncertain, report.absent, status_of(engine)) == (1, 0, "uncertain")


def test_row_6_nothing_is_judged_absent_before_a_late_arrival_would_show(engine: Engine, settings: Settings) -> None:
    slow = Outbox(settings.providers.outbox.folder)
    slow.absent_after = timedelta(hours=2)
    with writing(engine) as session:
        add_uncertain(session)
    early = track_open(engine, settings, stopped_clock(NOW + timedelta(hours=1)), providers={"outbox": slow})
    assert (early.still_uncertain, early.absent) == (1, 0)
    late = track_open(engine, settings, stopped_clock(NOW + timedelta(hours=2)), providers={"outbox": slow})
    assert (late.still_uncertain, late.absent, status_of(engine)) == (0, 1, "approved")


def test_what_never_arrived_goes_again_under_a_new_key(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_uncertain(session)
    assert track_open(engine, settings, CLOCK).absent == 1
    assert deliver_due(engine, settings, CLOCK, "sender").sent == {"letter": 1}
    with reading(engine) as session:
        attempts = session.exec(select(Attempt).order_by(Attempt.number)).all()
    assert [(attempt.key, attempt.outcome) for attempt in attempts] == [("A.1", "absent"), ("A.2", "accepted")]


def test_row_24_an_opt_out_while_uncertain_is_acted_on_once_the_look_up_shows_that_nothing_left(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        session.add(Suppression(contact_hash="hash of A", channel="letter", source="staff", at=NOW))
    assert deliver_due(engine, settings, CLOCK, "sender").sent.total() == 0
    track_open(engine, settings, CLOCK)
    assert deliver_due(engine, settings, CLOCK, "sender").suppressed == 1
    assert status_of(engine) == "suppressed"


def test_tracking_takes_back_the_claims_of_the_dead_and_leaves_those_of_the_living(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        lease_until = NOW + timedelta(minutes=5)
        outbox_rows.claim_due(session, "somebody", ["outbox"], TODAY, NOW, lease_until, 9, True, None)
    with hold(engine, outbox_rows.owner_lock("somebody")):
        assert track_open(engine, settings, CLOCK).recovered == 0
    assert track_open(engine, settings, CLOCK).recovered == 1
    assert status_of(engine) == "approved"


def test_tracking_ends_what_is_out_of_time_before_and_after_approval(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_approved(session, "A", useful_until=TODAY - days(1))
        add_approved(session, "B", status="composed", useful_until=TODAY - days(1), batch_id=None)
        add_approved(session, "C")
    assert track_open(engine, settings, CLOCK).expired == 2
    with reading(engine) as session:
        statuses = session.exec(select(Message.status).order_by(Message.reference)).all()
    assert statuses == ["expired", "expired", "approved"]


def test_tracking_with_nothing_open_changes_nothing(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    report = track_open(engine, settings, CLOCK)
    assert set(vars(report).values()) == {0}
    assert not (tmp_path / "outbox").exists()
