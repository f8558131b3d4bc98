"""The survey's link: only the one we sent works, once, and nothing but a tap changes anything."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved
from budget import trials
from conftest import NOW, TODAY
from outreach.approval.staff import add_staff
from outreach.composing.moment_data import Assignment, Occasion
from outreach.composing.survey_links import read_survey_token, reference_in, survey_token, survey_url
from outreach.composing.template_data import FactFinder
from outreach.composing.unsubscribe_links import unsubscribe_token
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.errors import NotFound
from outreach.models import Customer, Decision, Feedback, Moment
from outreach.moments import find_moments
from outreach.settings import Settings
from outreach.tracking.feedback import set_status
from outreach.tracking.survey_scores import HAS_LEFT, SCORES, add_words, answer_survey
from planned import add_customer

REFERENCE = "K7QF-2M9X-TB4D"
KEY = b"a key for tests"


@pytest.fixture
def asked(engine: Engine) -> Engine:
    """A practice whose survey has arrived at C1."""
    with writing(engine) as session:
        session.add(Customer(customer_id="C1", given_name="Maria", family_name="Lopez"))
        session.flush()
        add_approved(
            session, REFERENCE, kind="survey", channel="email", status="accepted", provider_id="p1", customer_id="C1"
        )
        add_staff(session, "nora", "Nora", "approver", NOW)
    return engine


def token_for(engine: Engine, settings: Settings, customer_id: str = "C1", reference: str = REFERENCE) -> str:
    return survey_token(load_key(engine, settings), reference, customer_id)


def answers(engine: Engine) -> list[tuple[str | None, int | None, str | None]]:
    with reading(engine) as session:
        return [(row.customer_id, row.score, row.text) for row in session.exec(select(Feedback))]


def test_a_tap_is_an_open_score_of_the_survey(asked: Engine, settings: Settings) -> None:
    answer_survey(asked, settings, token_for(asked, settings), 9, NOW)
    with reading(asked) as session:
        row = session.exec(select(Feedback)).one()
    assert (row.feedback_id, row.customer_id, row.kind, row.score) == (f"survey-{REFERENCE}", "C1", "score", 9)
    assert (row.status, row.source, row.given_at, row.given_on) == ("open", "survey", NOW, TODAY)


def test_a_low_score_has_a_recovery_by_itself(asked: Engine, every_moment: Settings) -> None:
    answer_survey(asked, every_moment, token_for(asked, every_moment), 6, NOW)
    with reading(asked) as session:
        found = find_moments(session, every_moment, TODAY, ["recovery"])
    assert [(one.customer_id, one.occasion) for one in found] == [("C1", f"survey-{REFERENCE}")]


def test_it_works_once_and_is_corrected_within_a_day(asked: Engine, settings: Settings) -> None:
    token = token_for(asked, settings)
    said = [
        answer_survey(asked, settings, token, score, NOW + after).state
        for score, after in ((3, timedelta(0)), (8, timedelta(hours=23)), (1, timedelta(hours=24)))
    ]
    assert said == ["kept", "kept", "closed"]
    assert answers(asked) == [("C1", 8, None)]


def test_once_staff_have_answered_it_the_number_stands(asked: Engine, settings: Settings) -> None:
    token = token_for(asked, settings)
    answer_survey(asked, settings, token, 2, NOW)
    set_status(asked, settings, f"survey-{REFERENCE}", "answered", "nora", NOW)
    assert answer_survey(asked, settings, token, 10, NOW).state == "closed"
    assert answers(asked) == [("C1", 2, None)]


@pytest.mark.parametrize(("days", "state"), [(30, "kept"), (31, "closed")])
def test_a_link_is_answered_for_thirty_days(asked: Engine, settings: Settings, days: int, state: str) -> None:
    answer = answer_survey(asked, settings, token_for(asked, settings), 5, NOW + timedelta(days=days))
    assert answer.state == state
    assert len(answers(asked)) == (state == "kept")


def test_words_are_kept_beside_the_number_and_never_without_one(asked: Engine, settings: Settings) -> None:
    token = token_for(asked, settings)
    assert add_words(asked, settings, token, "first", NOW).state == "closed"
    answer_survey(asked, settings, token, 4, NOW)
    assert add_words(asked, settings, token, " The wait.\r\nAn hour. ", NOW).score == 4
    add_words(asked, settings, token, "a\x07b", NOW)
    assert answers(asked) == [("C1", 4, "The wait.\nAn hour.")]
    add_words(asked, settings, token, "x" * 9_000, NOW)
    assert len(answers(asked)[0][2] or "") == 2_000


@pytest.mark.parametrize("status", ["approved", "withdrawn", "composed", "blocked"])
def test_a_link_that_never_left_cannot_be_answered_for_the_customer(
    engine: Engine, settings: Settings, status: str
) -> None:
    assert status not in HAS_LEFT
    with writing(engine) as session:
        add_approved(session, REFERENCE, kind="survey", channel="email", status=status, customer_id="C1")
    with pytest.raises(NotFound):
        answer_survey(engine, settings, token_for(engine, settings), 9, NOW)
    assert answers(engine) == []


def test_one_of_two_wards_named_in_a_message_is_the_one_its_link_is_for(asked: Engine, settings: Settings) -> None:
    with pytest.raises(NotFound):
        answer_survey(asked, settings, token_for(asked, settings, "C2"), 9, NOW)
    with writing(asked) as session:
        session.add(Customer(customer_id="C2"))
        session.add(
            Moment(moment_id="m2", kind="survey", customer_id="C2", occasion="o", occasion_on=TODAY, found_on=TODAY)
        )
        session.flush()
        session.add(
            Decision(
                moment_id="m2", sequence=1, run_on=TODAY, outcome="send", rule="shared", reason="shared",
                reference=REFERENCE,
            )
        )  # fmt: skip
    answer_survey(asked, settings, token_for(asked, settings, "C2"), 9, NOW)
    assert answers(asked) == [("C2", 9, None)]


@pytest.mark.parametrize("score", [-1, 11, 1000])
def test_there_are_eleven_numbers(asked: Engine, settings: Settings, score: int) -> None:
    with pytest.raises(NotFound):
        answer_survey(asked, settings, token_for(asked, settings), score, NOW)


def test_the_link_of_an_unsubscribe_answers_no_survey(asked: Engine, settings: Settings) -> None:
    token = unsubscribe_token(load_key(asked, settings), REFERENCE)
    with pytest.raises(NotFound):
        answer_survey(asked, settings, token, 9, NOW)


@trials(12)
@given(
    token=st.one_of(st.text(max_size=80), st.from_regex(rf"\A{REFERENCE}\.[0-9a-f]{{32}}\Z")), score=st.integers(0, 10)
)
def test_no_token_that_we_did_not_make_leaves_anything(
    sqlite_engine: Engine, settings: Settings, token: str, score: int
) -> None:
    with writing(sqlite_engine) as session:
        if session.get(Customer, "C1") is None:
            add_approved(
                session,
                REFERENCE,
                kind="survey",
                channel="email",
                status="accepted",
                provider_id="p1",
                customer_id="C1",
            )
    with pytest.raises(NotFound):
        answer_survey(sqlite_engine, settings, token.replace("\0", ""), score, NOW)
    assert answers(sqlite_engine) == []


@given(
    reference=st.from_regex(r"\A[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\Z"), customer=st.text(min_size=1, max_size=40),
    other=st.text(min_size=1, max_size=40), at=st.integers(0, 46), letter=st.characters(),
)  # fmt: skip
def test_a_token_is_read_for_its_own_customer_and_with_any_letter_changed_for_nobody(
    reference: str, customer: str, other: str, at: int, letter: str
) -> None:
    token = survey_token(KEY, reference, customer)
    changed = token[:at] + letter + token[at + 1 :]
    assert reference_in(token) == reference
    assert read_survey_token(KEY, token, [other, customer]) in {customer, other}
    assert (read_survey_token(KEY, token, [other]) is None) == (other != customer)
    assert read_survey_token(b"another key", token, [customer]) is None
    assert changed == token or read_survey_token(KEY, changed, [customer, other]) is None
    assert customer not in token or len(customer) < 3


def test_the_message_carries_the_link_that_works(sqlite_engine: Engine, every_moment: Settings) -> None:
    add_customer(sqlite_engine)
    key = load_key(sqlite_engine, every_moment)
    occasion = Occasion("c1", TODAY.isoformat(), TODAY - timedelta(days=1))
    assignment = Assignment(REFERENCE, "survey", "email", "c1", (occasion,), TODAY, TODAY)
    with reading(sqlite_engine) as session:
        facts = FactFinder(session, every_moment, [assignment], key).facts_for(assignment, "en")
    assert facts.fields["survey_url"] == survey_url(every_moment.business, key, REFERENCE, "c1")
    assert str(facts.fields["survey_url"]).startswith(f"{every_moment.business.public_url.rstrip('/')}/survey/")
    assert len(SCORES) == 11
