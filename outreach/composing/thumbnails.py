"""Stored letters in; a small picture of each first page out, kept beside it and made only once."""

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.composing.pictures import as_png, draw_page
from outreach.database import insert_new, reading, writing
from outreach.models import Content, Message, Thumbnail

WIDTH = 320
# Ink and paper have few colours.
COLOURS = 16


def thumbnail_of(engine: Engine, sha256: str) -> bytes | None:
    """The PNG of a letter's first page, drawn now if nobody has yet; None where there is no such letter."""
    with reading(engine) as session:
        if known := session.get(Thumbnail, sha256):
            return known.picture
        content = session.get(Content, sha256)
    if content is None or content.media_type != "application/pdf":
        return None
    return _draw(engine, content)


def draw_missing(engine: Engine, most: int) -> int:
    """Draws up to `most` thumbnails of letters that wait for a person; returns how many there were to draw."""
    with reading(engine) as session:
        missing = _missing(session, most)
    for content in missing:
        _draw(engine, content)
    return len(missing)


def _missing(session: Session, most: int) -> list[Content]:
    waiting = (
        select(Content)
        .join(Message, col(Message.content_sha256) == Content.sha256)
        .join(Thumbnail, col(Thumbnail.sha256) == Content.sha256, isouter=True)
        .where(
            col(Message.status).in_(("composed", "held")),
            Content.media_type == "application/pdf",
            col(Thumbnail.sha256).is_(None),
        )
    )
    return list(session.exec(waiting.limit(most)).all())


def _draw(engine: Engine, content: Content) -> bytes:
    picture = as_png(draw_page(content.body, WIDTH), COLOURS)
    with writing(engine) as session:
        insert_new(session, Thumbnail, [{"sha256": content.sha256, "picture": picture}])
    return picture
