"""Draws a small picture of each letter's first page, and keeps it beside the letter. It is made only once."""

from contextlib import suppress

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.composing.proofing.pdf_pages import as_png, draw_page
from outreach.composing.store.contents import LETTER, read_letter
from outreach.composing.store.storage import Storage
from outreach.database import insert_new, reading, writing
from outreach.errors import StorageError
from outreach.models import Content, Message, Thumbnail

WIDTH = 320
# Ink and paper have few colours.
COLOURS = 16


def thumbnail_of(engine: Engine, storage: Storage, sha256: str) -> bytes | None:
    """The PNG of a letter's first page, drawn now if nobody has yet; None where there is no such letter.

    Raises StorageError where its bytes cannot be had.
    """
    with reading(engine) as session:
        if thumbnail := session.get(Thumbnail, sha256):
            return thumbnail.picture
    letter = read_letter(engine, storage, sha256)
    return _draw(engine, sha256, letter) if letter else None


def draw_missing(engine: Engine, storage: Storage, most: int) -> int:
    """Draws up to `most` thumbnails of letters that wait for a person; returns how many it drew."""
    with reading(engine) as session:
        missing = _missing(session, most)
    drawn = 0
    for sha256 in missing:
        # A letter that cannot be read is for whoever opens it: the page says why, and delivery blocks it.
        with suppress(StorageError):
            drawn += thumbnail_of(engine, storage, sha256) is not None
    return drawn


def _missing(session: Session, most: int) -> list[str]:
    waiting = (
        select(Content.sha256)
        .join(Message, col(Message.content_sha256) == Content.sha256)
        .join(Thumbnail, col(Thumbnail.sha256) == Content.sha256, isouter=True)
        .where(
            col(Message.status).in_(("composed", "held")),
            Content.media_type == LETTER,
            col(Thumbnail.sha256).is_(None),
        )
    )
    return list(session.exec(waiting.limit(most)).all())


def _draw(engine: Engine, sha256: str, letter: bytes) -> bytes:
    picture = as_png(draw_page(letter, WIDTH), COLOURS)
    with writing(engine) as session:
        insert_new(session, Thumbnail, [{"sha256": sha256, "picture": picture}])
    return picture
