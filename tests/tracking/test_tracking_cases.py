"""What only a person can close: open cases, replies that wait, and the do-not-contact list."""

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner

from approved import add_approved
from conftest import NOW, TODAY
from outreach.commands.main import app
from outreach.contacts import contact_hash, load_key
from outreach.database import reading, writing
from outreach.delivery import outbox as outbox_rows
from outreach.delivery.providers import Report
from outreach.errors import ApprovalError, NotAllowed, NotFound, NotWaiting
from outreach.models import AuditEntry, Customer, Incident, Message, Suppression
from outreach.settings import Settings
from outreach.tracking.do_not_contact import (
    REASONS_TO_LIFT,
    close_contact,
    closed_channels,
    decide_held,
    find_closed,
    find_owners,
    lift_contact,
    list_closed,
)
from outreach.tracking.events import HELD, LINK, record_event, suppress
from outreach.tracking.open_cases import close_incident, list_open_incidents, list_open_messages
from outreach.tracking.replies import record_reply
from waiting import hire, statuses

PHONE = "+18025550140"


@pytest.fixture(autouse=True)
def _people(engine: Engine) -> None:
    hire(engine, "jon")
    hire(engine, "ada", "admin")


def suppression_of(engine: Engine, hashed: str, channel: str = "text") -> str | None:
    with reading(engine) as session:
        known = session.get(Suppression, (hashed, channel))
        return known.source if known else None


def reply(engine: Engine, settings: Settings, words: str) -> str:
    """A text of ours that somebody answers in these words; the hash of their number."""
    key = load_key(engine, settings)
    hashed = contact_hash(key, "text", PHONE)
    with writing(engine) as session:
        if session.get(Message, "A") is None:
            add_approved(session, "A", "text", status="accepted", provider_id="t", accepted_at=NOW, contact_hash=hashed)
            session.flush()
        said = Report(f"sid {words}", "replied", NOW, contact=PHONE, words=words, raw=b"raw")
        record_reply(session, settings, key, "twilio", said, NOW)
    return hashed


# --- open cases ---


def test_what_left_without_an_answer_is_listed_with_every_try(engine: Engine) -> None:
    with writing(engine) as session:
        for reference, status in (("A", "uncertain"), ("B", "needs_person"), ("C", "accepted")):
            message = add_approved(session, reference, status=status, lease_until=NOW, provider_id=f"p{reference}")
            outbox_rows.add_attempts(session, [outbox_rows.new_attempt(message, 1, NOW, TODAY)])
    with reading(engine) as session:
        found, more = list_open_messages(session)
    assert [(one.message.reference, [a.key for a in one.attempts]) for one in found] == [
        ("B", ["B.1"]), ("A", ["A.1"]),
    ]  # fmt: skip
    assert not more


def test_a_reply_that_waits_is_shown_in_its_own_words_and_its_contact_decided_on(
    engine: Engine, settings: Settings
) -> None:
    hashed = reply(engine, settings, "please leave me alone")
    with reading(engine) as session:
        ([found], _) = list_open_incidents(session)
    assert (found.words, found.held, found.recipient_id) == (
        "please leave me alone", (hashed, "text"), "customer of A",
    )  # fmt: skip
    with writing(engine) as session:
        close_incident(session, found.incident.incident_id or 0, "called them", "jon", NOW)
    with reading(engine) as session:
        assert list_open_incidents(session) == ([], False)
        assert session.exec(select(Incident.note)).one() == "called them"


@pytest.mark.parametrize(("keep", "source"), [(True, "unsubscribed"), (False, None)])
def test_a_contact_that_was_held_is_closed_for_good_or_opened_again(
    engine: Engine, settings: Settings, keep: bool, source: str | None
) -> None:
    hashed = reply(engine, settings, "no more texts")
    with writing(engine) as session:
        decide_held(session, hashed, "text", keep, "jon", NOW)
    assert suppression_of(engine, hashed) == source
    with pytest.raises((NotWaiting, NotFound)), writing(engine) as session:
        decide_held(session, hashed, "text", False, "jon", NOW)
    assert suppression_of(engine, hashed) == source


@pytest.mark.parametrize("keep", [True, False])
def test_deciding_on_what_they_wrote_never_opens_what_staff_closed(
    engine: Engine, settings: Settings, keep: bool
) -> None:
    hashed = reply(engine, settings, "no more texts")
    close_contact(engine, settings, PHONE, "", "jon", NOW)
    with writing(engine) as session:
        decide_held(session, hashed, "text", keep, "jon", NOW)
    assert suppression_of(engine, hashed) == "desk"
    with writing(engine) as session:
        lift_contact(session, hashed, "text", "ada", REASONS_TO_LIFT[0], NOW)
    assert suppression_of(engine, hashed) == ("unsubscribed" if keep else None)


def test_an_incident_is_closed_once_with_a_note_by_an_approver(engine: Engine) -> None:
    hire(engine, "wendy", "writer")
    with writing(engine) as session:
        outbox_rows.record_incident(session, "lob", None, "odd", NOW)
        session.flush()
        number = session.exec(select(Incident.incident_id)).one() or 0
    for note, by, error in (("", "jon", ApprovalError), ("seen", "wendy", NotAllowed)):
        with pytest.raises(error), writing(engine) as session:
            close_incident(session, number, note, by, NOW)
    with writing(engine) as session:
        close_incident(session, number, "seen", "jon", NOW)
    with pytest.raises(NotWaiting), writing(engine) as session:
        close_incident(session, number, "seen", "jon", NOW)
    with pytest.raises(NotFound), writing(engine) as session:
        close_incident(session, 999, "seen", "jon", NOW)


# --- the do-not-contact list ---


@pytest.mark.parametrize(
    ("typed", "postal_code", "channels"),
    [
        ("Maria@Example.org", "", {"email"}),
        ("(802) 555-0140", "", {"call", "text"}),
        ("27 Orchard Terrace\nWinooski", "05404", {"letter"}),
    ],
)
def test_a_contact_is_put_on_the_list_by_hand_found_again_and_lifted_by_an_admin(
    engine: Engine, settings: Settings, typed: str, postal_code: str, channels: set[str]
) -> None:
    close_contact(engine, settings, typed, postal_code, "jon", NOW)
    found = find_closed(engine, settings, typed.upper(), postal_code)
    assert {(one.channel, one.source) for one in found} == {(channel, "desk") for channel in channels}
    for one in found:
        with pytest.raises(NotAllowed), writing(engine) as session:
            lift_contact(session, one.contact_hash, one.channel, "jon", REASONS_TO_LIFT[0], NOW)
        with pytest.raises(ApprovalError, match="Choose why"), writing(engine) as session:
            lift_contact(session, one.contact_hash, one.channel, "ada", "because Maria said so", NOW)
        with writing(engine) as session:
            lift_contact(session, one.contact_hash, one.channel, "ada", REASONS_TO_LIFT[0], NOW)
    assert find_closed(engine, settings, typed, postal_code) == []


@pytest.mark.parametrize("source", ["complained", "unsubscribed", "returned", HELD])
def test_nobody_lifts_what_neither_staff_nor_a_bounce_wrote(engine: Engine, source: str) -> None:
    with writing(engine) as session:
        suppress(session, "h", "email", source, NOW)
    with pytest.raises(NotWaiting, match="nobody lifts that"), writing(engine) as session:
        lift_contact(session, "h", "email", "ada", REASONS_TO_LIFT[0], NOW)
    assert suppression_of(engine, "h", "email") == source


def test_what_was_said_of_a_contact_before_and_after_staff_closed_it_stands_once_they_lift_it(engine: Engine) -> None:
    # What they asked for stands above what became of a message, so that a bounce never takes its place.
    for hashed, order in (("h", ("unsubscribed", "desk", "bounced")), ("g", ("desk", "complained", "returned"))):
        with writing(engine) as session:
            for source in order:
                suppress(session, hashed, "email", source, NOW)
        assert suppression_of(engine, hashed, "email") == "desk"
        with writing(engine) as session:
            lift_contact(session, hashed, "email", "ada", REASONS_TO_LIFT[0], NOW)
    assert (suppression_of(engine, "h", "email"), suppression_of(engine, "g", "email")) == (
        "unsubscribed",
        "complained",
    )


def test_an_admin_lifts_what_a_bounce_closed_and_never_what_the_person_asked_for(engine: Engine) -> None:
    with writing(engine) as session:
        suppress(session, "h", "email", "bounced", NOW)
        for order in (("unsubscribed", "bounced"), ("bounced", "unsubscribed")):
            for source in order:
                suppress(session, f"{order[0]} first", "email", source, NOW)
    with pytest.raises(NotAllowed), writing(engine) as session:
        lift_contact(session, "h", "email", "jon", "the address works", NOW)
    with writing(engine) as session:
        lift_contact(session, "h", "email", "ada", "the address works", NOW)
    assert suppression_of(engine, "h", "email") is None
    for hashed in ("unsubscribed first", "bounced first"):
        with pytest.raises(NotWaiting, match="nobody lifts that"), writing(engine) as session:
            lift_contact(session, hashed, "email", "ada", "the address works", NOW)
        assert suppression_of(engine, hashed, "email") == "unsubscribed"
    with reading(engine) as session:
        acts = session.exec(select(AuditEntry.act, AuditEntry.detail)).all()
    assert ("taken off the do-not-contact list", "email: the address works") in acts


def test_a_bounce_that_an_earlier_version_wrote_over_an_opt_out_is_not_lifted(engine: Engine) -> None:
    with writing(engine) as session:
        add_approved(session, "A", "email", contact_hash="h", status="accepted", provider_id="theirs", accepted_at=NOW)
        record_event(session, LINK, "A", "unsubscribed", NOW, NOW, "A")
        session.get_one(Suppression, ("h", "email")).source = "bounced"
    with pytest.raises(NotWaiting), writing(engine) as session:
        lift_contact(session, "h", "email", "ada", "the address works", NOW)


def test_the_command_lifts_what_a_bounce_closed(engine: Engine, settings: Settings) -> None:
    hashed = contact_hash(load_key(engine, settings), "email", "zoe@x.example")
    with writing(engine) as session:
        suppress(session, hashed, "email", "bounced", NOW)

    def run(*more: str) -> int:
        words = ["people", "reopen", "zoe@x.example", "--reason", "the address works", *more]
        where = ["--database", engine.url.render_as_string(hide_password=False), "--now", NOW.isoformat()]
        return CliRunner(env={"OUTREACH_SECRET": "a secret for tests only"}).invoke(app, [*words, *where]).exit_code

    assert run("--by", "jon") == 1
    assert suppression_of(engine, hashed, "email") == "bounced"
    assert run("--by", "ada") == 0
    assert suppression_of(engine, hashed, "email") is None
    assert run("--by", "ada") == 1


def test_a_contact_put_on_the_list_pulls_back_what_is_open_to_it(engine: Engine, settings: Settings) -> None:
    hashed = contact_hash(load_key(engine, settings), "email", "them@x.example")
    with writing(engine) as session:
        add_approved(session, "A", "email", contact_hash=hashed)
    assert close_contact(engine, settings, "them@x.example", "", "jon", NOW).withdrawn == 1
    assert statuses(engine) == {"A": "suppressed"}


@pytest.mark.parametrize("typed", ["", "hello", "12", "not@an@address", "; ;"])
def test_what_is_no_contact_is_refused(engine: Engine, settings: Settings, typed: str) -> None:
    with pytest.raises(ApprovalError, match="no e-mail address"):
        close_contact(engine, settings, typed, "", "jon", NOW)


def test_the_list_is_paged_the_latest_first_and_says_whose_a_contact_is(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        for number in range(51):
            suppress(session, f"h{number:02}", "email", "bounced", NOW)
        add_approved(session, "A", "email", contact_hash="h50", status="failed")
    with reading(engine) as session:
        first, more = list_closed(session)
        second, none = list_closed(session, 2)
        assert list_closed(session, 1, "complained") == ([], False)
    assert (len(first), more, len(second), none) == (50, True, 1, False)
    assert second[0].customers == ("customer of A",)
    assert {one.contact_hash for one in first} | {second[0].contact_hash} == {f"h{number:02}" for number in range(51)}


def test_whose_a_contact_is_is_found_among_all_customers_in_any_spelling(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.tracking.do_not_contact.AT_ONCE", 2)
    emails = {"c1": "MARIA@example.org", "c2": "otto@example.org", "c3": None, "c4": "maria@EXAMPLE.org"}
    with writing(engine) as session:
        session.add_all(Customer(customer_id=name, email=email) for name, email in emails.items())
    close_contact(engine, settings, "maria@example.org", "", "jon", NOW)
    (closed,) = find_closed(engine, settings, "maria@example.org")
    assert find_owners(engine, settings, closed.contact_hash, "email") == ["c1", "c4"]
    with reading(engine) as session:
        maria, otto = session.get_one(Customer, "c1"), session.get_one(Customer, "c2")
    assert closed_channels(engine, settings, maria) == {"email": "desk"}
    assert closed_channels(engine, settings, otto) == {}


def test_the_audit_of_the_list_holds_hashes_only(engine: Engine, settings: Settings) -> None:
    close_contact(engine, settings, "maria@example.org", "", "jon", NOW)
    with reading(engine) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.actor == "jon")).one()
    assert (entry.act, entry.detail, len(entry.subject)) == ("put on the do-not-contact list", "email", 64)
