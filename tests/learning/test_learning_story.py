"""A customer's story, a batch on its way to the letterbox, and finding people: what staff read before they act."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from approved import add_approved, add_batch, days
from conftest import NOW, TODAY
from outreach.database import insert_new, reading, writing
from outreach.errors import NotFound
from outreach.learning.progress import WORDS, follow_batch, follow_messages, list_followed
from outreach.learning.search import find_people
from outreach.learning.story import Story, tell_story
from outreach.models import STATUSES, Consent, Customer, Decision, Flag, Message, Moment, Suppression, Treatment, Visit
from outreach.settings import Settings
from outreach.tracking.events import record_event

# --- the story ---


@pytest.fixture
def maria(engine: Engine) -> None:
    """Somebody we wrote to, did not write to, and know a few things of."""
    with writing(engine) as session:
        session.add(Customer(customer_id="maria", given_name="Maria", family_name="Lopez", household_id="h1",
                             born_on=date(1980, 3, 11)))  # fmt: skip
        session.add(Customer(customer_id="otto", given_name="Otto", household_id="h1"))
        session.add(Customer(customer_id="ben", given_name="Ben", guardian_id="maria"))
        session.add(Customer(customer_id="pia", given_name="Pia"))
        session.flush()
        sent = add_approved(session, "A", customer_id="maria", occasion=str(TODAY - days(3)))
        add_approved(session, "B", "email", customer_id="maria", occasion=str(TODAY - days(22)), contact_hash="h",
                     send_on=TODAY - days(20), status="delivered")  # fmt: skip
        add_approved(session, "C", customer_id="ben", recipient_id="maria", send_on=TODAY - days(30), status="accepted",
                     provider_id="p")  # fmt: skip
        add_approved(session, "D", customer_id="maria", occasion=str(TODAY - days(4)), status="composed", batch_id=None)
        decide(session, sent.moment_id, "send", "send", "by letter on 2026-03-10", reference="A")
        add_moment(session, "W", "anniversary", "maria")
        decide(session, "moment of W", "not_yet", "quiet_days", "we wrote to them lately", next_on=TODAY + days(9))
        session.add(Suppression(contact_hash="h", channel="email", source="bounced", at=NOW))


def add_moment(session: Session, name: str, kind: str, customer_id: str) -> None:
    row = {"moment_id": f"moment of {name}", "kind": kind, "customer_id": customer_id, "occasion": name}
    insert_new(session, Moment, [row | {"occasion_on": TODAY, "found_on": TODAY}])


def decide(session: Session, moment: str, outcome: str, rule: str, reason: str, **values: Any) -> None:
    said = {"moment_id": moment, "outcome": outcome, "rule": rule, "reason": reason}
    session.add(Decision(sequence=1, run_on=TODAY, **said, **values))


def story_of(engine: Engine, settings: Settings, customer_id: str = "maria") -> Story:
    with reading(engine) as session:
        return tell_story(session, settings, customer_id, TODAY)


@pytest.mark.usefixtures("maria")
def test_a_story_says_why_today_what_was_sent_and_what_was_skipped(engine: Engine, settings: Settings) -> None:
    story = story_of(engine, settings)
    assert (story.name, story.age) == ("Maria Lopez", 45)
    assert [(answer.kind, answer.reference, answer.reason) for answer in story.today] == [
        ("checkin", "A", "by letter on 2026-03-10")
    ]
    assert [(sent.reference, sent.status, sent.to) for sent in story.sent] == [
        ("A", "approved", ""), ("B", "delivered", ""), ("C", "accepted", ""),
    ]  # fmt: skip
    assert [(answer.kind, answer.outcome, answer.reason) for answer in story.skipped] == [
        ("anniversary", "not_yet", "we wrote to them lately")
    ]
    assert [other.customer_id for other in story.household] == ["ben", "otto"]


@pytest.mark.usefixtures("maria")
def test_the_story_of_a_child_names_its_guardian_and_what_went_to_them(engine: Engine, settings: Settings) -> None:
    story = story_of(engine, settings, "ben")
    assert [(sent.reference, sent.to) for sent in story.sent] == [("C", "maria")]
    assert [other.customer_id for other in story.household] == ["maria"]


@pytest.mark.usefixtures("maria")
def test_a_story_says_what_was_said_of_each_channel_and_what_silence_means(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        for at, state in ((NOW - days(2), "granted"), (NOW - days(1), "withdrawn")):
            session.add(Consent(customer_id="maria", channel="email", purpose="marketing", at=at, state=state))
    words = {(word.channel, word.purpose): word for word in story_of(engine, settings).words}
    assert len(words) == 8
    email = words["email", "marketing"]
    assert (email.state, email.since, email.is_closed) == ("withdrawn", NOW - days(1), True)
    letter = words["letter", "service"]
    assert (letter.state, letter.default, letter.is_closed) == ("silent", "opt-out", False)


@pytest.mark.usefixtures("maria")
def test_a_story_knows_the_flags_the_visits_and_the_last_treatment(engine: Engine, settings: Settings) -> None:
    def at(day: int) -> dict[str, Any]:
        return {"starts_at": datetime(2026, 3, day, 15, tzinfo=UTC), "starts_on": date(2026, 3, day)}

    with writing(engine) as session:
        session.add(Flag(customer_id="maria", kind="moved", from_on=TODAY - days(5)))
        session.add(Flag(customer_id="maria", kind="hardship", from_on=TODAY - days(5), until_on=TODAY - days(1)))
        for number, (day, status) in enumerate(((3, "completed"), (8, "completed"), (12, "cancelled"), (20, "booked"))):
            session.add(Visit(visit_id=f"v{number}", customer_id="maria", status=status, **at(day)))
        for number, day in enumerate((3, 8)):
            done = {"done_at": datetime(2026, 3, day, 15, tzinfo=UTC), "done_on": date(2026, 3, day)}
            session.add(Treatment(treatment_id=f"t{number}", customer_id="maria", name="Filling", **done))
    story = story_of(engine, settings)
    assert [flag.kind for flag in story.flags] == ["moved"]
    assert story.last_visit is not None
    assert story.next_visit is not None
    assert story.last_treatment is not None
    assert (story.last_visit.visit_id, story.next_visit.visit_id, story.last_treatment.treatment_id) == (
        "v1", "v3", "t1",
    )  # fmt: skip


def test_somebody_of_whom_nothing_is_known_has_a_story_and_a_stranger_has_none(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        session.add(Customer(customer_id="c9"))
    story = story_of(engine, settings, "c9")
    assert (story.name, story.age, story.today, story.sent, story.household) == ("c9", None, [], [], [])
    with pytest.raises(NotFound, match="no customer “nobody”"):
        story_of(engine, settings, "nobody")


# --- following a batch ---


def test_a_batch_is_followed_to_the_letterbox_and_its_counts_add_up(engine: Engine) -> None:
    sent = {"status": "accepted", "accepted_at": NOW}
    with writing(engine) as session:
        for reference in "ABCDE":
            add_approved(session, reference, provider_id=f"p{reference}", **sent)
        add_approved(session, "F", status="suppressed", status_reason="they asked us not to")
        record_event(session, "outbox", "1", "in_transit", NOW, NOW, "B")
        record_event(session, "outbox", "2", "in_transit", NOW, NOW, "C")
        record_event(session, "outbox", "3", "delivered", NOW + days(1), NOW, "C")
        record_event(session, "outbox", "4", "returned", NOW, NOW, "D", reason="no such street")
        record_event(session, "desk", "5", "in_transit", NOW, NOW, "E", reason="no answer")
    with reading(engine) as session:
        followed = follow_batch(session, "B1")
        rows, more = follow_messages(session, "B1")
        only, _ = follow_messages(session, "B1", word="in_transit")
    assert followed.counts == {
        "accepted": 2, "in_transit": 1, "delivered": 1, "returned": 1, "suppressed": 1,
    }  # fmt: skip
    assert (followed.total, more) == (6, False)
    assert [(row.reference, row.word, row.reason) for row in rows] == [
        ("A", "accepted", ""), ("B", "in_transit", ""), ("C", "delivered", ""), ("D", "returned", "no such street"),
        ("E", "accepted", "no answer"), ("F", "suppressed", "they asked us not to"),
    ]  # fmt: skip
    assert rows[2].said_at == NOW + days(1)
    assert [row.reference for row in only] == ["B"]


def test_every_status_has_its_place_among_the_words() -> None:
    assert set(STATUSES) - set(WORDS) == {"planned"}


def test_batches_are_listed_a_page_at_a_time_the_latest_first(engine: Engine) -> None:
    with writing(engine) as session:
        for number in range(31):
            add_batch(session, f"2026-{number:02}", run_on=TODAY - days(number))
        add_batch(session, "still waiting", status="waiting")
        add_approved(session, "A", batch_id="2026-30", status="delivered")
    with reading(engine) as session:
        first, more = list_followed(session)
        second, none = list_followed(session, 2)
    assert (first[0].batch.batch_id, len(first), more) == ("2026-00", 30, True)
    assert ([one.batch.batch_id for one in second], second[0].counts, none) == (["2026-30"], {"delivered": 1}, False)
    with reading(engine) as session, pytest.raises(NotFound):
        follow_batch(session, "nothing")


def test_messages_of_a_batch_are_listed_a_page_at_a_time(engine: Engine) -> None:
    with writing(engine) as session:
        for number in range(51):
            add_approved(session, f"M{number:02}", status="delivered")
    with reading(engine) as session:
        first, more = follow_messages(session, "B1")
        second, none = follow_messages(session, "B1", 2)
        assert session.get_one(Message, "M50").batch_id == "B1"
    assert (len(first), more, [row.reference for row in second], none) == (50, True, ["M50"], False)


# --- finding people ---


@pytest.fixture
def town(engine: Engine) -> None:
    people = [
        ("C0001", "Maria", "Lopez", None, "maria@example.org", "+1 802 555 2671"),
        ("C0002", "Émile", "MÜLLER-Żak", None, "EMILE@example.org", "802-555-0199"),
        ("C0003", "Robert", "Lopez", "Bob", None, "(802) 555.7788"),
        ("C0004", None, None, None, "100%_sure@example.org", None),
        ("C0005", "Łukasz", "Straße", None, None, None),
        ("C0006", "Анна", "Zoe\u0308", None, None, None),
    ]
    columns = ("customer_id", "given_name", "family_name", "preferred_name", "email", "phone")
    with writing(engine) as session:
        session.add_all(Customer(**dict(zip(columns, person, strict=True))) for person in people)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("c0001", ["C0001"]),
        ("lop", ["C0001", "C0003"]),
        ("LOPEZ maria", ["C0001"]),
        ("bob", ["C0003"]),
        ("émile", ["C0002"]),
        ("emile", ["C0002"]),
        ("muller-zak", ["C0002"]),
        ("MÜLLER", ["C0002"]),
        ("strasse", ["C0005"]),
        ("STRAẞE", ["C0005"]),
        ("lukasz", ["C0005"]),
        ("łukasz", ["C0005"]),
        ("анна", ["C0006"]),
        ("АННА", ["C0006"]),
        ("zoe", ["C0006"]),
        ("ÉMILE", ["C0002"]),
        ("müller-żak", ["C0002"]),
        ("Maria@Example.ORG", ["C0001"]),
        ("emile@", ["C0002"]),
        ("802 555 2671", ["C0001"]),
        ("+1 802-555-0199", ["C0002"]),
        ("5557788", ["C0003"]),
        ("%", []),
        ("_", []),
        ("100%_sure@example.org", ["C0004"]),
        ("maria robert", []),
        ("nobody", []),
        ("", []),
        ("   ", []),
    ],
)
def test_people_are_found_by_id_name_number_and_address_in_any_case(
    engine: Engine, typed: str, found: list[str]
) -> None:
    with reading(engine) as session:
        assert [customer.customer_id for customer in find_people(session, typed, "US")[0]] == found


def test_people_are_found_a_page_at_a_time(engine: Engine) -> None:
    with writing(engine) as session:
        session.add_all(Customer(customer_id=f"c{number:02}", family_name="Lopez") for number in range(26))
    with reading(engine) as session:
        first, more = find_people(session, "lopez", "US")
        second, none = find_people(session, "lopez", "US", 2)
    assert (len(first), more, [customer.customer_id for customer in second], none) == (25, True, ["c25"], False)
