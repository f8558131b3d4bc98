"""Pictures of letters: the thumbnail of a letter, or one of a message's pages, made from its own PDF."""

import io

from fastapi import HTTPException, Response
from PIL import Image

from outreach.composing.proofing.pdf_pages import as_png, as_proof, draw_page
from outreach.composing.store.contents import read_letter
from outreach.composing.store.storage import open_storage
from outreach.composing.store.thumbnails import COLOURS, thumbnail_of
from outreach.database import reading
from outreach.errors import NotFound
from outreach.models import Message
from outreach.web.access import DeskNow, Viewer, new_router
from outreach.web.desk import Desk

router = new_router()
PAGE_WIDTH, PAGE_COLOURS = 1100, 64


@router.get("/thumbnails/{sha256}.png")
def show_thumbnail(desk: DeskNow, signed: Viewer, sha256: str) -> Response:
    """The first page of a letter, small."""
    picture = thumbnail_of(desk.engine, open_storage(desk.written.storage), sha256)
    if picture is None:
        raise HTTPException(404)
    shown = as_png(as_proof(Image.open(io.BytesIO(picture)), desk.written.proof), COLOURS)
    return _png(shown, for_ever=True)


@router.get("/messages/{reference}/pages/{number}.png")
def show_page(desk: DeskNow, signed: Viewer, reference: str, number: int) -> Response:
    letter = _letter(desk, reference)
    try:
        picture = as_proof(draw_page(letter, PAGE_WIDTH, number), desk.written.proof)
    except IndexError as error:
        raise HTTPException(404) from error
    return _png(as_png(picture, PAGE_COLOURS))


@router.get("/messages/{reference}/letter.pdf")
def show_letter(desk: DeskNow, signed: Viewer, reference: str) -> Response:
    """The letter itself, byte for byte as it was sealed."""
    # Without the paper and the ink of `as_proof`: these bytes are what was approved, and what is printed.
    return Response(_letter(desk, reference), media_type="application/pdf")


def _letter(desk: Desk, reference: str) -> bytes:
    with reading(desk.engine) as session:
        message = session.get(Message, reference)
    if message is None:
        raise NotFound(f"There is no message {reference}")
    letter = read_letter(desk.engine, open_storage(desk.written.storage), message.content_sha256 or "")
    if letter is None:
        raise HTTPException(404)
    return letter


def _png(picture: bytes, for_ever: bool = False) -> Response:
    response = Response(picture, media_type="image/png")
    if for_ever:
        # Its address is the hash of what it shows; it holds a name, so only this browser may keep it.
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response
