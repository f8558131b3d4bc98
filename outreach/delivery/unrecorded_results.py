"""Keeps what providers answered when the database was gone before it could be written down, and settles it afterwards.

It is one file beside the mark, a line for each answer, under a lock. It holds ids only: never a name, an address or a
word of a message. An answer leaves the file only once the database has it.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from outreach.database import reading
from outreach.delivery.outbox import Claim
from outreach.delivery.providers import Provider
from outreach.delivery.record_results import LONGEST_WAIT, AttemptResult, settle
from outreach.delivery.recovery.restore_marks import mark_file
from outreach.errors import ContactRefused, DeliveryError, NotNow, NotSent, OutcomeUnknown, Refused
from outreach.local_files import locked_file, make_private_folder
from outreach.models import Attempt, Installation
from outreach.settings import Settings

KEPT = "its provider answered while the database was away, and no more of the answer was kept"
# The narrower kind before the one that it belongs to: the first that fits is kept.
KINDS: tuple[type[DeliveryError], ...] = (ContactRefused, Refused, NotNow, NotSent, OutcomeUnknown)


def unsettled_file(settings: Settings, database: str) -> Path:
    """Where answers are kept until the database has them: beside the mark, which is outside the database."""
    mark = mark_file(settings, database)
    return mark.with_name(f"{mark.name}.unsettled")


@contextmanager
def kept_unless_settled(
    settings: Settings, database: str, answers: Sequence[AttemptResult], tell: Callable[[str], None]
) -> Iterator[None]:
    """Keeps `answers` where the block, which settles them, fails, and says so; the failure goes on.

    A rehearsal has no `database` name and needs none of this: what it wrote anybody can see.
    """
    try:
        yield
    # Also where the process is being ended (KeyboardInterrupt, SystemExit): the answers would be lost with it.
    except BaseException:
        if database:
            _keep_or_tell(unsettled_file(settings, database), database, answers, tell)
        raise


def _keep_or_tell(path: Path, database: str, answers: Sequence[AttemptResult], tell: Callable[[str], None]) -> None:
    try:
        keep_answers(path, database, answers)
        tell(f"What became of {len(answers)} messages is kept in {path}; the next run settles it first")
    except OSError as error:
        tell(f"{path} cannot be written ({error.strerror}): what left last is looked up by the next run")


def keep_answers(path: Path, database: str, answers: Sequence[AttemptResult]) -> None:
    """Keeps what `answers` say for the installation called `database`. Raises OSError where it cannot be written."""
    lines = [json.dumps({"database": database, **_fields_of(answer)}) + "\n" for answer in answers]
    make_private_folder(path.parent)
    with locked_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND) as file:
        # A line that a crash has cut off must not swallow the next one.
        os.write(file, ("\n" + "".join(lines)).encode())
        os.fsync(file)


def settle_unsettled(engine: Engine, settings: Settings, carriers: Mapping[str, Provider], at: datetime) -> int:
    """Writes down the answers kept for this database, before anything else is done with it; returns how many.

    One whose attempt this database does not know, as after a restored backup, stays in the file.
    """
    with reading(engine) as session:
        installation = session.get(Installation, 1)
        name = installation.name if installation else None
    if name is None or not (path := unsettled_file(settings, name)).exists():
        return 0
    with locked_file(path, os.O_RDWR) as file:
        lines = [line for line in os.pread(file, os.fstat(file).st_size, 0).splitlines() if line.strip()]
        with reading(engine) as session:
            kept = {line: answer for line in lines if (answer := _read_answer(session, line, name, at))}
        # One by one: a single one that cannot be settled must not keep the others back.
        for answer in kept.values():
            settle(engine, [answer], carriers, at)
        rest = b"".join(line + b"\n" for line in lines if line not in kept)
        os.pwrite(file, rest, 0)
        os.ftruncate(file, len(rest))
        os.fsync(file)
    return len(kept)


def _fields_of(answer: AttemptResult) -> dict[str, Any]:
    claim, error = answer.claim, answer.error
    kind = next((kind.__name__ for kind in KINDS if isinstance(error, kind)), None)
    after = error.after if isinstance(error, NotSent) else None
    return {
        "reference": claim.reference,
        "number": answer.number,
        "tries": answer.tries,
        "channel": answer.channel,
        "provider": claim.provider,
        "owner": claim.owner,
        "fence": claim.fence,
        "provider_id": answer.provider_id,
        "error": kind,
        "after": min(after, LONGEST_WAIT).total_seconds() if after else None,
        "source": error.source if isinstance(error, ContactRefused) else None,
    }


def _read_answer(session: Session, line: bytes, database: str | None, at: datetime) -> AttemptResult | None:
    """What a line says of an attempt of this database; None where it is of another one, or cannot be read."""
    try:
        fields = json.loads(line)
        if database is None or fields["database"] != database:
            return None
        claim = Claim(fields["reference"], fields["provider"], fields["owner"], fields["fence"], at)
        error = _error_of(fields["error"], fields["after"], fields["source"])
        answer = AttemptResult(
            claim, fields["number"], fields["tries"], fields["channel"], fields["provider_id"], error
        )
    except (ValueError, KeyError, TypeError):
        return None
    return answer if session.get(Attempt, (claim.reference, answer.number)) else None


def _error_of(kind: str | None, after: float | None, source: Any) -> DeliveryError | None:
    wait = timedelta(seconds=after) if after else None
    made: dict[str | None, DeliveryError | None] = {
        None: None,
        "ContactRefused": ContactRefused(KEPT, source),
        "Refused": Refused(KEPT),
        "NotNow": NotNow(KEPT, wait),
        "NotSent": NotSent(KEPT, wait),
        "OutcomeUnknown": OutcomeUnknown(KEPT),
    }
    return made[kind]
