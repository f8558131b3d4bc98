"""The page on which staff look at two customers side by side, and say whether they are one person or live together."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Query, Response

from outreach.database import reading
from outreach.identity.duplicates import find_duplicates
from outreach.learning.duplicate_pairs import list_pairs
from outreach.tracking.household_statements import record_household, take_household_back
from outreach.tracking.merges import merge_people, say_two_people, unmerge_people
from outreach.web.access import DeskNow, Viewer, Writer, new_router
from outreach.web.desk import Desk
from outreach.web.outcome_sentences import say_pulled

router = new_router()
Page = Annotated[int, Query(ge=1, le=10_000)]
Id = Annotated[str, Form(max_length=400)]
# Not below /people: there, people.py takes every path for a customer's id.
HERE = "/same-person"


@router.get(HERE)
def show_pairs(desk: DeskNow, signed: Viewer, page: Page = 1) -> Response:
    with reading(desk.engine) as session:
        pairs, more = list_pairs(session, page)
    return desk.show("pairs.html", signed, here="/people", pairs=pairs, leaf=page, more=more)


@router.post(f"{HERE}/look")
def look(desk: DeskNow, signed: Writer) -> Response:
    """Looks through all customers again."""
    report = find_duplicates(desk.engine, desk.settings, desk.now)
    return desk.go(HERE, f"{report.open} wait for an answer, {report.new} of them new.")


@router.post(f"{HERE}/merge")
def merge(desk: DeskNow, signed: Writer, keep: Id, other: Id) -> Response:
    given = desk.webhooks.given
    report = merge_people(desk.engine, desk.settings, keep, other, signed.staff_id, desk.now, given)
    pulled = say_pulled(report.pulled, desk.settings.business.currency)
    return desk.go(HERE, f"{other} is another number of {keep} now; their page has the way back. {pulled}")


@router.post(f"{HERE}/two")
def two(desk: DeskNow, signed: Writer, one: Id, other: Id) -> Response:
    say_two_people(desk.engine, one, other, signed.staff_id, desk.now)
    return desk.go(HERE, "They are two people, and nobody will be asked again.")


@router.post(f"{HERE}/unmerge")
def unmerge(desk: DeskNow, signed: Writer, merged: Id) -> Response:
    taken = unmerge_people(desk.engine, merged, signed.staff_id, desk.now)
    return _go_to(desk, taken.kept_id, f"Taken back: {merged} has a page and a history of their own again.")


@router.post("/households/say")
def say(desk: DeskNow, signed: Writer, customer_id: Id, other: Id = "") -> Response:
    """With `other` they live together; without, the customer lives with none of those on file with them."""
    record_household(desk.engine, customer_id, other.strip() or None, signed.staff_id, desk.now)
    return _go_to(desk, customer_id, "Recorded. It stands whatever the data says.")


@router.post("/households/take-back")
def take_back(desk: DeskNow, signed: Writer, customer_id: Id) -> Response:
    take_household_back(desk.engine, customer_id, signed.staff_id, desk.now)
    return _go_to(desk, customer_id, "Taken back: the data stands again.")


def _go_to(desk: Desk, customer_id: str, said: str) -> Response:
    return desk.go(f"/people/{quote(customer_id)}", said)
