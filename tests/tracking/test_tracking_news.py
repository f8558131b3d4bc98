"""What staff learn of a person with one tap: what is on record afterwards, what is pulled back, how it is undone."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress as suppress_errors
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

import grounds
from approved import add_approved, days
from conftest import NOW, TODAY
from intake_data import import_folder, write
from ledger import Vendor
from outreach.approval.approving import approve_batch
from outreach.approval.open_batches import open_batches
from outreach.clock import stopped_clock
from outreach.contacts import contact_hash, load_key
from outreach.database import insert_new, reading, writing
from outreach.delivery import outbox as outbox_rows
from outreach.delivery.sender import deliver_due
from outreach.errors import ApprovalError, NotAllowed, NotFound, NotWaiting
from outreach.models import AuditEntry, Batch, Consent, Customer, Decision, Flag, Message, Suppression
from outreach.planning.contact_cards import load_people
from outreach.settings import Settings
from outreach.tracking.do_not_contact import close_contact
from outreach.tracking.events import suppress
from outreach.tracking.news import FLAGS, NEWS, news_of, record_news, take_back_news
from outreach.tracking.pulling_back import PullReport
from waiting import hire, require_true_seals, statuses

MARIA = {"email": "maria@example.org", "phone": "+1 802 555 2671", "household_id": "h1"}
HOME = {"address_line1": "27 Orchard Terrace", "city": "Winooski", "region": "VT", "postal_code": "05404"}


@pytest.fixture(autouse=True)
def _people(engine: Engine) -> None:
    hire(engine, "jon")
    with writing(engine) as session:
        session.add(Customer(customer_id="maria", given_name="Maria", **MARIA, **HOME))


def add(engine: Engine, reference: str, customer: str = "maria", **values: Any) -> None:
    with writing(engine) as session:
        insert_new(session, Customer, [{"customer_id": customer}])
        # Each on an occasion of its own: a treatment of another day.
        before = len(session.exec(select(Message).where(Message.customer_id == customer)).all())
        known = {"customer_id": customer, "occasion": str(TODAY - days(before))} | values
        add_approved(session, reference, known.pop("channel", "letter"), **known)


def tell(engine: Engine, settings: Settings, what: str, at: datetime = NOW, **more: Any) -> PullReport:
    return record_news(engine, settings, more.pop("customer", "maria"), what, "jon", at, **more)


def take_back(engine: Engine, settings: Settings, what: str, at: datetime = NOW) -> None:
    take_back_news(engine, settings, "maria", what, "jon", at)


def message_of(engine: Engine, reference: str) -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


def acts(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.actor == "jon").order_by(AuditEntry.sequence))
        return [(entry.act, entry.subject) for entry in entries]


def suppressions(engine: Engine) -> dict[tuple[str, str], str]:
    with reading(engine) as session:
        return {(row.contact_hash, row.channel): row.source for row in session.exec(select(Suppression))}


def consents(engine: Engine) -> set[tuple[str, str, str, datetime]]:
    with reading(engine) as session:
        return {(row.channel, row.purpose, row.state, row.at) for row in session.exec(select(Consent))}


def known(engine: Engine, settings: Settings) -> list[str]:
    with reading(engine) as session:
        return list(news_of(session, settings, session.get_one(Customer, "maria"), TODAY))


# --- pulled back ---


@pytest.mark.parametrize("what", NEWS)
def test_one_tap_withdraws_whatever_is_open_for_a_person_and_leaves_everybody_else_alone(
    engine: Engine, settings: Settings, what: str
) -> None:
    for number, status in enumerate(("planned", "composed", "held", "approved")):
        add(engine, f"M{number}", status=status, batch_id="B1" if status == "approved" else None)
        add(engine, f"O{number}", "otto", status=status, batch_id="B1" if status == "approved" else None)
    report = tell(engine, settings, what)
    assert (report.withdrawn, report.left) == (4, 0)
    found = statuses(engine)
    assert {found[f"M{number}"] for number in range(4)} <= {"withdrawn", "suppressed"}
    assert [found[f"O{number}"] for number in range(4)] == ["planned", "composed", "held", "approved"]
    assert all(message_of(engine, f"M{number}").status_reason for number in range(4))
    assert acts(engine)[-1] == (f"{what} recorded", "maria")


def test_the_batch_of_what_was_withdrawn_is_sealed_anew_and_only_shrinks(engine: Engine, settings: Settings) -> None:
    for reference, customer in (("A", "maria"), ("B", "otto"), ("C", "pia")):
        add(engine, reference, customer, status="composed", batch_id=None, cost=105)
    open_batches(engine, settings, TODAY, NOW)
    tell(engine, settings, "hardship")
    with reading(engine) as session:
        (batch,) = session.exec(select(Batch).where(Batch.status == "waiting"))
        assert (batch.count, batch.cost) == (2, 210)
        require_true_seals(session)


def test_what_a_sender_has_claimed_and_not_handed_over_is_taken_from_it(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    with writing(engine) as session:
        (claim,) = outbox_rows.claim_due(
            session, "sender", {"outbox"}, TODAY, NOW, NOW + timedelta(minutes=5), 9, "new", after=None
        )
    assert tell(engine, settings, "died").withdrawn == 1
    with writing(engine) as session:
        assert outbox_rows.require_claims(session, [claim]) == []
    assert statuses(engine) == {"A": "withdrawn"}


def test_what_may_have_left_is_left_to_the_sender_and_counted(engine: Engine, settings: Settings) -> None:
    for reference, status in (("A", "sending"), ("B", "uncertain"), ("C", "needs_person"), ("D", "accepted")):
        add(engine, reference, status=status, owner="sender", lease_until=NOW, provider_id=f"their {reference}")
    with writing(engine) as session:
        outbox_rows.add_attempts(session, [outbox_rows.open_attempt(session.get_one(Message, "A"), [], NOW, TODAY)])
    report = tell(engine, settings, "died")
    assert (report.withdrawn, report.left) == (0, 4)
    assert statuses(engine) == {"A": "sending", "B": "uncertain", "C": "needs_person", "D": "accepted"}


def test_a_letter_that_has_long_arrived_is_not_counted_as_on_its_way(engine: Engine, settings: Settings) -> None:
    gone = {"status": "accepted", "provider_id": "theirs", "send_on": TODAY - days(30)}
    add(engine, "A", useful_until=TODAY - days(1), **gone)
    assert tell(engine, settings, "moved").left == 0


def test_what_a_vendor_has_not_printed_is_cancelled_there_and_its_postage_counted(
    engine: Engine, settings: Settings
) -> None:
    vendor = Vendor(keyed=True)
    vendor.cancel_window = timedelta(hours=4)
    add(engine, "A", cost=105)
    add(engine, "B", "otto", cost=105)
    deliver_due(engine, settings, stopped_clock(NOW), "sender", providers={"outbox": vendor})
    report = tell(engine, settings, "bereaved", NOW + timedelta(hours=1), providers={"outbox": vendor})
    assert (report.cancelled, report.saved, report.left, report.problem) == (1, 105, 0, "")
    assert statuses(engine) == {"A": "cancelled", "B": "accepted"}
    assert "mourning" in (message_of(engine, "A").status_reason or "")


def test_news_stands_though_the_vendor_does_not_answer(engine: Engine, settings: Settings) -> None:
    vendor = Vendor(keyed=True)
    vendor.cancel_window = timedelta(hours=4)
    add(engine, "A")
    deliver_due(engine, settings, stopped_clock(NOW), "sender", providers={"outbox": vendor})
    vendor.is_down = True
    report = tell(engine, settings, "died", NOW, providers={"outbox": vendor})
    assert (report.cancelled, report.left) == (0, 1)
    assert known(engine, settings) == ["died"]


def test_news_and_an_approval_at_one_moment_let_nothing_of_theirs_go(engine: Engine, settings: Settings) -> None:
    """Whichever of them comes first, and though the button was pressed twice."""
    add(engine, "A", status="composed", batch_id=None)
    add(engine, "B", "otto", status="composed", batch_id=None)
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    hire(engine, "ada")

    def approve() -> None:
        with suppress_errors(ApprovalError):
            approve_batch(engine, settings, batch.batch_id, "ada", NOW, "desk")

    tap = partial(tell, engine, settings, "died")
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(act) for act in (tap, approve, tap)]:
            done.result()
    found = statuses(engine)
    assert found["A"] == "withdrawn"
    assert found["B"] in {"approved", "composed"}


# --- messages about them to others, and to them about others ---


def share(engine: Engine, *wards: str) -> None:
    """One message to maria that names both wards, as planning and composing leave it."""
    with writing(engine) as session:
        child = {"given_name": "Ben", "born_on": date(2018, 1, 1), "guardian_id": "maria"}
        insert_new(session, Customer, [child | {"customer_id": ward} for ward in wards])
    add(engine, "W", wards[0], recipient_id="maria")
    with writing(engine) as session:
        for ward in wards:
            moment = grounds.add_moment(session, "checkin", ward, TODAY)
            said = {"moment_id": moment, "sequence": 1, "run_on": TODAY, "outcome": "send", "rule": "send"}
            insert_new(session, Decision, [said | {"reason": "by letter", "reference": "W"}])


@pytest.mark.parametrize("ward", ["ben", "cat"])
def test_a_letter_that_names_two_wards_is_withdrawn_when_either_has_died(
    engine: Engine, settings: Settings, ward: str
) -> None:
    share(engine, "ben", "cat")
    assert tell(engine, settings, "died", customer=ward).withdrawn == 1
    assert (message_of(engine, "W").status, message_of(engine, "W").status_reason) == ("withdrawn", "they have died")


@pytest.mark.parametrize("what", ["hardship", "wrong_person"])
def test_nobody_with_a_flag_is_written_to_in_the_childrens_place(engine: Engine, settings: Settings, what: str) -> None:
    """Planning writes to guardians without a flag only, and asked again it says the same."""
    share(engine, "ben", "cat")
    assert tell(engine, settings, what).withdrawn == 1
    assert "has a flag on record" in (message_of(engine, "W").status_reason or "")


def test_a_death_also_holds_what_was_for_the_household(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        session.add(Customer(customer_id="otto", household_id="h1"))
    add(engine, "A", "otto")
    add(engine, "B", "somebody else")
    assert tell(engine, settings, "died").withdrawn == 1
    assert statuses(engine) == {"A": "withdrawn", "B": "approved"}


def test_a_letter_to_somebody_who_has_moved_does_not_go_to_their_old_address(
    engine: Engine, settings: Settings
) -> None:
    """Also where the flag came by import, after the letter was approved."""
    add(engine, "A", kind="checkin")
    with writing(engine) as session:
        session.add(Flag(customer_id="maria", kind="moved", from_on=TODAY))
    deliver_due(engine, settings, stopped_clock(NOW), "sender")
    assert (message_of(engine, "A").status, message_of(engine, "A").status_reason) == ("withdrawn", "they have moved")


# --- on record ---


def test_a_death_is_dated_today_unless_an_earlier_day_is_known(engine: Engine, settings: Settings) -> None:
    tell(engine, settings, "died")
    with reading(engine) as session:
        assert session.get_one(Customer, "maria").died_on == TODAY
    with writing(engine) as session:
        session.get_one(Customer, "maria").died_on = date(2026, 3, 1)
    tell(engine, settings, "died")
    with reading(engine) as session:
        assert session.get_one(Customer, "maria").died_on == date(2026, 3, 1)


@pytest.mark.parametrize("kind", FLAGS)
def test_a_flag_stands_from_today_until_it_is_taken_back(engine: Engine, settings: Settings, kind: str) -> None:
    def stands() -> bool:
        with reading(engine) as session:
            key = load_key(engine, settings)
            return kind in load_people(session, settings, key, TODAY, ["maria"])["maria"].flags

    tell(engine, settings, kind)
    tell(engine, settings, kind)
    assert stands()
    take_back(engine, settings, kind)
    assert not stands()
    tell(engine, settings, kind)
    assert stands()


def test_a_new_bereavement_counts_though_an_old_one_was_never_ended(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        session.add(Flag(customer_id="maria", kind="bereaved", from_on=date(2020, 1, 1)))
    tell(engine, settings, "bereaved")
    add(engine, "A")
    deliver_due(engine, settings, stopped_clock(NOW), "sender")
    assert statuses(engine) == {"A": "withdrawn"}


def test_a_stop_closes_every_channel_and_withdraws_every_consent(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        session.add(Flag(customer_id="maria", kind="confidential", from_on=TODAY, note="email: other@example.org"))
    add(engine, "A", channel="email", status="delivered", contact_hash="an address of before")
    tell(engine, settings, "stop")
    key = load_key(engine, settings)
    closed = suppressions(engine)
    for channel, contact in (("email", "maria@example.org"), ("email", "other@example.org"), ("text", "+18025552671")):
        assert closed.pop((contact_hash(key, channel, contact), channel)) == "asked"
    assert sorted(channel for _, channel in closed) == ["call", "email", "letter"]
    assert closed["an address of before", "email"] == "asked"
    with reading(engine) as session:
        # What they had agreed to before stays on record, and counts no more.
        since = select(Consent).where(Consent.customer_id == "maria", Consent.at == NOW)
        said = session.exec(since).all()
    assert len({(row.channel, row.purpose) for row in said}) == 8
    assert {row.state for row in said} == {"withdrawn"}


def test_a_stop_also_stops_what_goes_to_the_same_contact_for_somebody_else(engine: Engine, settings: Settings) -> None:
    key = load_key(engine, settings)
    hashed = contact_hash(key, "email", "maria@example.org")
    add(engine, "A", "otto", channel="email", contact_hash=hashed)
    assert tell(engine, settings, "stop").withdrawn == 1
    assert statuses(engine) == {"A": "suppressed"}


# --- taken back ---


def test_a_slip_of_the_finger_is_undone_and_what_was_withdrawn_stays_so(engine: Engine, settings: Settings) -> None:
    add(engine, "A")
    agreed = consents(engine)
    for what in NEWS:
        tell(engine, settings, what)
    assert known(engine, settings) == list(NEWS)
    assert consents(engine) != agreed
    for what in NEWS:
        take_back(engine, settings, what)
    assert known(engine, settings) == []
    assert suppressions(engine) == {}
    assert consents(engine) == agreed
    with reading(engine) as session:
        assert session.get_one(Customer, "maria").died_on is None
    assert statuses(engine) == {"A": "withdrawn"}
    with pytest.raises(NotWaiting, match="taken back already"):
        take_back(engine, settings, "died")
    assert acts(engine)[-1] == ("stop taken back", "maria")


def test_taking_a_stop_back_lifts_only_what_that_tap_closed(engine: Engine, settings: Settings) -> None:
    key = load_key(engine, settings)
    email, text = (
        contact_hash(key, channel, contact)
        for channel, contact in (("email", "maria@example.org"), ("text", "+18025552671"))
    )
    with writing(engine) as session:
        suppress(session, email, "email", "complained", NOW)
    tell(engine, settings, "stop")
    with writing(engine) as session:
        assert suppress(session, text, "text", "unsubscribed", NOW) is False
    assert suppressions(engine)[email, "email"] == "asked"
    take_back(engine, settings, "stop")
    assert suppressions(engine) == {(email, "email"): "complained", (text, "text"): "unsubscribed"}


def test_taking_a_stop_back_leaves_what_staff_had_closed_before(engine: Engine, settings: Settings) -> None:
    close_contact(engine, settings, "maria@example.org", "", "jon", NOW - days(1))
    tell(engine, settings, "stop")
    take_back(engine, settings, "stop")
    hashed = contact_hash(load_key(engine, settings), "email", "maria@example.org")
    assert suppressions(engine) == {(hashed, "email"): "desk"}


def test_a_stop_of_another_day_is_no_slip_of_the_finger(engine: Engine, settings: Settings) -> None:
    tell(engine, settings, "stop")
    with pytest.raises(NotWaiting, match="an admin lifts it"):
        take_back(engine, settings, "stop", NOW + days(1))
    assert known(engine, settings) == ["stop"]


def test_the_consents_a_customer_gave_before_stand_again_when_a_stop_is_taken_back(
    engine: Engine, settings: Settings
) -> None:
    given = Consent(
        customer_id="maria", channel="email", purpose="marketing", at=NOW - days(9), state="granted", source="desk"
    )
    with writing(engine) as session:
        session.add(given)
    tell(engine, settings, "stop")
    take_back(engine, settings, "stop")
    with reading(engine) as session:
        assert [(row.state, row.at) for row in session.exec(select(Consent))] == [("granted", NOW - days(9))]


# --- imports ---


def test_no_import_clears_a_death_a_flag_or_a_stop_of_the_desk(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    folder, day = tmp_path / "data", TODAY.isoformat()
    for what in NEWS:
        tell(engine, settings, what)
    write(folder, "customers.csv", ["customer_id", "given_name", "died_on"], ["maria", "Mary", ""])
    ended = [["maria", kind, day, day, "import", "over"] for kind in FLAGS]
    write(folder, "flags.csv", ["customer_id", "kind", "from", "until", "source", "note"], *ended)
    granted = [["maria", channel, "service", "granted", "2026-03-11T09:00"] for channel in ("letter", "email")]
    write(folder, "consents.csv", ["customer_id", "channel", "purpose", "state", "at"], *granted)
    report = import_folder(engine, folder, settings, NOW + days(1))
    assert report.refusals == []
    assert known(engine, settings) == list(NEWS)
    assert len(suppressions(engine)) == 4
    with reading(engine) as session:
        assert session.get_one(Customer, "maria").given_name == "Mary"


def test_an_import_may_know_of_an_earlier_death_and_never_of_a_later_one(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    tell(engine, settings, "died")
    for said, stands in (("2099-01-01", TODAY), ("2026-03-07", date(2026, 3, 7))):
        write(tmp_path / "data", "customers.csv", ["customer_id", "died_on"], ["maria", said])
        import_folder(engine, tmp_path / "data", settings, NOW)
        with reading(engine) as session:
            assert session.get_one(Customer, "maria").died_on == stands


def test_an_import_still_ends_flags_that_are_not_of_the_desk(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    row = ["maria", "hardship", "2026-03-01"]
    for until in ("", "2026-03-05"):
        write(tmp_path / "data", "flags.csv", ["customer_id", "kind", "from", "until"], [*row, until])
        import_folder(engine, tmp_path / "data", settings, NOW)
    with reading(engine) as session:
        assert session.get_one(Flag, ("maria", "hardship", date(2026, 3, 1))).until_on == date(2026, 3, 5)


# --- who may ---


def test_only_approvers_record_news_and_only_of_customers(engine: Engine, settings: Settings) -> None:
    hire(engine, "wendy", "writer")
    with pytest.raises(NotAllowed):
        record_news(engine, settings, "maria", "died", "wendy", NOW)
    with pytest.raises(NotAllowed):
        take_back_news(engine, settings, "maria", "died", "wendy", NOW)
    with pytest.raises(NotFound, match="no customer “nobody”"):
        record_news(engine, settings, "nobody", "died", "jon", NOW)
    with pytest.raises(ApprovalError, match="choose one of died"):
        record_news(engine, settings, "maria", "happy", "jon", NOW)
    assert known(engine, settings) == []


def test_the_audit_of_news_holds_ids_only(engine: Engine, settings: Settings) -> None:
    tell(engine, settings, "stop")
    with reading(engine) as session:
        entries = session.exec(select(AuditEntry)).all()
    said = " ".join(f"{entry.act} {entry.subject} {entry.detail}" for entry in entries)
    assert "stop recorded maria" in said
    assert not {"Maria", "maria@example.org", "5552671", "Orchard"} & set(said.replace(":", " ").split())
