"""Keeps why a message cannot be written until something is mended, beside the message while it stays planned.

One of them never stops the others, whatever went wrong with it. A reason never repeats a value of anybody's.
"""

from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb

from sqlalchemy import update
from sqlmodel import Session, col

from outreach.errors import ComposingError
from outreach.models import Message


def name_fault(error: Exception) -> str:
    """What nobody foresaw, and where it came up: not in its own words, which may repeat a value."""
    frames = extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{where}"


def cannot_be_written(error: Exception) -> ComposingError:
    """What is said of a message over which writing failed as nobody foresaw."""
    return ComposingError(f"it cannot be written: {name_fault(error)}; preview its template, or report this")


def write_reasons(session: Session, reasons: Mapping[str, str]) -> None:
    """Keeps each reason, by reference, beside its message while that is planned: for the desk and `outreach status`."""
    reference = col(Message.reference)
    # In the order in which everybody locks messages, or two processes could wait for each other.
    for planned, reason in sorted(reasons.items()):
        still = update(Message).where(reference == planned, col(Message.status) == "planned")
        session.connection().execute(still.values(status_reason=reason))
