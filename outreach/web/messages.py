"""One message on the desk: the letter large, the window drawn over it, and beside it the person's story."""

from typing import Annotated, Any

from fastapi import Form, Response
from sqlmodel import Session

from outreach.approval.approving import AT_THE_DESK
from outreach.approval.held_messages import hold_message, release_message
from outreach.approval.outliers import Look, look_over
from outreach.approval.rejections import reject
from outreach.composing.paper.sizes import Paper, Zone
from outreach.composing.paper.windows import stock_of_size, zones_for
from outreach.composing.proofing.pdf_pages import measure_pages, read_words
from outreach.composing.store.contents import read_letter
from outreach.composing.store.storage import open_storage
from outreach.database import reading, upsert, writing
from outreach.errors import NotFound, StorageError
from outreach.learning.story import tell_story
from outreach.models import Customer, Message, ReadingPlace
from outreach.web.access import Approver, DeskNow, Viewer, Writer, new_router
from outreach.web.desk import Desk
from outreach.web.message_parts import read_message

router = new_router()
Text = Annotated[str, Form(max_length=400)]


@router.get("/messages/{reference}")
def show_message(desk: DeskNow, signed: Viewer, reference: str) -> Response:
    settings = desk.settings
    with reading(desk.engine) as session:
        message = find_message(session, reference)
        story = tell_story(session, settings, message.customer_id, desk.today)
        looks = look_over(session, message.batch_id) if message.batch_id else []
        values = _neighbours(looks, message.reference)
        values["look_name"] = _name(session, message)
        values["said"] = read_message(session, message.reference)
    return desk.show("message.html", signed, here="/", message=message, story=story, **values, **_about(desk, message))


def find_message(session: Session, reference: str) -> Message:
    """The message; raises NotFound for a reference that is none of ours."""
    # It may have been typed from paper.
    message = session.get(Message, reference.upper())
    if message is None:
        raise NotFound(f"There is no message {reference}. The reference stands small at the foot of a letter")
    return message


def _name(session: Session, message: Message) -> str:
    recipient = session.get(Customer, message.recipient_id)
    name = " ".join(part for part in (recipient and recipient.given_name, recipient and recipient.family_name) if part)
    return name or message.recipient_id


def _about(desk: Desk, message: Message) -> dict[str, Any]:
    """What the page says of the letter itself: its pages' sizes, the window of its envelope, and its words.

    `lost` says why it cannot be shown.
    """
    about: dict[str, Any] = {"sizes": [], "window": None, "words": "", "lost": ""}
    try:
        letter = read_letter(desk.engine, open_storage(desk.written.storage), message.content_sha256 or "")
    except StorageError as error:
        return about | {"lost": str(error)}
    if letter:
        sizes = measure_pages(letter)
        about |= {"sizes": sizes, "window": _window(message, sizes), "words": read_words(letter)}
    return about


def _window(message: Message, sizes: list[tuple[float, float]]) -> Zone | None:
    """Where the envelope's window is; a card has no envelope, so that none is drawn."""
    stock = stock_of_size(*sizes[0])
    return zones_for(message.provider or "outbox", stock).window if isinstance(stock, Paper) else None


def _neighbours(looks: list[Look], reference: str) -> dict[str, Any]:
    """Where the message stands among those of its batch that still wait, in the order of the contact sheet."""
    order = [look.reference for look in looks]
    if reference not in order:
        return dict.fromkeys(("previous", "following"), None) | {
            "position": 0, "total": len(order), "reasons": [], "is_waiting": False,
        }  # fmt: skip
    at = order.index(reference)
    return {
        "previous": order[at - 1] if at else None,
        "following": order[at + 1] if at + 1 < len(order) else None,
        "position": at + 1,
        "total": len(order),
        "reasons": looks[at].reasons,
        "is_waiting": True,
    }


@router.post("/batches/{batch_id}/place")
def keep_place(desk: DeskNow, signed: Viewer, batch_id: str, reference: Text) -> Response:
    """Remembers which message of a batch this person looked at last."""
    with writing(desk.engine) as session:
        if find_message(session, reference).batch_id != batch_id:
            raise NotFound(f"{reference} is not in {batch_id} any more")
        row = {"staff_id": signed.staff_id, "batch_id": batch_id, "reference": reference, "at": desk.now}
        upsert(session, ReadingPlace, [row])
    return Response(status_code=204)


@router.post("/messages/{reference}/reject")
def reject_message(desk: DeskNow, signed: Approver, reference: str, reason: Text) -> Response:
    batch = reject(desk.engine, reference, signed.staff_id, reason, desk.now, AT_THE_DESK)
    return desk.go(f"/batches/{batch.batch_id}", f"{reference} was rejected. Now {batch.count}.")


@router.post("/messages/{reference}/hold")
def hold(desk: DeskNow, signed: Writer, reference: str, reason: Text) -> Response:
    """Sets one message apart; the page goes on with the batch it came from."""
    with reading(desk.engine) as session:
        # Asked beforehand: on hold, the message is in a batch of its own.
        came_from = find_message(session, reference).batch_id
    apart = hold_message(desk.engine, reference, signed.staff_id, reason, desk.now)
    return desk.go(f"/batches/{came_from}", f"{reference} is on hold, in a batch of its own: {apart.batch_id}.")


@router.post("/messages/{reference}/release")
def release(desk: DeskNow, signed: Writer, reference: str) -> Response:
    batch = release_message(desk.engine, reference, signed.staff_id, desk.now)
    return desk.go(f"/batches/{batch.batch_id}", f"{reference} is not on hold any more, and can be approved here.")
