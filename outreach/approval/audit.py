"""Records who did what, when, as an append-only chain of entries.

It holds ids and hashes only, so that erasing a person never breaks it.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from outreach.locks import take_turns
from outreach.models import AuditEntry

BEGINNING = "0" * 64


def record_act(session: Session, actor: str, act: str, subject: str, detail: str, at: datetime) -> AuditEntry:
    """Appends one entry within the caller's transaction, so that the act and its record stand or fall together."""
    return record_acts(session, actor, act, [subject], detail, at)[0]


def record_acts(
    session: Session, actor: str, act: str, subjects: Iterable[str], detail: str, at: datetime
) -> list[AuditEntry]:
    """The same for an act done to several at once: an entry for each, in their order, and the turn is taken once."""
    # Two entries that followed the same one would break the chain.
    take_turns(session, "audit")
    last = session.exec(select(AuditEntry).order_by(col(AuditEntry.sequence).desc()).limit(1)).first()
    before, previous = (last.sequence, last.hash) if last else (0, BEGINNING)
    entries: list[AuditEntry] = []
    for sequence, subject in enumerate(subjects, start=before + 1):
        entry = AuditEntry(
            sequence=sequence, previous=previous, hash="", at=at, actor=actor, act=act, subject=subject, detail=detail
        )
        # Each holds the hash of the one before it: a change to any shows in all that follow.
        entry.hash = previous = _hash(entry)
        entries.append(entry)
    session.add_all(entries)
    session.flush()
    return entries


def find_break(session: Session) -> int | None:
    """The sequence of the first entry that was changed or that follows a missing one; None when the chain is whole."""
    previous = BEGINNING
    for expected, entry in enumerate(session.exec(select(AuditEntry).order_by(col(AuditEntry.sequence))), start=1):
        if entry.sequence != expected or entry.previous != previous or entry.hash != _hash(entry):
            return expected
        previous = entry.hash
    return None


def _hash(entry: AuditEntry) -> str:
    # As JSON: with the fields put one behind the other, an end that moved from one to the next would not show. How it
    # is written must never change, or the chains that stand would break.
    fields = [entry.sequence, entry.previous, entry.at.isoformat(), entry.actor, entry.act, entry.subject, entry.detail]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()
