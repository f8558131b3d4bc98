"""Writes down every import: who asked for it, of what, and whether it came to its end; and reads that history.

It holds counts, names of files and reasons, never a customer's value.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy
from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select

from outreach.database import writing
from outreach.errors import OutreachError
from outreach.intake.reports import ImportReport, ReasonCount
from outreach.locks import hold, is_held
from outreach.models import Import, Intake, Refusal

COMMAND_LINE, NIGHTLY_RUN = "command line", "nightly run"
# From so large a part on, a person should look: one file in another shape than usual refuses most of its rows.
MUCH_REFUSED = 0.05
LONGEST_PROBLEM = 1000
LINES_SHOWN = 3


@dataclass(frozen=True)
class Submission:
    """Who asks for an import, and what they call what it reads."""

    #: A staff id, COMMAND_LINE or NIGHTLY_RUN.
    by: str = COMMAND_LINE
    #: The place itself is named where this is empty.
    source: str = ""


@dataclass(frozen=True)
class RefusalReason:
    """Why rows of one file were refused, how many they are, and where the first of them stand."""

    file: str
    column: str
    reason: str
    rows: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class PastIntake:
    """One import, as history tells it."""

    intake: Intake
    #: What was read of it, in order.
    files: Sequence[Import]
    #: Somebody is at work on it now.
    is_running: bool = False

    @property
    def read(self) -> int:
        return sum(file.read for file in self.files)

    @property
    def refused(self) -> int:
        return sum(file.refused for file in self.files)

    @property
    def broke_off(self) -> bool:
        """Whoever worked at it was stopped before its end. What was stored until then stays."""
        return not (self.intake.finished or self.is_running)

    @property
    def needs_a_look(self) -> bool:
        """Whether it broke off, read nothing, or refused much."""
        return self.broke_off or bool(self.intake.problem) or self.refused > MUCH_REFUSED * self.read


@contextmanager
def record_intake(engine: Engine, submission: Submission, source: str, now: datetime) -> Iterator[int]:
    """Writes down an import that begins, and at the end of the block how it ended; gives its number.

    Where the block is killed nothing is written, and the lock that it held tells the same.
    """
    with ExitStack() as held:
        with writing(engine) as session:
            intake = Intake(at=now, by=submission.by, source=submission.source or source)
            session.add(intake)
            session.flush()
            number = intake.intake_id or 0
            # Before anybody can see the row: an import that nobody holds looks broken off.
            held.enter_context(hold(engine, _lock_of(number)))
        try:
            yield number
        except OutreachError as error:
            _finish(engine, number, str(error)[:LONGEST_PROBLEM])
            raise
        _finish(engine, number, "")


def record_failure(engine: Engine, submission: Submission, now: datetime, error: OutreachError) -> None:
    """Writes down an import of which nothing could be read, and why."""
    problem = str(error)[:LONGEST_PROBLEM]
    with writing(engine) as session:
        session.add(Intake(at=now, by=submission.by, source=submission.source, finished=True, problem=problem))


def group_refusals(report: ImportReport) -> list[RefusalReason]:
    """What an import refused, by reason, the most frequent first, each with its first lines."""
    lines: dict[tuple[str, str, str], list[int]] = {}
    for row in report.refusals:
        lines.setdefault((row.file, row.column, row.reason), []).append(row.line)
    grouped = [
        RefusalReason(each.file, each.column, each.reason, each.rows, tuple(_first_lines(lines, each)))
        for each in report.reasons
    ]
    return sorted(grouped, key=lambda each: -each.rows)


def _first_lines(lines: dict[tuple[str, str, str], list[int]], each: ReasonCount) -> list[int]:
    return lines.get((each.file, each.column, each.reason), [])[:LINES_SHOWN]


def _lock_of(number: int) -> str:
    return f"intake {number}"


def _finish(engine: Engine, number: int, problem: str) -> None:
    with writing(engine) as session:
        ended = update(Intake).where(col(Intake.intake_id) == number).values(finished=True, problem=problem)
        session.connection().execute(ended)


def find_last(session: Session) -> PastIntake | None:
    """The newest import, running or not."""
    return next(iter(list_intakes(session, 1)), None)


def list_intakes(session: Session, most: int, after: int = 0) -> list[PastIntake]:
    """At most so many imports, the newest first, beginning `after` so many of them."""
    newest = select(Intake).order_by(col(Intake.intake_id).desc()).limit(most).offset(after)
    return [_past(session, intake) for intake in session.exec(newest)]


def find_intake(session: Session, number: int) -> PastIntake | None:
    intake = session.get(Intake, number)
    return _past(session, intake) if intake else None


def _past(session: Session, intake: Intake) -> PastIntake:
    of_it = select(Import).where(Import.intake_id == intake.intake_id).order_by(col(Import.import_id))
    is_running = not intake.finished and is_held(session, _lock_of(intake.intake_id or 0))
    return PastIntake(intake, session.exec(of_it).all(), is_running)


def load_reasons(session: Session, number: int) -> list[RefusalReason]:
    """What was refused of an import, by reason, the most frequent first."""
    rows, first = func.count(col(Refusal.refusal_id)), func.min(col(Refusal.line))
    by = (col(Import.file), col(Refusal.column), col(Refusal.reason))
    joined = col(Import.import_id) == col(Refusal.import_id)
    grouped = (
        sqlalchemy.select(*by, rows, first).join(Import, joined).where(col(Import.intake_id) == number).group_by(*by)
    )
    found = session.connection().execute(grouped.order_by(rows.desc(), *by)).all()
    return [RefusalReason(file, column, reason, count, (line,)) for file, column, reason, count, line in found]
