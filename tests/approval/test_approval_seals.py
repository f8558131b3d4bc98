"""What an approver looked at is what they approve: older pages, shrunken batches, edits, and who may not approve."""

import contextlib
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from budget import trials
from conftest import NOW, TODAY
from outreach.approval.authors import authors_of
from outreach.approval.batches import messages_to_approve
from outreach.approval.edits import edit_message
from outreach.approval.held_messages import hold_message, release_message
from outreach.approval.open_batches import open_batches
from outreach.approval.rejections import reject
from outreach.approval.withdrawals import withdraw_stopped
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.errors import ApprovalError, ChangedSince, NotAllowed, NotWaiting, NowFewer, SamePerson
from outreach.models import AuditEntry, Batch, Content, Customer, KnobVersion, Message, Suppression, TemplateVersion
from outreach.settings import Settings
from sealed_batches import alone
from waiting import (
    ANNIVERSARY,
    approve,
    batch_of,
    compose,
    hire,
    message_of,
    open_one,
    require_true_seals,
    statuses,
)


def opt_out(engine: Engine, reference: str) -> None:
    with writing(engine) as session:
        said = {"contact_hash": f"hash of {reference}", "channel": "letter", "source": "unsubscribed", "at": NOW}
        session.add(Suppression(**said))


def die(engine: Engine, reference: str) -> None:
    with writing(engine) as session:
        session.get_one(Customer, f"customer of {reference}").died_on = TODAY


def save_template(engine: Engine, name: str, by: str, source: str | None = "<p>x</p>", days: int = -1) -> None:
    with writing(engine) as session:
        session.add(TemplateVersion(name=name, source=source, by=by, at=NOW + timedelta(days=days)))


def test_the_seal_count_and_cost_on_the_page_are_what_is_approved(engine: Engine, settings: Settings) -> None:
    batch = open_one(engine, settings, "A", "B")
    approve(engine, settings, seal=batch.seal, count=2, cost=210)
    assert statuses(engine) == {"A": "approved", "B": "approved"}


@pytest.mark.parametrize("other", [{"count": 3}, {"count": 0}, {"cost": 105}, {"cost": 0}, {"seal": "f" * 64}])
def test_row_21_a_hash_count_or_cost_of_another_page_approves_nothing(
    engine: Engine, settings: Settings, other: dict[str, object]
) -> None:
    batch = open_one(engine, settings, "A", "B")
    with pytest.raises(ChangedSince, match="Look at it again") as refused:
        approve(engine, settings, **{"seal": batch.seal, "count": 2, "cost": 210} | other)
    assert not isinstance(refused.value, NowFewer)
    assert statuses(engine) == {"A": "composed", "B": "composed"}


def test_an_opt_out_shrinks_the_batch_and_asks_for_one_more_tap(engine: Engine, settings: Settings) -> None:
    seen = open_one(engine, settings, "A", "B", "C")
    opt_out(engine, "B")
    with pytest.raises(NowFewer, match="is now 2, 1 fewer than you looked at") as fewer:
        approve(engine, settings, seal=seen.seal, count=3, cost=315)
    now = fewer.value
    assert now.gone == {"B": "withdrawn, they asked us not to use this contact, or it no longer reaches them"}
    assert (now.count, now.cost, now.seal) == (2, 210, batch_of(engine).seal)
    assert statuses(engine) == {"A": "composed", "B": "withdrawn", "C": "composed"}
    approve(engine, settings, seal=now.seal, count=now.count, cost=now.cost)
    assert statuses(engine) == {"A": "approved", "B": "withdrawn", "C": "approved"}


def test_all_that_went_since_the_page_was_opened_is_told_and_nothing_from_before(
    sqlite_engine: Engine, settings: Settings
) -> None:
    open_one(sqlite_engine, settings, "A", "B", "C", "D", "E")
    reject(sqlite_engine, "A", "jon", "she called us", NOW, "test")
    seen = batch_of(sqlite_engine)
    reject(sqlite_engine, "B", "jon", "the name looks wrong", NOW, "test")
    hold_message(sqlite_engine, "C", "jon", "ask Dr. Okafor", NOW)
    die(sqlite_engine, "D")
    with pytest.raises(NowFewer) as fewer:
        approve(sqlite_engine, settings, seal=seen.seal, count=4, cost=420)
    assert fewer.value.gone == {
        "B": "rejected, the name looks wrong", "C": "held, ask Dr. Okafor", "D": "withdrawn, they have died",
    }  # fmt: skip
    assert fewer.value.count == 1


def test_what_was_held_and_then_edited_is_told_by_where_it_is_now(sqlite_engine: Engine, settings: Settings) -> None:
    seen = open_one(sqlite_engine, settings, "A", "B", channel="text")
    hold_message(sqlite_engine, "A", "jon", "the tone", NOW)
    edit_message(sqlite_engine, settings, "A", "Alder Lane Dental: thank you. Reply STOP to stop", "jon", NOW)
    with pytest.raises(NowFewer) as fewer:
        approve(sqlite_engine, settings, seen.batch_id, seal=seen.seal)
    assert fewer.value.gone == {"A": f"set apart in {seen.batch_id}-edited-by-jon"}


def test_rejecting_or_holding_without_a_word_of_why_is_refused(sqlite_engine: Engine, settings: Settings) -> None:
    open_one(sqlite_engine, settings, "A")
    with pytest.raises(ApprovalError, match="Say why"):
        reject(sqlite_engine, "A", "jon", " ", NOW, "test")
    with pytest.raises(ApprovalError, match="Say why"):
        hold_message(sqlite_engine, "A", "jon", "", NOW)
    assert statuses(sqlite_engine) == {"A": "composed"}


def test_what_expires_while_the_page_is_open_is_gone_too(sqlite_engine: Engine, settings: Settings) -> None:
    seen = open_one(sqlite_engine, settings, "A")
    compose(sqlite_engine, "B", useful_until=TODAY + timedelta(days=1))
    with writing(sqlite_engine) as session:
        session.get_one(Message, "B").batch_id = seen.batch_id
    with pytest.raises(ChangedSince):  # what came in behind the program's back is never approved
        approve(sqlite_engine, settings, seal=seen.seal, count=1, cost=105)
    later = NOW + timedelta(days=2)
    approve(sqlite_engine, settings, seal=seen.seal, count=1, cost=105, at=later)
    assert statuses(sqlite_engine) == {"A": "approved", "B": "expired"}


def test_a_batch_of_which_nothing_is_left_says_so(engine: Engine, settings: Settings) -> None:
    seen = open_one(engine, settings, "A")
    opt_out(engine, "A")
    with pytest.raises(NotWaiting, match="Nothing is left"):
        approve(engine, settings, seal=seen.seal, count=1, cost=105)
    assert (batch_of(engine).status, statuses(engine)) == ("empty", {"A": "withdrawn"})


def test_a_withdrawal_stands_even_where_the_approval_is_refused(sqlite_engine: Engine, settings: Settings) -> None:
    open_one(sqlite_engine, settings, "A", "B")
    opt_out(sqlite_engine, "A")
    hire(sqlite_engine, "vera", "viewer")
    with pytest.raises(NotAllowed):
        approve(sqlite_engine, settings, by="vera")
    assert statuses(sqlite_engine) == {"A": "withdrawn", "B": "composed"}


def test_opening_batches_withdraws_what_waits_and_what_has_no_batch_yet(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A", "B")
    compose(engine, "C")
    opt_out(engine, "A")
    opt_out(engine, "C")
    assert open_batches(engine, settings, TODAY, NOW) == []
    assert statuses(engine) == {"A": "withdrawn", "B": "composed", "C": "withdrawn"}
    assert batch_of(engine).count == 1


def test_withdrawing_one_batch_leaves_the_others_alone(sqlite_engine: Engine, settings: Settings) -> None:
    open_one(sqlite_engine, settings, "A")
    compose(sqlite_engine, "B", kind="checkin")
    open_batches(sqlite_engine, settings, TODAY, NOW)
    for reference in "AB":
        die(sqlite_engine, reference)
    with writing(sqlite_engine) as session:
        assert withdraw_stopped(session, settings, TODAY, NOW, ANNIVERSARY) == ["A"]
        assert withdraw_stopped(session, settings, TODAY, NOW) == ["B"]


def test_a_letter_whose_stored_bytes_were_changed_is_named_and_nothing_is_approved(
    engine: Engine, settings: Settings
) -> None:
    batch = open_one(engine, settings, "A", "B")
    with writing(engine) as session:
        session.get_one(Content, session.get_one(Message, "B").content_sha256).body = b"another letter"
    with pytest.raises(ChangedSince, match="^B in .* changed outside the program"):
        approve(engine, settings, seal=batch.seal, count=2, cost=210)
    reject(engine, "B", "maria", "tampered with", NOW, "test")
    approve(engine, settings)
    assert statuses(engine) == {"A": "approved", "B": "rejected"}


@pytest.mark.parametrize("role", ["viewer", "writer"])
def test_row_20_a_role_too_low_may_not_approve_reject_or_hold(
    sqlite_engine: Engine, settings: Settings, role: str
) -> None:
    open_one(sqlite_engine, settings, "A")
    hire(sqlite_engine, "wil", role)
    with pytest.raises(
        NotAllowed, match=f"wil may not approve: their role is {role}, and it takes approver or admin. Ask "
    ):
        approve(sqlite_engine, settings, by="wil")
    with pytest.raises(NotAllowed):
        reject(sqlite_engine, "A", "wil", "no", NOW, "test")
    if role == "viewer":
        with pytest.raises(NotAllowed):
            hold_message(sqlite_engine, "A", "wil", "why", NOW)
    assert issubclass(NotAllowed, ApprovalError)
    assert statuses(sqlite_engine) == {"A": "composed"}


def test_row_20_the_author_of_a_batch_is_refused_here_and_by_the_database(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A")
    with writing(engine) as session:
        session.get_one(Batch, ANNIVERSARY).author = "maria"
    with pytest.raises(SamePerson, match="somebody else must approve"):
        approve(engine, settings)
    decide = "UPDATE batches SET status = 'approved', decided_by = 'maria'"
    with pytest.raises(IntegrityError, match="author_is_not_approver"), writing(engine) as session:
        session.connection().execute(text(decide))
    assert batch_of(engine).status == "waiting"
    approve(engine, settings, by="jon")


def test_where_there_is_one_person_the_batch_and_the_audit_say_so(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A")
    with writing(engine) as session:
        session.get_one(Batch, ANNIVERSARY).author = "maria"
    assert approve(engine, alone(settings)).single_person
    with reading(engine) as session:
        last = session.exec(select(AuditEntry).order_by(AuditEntry.sequence.desc())).first()
    assert last.detail.endswith("command line single person")


def test_a_second_person_needs_no_exception_even_where_one_is_allowed(
    sqlite_engine: Engine, settings: Settings
) -> None:
    open_one(sqlite_engine, settings, "A")
    assert approve(sqlite_engine, alone(settings)).single_person is False


PARTS = (("words", "letters/anniversary.en.html"), ("knobs", "reward"), ("event", "storm"), ("treatment", "filling"))


@pytest.mark.parametrize(("part", "name"), PARTS)
def test_whoever_put_a_part_into_messages_cannot_approve_them_also_where_they_were_on_hold(
    sqlite_engine: Engine, settings: Settings, part: str, name: str
) -> None:
    open_one(sqlite_engine, settings, "A", "B", hands=[("maria", part, name)])
    with pytest.raises(SamePerson, match=f"{part} .{name}"):
        approve(sqlite_engine, settings)
    hold_message(sqlite_engine, "B", "jon", "later", NOW)
    release_message(sqlite_engine, "B", "jon", NOW)
    with pytest.raises(SamePerson):
        approve(sqlite_engine, settings, f"{ANNIVERSARY}-on-hold", at=NOW + timedelta(days=2))
    approve(sqlite_engine, settings, by="jon")


def test_messages_that_different_people_had_a_hand_in_are_approved_apart(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine, "maria")
    hire(sqlite_engine, "jon")
    compose(sqlite_engine, "A", hands=[("maria", "event", "storm")])
    compose(sqlite_engine, "B", hands=[("jon", "event", "flood")])
    opened = open_batches(sqlite_engine, settings, TODAY, NOW)
    with reading(sqlite_engine) as session:
        authors = {batch.batch_id: authors_of(session, batch) for batch in opened}
    assert sorted(map(sorted, authors.values())) == [["jon", "the planner"], ["maria", "the planner"]]
    for batch_id, people in authors.items():
        approve(sqlite_engine, settings, batch_id, by="jon" if "maria" in people else "maria")
    assert set(statuses(sqlite_engine).values()) == {"approved"}


def test_of_messages_whose_making_is_not_on_record_whoever_saved_words_or_knobs_for_them_is_an_author(
    sqlite_engine: Engine, settings: Settings
) -> None:
    open_one(sqlite_engine, settings, "A", made_with=None)
    save_template(sqlite_engine, "emails/anniversary.en.html", "ann")
    save_template(sqlite_engine, "letters/checkin.en.html", "ben")
    save_template(sqlite_engine, "letters/anniversary.de.html", "carla", days=-3)
    with writing(sqlite_engine) as session:
        session.add(KnobVersion(moment="anniversary", knobs="{}", by="dora", at=NOW))
        session.add(KnobVersion(moment="checkin", knobs="{}", by="emil", at=NOW))
    with reading(sqlite_engine) as session:
        assert authors_of(session, session.get_one(Batch, ANNIVERSARY)) == {"the planner", "carla", "dora"}


def test_row_22_the_second_of_two_clicks_is_told_who_approved_and_when(engine: Engine, settings: Settings) -> None:
    batch = open_one(engine, settings, "A")
    approve(engine, settings, seal=batch.seal, count=1, cost=105)
    with pytest.raises(NotWaiting, match="approved already, by maria at 2026-03-10 11:00 EDT"):
        approve(engine, settings, seal=batch.seal, count=1, cost=105)
    with pytest.raises(NotWaiting, match="by maria at"):
        approve(engine, settings, by="jon", seal=batch.seal, count=1, cost=105)


def test_what_is_on_hold_is_set_apart_and_the_rest_goes(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A", "B")
    apart = hold_message(engine, "b", "jon", "is the name right?", NOW)
    assert (apart.batch_id, apart.status, apart.count) == (f"{ANNIVERSARY}-on-hold", "waiting", 0)
    approve(engine, settings)
    assert statuses(engine) == {"A": "approved", "B": "held"}
    assert message_of(engine, "B").status_reason == "is the name right?"
    with pytest.raises(NotWaiting, match="All of .* is on hold"):
        approve(engine, settings, apart.batch_id)
    assert release_message(engine, "B", "jon", NOW).count == 1
    approve(engine, settings, apart.batch_id)
    assert statuses(engine) == {"A": "approved", "B": "approved"}


def test_approving_what_was_released_leaves_the_rest_on_hold_and_says_where(engine: Engine, settings: Settings) -> None:
    open_one(engine, settings, "A", "B", "C")
    for reference in "ABC":
        hold_message(engine, reference, "jon", "look again", NOW)
    assert batch_of(engine).status == "empty"
    release_message(engine, "A", "maria", NOW)
    done = approve(engine, settings, f"{ANNIVERSARY}-on-hold")
    assert done.reason == f"2 on hold, in {ANNIVERSARY}-on-hold-2"
    assert statuses(engine) == {"A": "approved", "B": "held", "C": "held"}
    reject(engine, f"{ANNIVERSARY}-on-hold-2", "maria", "not this year", NOW, "test")
    assert statuses(engine) == {"A": "approved", "B": "rejected", "C": "rejected"}


def test_holding_twice_and_releasing_what_is_not_held_are_refused(sqlite_engine: Engine, settings: Settings) -> None:
    open_one(sqlite_engine, settings, "A")
    with pytest.raises(NotWaiting, match="not on hold"):
        release_message(sqlite_engine, "A", "jon", NOW)
    hold_message(sqlite_engine, "A", "jon", "why", NOW)
    with pytest.raises(NotWaiting, match="on hold already"):
        hold_message(sqlite_engine, "A", "maria", "why", NOW)
    release_message(sqlite_engine, "A", "jon", NOW)
    approve(sqlite_engine, settings, f"{ANNIVERSARY}-on-hold")
    with pytest.raises(NotWaiting, match="is approved"):
        hold_message(sqlite_engine, "A", "jon", "too late", NOW)


def test_a_batch_set_apart_does_not_count_as_a_usual_run(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", "B", "C", "D", "E", channel="email")
    (first,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    hold_message(sqlite_engine, "A", "maria", "why", NOW)
    release_message(sqlite_engine, "A", "maria", NOW)
    approve(sqlite_engine, settings, first.batch_id)
    approve(sqlite_engine, settings, f"{first.batch_id}-on-hold")
    compose(sqlite_engine, *"FGHIJKLM", channel="email", run_on=TODAY + timedelta(days=1))
    assert open_batches(sqlite_engine, settings, TODAY, NOW)[0].status == "approved"


REFERENCES = ("A", "B", "C", "D")
ACTS = ("hold", "release", "reject", "withdraw", "edit")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(REFERENCES)), max_size=8)


@dataclass(frozen=True)
class Page:
    """What somebody had on their screen."""

    batch_id: str
    seal: str
    count: int
    cost: int
    messages: frozenset[tuple[str, str | None]]


def pages_of(engine: Engine) -> list[Page]:
    with reading(engine) as session:
        require_true_seals(session)
        waiting = session.exec(select(Batch).where(Batch.status == "waiting").order_by(Batch.batch_id)).all()
        return [Page(b.batch_id, b.seal, b.count, b.cost, shown(session, b.batch_id)) for b in waiting]


def shown(session: Session, batch_id: str) -> frozenset[tuple[str, str | None]]:
    return frozenset((message.reference, message.digest) for message in messages_to_approve(session, batch_id))


def take_step(engine: Engine, settings: Settings, act: str, reference: str, number: int) -> None:
    # What was decided already cannot be changed any more.
    with contextlib.suppress(NotWaiting):
        if act == "hold":
            hold_message(engine, reference, "jon", "why", NOW)
        elif act == "release":
            release_message(engine, reference, "jon", NOW)
        elif act == "reject":
            reject(engine, reference, "jon", "no", NOW, "test")
        elif act == "edit":
            words = f"Alder Lane Dental: good morning, {number}. Reply STOP to stop"
            edit_message(engine, settings, reference, words, ("jon", "wil")[number % 2], NOW)
        else:
            die(engine, reference)
            with writing(engine) as session:
                withdraw_stopped(session, settings, TODAY, NOW)


@pytest.fixture
def four_texts(tmp_path: Path, settings: Settings) -> Path:
    """A database with a batch of four texts, to be copied for each example."""
    engine = open_database(f"sqlite:///{tmp_path / 'four.db'}")
    upgrade_database(engine)
    hire(engine, "wil", "writer")
    open_one(engine, settings, *REFERENCES, channel="text")
    return tmp_path / "four.db"


@trials(8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, choose=st.integers(min_value=0, max_value=99))
def test_whatever_happens_to_a_batch_an_earlier_page_approves_only_what_was_on_it(
    four_texts: Path, settings: Settings, steps: list[tuple[str, str]], choose: int
) -> None:
    copy = four_texts.with_name("example.db")
    shutil.copy(four_texts, copy)
    engine = open_database(f"sqlite:///{copy}")
    pages = pages_of(engine)
    for number, step in enumerate(steps):
        take_step(engine, settings, *step, number)
        pages += pages_of(engine)
    page = pages[choose % len(pages)]
    refused = post(engine, settings, page)
    assert approved_in(engine) == (frozenset() if refused else page.messages)
    if isinstance(refused, NowFewer):
        with reading(engine) as session:
            left = shown(session, page.batch_id)
        assert left < page.messages
        assert {reference for reference, _ in page.messages - left} == refused.gone.keys()
        assert refused.count == len(left)


def post(engine: Engine, settings: Settings, page: Page) -> ApprovalError | None:
    """Presses the button on `page`; why it was refused, if it was."""
    try:
        approve(engine, settings, page.batch_id, seal=page.seal, count=page.count, cost=page.cost)
    except (ChangedSince, NotWaiting) as refused:
        return refused
    return None


def approved_in(engine: Engine) -> frozenset[tuple[str, str | None]]:
    with reading(engine) as session:
        approved = select(Message).where(Message.status == "approved")
        return frozenset((message.reference, message.digest) for message in session.exec(approved))
