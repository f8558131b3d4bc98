"""What the words of each moment say of its occasion: the fact they are about, the gift or none, a ward by name."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from outreach.composing.survey_links import survey_token
from outreach.contacts import load_key
from outreach.database import writing
from outreach.models import Feedback, Treatment, Visit
from outreach.moments import MOMENTS
from outreach.settings import Settings, load_settings
from planned import KEYS, OCCASIONS, add_customer, compose, email_of, message_of, plain_words, plan, shipped, write_one

# What each must say of its occasion: in what is read at home, and in what others could read.
FACTS = {
    "recovery": "You told us that something went wrong here",
    "checkin": "Sunday",
    "goodwill": "Water main break 12 May: we know that it hit you too",
    "late_payment": "February 20",
    "enquiry": "You asked us something on Monday",
    "review_reply": "You wrote about us in public on February 14",
    "welcome": "We are glad you have come to Alder Lane Dental",
    "first_hundred": "It is two months since you came",
    "anniversary": "It is three years since you first came",
    "thank_you": "You have been with Alder Lane Dental for three years",
    "survey": "You were with us on Monday",
    "surprise": "There is no occasion",
    "win_back": "The last time I find you in our books is January 15, 2025",
    "referral_ask": "it had gone for you here",
}
SHORT = {
    ("recovery", "text"): "I am sorry about Monday",
    ("recovery", "call"): "They complained, on Monday",
    ("goodwill", "text"): "thank you for your patience",
    ("goodwill", "call"): "this: water main break 12 May",
    ("enquiry", "text"): "your question has reached us",
    ("enquiry", "call"): "Read what they asked on Monday",
    ("review_reply", "call"): "it is of February 14",
    ("welcome", "text"): "welcome, Maria",
    ("welcome", "call"): "You are new with us",
    ("first_hundred", "call"): "It is about two months since you came to us",
    ("thank_you", "call"): "You have been with us for three years",
    ("survey", "text"): "one question about the visit",
    ("win_back", "call"): "It is a good while since we saw you",
}
GIVES = [kind for kind, moment in MOMENTS.items() if "reward" in moment.knobs.model_fields]
OLD = ("anniversary", "checkin", "late_payment", "referral_ask")


def said(engine: Engine, settings: Settings, kind: str, channel: str, **values: Any) -> str:
    _, body = write_one(engine, settings, kind, channel, **values)
    return " ".join(plain_words(channel, body).split())


@pytest.mark.parametrize(("kind", "channel"), [each for each in shipped() if each[0] not in OLD])
def test_the_words_say_what_they_are_about(sqlite_engine: Engine, settings: Settings, kind: str, channel: str) -> None:
    written = said(sqlite_engine, settings, kind, channel)
    expected = SHORT[kind, channel] if channel in {"text", "call"} else FACTS[kind]
    assert expected in written


def test_every_moment_has_a_fact_here() -> None:
    assert set(FACTS) == set(MOMENTS)


@pytest.mark.parametrize(("kind", "channel"), [each for each in shipped("letter", "email") if each[0] in GIVES])
@pytest.mark.parametrize("reward", [0, 3_500])
def test_a_gift_is_named_where_there_is_one_and_nowhere_else(
    sqlite_engine: Engine, settings: Settings, kind: str, channel: str, reward: int
) -> None:
    given = load_settings(business=settings.business, templates=settings.templates, moments={kind: {"reward": reward}})
    written = said(sqlite_engine, given, kind, channel)
    assert ("$35" in written) == bool(reward)
    assert bool(re.search(r"\$|gift|token|nothing to fill in", written)) == bool(reward)


@pytest.mark.parametrize("channel", ["letter", "email", "text", "call"])
@pytest.mark.parametrize("trouble", ["low_score", "cancelled", "late"])
def test_a_recovery_speaks_of_what_went_wrong_and_names_no_treatment(
    sqlite_engine: Engine, settings: Settings, channel: str, trouble: str
) -> None:
    add_customer(sqlite_engine)
    on = OCCASIONS["recovery"]
    reference = plan(sqlite_engine, "recovery", channel, "c1")
    with writing(sqlite_engine) as session:
        session.delete(session.get_one(Feedback, KEYS["recovery"]))
        session.flush()
        session.add(record_of(trouble, KEYS["recovery"], on))
    compose(sqlite_engine, settings)
    written = " ".join(plain_words(channel, message_of(sqlite_engine, reference)[1]).split())
    assert "Crown" not in written
    expected = {
        "low_score": ("it was not good", "They gave us a low score"),
        "cancelled": (
            "You had a time with us on Monday, and we were the ones who called it off",
            "We called off their time",
        ),
        "late": ("You had a day from us, and we did not keep it", "We did not keep a day we had promised"),
    }[trouble]
    assert (expected[channel == "call"] if channel != "text" else "I am sorry about Monday") in written


def record_of(trouble: str, record_id: str, on: date) -> Any:
    at = datetime(on.year, on.month, on.day, 15, tzinfo=UTC)
    if trouble == "low_score":
        return Feedback(
            feedback_id=record_id, customer_id="c1", given_at=at, given_on=on, kind="score", score=2, status="open"
        )
    if trouble == "cancelled":
        return Visit(
            visit_id=record_id, customer_id="c1", starts_at=at, starts_on=on, status="cancelled", cancelled_by="us"
        )
    return Treatment(
        treatment_id=record_id, customer_id="c1", name="Crown", done_at=at, done_on=on,
        promised_at=at - timedelta(days=2),
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "channel"), shipped("letter", "email"))
def test_a_letter_about_a_child_greets_the_parent_and_names_the_child(
    sqlite_engine: Engine, settings: Settings, kind: str, channel: str
) -> None:
    add_customer(sqlite_engine)
    add_customer(sqlite_engine, "kid", given_name="Theo", born_on=date(2019, 5, 1), guardian_id="c1")
    reference = plan(sqlite_engine, kind, channel, "kid", to="c1")
    compose(sqlite_engine, settings)
    _, body = message_of(sqlite_engine, reference)
    written = " ".join(plain_words(channel, body).split())
    assert "Dear Maria," in written
    if FACTS[kind].startswith(("It is", "You have been", "You were", "We are", "The last")):
        assert "Theo" in written
        assert FACTS[kind] not in written


def test_a_survey_leads_to_the_page_of_its_own_message(sqlite_engine: Engine, settings: Settings) -> None:
    message, body = write_one(sqlite_engine, settings, "survey", "email")
    token = survey_token(load_key(sqlite_engine, settings), message.reference, "c1")
    assert f"/survey/{token}" in plain_words("email", body)
    html = email_of(body).get_body(("html",))
    assert html is not None
    assert f"/survey/{token}" in html.get_content()


@pytest.mark.parametrize(("kind", "channel"), shipped("email"))
def test_the_two_sides_of_an_email_say_the_same(
    sqlite_engine: Engine, settings: Settings, kind: str, channel: str
) -> None:
    _, body = write_one(sqlite_engine, settings, kind, channel)
    plain, marked = (email_of(body).get_body((side,)) for side in ("plain", "html"))
    assert plain is not None
    assert marked is not None
    read = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", marked.get_content())).split())
    words_of_it = re.split(r"\s*--\s*\r?\n", plain.get_content())[0]
    paragraphs = [" ".join(part.split()) for part in re.split(r"(?:\r?\n){2,}", words_of_it)]
    assert len(paragraphs) > 3
    for words in paragraphs:
        assert words.startswith("http") or words in read, words
