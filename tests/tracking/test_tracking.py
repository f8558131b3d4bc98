"""What is said of a message after it left: events in any order, replies, unsubscribing, and closing what is open."""

import re
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import Session, select

from approved import add_approved, days
from budget import trials
from conftest import NOW, TODAY
from intake_data import import_folder, write
from outreach.clock import stopped_clock
from outreach.composing.texts import count_segments
from outreach.composing.unsubscribe_links import unsubscribe_token
from outreach.contacts import contact_hash, load_key
from outreach.database import reading, writing
from outreach.delivery import outbox as outbox_rows
from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.protocol import NO_KEYS, stand_in
from outreach.delivery.sender import deliver_due
from outreach.errors import NoAnswer, OutcomeUnknown, WebhookRefused
from outreach.locks import hold
from outreach.models import (
    EVENT_KINDS,
    Attempt,
    AuditEntry,
    Customer,
    Event,
    Incident,
    Message,
    Pause,
    Suppression,
    Webhook,
)
from outreach.planning.contact_cards import load_people
from outreach.settings import Settings
from outreach.tracking.events import apply_waiting, record_event, suppress
from outreach.tracking.lookup import track_open
from outreach.tracking.replies import answer_help, read_reply, record_reply, sounds_like_stop
from outreach.tracking.unsubscribes import unsubscribe
from outreach.tracking.webhooks import apply_pending_webhooks, apply_webhook, store_webhook

CLOCK = stopped_clock(NOW)
KINDS = EVENT_KINDS
NAMED_BY = ("reference", "key", "id")


def say(
    session: Session,
    kind: str,
    event_id: str | None = None,
    provider_id: str | None = "theirs",
    reference: str | None = "A",
    **more: str,
) -> str:
    return record_event(session, "outbox", event_id or kind, kind, NOW, NOW, reference, provider_id, b"{}", **more)


def incidents_of(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.exec(select(Incident.what).order_by(Incident.incident_id)))


def suppression_of(engine: Engine, hashed: str, channel: str = "text") -> str | None:
    with reading(engine) as session:
        known = session.get(Suppression, (hashed, channel))
        return known.source if known else None


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
        (["failed", "delivered"], "failed"),
        (["cancelled"], "cancelled"),
        (["delivered", "cancelled"], "delivered"),
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
        for kind in ("accepted", "in_transit", "delivered", "failed", "cancelled", "replied"):
            say(session, kind)
        assert session.exec(select(Suppression)).all() == []


@trials(12)
@given(
    said=st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from(["reference", "key", "id"])), min_size=1, max_size=6
    ),
    random=st.randoms(),
    is_open=st.booleans(),
)
def test_events_in_any_order_and_any_number_end_in_the_same_status_and_suppressions(
    sqlite_engine: Engine, said: list[tuple[str, str]], random: Random, is_open: bool
) -> None:
    """An event names its message by our reference, by the key of the attempt, or only by the provider's own id."""

    def end_of(order: list[tuple[str, str]]) -> tuple[str, str | None, list[tuple[str, str]], list[str]]:
        with writing(sqlite_engine) as session:
            for table in (Incident, Event, Suppression, Attempt, Message):
                session.execute(delete(table))
            if is_open:
                add_uncertain(session)
            else:
                add_approved(session, "A", status="accepted", provider_id="theirs", accepted_at=NOW)
        for kind, by in order:
            with writing(sqlite_engine) as session:
                named = {"key": "A.1"} if by == "key" and is_open else {}
                reference = "A" if by == "reference" or (by == "key" and not is_open) else None
                say(session, kind, f"{kind} {by}", reference=reference, **named)
        with writing(sqlite_engine) as session:
            apply_waiting(session)
        with reading(sqlite_engine) as session:
            message = session.get_one(Message, "A")
            suppressions = list(session.exec(select(Suppression.contact_hash, Suppression.source)))
            return message.status, message.provider_id, suppressions, list(session.exec(select(Incident.what)))

    shuffled = said + random.sample(said, k=random.randint(0, len(said)))
    random.shuffle(shuffled)
    assert end_of(shuffled) == end_of(said)


def test_an_event_that_names_only_the_attempts_key_finds_its_message(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        assert say(session, "delivered", reference=None, key="A.1") == "applied"
    assert status_of(engine) == "delivered"


def test_row_27_an_event_that_names_only_the_providers_id_waits_until_that_is_known(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        assert say(session, "bounced", reference=None) == "unknown reference"
        assert apply_waiting(session) == 0
    assert (status_of(engine), suppression_of(engine, "hash of A", "letter")) == ("uncertain", None)
    with writing(engine) as session:
        outbox_rows.record_acceptance(session, "A", 1, "theirs", NOW)
        assert apply_waiting(session) == 1
    assert (status_of(engine), suppression_of(engine, "hash of A", "letter")) == ("failed", "bounced")
    with writing(engine) as session:
        assert apply_waiting(session) == 0
    assert incidents_of(engine) == []


def test_what_was_said_before_our_own_answer_without_an_id_is_acted_on_afterwards(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        say(session, "delivered", provider_id=None)
        outbox_rows.record_acceptance(session, "A", 1, "theirs", NOW)
    assert status_of(engine) == "accepted"
    with writing(engine) as session:
        assert apply_waiting(session) == 1
    assert status_of(engine) == "delivered"


def test_a_message_judged_absent_that_its_provider_reports_on_is_not_sent_again(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_uncertain(session)
    assert track_open(engine, settings, CLOCK).absent == 1
    with writing(engine) as session:
        say(session, "in_transit")
    assert status_of(engine) == "accepted"
    assert deliver_due(engine, settings, CLOCK, "sender").sent.total() == 0


def test_the_word_of_a_person_gives_way_to_the_providers_own_id(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        outbox_rows.record_acceptance(session, "A", 1, stand_in("A.1"), NOW)
        assert say(session, "delivered") == "applied"
        message = session.get_one(Message, "A")
        assert (message.status, message.provider_id) == ("delivered", "theirs")
    assert incidents_of(engine) == []


def test_row_29_another_id_on_our_reference_is_an_incident_and_its_batch_pauses(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", status="accepted", provider_id="theirs", accepted_at=NOW)
        add_approved(session, "B")
        assert [say(session, "delivered", "e1", "a stranger") for _ in range(3)] == ["not ours"] * 3
    assert status_of(engine) == "accepted"
    assert incidents_of(engine) == ["a provider has our reference on a stranger, which is no attempt of ours"]
    with reading(engine) as session:
        assert session.exec(select(Pause.scope, Pause.name)).all() == [("batch", "B1")]
        assert session.exec(select(AuditEntry.actor, AuditEntry.act)).all() == [("an incident", "batch paused")]
    assert deliver_due(engine, settings, CLOCK, "sender").sent.total() == 0


def test_row_29_an_id_that_belongs_to_another_message_of_ours_is_an_incident(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        add_approved(session, "B", status="accepted", provider_id="theirs", accepted_at=NOW)
        assert say(session, "delivered") == "not ours"
    assert status_of(engine) == "uncertain"
    assert len(incidents_of(engine)) == 1


def test_row_29_a_report_on_what_was_never_handed_over_is_an_incident(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A")
        assert say(session, "delivered") == "not ours"
        assert say(session, "delivered", "e2", key="A.7") == "not ours"
    assert status_of(engine) == "approved"
    assert len(incidents_of(engine)) == 2


def test_row_29_a_reference_that_is_not_ours_is_one_incident_and_pauses_nothing(engine: Engine) -> None:
    with writing(engine) as session:
        for _ in range(3):
            say(session, "delivered", reference="ZZZ")
        say(session, "delivered", "nameless", None, None)
        assert session.exec(select(Pause)).all() == []
    assert incidents_of(engine) == ["a provider reports on a reference that is not ours"]


def test_a_second_try_that_turns_out_to_be_there_as_well_is_an_incident_and_changes_no_status(engine: Engine) -> None:
    with writing(engine) as session:
        add_uncertain(session)
        message = session.get_one(Message, "A")
        session.exec(select(Attempt)).one().outcome = "absent"
        session.flush()
        outbox_rows.add_attempts(session, [outbox_rows.new_attempt(message, 2, NOW, TODAY)])
        outbox_rows.record_acceptance(session, "A", 2, "theirs", NOW)
        for event_id in ("e1", "e2"):
            assert say(session, "returned", event_id, "the first try", key="A.1") == "applied"
        assert say(session, "delivered", "e3", "theirs", key="A.2") == "applied"
    assert (status_of(engine), incidents_of(engine)) == ("delivered", ["a provider has two tries of one message"])


def test_the_last_word_of_the_customer_counts_even_on_something_we_did_not_hand_over(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "email", status="accepted", provider_id="theirs", accepted_at=NOW)
        assert say(session, "complained", "e1", "a stranger") == "not ours"
    assert suppression_of(engine, "hash of A", "email") == "complained"


@pytest.mark.parametrize("order", [("unsubscribed", "complained"), ("complained", "unsubscribed")])
def test_of_two_reasons_not_to_use_a_contact_the_stronger_is_kept(engine: Engine, order: tuple[str, str]) -> None:
    with writing(engine) as session:
        for source in order:
            suppress(session, "h", "text", source, NOW)
        assert suppress(session, "staff's", "text", "staff", NOW) is True
        assert suppress(session, "staff's", "text", "complained", NOW) is False
    assert (suppression_of(engine, "h"), suppression_of(engine, "staff's")) == ("complained", "staff")


# --- replies ---


@pytest.mark.parametrize(
    "words", ["STOP", "stop", " Stop. ", "STOPALL", "stop all", "Unsubscribe!", "END", "quit", "Cancel", "REVOKE",
              "OPTOUT", "opt-out", "Arrêt", "ARRET", "ＳＴＯＰ", "“Stop”", "stop 🛑"],
)  # fmt: skip
def test_a_whole_message_that_says_stop_stops(words: str) -> None:
    assert read_reply(words) == "stop"


@pytest.mark.parametrize(
    "words",
    ["REMOVE", "remove me", "Wrong number!", "wrong person", "PARAR", "Cancelar", "número equivocado", "numero errado",
     "Sair", "arrêtez", "faux numéro", "STOPP", "Abmelden", "falsche Nummer", "basta", "numero sbagliato", "afmelden",
     "wypisz", "zły numer", "İPTAL", "iptal", "yanlış numara", "Dừng", "HUY", "berhenti", "salah nomor", "tigil",
     "СТОП", "стоп.", "Отписаться", "не тот номер", "відписатися", "ΣΤΟΠ", "στοπ", "إيقاف", "ايقاف", "توقف!", "الغاء",
     "رقم خاطئ", "لغو", "بند کرو", "עצור", "הסירו אותי", "बंद करो", "रुको", "गलत नंबर", "বন্ধ করুন", "நிறுத்து", "ఆపండి",
     "หยุด", "ยกเลิก", "停止", "停止。", "退订", "退訂", "取消",
     "やめて", "ストップ", "ｽﾄｯﾌﾟ", "配信停止", "중지", "수신 거부", "አቁም"],
)  # fmt: skip
def test_a_whole_message_that_says_stop_in_a_large_language_stops(words: str) -> None:
    assert read_reply(words) == "stop"


@pytest.mark.parametrize(
    "words", ["停止？", "إيقاف؟", "बाद", "बाद में", "да", "боль", "谢谢", "شكرا", "Peru", "duro", "はい"]
)
def test_an_ordinary_word_or_a_question_in_another_language_is_no_command(words: str) -> None:
    assert read_reply(words) == "person"


@pytest.mark.parametrize(
    "words", ["请不要再给我发短信了", "Пожалуйста, больше мне не пишите", "", "📷", "\ufffd\ufffd", "…", "спасибо"]
)
def test_what_cannot_be_read_here_holds_the_texts_until_a_person_has_read_it(
    sqlite_engine: Engine, settings: Settings, words: str
) -> None:
    assert reply(sqlite_engine, settings, words) == "person"
    assert suppression_of(sqlite_engine, hash_of(sqlite_engine, settings)) == "held for a person"
    [incident] = incidents_of(sqlite_engine)
    assert "cannot be read here" in incident


@pytest.mark.parametrize("words", ["2", "👍", "❤️", "ok 👍", "Größe 38, née Żółć", "see you at 9 🙂"])
def test_what_can_be_read_or_is_a_friendly_sign_holds_nothing(
    sqlite_engine: Engine, settings: Settings, words: str
) -> None:
    assert reply(sqlite_engine, settings, words) == "person"
    assert suppression_of(sqlite_engine, hash_of(sqlite_engine, settings)) is None


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


@trials(25)
@given(st.text())
def test_whatever_is_written_has_one_of_four_meanings(words: str) -> None:
    assert read_reply(words) in {"stop", "start", "help", "person"}


LIKE_STOP = [
    "please don't write to me any more", "Please STOP", "stop texting me!!", "can you stop texting me?", "STOP2",
    "Don’t text me again", "never contact me again", "I no longer want your messages", "no more texts", "take me off",
    "remove me from your list", "opt me out", "I want to opt out", "leave me alone", "unsubscribe me", "stpo", "🛑",
    "lose my number", "cancel my subscription", "cancel these texts", "not interested", "never again", "this is spam",
    "arrêtez", "ne m'écrivez plus", "plus de messages svp", "no me escriban", "Baja", "bitte nicht mehr schreiben",
    "Ａｂｍｅｌｄｅｎ", "I've had enough", "quit sending me these", "Stop.   Now.", "DO NOT CALL OR TEXT", "stop it",
]  # fmt: skip
NOT_LIKE_STOP = [
    "", "2", "thank you!", "stop by on Friday?", "I'll stop in at noon", "the pain won't stop", "by the bus stop",
    "restart the washing machine", "start at 9 works for me", "I need help with my bill", "Cancel?", "nonstop",
    "cancel my appointment on Friday please", "is there enough parking?", "I stopped taking the pills", "yes", "ok 👍",
    "who is this", "I never got the letter", "see you then", "can you call me back?", "it doesn't stop hurting",
]  # fmt: skip


@pytest.mark.parametrize("words", LIKE_STOP)
def test_other_wordings_that_may_mean_stop_are_noticed(words: str) -> None:
    # Some of them are a whole command by now; either way they stop.
    assert read_reply(words) in {"person", "stop"}
    assert sounds_like_stop(words)


@pytest.mark.parametrize("words", NOT_LIKE_STOP)
def test_ordinary_wordings_hold_nobody_back(words: str) -> None:
    assert read_reply(words) == "person"
    assert not sounds_like_stop(words)


PHONE = "+18025552671"


def reply(
    engine: Engine, settings: Settings, words: str, event_id: str = "r1", contact: str = PHONE, by: str = "twilio"
) -> str | None:
    key = load_key(engine, settings)
    said = Report(event_id, "replied", NOW, contact=contact, words=words, raw=b"raw")
    with writing(engine) as session:
        return record_reply(session, settings, key, by, said, NOW)


def hash_of(engine: Engine, settings: Settings, contact: str = PHONE, channel: str = "text") -> str:
    return contact_hash(load_key(engine, settings), channel, contact)


def acts_of(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as session:
        return [tuple(row) for row in session.exec(select(AuditEntry.actor, AuditEntry.act, AuditEntry.subject))]


@pytest.mark.parametrize("contact", [PHONE, "(802) 555-2671", "＋１ ８０２ ５５５ ２６７１", "tel:+1-802-555-2671"])
def test_row_25_stop_from_a_number_in_any_spelling_stops_texts_to_it(
    engine: Engine, settings: Settings, contact: str
) -> None:
    hashed = hash_of(engine, settings)
    with writing(engine) as session:
        add_approved(
            session, "A", "text", status="accepted", provider_id="theirs", accepted_at=NOW, contact_hash=hashed
        )
        add_approved(session, "B", "text", contact_hash=hashed, kind="referral_ask")
        add_approved(session, "C", "letter", contact_hash=hashed)
    assert reply(engine, settings, "Stop!", contact=contact) == "stop"
    assert suppression_of(engine, hashed) == "unsubscribed"
    assert acts_of(engine) == [("the recipient", "unsubscribed", "A")]
    with reading(engine) as session:
        event = session.get_one(Event, ("twilio", "r1"))
    assert (event.kind, event.reference, event.raw) == ("replied", "A", b"raw")
    report = deliver_due(engine, settings, CLOCK, "sender")
    assert (report.suppressed, report.sent) == (1, {"letter": 1})


def test_start_takes_back_a_stop_and_nothing_else(engine: Engine, settings: Settings) -> None:
    hashed = hash_of(engine, settings)
    assert reply(engine, settings, "STOP", "r1") == "stop"
    assert reply(engine, settings, "START", "r2") == "start"
    assert suppression_of(engine, hashed) is None
    assert [act for _, act, _ in acts_of(engine)] == ["unsubscribed", "subscribed again"]
    for source in ("bounced", "complained", "staff"):
        with writing(engine) as session:
            session.execute(delete(Suppression))
            suppress(session, hashed, "text", source, NOW)
        reply(engine, settings, "unstop", f"after {source}")
        assert suppression_of(engine, hashed) == source


def test_row_27_a_stop_that_comes_again_after_a_start_is_not_acted_on_twice(engine: Engine, settings: Settings) -> None:
    assert [reply(engine, settings, "STOP", "r1") for _ in range(2)] == ["stop", None]
    reply(engine, settings, "START", "r2")
    assert reply(engine, settings, "STOP", "r1") is None
    assert suppression_of(engine, hash_of(engine, settings)) is None
    assert reply(engine, settings, "STOP", "r3") == "stop"
    assert suppression_of(engine, hash_of(engine, settings)) == "unsubscribed"


def test_what_may_mean_stop_holds_the_texts_and_waits_for_a_person(engine: Engine, settings: Settings) -> None:
    hashed = hash_of(engine, settings)
    assert reply(engine, settings, "please don't text me again") == "person"
    assert suppression_of(engine, hashed) == "held for a person"
    [incident] = incidents_of(engine)
    assert "waits for a person" in incident
    assert PHONE not in incident
    assert reply(engine, settings, "STOP", "r2") == "stop"
    assert suppression_of(engine, hashed) == "unsubscribed"
    assert acts_of(engine) == [
        ("the recipient", "held for a person", hashed), ("the recipient", "unsubscribed", hashed),
    ]  # fmt: skip


def test_an_ordinary_reply_waits_for_a_person_and_holds_nothing(engine: Engine, settings: Settings) -> None:
    assert reply(engine, settings, "the tooth still hurts") == "person"
    assert reply(engine, settings, "stop it", "r2", contact="INFOSMS") == "person"
    assert incidents_of(engine) == ["a reply waits for a person"] * 2
    with reading(engine) as session:
        assert session.exec(select(Suppression)).all() == []


def test_help_is_answered_with_who_we_are_how_to_reach_us_and_how_to_stop(engine: Engine, settings: Settings) -> None:
    assert reply(engine, settings, "Info") == "help"
    assert incidents_of(engine) == []
    words = answer_help(settings.business)
    assert words == (
        "Alder Lane Dental: call +1 802 555 0140 or write to hello@alderlane.example. Reply STOP to get no more texts."
    )
    assert count_segments(words) == ("GSM-7", 1)


@pytest.mark.parametrize("kind", ["delivered", "bounced", "unsubscribed", "failed", "returned"])
@pytest.mark.parametrize("named", ["reference", "key", "provider_id too"])
def test_a_vendor_changes_nothing_of_a_message_that_another_carried(engine: Engine, kind: str, named: str) -> None:
    with writing(engine) as session:
        message = add_approved(
            session,
            "A",
            "text",
            status="accepted",
            provider="twilio",
            provider_id="SM1",
            accepted_at=NOW,
            contact_hash="h",
        )
        attempt = outbox_rows.new_attempt(message, 1, NOW, TODAY)
        attempt.outcome = "accepted"
        outbox_rows.add_attempts(session, [attempt])
    theirs = "SM1" if named == "provider_id too" else None
    with writing(engine) as session:
        said = (None, theirs, b"", "A.1") if named == "key" else ("A", theirs)
        assert record_event(session, "sendgrid", "e1", kind, NOW, NOW, *said) == "not ours"
    with writing(engine) as session:
        apply_waiting(session)
    # What the one who carried it says next does not bring the other's words into force either.
    with writing(engine) as session:
        assert record_event(session, "twilio", "e2", "in_transit", NOW, NOW, "A", "SM1") == "applied"
    with reading(engine) as session:
        assert session.get_one(Message, "A").status == "accepted"
        assert session.exec(select(Suppression)).all() == []
        assert len(session.exec(select(Incident)).all()) == 1
        assert session.exec(select(Pause)).all() == []


def test_an_event_that_comes_again_does_not_close_what_was_opened_since(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(
            session,
            "A",
            "email",
            status="accepted",
            provider="smtp",
            provider_id="1",
            accepted_at=NOW,
            contact_hash="h",
        )
    for seen in ("applied", "known"):
        with writing(engine) as session:
            assert record_event(session, "smtp", "e1", "bounced", NOW, NOW, "A", "1") == seen
        assert suppression_of(engine, "h", "email") == ("bounced" if seen == "applied" else None)
        with writing(engine) as session:
            session.execute(delete(Suppression))


def test_a_reply_by_e_mail_concerns_the_e_mail_address(engine: Engine, settings: Settings) -> None:
    reply(engine, settings, "unsubscribe", "by text", contact="MARIA@example.org")
    assert suppression_of(engine, hash_of(engine, settings, "maria@example.org", "email"), "email") is None
    reply(engine, settings, "unsubscribe", contact="MARIA@example.org", by="sendgrid")
    assert suppression_of(engine, hash_of(engine, settings, "maria@example.org", "email"), "email") == "unsubscribed"


def test_row_26_an_erased_person_who_is_imported_again_is_still_not_texted_and_nothing_shows_who_it_was(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    def import_maria() -> None:
        rows = ["customer_id", "given_name", "phone"], ["C9", "Maria", "(802) 555-2671"]
        write(tmp_path / "in", "customers.csv", *rows)
        assert list(import_folder(sqlite_engine, tmp_path / "in", settings, NOW).refusals) == []

    import_maria()
    reply(sqlite_engine, settings, "STOP")
    with writing(sqlite_engine) as session:
        for table in (Event, Webhook, Customer):
            session.execute(delete(table))
    with sqlite_engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())
    assert "suppressions" in dump
    # Bytes stand in a dump as hexadecimal digits.
    assert not re.search(r"Maria|555.?2671|5552671|4D61726961|35353532363731", dump)
    import_maria()
    key = load_key(sqlite_engine, settings)
    with reading(sqlite_engine) as session:
        people = load_people(session, settings, key, TODAY, ["C9"])
    assert people["C9"].suppressed == {"text"}


# --- webhooks that were kept ---


class Calling(Outbox):
    """Reads what a webhook reports from the request itself: "<kind> <reference> <id>", or nothing it can read."""

    name = "twilio"

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        if request.headers.get("signature") != "good":
            raise WebhookRefused("not signed")
        kind, reference, provider_id = request.body.decode().split()
        if kind == "replied":
            return [Report(provider_id, kind, request.received_at, contact=PHONE, words=reference)]
        return [Report(f"{kind} of {provider_id}", kind, request.received_at, reference, provider_id=provider_id)]


def kept(engine: Engine, said: str, signature: str = "good") -> int:
    headers = {"signature": signature, "cookie": "secret", "authorization": "secret"}
    return store_webhook(engine, "twilio", WebhookRequest("https://x.example/", headers, said.encode(), NOW))


def test_a_webhook_that_was_kept_before_a_crash_is_acted_on_by_the_next_run_and_only_once(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "text", status="accepted", provider="twilio", provider_id="SM1", accepted_at=NOW)
    carriers = {"twilio": Calling(tmp_path)}
    for said in ("delivered A SM1", "replied STOP SM2"):
        kept(engine, said)
    assert status_of(engine) == "accepted"
    assert apply_pending_webhooks(engine, settings, CLOCK, carriers) == 2
    assert (status_of(engine), suppression_of(engine, hash_of(engine, settings))) == ("delivered", "unsubscribed")
    assert apply_pending_webhooks(engine, settings, CLOCK, carriers) == 0
    with reading(engine) as session:
        rows = session.exec(select(Webhook)).all()
    assert {row.applied_at for row in rows} == {NOW}
    assert "secret" not in "".join(row.headers for row in rows)


def test_a_webhook_that_cannot_be_read_becomes_one_incident_and_keeps_no_other_waiting(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    carriers = {"twilio": Calling(tmp_path)}
    first = kept(engine, "delivered A SM1", signature="bad")
    kept(engine, "nonsense")
    kept(engine, "replied HELP SM2")
    assert [apply_pending_webhooks(engine, settings, CLOCK, carriers) for _ in range(3)] == [1, 0, 0]
    with reading(engine) as session:
        assert session.get_one(Webhook, first).applied_at is None
    assert len(incidents_of(engine)) == 3


def test_one_of_two_that_act_on_a_webhook_at_once_does_nothing(engine: Engine, settings: Settings) -> None:
    webhook_id = kept(engine, "replied HELP SM2")
    said = [Report("SM2", "replied", NOW, contact=PHONE, words="HELP")]
    assert [apply_webhook(engine, settings, webhook_id, said, NOW + days(n)) for n in range(2)] == [["help"], []]
    with reading(engine) as session:
        assert session.get_one(Webhook, webhook_id).applied_at == NOW


def test_webhooks_of_a_vendor_that_is_not_open_wait(engine: Engine, settings: Settings) -> None:
    kept(engine, "delivered A SM1")
    assert apply_pending_webhooks(engine, settings, CLOCK, {}) == 0
    with reading(engine) as session:
        assert session.exec(select(Webhook.applied_at)).all() == [None]


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
