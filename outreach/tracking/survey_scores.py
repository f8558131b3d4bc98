"""Keeps the one score that a survey's link may bring, by the link's token and a tap on a number. No login.

A link works once the message has left, until it is too old, and its answer can be corrected for a day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Engine
from sqlmodel import Session, select

from outreach.clock import business_date
from outreach.composing.survey_links import read_survey_token, reference_in
from outreach.composing.unsubscribe_links import mend_token
from outreach.contacts import load_key
from outreach.database import writing
from outreach.errors import NotFound
from outreach.intake.cells.parsers import Style, passage
from outreach.intake.cells.unfit import Unfit
from outreach.locks import take_turns
from outreach.models import Decision, Feedback, Message, Moment
from outreach.settings import Settings

SURVEY = "survey"
SCORES = range(11)
ANSWER_WITHIN = timedelta(days=30)
CORRECT_WITHIN = timedelta(days=1)
LONGEST_WORDS = 2_000
# Before it has left only staff can have seen the link.
HAS_LEFT = frozenset({"sending", "uncertain", "needs_person", "accepted", "delivered"})
State = Literal["kept", "closed"]


@dataclass(frozen=True)
class SurveyAnswer:
    """What became of an answer."""

    #: "kept": the score stands as given now. "closed": it came too late, and nothing has changed.
    state: State
    score: int | None = None


def answer_survey(engine: Engine, settings: Settings, token: str, score: int, now: datetime) -> SurveyAnswer:
    """What became of a tap on `score`. Raises NotFound for a token that we did not make, and for no such number."""
    if score not in SCORES:
        raise NotFound("There is no such number; choose one from 0 to 10")
    key = load_key(engine, settings)
    with writing(engine) as session:
        reference, customer_id = _require_asked(session, key, token)
        # Of two taps at once, the second must find the answer of the first.
        take_turns(session, f"survey {reference}")
        given = session.get(Feedback, feedback_id(reference), with_for_update=True)
        if not _is_open(session, settings, reference, given, now):
            return SurveyAnswer("closed")
        if given:
            given.score = score
            return SurveyAnswer("kept", score)
        day = business_date(now, settings.business.timezone)
        session.add(
            Feedback(
                feedback_id=feedback_id(reference), customer_id=customer_id, given_at=now, given_on=day, kind="score",
                score=score, status="open", source=SURVEY,
            )
        )  # fmt: skip
    return SurveyAnswer("kept", score)


def add_words(engine: Engine, settings: Settings, token: str, words: str, now: datetime) -> SurveyAnswer:
    """What became of words beside an answer; without one there is nothing to add them to. Raises NotFound."""
    key = load_key(engine, settings)
    with writing(engine) as session:
        reference, _ = _require_asked(session, key, token)
        given = session.get(Feedback, feedback_id(reference), with_for_update=True)
        if given is None or not _is_open(session, settings, reference, given, now):
            return SurveyAnswer("closed")
        # An empty field, or words that cannot be kept, take nothing away from what was said before.
        given.text = _fit(words) or given.text
    return SurveyAnswer("kept", given.score)


def feedback_id(reference: str) -> str:
    """The id of the one answer that a message may bring."""
    return f"{SURVEY}-{reference}"


def _require_asked(session: Session, key: bytes, token: str) -> tuple[str, str]:
    """The reference and the customer that a token was made for; only of a message that has left."""
    # The two errors below say the same: nobody shall learn from them which messages exist.
    token = mend_token(token)
    message = session.get(Message, reference_in(token))
    if message is None or message.status not in HAS_LEFT:
        raise NotFound("This link is not complete")
    shared = select(Moment.customer_id).join(Decision, Decision.moment_id == Moment.moment_id)  # type: ignore[arg-type]
    about = {message.customer_id, *session.exec(shared.where(Decision.reference == message.reference))}
    customer_id = read_survey_token(key, token, about)
    if customer_id is None:
        raise NotFound("This link is not complete")
    return message.reference, customer_id


def _is_open(session: Session, settings: Settings, reference: str, given: Feedback | None, now: datetime) -> bool:
    if given:
        return given.status == "open" and now - given.given_at < CORRECT_WITHIN
    message = session.get_one(Message, reference)
    return business_date(now, settings.business.timezone) <= message.send_on + ANSWER_WITHIN


def _fit(words: str) -> str:
    """The words as they can be kept; none where a character in them is no part of any text."""
    try:
        return str(passage(words.strip()[:LONGEST_WORDS].replace("\r\n", "\n"), Style("UTC", "USD")))
    except Unfit:
        return ""
