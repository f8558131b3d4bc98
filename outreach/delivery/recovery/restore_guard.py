"""Tells a restored or copied database from the one that sent last, by a mark that is kept outside the database.

The database counts each group of attempts that it opens, and knows the runs that opened them. The mark says how far it
had come, and by which run. Nothing is sent from a database that does not know its mark. Only `accept_restore` changes
messages here: it puts in doubt what may have left.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from outreach.database import insert_new, reading, writing
from outreach.delivery.recovery.recovery import doubt
from outreach.delivery.recovery.restore_marks import Mark, mark_file, old_mark_file, read_mark, remember
from outreach.delivery.status_reasons import MAY_HAVE_LEFT
from outreach.errors import DatabaseError
from outreach.models import Attempt, Installation, Message, RunMark
from outreach.settings import Settings

RESTORED_RUN = "restored"
MEND = "Run `outreach track --after-restore`: it looks up what may have left, and then lets sending go on"
RESTORED = f"This database is older than what was sent from it: a backup has been restored. {MEND}"
COPIED = f"What was sent last was sent from another copy of this database, which this one does not know. {MEND}"


def next_mark(session: Session, run: str, at: datetime) -> Mark:
    """Counts one further for `run`, in the transaction that opens attempts."""
    installation = _lock_installation(session)
    installation.generation += 1
    return _sign(session, installation, run, at)


def _lock_installation(session: Session) -> Installation:
    insert_new(session, Installation, [{"id": 1}])
    return session.get_one(Installation, 1, with_for_update=True, populate_existing=True)


def _name(installation: Installation) -> str:
    """Its name, which it has from now on at the latest."""
    installation.name = installation.name or secrets.token_hex(8)
    return installation.name


def _sign(session: Session, installation: Installation, run: str, at: datetime) -> Mark:
    name = _name(installation)
    installation.run = run
    session.flush()
    insert_new(session, RunMark, [{"run": run, "generation": installation.generation, "at": at}])
    return Mark(name, installation.generation, run, at)


def name_installation(engine: Engine, settings: Settings, at: datetime) -> None:
    """Names a database that has no name yet and writes its first mark, so that every later backup of it is noticed.

    Raises DatabaseError in live mode where the mark cannot be written; in rehearsal it then stays without a name.
    """
    with reading(engine) as session:
        installation = session.get(Installation, 1)
    if installation and installation.name:
        return
    try:
        with writing(engine) as session:
            if _lock_installation(session).name:
                # Another run named it meanwhile: it would read a second mark, not yet committed, as a restore.
                return
            mark = next_mark(session, _new_run("named"), at)
            # Before the commit: a database that has a name and no mark would pass for a restored one.
            remember(mark_file(settings, mark.name), mark)
    except DatabaseError:
        if settings.mode == "live":
            raise


def _new_run(what: str) -> str:
    return f"{what} {secrets.token_hex(8)}"


def find_restore(engine: Engine, settings: Settings) -> str:
    """Why sending must stay off: the database was restored or copied, or may have been. Empty when all is well."""
    return _examine(engine, settings)[0] if settings.mode == "live" else ""


def _examine(engine: Engine, settings: Settings) -> tuple[str, Mark | None, Mark | None]:
    """The trouble, if there is any; the mark that was found; and how far the database has come."""
    with reading(engine) as session:
        installation = session.get(Installation, 1)
    if installation is None or installation.name is None:
        return "", None, None
    # The mark is read before the database: it is only ever written after, so it cannot be ahead by chance.
    mark = read_mark(mark_file(settings, installation.name), installation.name)
    with reading(engine) as session:
        installation = session.get_one(Installation, 1)
        trouble = _trouble(session, settings, installation, mark)
    reached = Mark(installation.name or "", installation.generation, installation.run or "", None)
    return trouble, mark, reached


def _trouble(session: Session, settings: Settings, installation: Installation, mark: Mark | None) -> str:
    if mark is None:
        return _unmarked(settings, installation.name or "") if installation.generation else ""
    if _is_answered(installation, mark):
        return ""
    if mark.generation > installation.generation:
        return RESTORED
    return COPIED if mark.run and session.get(RunMark, mark.run) is None else ""


def _is_answered(installation: Installation, mark: Mark) -> bool:
    """Whether a restore was looked after, on whatever machine, since this machine last left its mark."""
    return bool(installation.restored_at and mark.at and mark.at <= installation.restored_at)


def _unmarked(settings: Settings, name: str) -> str:
    path, old = mark_file(settings, name), old_mark_file(settings)
    place = f"This machine has never sent from this database ({path} holds no mark of it). If it is a restored backup"
    others = f"If other machines send from it too, copy that file from one of them to {path}"
    if old.exists():
        others += f". An earlier version of the program kept it in {old}; if no backup was restored, move it there"
    return f"{place}: {MEND}. {others}"


def require_no_restore(engine: Engine, settings: Settings) -> None:
    """Raises DatabaseError, with what to do, while a restored backup has not been looked after."""
    if trouble := find_restore(engine, settings):
        raise DatabaseError(f"Nothing is sent. {trouble}")


def raise_mark(engine: Engine, settings: Settings, at: datetime) -> None:
    """Has this machine's mark say how far the database has come by now, whoever brought it there. Live mode only.

    Every run does it as it begins and ends: a machine that had nothing to send knows a backup from then on, too.
    Raises DatabaseError where the mark cannot be written, or as `require_no_restore` does.
    """
    if settings.mode != "live":
        return
    name_installation(engine, settings, at)
    trouble, seen, reached = _examine(engine, settings)
    if trouble:
        raise DatabaseError(f"Nothing is sent. {trouble}")
    if reached:
        mark = Mark(reached.name, reached.generation, reached.run, at)
        remember(mark_file(settings, mark.name), mark, answered=seen)


def is_looked_after(engine: Engine) -> bool:
    """Whether the last that was noted in the database is that a restore was accepted: nothing has been sent since."""
    with reading(engine) as session:
        installation = session.get(Installation, 1)
    return bool(installation and installation.run and installation.run.startswith(RESTORED_RUN))


def _later_than_every_try(session: Session, at: datetime) -> datetime:
    """An absence noted before the restore clears nothing after it, also where a clock was ahead then."""
    newest = session.exec(select(func.max(col(Attempt.last_try_at)))).one()
    return max(at, newest + timedelta(microseconds=1)) if newest else at


def accept_restore(engine: Engine, settings: Settings, at: datetime) -> int:
    """Puts in doubt all that was open in a restored database, so that it is looked up first; returns how many.

    Whatever else may have been there to send by then is doubted when its turn comes (`check_restore`).
    """
    with writing(engine) as session:
        installation = _lock_installation(session)
        name = _name(installation)
        path = mark_file(settings, name)
        seen = read_mark(path, name)
        last = session.exec(select(RunMark.at).order_by(col(RunMark.generation).desc()).limit(1)).first()
        # Whatever the database has forgotten was opened after the last run that it knows had begun.
        installation.restored_from, installation.restored_at = last, _later_than_every_try(session, at)
        installation.generation = max(installation.generation, seen.generation if seen else 0) + 1
        mark = _sign(session, installation, _new_run(RESTORED_RUN), at)
        still_open = select(Message).where(col(Message.status).in_(("approved", "sending")))
        messages = session.exec(still_open.order_by(Message.reference).with_for_update()).all()
        for message in messages:
            message.fence += 1
            doubt(session, message, at, MAY_HAVE_LEFT)
        session.flush()
        # Last, and before the commit: where it cannot be written, nothing is in doubt and nothing may be sent.
        remember(path, mark, answered=seen)
    return len(messages)
