"""People on the desk: finding one, their story, and what staff learn of them with one tap."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Query, Response

from outreach.database import reading
from outreach.identity.customer_ids import read_customer_id
from outreach.learning.duplicate_pairs import list_other_numbers
from outreach.learning.search import find_people, name_of
from outreach.learning.story import tell_story
from outreach.models import HouseholdWord
from outreach.planning.why import MomentAnswer, explain_customer
from outreach.tracking.do_not_contact import closed_channels
from outreach.tracking.feedback import list_told
from outreach.tracking.news import NEWS, news_of, record_news, take_back_news
from outreach.tracking.redemptions import rewards_of
from outreach.web.access import Approver, DeskNow, Viewer, new_router
from outreach.web.outcome_sentences import say_pulled

router = new_router()
Typed = Annotated[str, Query(max_length=200)]
Page = Annotated[int, Query(ge=1, le=10_000)]
Id = Annotated[str, Form(max_length=400)]


@router.get("/people")
def show_people(desk: DeskNow, signed: Viewer, q: Typed = "", page: Page = 1) -> Response:
    with reading(desk.engine) as session:
        customers, more = find_people(session, q, desk.settings.texts.region, page)
    people = [(customer, name_of(customer)) for customer in customers]
    return desk.show(
        "people.html", signed, here="/people", q=q.strip(), people=people, leaf=page, more=more, today=desk.today
    )


# As a path: an id is the business's own, and may hold a slash.
@router.get("/people/{customer_id:path}")
def show_person(desk: DeskNow, signed: Viewer, customer_id: str, why: bool = False) -> Response:
    """The story; with `why`, also what planning says of every moment today."""
    with reading(desk.engine) as session:
        person = read_customer_id(session, customer_id)
        if person != customer_id:
            # `quote` leaves slashes as they are, and this route takes them so.
            return desk.go(f"/people/{quote(person)}", f"{customer_id} is on file as {person}.")
        story = tell_story(session, desk.settings, customer_id, desk.today)
        word, numbers = session.get(HouseholdWord, customer_id), list_other_numbers(session, customer_id)
        known = news_of(session, desk.settings, story.customer, desk.today)
        told = list_told(session, desk.settings, customer_id, desk.now)
        given = rewards_of(session, desk.settings, customer_id, desk.now)
    answers: list[MomentAnswer] = []
    if why:
        answers = explain_customer(desk.engine, desk.settings, customer_id, desk.today, desk.now)
    return desk.show(
        "person.html",
        signed,
        here="/people",
        story=story,
        known=known,
        word=word,
        numbers=numbers,
        news=NEWS,
        told=told,
        given=given,
        closed=closed_channels(desk.engine, desk.settings, story.customer),
        why=why,
        answers=answers,
        today=desk.today,
    )


@router.post("/news")
def record(desk: DeskNow, signed: Approver, customer_id: Id, what: Annotated[str, Form(max_length=20)]) -> Response:
    """Records what was learned of a person, and pulls back everything open for them."""
    report = record_news(desk.engine, desk.settings, customer_id, what, signed.staff_id, desk.now, desk.webhooks.given)
    said = f"Recorded: {what.replace('_', ' ')}. {say_pulled(report, desk.settings.business.currency)}"
    return desk.go(f"/people/{quote(customer_id)}", said)


@router.post("/news/take-back")
def take_back(desk: DeskNow, signed: Approver, customer_id: Id, what: Annotated[str, Form(max_length=20)]) -> Response:
    take_back_news(desk.engine, desk.settings, customer_id, what, signed.staff_id, desk.now)
    return desk.go(
        f"/people/{quote(customer_id)}",
        f"Taken back: {what.replace('_', ' ')}. What was withdrawn stays withdrawn; the next run plans for them again.",
    )
