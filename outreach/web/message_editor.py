"""Changes the words of one message on the desk, and shows the true message as it would be sent.

Nothing is stored before the button is pressed, and then somebody else must approve it.
"""

import json
from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import JSONResponse

from outreach.approval.edits import edit_message
from outreach.composing.editing import preview_edited, words_of
from outreach.database import reading
from outreach.errors import ComposingError
from outreach.models import Message
from outreach.web.access import DeskNow, Writer, new_router
from outreach.web.current_user import Signed
from outreach.web.desk import Desk
from outreach.web.message_parts import preview_content
from outreach.web.messages import find_message

router = new_router()
Words = Annotated[str, Form(max_length=20_000)]
# Of the message that they began from: an edit that came first is not written over.
Digest = Annotated[str, Form(max_length=64)]


@router.get("/messages/{reference}/edit")
def show_editor(desk: DeskNow, signed: Writer, reference: str) -> Response:
    with reading(desk.engine) as session:
        message = find_message(session, reference)
        words = words_of(session, message.reference)
    return _show(desk, signed, message, words, message.digest or "")


@router.post("/messages/{reference}/try")
def try_words(
    request: Request, desk: DeskNow, signed: Writer, reference: str, words: Words, digest: Digest
) -> Response:
    """The message as it would be with these words, for the page itself, or for a script that asks for JSON."""
    with reading(desk.engine) as session:
        message = find_message(session, reference)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(preview(desk, message, words))
    return _show(desk, signed, message, words, digest)


@router.post("/messages/{reference}/edit")
def take_edit(desk: DeskNow, signed: Writer, reference: str, words: Words, digest: Digest) -> Response:
    try:
        batch = edit_message(desk.engine, desk.settings, reference, words, signed.staff_id, desk.now, digest)
    except ComposingError as problem:
        with reading(desk.engine) as session:
            return _show(desk, signed, find_message(session, reference), words, digest, str(problem), 400)
    return desk.go(f"/batches/{batch.batch_id}", f"{reference} says what you wrote. {batch.why_waiting.capitalize()}.")


def preview(desk: Desk, message: Message, words: str) -> dict[str, str]:
    """`picture` (a data URL) of a letter's page, or the `words` of anything else; or the `problem` with the words."""
    try:
        body, media_type = preview_edited(desk.engine, desk.settings, message.reference, words)
    except ComposingError as problem:
        return {"problem": str(problem)}
    return preview_content(desk.written.proof, message.channel, json.loads(message.recipient or "{}"), body, media_type)


def _show(
    desk: Desk, signed: Signed, message: Message, words: str, digest: str, problem: str = "", status: int = 200
) -> Response:
    shown = {"picture": "", "words": "", "problem": problem}
    shown |= {} if problem else preview(desk, message, words)
    return desk.show(
        "edit.html",
        signed,
        status=status,
        here="/",
        message=message,
        words=words,
        digest=digest,
        problem=shown["problem"],
        shown=shown,
    )
