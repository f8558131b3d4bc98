"""The do-not-contact list on the desk. What is typed is hashed at once, shown on no page and kept nowhere."""

from typing import Annotated

from fastapi import Form, Query, Response

from outreach.database import reading, writing
from outreach.learning.search import names_of
from outreach.tracking.do_not_contact import (
    REASONS_TO_LIFT,
    Closed,
    close_contact,
    decide_held,
    find_closed,
    find_owners,
    lift_contact,
    list_closed,
)
from outreach.tracking.events import HELD
from outreach.tracking.pulling_back import cancel_pulled
from outreach.web.access import Admin, Approver, DeskNow, Viewer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.outcome_sentences import say_pulled

router = new_router()
Page = Annotated[int, Query(ge=1, le=10_000)]
Typed = Annotated[str, Form(max_length=400)]
Code = Annotated[str, Form(max_length=20)]
Hash = Annotated[str, Form(max_length=64)]


@router.get("/do-not-contact")
def show_list(
    desk: DeskNow,
    signed: Viewer,
    page: Page = 1,
    held: bool = False,
    # A hash: this one is in the address, which browsers and proxies remember.
    whose: Annotated[str, Query(max_length=64)] = "",
    channel: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The list, a page at a time; only what is held for a person with `held`. `whose` looks one up among everybody."""
    with reading(desk.engine) as session:
        rows, more = list_closed(session, page, HELD if held else None)
    owners = find_owners(desk.engine, desk.settings, whose, channel) if whose else []
    return _show(desk, signed, rows, leaf=page, more=more, held=held, whose=whose, owners=owners)


def _show(
    desk: Desk,
    signed: Signed,
    rows: list[Closed],
    found: list[Closed] | None = None,
    leaf: int = 1,
    more: bool = False,
    held: bool = False,
    whose: str = "",
    owners: list[str] | None = None,
) -> Response:
    ids = {who for row in [*rows, *(found or [])] for who in row.customers} | set(owners or [])
    with reading(desk.engine) as session:
        names = names_of(session, ids)
    return desk.show(
        "closed.html",
        signed,
        here="/follow",
        rows=rows,
        found=found,
        names=names,
        leaf=leaf,
        more=more,
        held=held,
        whose=whose,
        owners=owners or [],
        reasons=REASONS_TO_LIFT,
        waits=HELD,
    )


@router.post("/do-not-contact/find")
def find(desk: DeskNow, signed: Viewer, typed: Typed, postal_code: Code = "") -> Response:
    """Looks a contact up. It is a POST so that the contact stands in no address and no log."""
    return _show(desk, signed, [], find_closed(desk.engine, desk.settings, typed, postal_code))


@router.post("/do-not-contact/add")
def add(desk: DeskNow, signed: Approver, typed: Typed, postal_code: Code = "") -> Response:
    report = close_contact(desk.engine, desk.settings, typed, postal_code, signed.staff_id, desk.now)
    # Only now: the contact is on the list already, whatever a vendor answers.
    report = cancel_pulled(desk.engine, desk.settings, report, desk.now, desk.webhooks.given)
    said = f"It is on the list. {say_pulled(report, desk.settings.business.currency)}"
    return desk.go("/do-not-contact", said)


@router.post("/do-not-contact/lift")
def lift(desk: DeskNow, signed: Admin, contact_hash: Hash, channel: Code, reason: Typed) -> Response:
    with writing(desk.engine) as session:
        lift_contact(session, contact_hash, channel, signed.staff_id, reason, desk.now)
    return desk.go("/do-not-contact", "It is lifted; what else is on record of that contact stands.")


@router.post("/do-not-contact/decide")
def decide(
    desk: DeskNow, signed: Approver, contact_hash: Hash, channel: Code, keep: Annotated[bool, Form()]
) -> Response:
    """Ends the waiting of a contact whose reply a person has read."""
    with writing(desk.engine) as session:
        decide_held(session, contact_hash, channel, keep, signed.staff_id, desk.now)
    return desk.go("/open", "They get no more." if keep else "They did not mean stop; they are written to again.")
