"""Notices a restored backup: the database counts what it opened, and a mark outside it remembers how far it had come.

A database behind its mark has forgotten messages that left. Nothing is sent from it before they are looked up.
"""

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.database import insert_new, reading, writing
from outreach.delivery.last_check import MAY_HAVE_LEFT
from outreach.delivery.recovery import doubt
from outreach.errors import DatabaseError
from outreach.local_files import make_private_folder
from outreach.models import Installation, Message
from outreach.settings import Settings

MEND = "Run `outreach track --after-restore`: it looks up what may have left, and then lets sending go on"


@dataclass(frozen=True)
class Mark:
    """How far the database called `name` has come: `generation` grows with every group of attempts it opens."""

    name: str
    generation: int


def next_mark(session: Session) -> Mark:
    """Counts one further, in the transaction that opens attempts."""
    insert_new(session, Installation, [{"id": 1}])
    installation = session.get_one(Installation, 1, with_for_update=True, populate_existing=True)
    installation.name = installation.name or secrets.token_hex(8)
    installation.generation += 1
    return Mark(installation.name, installation.generation)


def remember(path: Path, mark: Mark) -> None:
    """Writes the mark outside the database, after its transaction has committed and before a byte leaves.

    Raises DatabaseError where it cannot be written: then nothing may leave.
    """
    try:
        make_private_folder(path.parent)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            marks = _parse(os.pread(file, 1 << 20, 0))
            if marks.get(mark.name, 0) < mark.generation:
                # One short write over the old text, which is never longer; a torn one is read as no mark at all.
                written = json.dumps(marks | {mark.name: mark.generation}).encode()
                os.pwrite(file, written, 0)
                os.ftruncate(file, len(written))
        finally:
            os.close(file)
    except OSError as error:
        raise DatabaseError(
            f"The mark {path} cannot be written ({error.strerror}); make room or mend the folder"
        ) from error


def _parse(text: bytes) -> dict[str, int]:
    try:
        marks = json.loads(text or b"{}")
    except ValueError:
        return {}
    return marks if isinstance(marks, dict) else {}


def read_mark(path: Path, name: str) -> int | None:
    """How far the database called `name` had come when it last sent from here; None when it never did."""
    try:
        return _parse(path.read_bytes()).get(name)
    except FileNotFoundError:
        return None


def find_restore(engine: Engine, settings: Settings) -> str:
    """Why sending must stay off: the database was restored, or may have been. Empty when all is as it was left."""
    if settings.mode != "live":
        return ""
    path = settings.delivery.generation_file
    with reading(engine) as session:
        installation = session.get(Installation, 1)
        name = installation.name if installation else None
    if name is None:
        return ""
    # The mark is read before the database: it is only ever written after, so it cannot be ahead by chance.
    mark = read_mark(path, name)
    with reading(engine) as session:
        generation = session.get_one(Installation, 1).generation
    if mark is None and generation:
        return (
            f"This machine has never sent from this database ({path} holds no mark of it). If it is a restored backup: "
            f"{MEND}. If other machines send from it too, copy that file from one of them"
        )
    if mark is not None and mark > generation:
        return f"This database is older than what was sent from it: a backup has been restored. {MEND}"
    return ""


def require_no_restore(engine: Engine, settings: Settings) -> None:
    """Raises DatabaseError, with what to do, while a restored backup has not been looked after."""
    if trouble := find_restore(engine, settings):
        raise DatabaseError(f"Nothing is sent. {trouble}")


def accept_restore(engine: Engine, settings: Settings, at: datetime) -> int:
    """Puts in doubt all that was open in a restored database, so that it is looked up first; returns how many.

    Whatever else was planned by then is doubted when its turn to be sent comes (`check_restore`).
    """
    path = settings.delivery.generation_file
    with writing(engine) as session:
        mark = next_mark(session)
        installation = session.get_one(Installation, 1)
        installation.generation = max(mark.generation, (read_mark(path, mark.name) or 0) + 1)
        installation.restored_at = at
        still_open = select(Message).where(col(Message.status).in_(("approved", "sending")))
        messages = session.exec(still_open.order_by(Message.reference).with_for_update()).all()
        for message in messages:
            message.fence += 1
            doubt(session, message, at, MAY_HAVE_LEFT)
        mark = Mark(mark.name, installation.generation)
    remember(path, mark)
    return len(messages)
