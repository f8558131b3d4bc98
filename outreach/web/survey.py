"""The public page of a survey: one question, one tap. A GET or HEAD changes nothing, whoever follows the link.

Nobody is named on it, and no page tells good tokens from bad ones before somebody taps.
"""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Response

from outreach.errors import NotFound
from outreach.tracking.survey_scores import LONGEST_WORDS, SCORES, SurveyAnswer, add_words, answer_survey
from outreach.web.access import DeskNow
from outreach.web.desk import Desk

router = APIRouter()
Number = Annotated[int, Form(ge=SCORES[0], le=SCORES[-1])]
Words = Annotated[str, Form(max_length=20 * LONGEST_WORDS)]


@router.head("/survey/{token}")
@router.get("/survey/{token}")
def ask(desk: DeskNow, token: str) -> Response:
    """Looks nothing up: link scanners open every link."""
    return desk.show("survey.html", scores=SCORES)


@router.post("/survey/{token}")
def take_score(desk: DeskNow, token: str, score: Number) -> Response:
    """Keeps the tap; another within a day corrects it."""
    try:
        answer = answer_survey(desk.engine, desk.settings, token, score, desk.now)
    except NotFound:
        raise HTTPException(404) from None
    return _show(desk, token, answer)


@router.post("/survey/{token}/words")
def take_words(desk: DeskNow, token: str, words: Words = "") -> Response:
    try:
        answer = add_words(desk.engine, desk.settings, token, words, desk.now)
    except NotFound:
        raise HTTPException(404) from None
    return _show(desk, token, answer, has_words=True)


def _show(desk: Desk, token: str, answer: SurveyAnswer, has_words: bool = False) -> Response:
    # Gone: the link was right once.
    status = 200 if answer.state == "kept" else 410
    return desk.show(
        "surveyed.html", status=status, link=token, answer=answer, has_words=has_words, longest=LONGEST_WORDS
    )
