"""Counts what was doubled or lost, from the vendors' own logs and from what our tables say of the same messages.

Whether a vendor has a message is read from its log alone. Our tables are only ever the accused.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

# Statuses that claim that a vendor took the message; "failed" is one where the message has the vendor's id.
TAKEN = frozenset({"accepted", "delivered", "returned", "cancelled"})
UNCERTAIN = frozenset({"uncertain", "needs_person"})
# On its way still: nothing is lost that the next run takes up.
WAITING = frozenset({"approved", "sending"})
OUTCOMES = ("taken", "known", "refused", "nothing")


@dataclass(frozen=True)
class Line:
    """One hand-over as the vendor saw it."""

    at: float
    vendor: str
    reference: str
    key: str
    #: What it did to the sender.
    fault: str
    #: What it made of the message: "taken" is a new one, "known" one it had under this key, "refused" one it never will
    #: take.
    outcome: str
    provider_id: str = ""
    sha256: str = ""
    #: What it needs for its webhooks.
    about: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Record:
    """What our tables say of one message, and what the drill knows of it."""

    reference: str
    status: str
    provider_id: str | None
    #: Of the bytes that were approved.
    approved_sha256: str
    #: Whether the drill changed its bytes after that.
    is_tampered: bool = False
    #: When its recipient's opt-out was on record.
    opted_out_at: datetime | None = None


@dataclass(frozen=True)
class LedgerTally:
    """Counts of messages, and the references behind those that must be 0."""

    messages: int
    accepted: int
    #: A vendor took it more than once.
    doubled: list[str]
    #: On record as taken and not there, or ended without a reason.
    lost: list[str]
    #: Still on its way, which a run after the drill's would go on with.
    waiting: list[str]
    uncertain: list[str]
    #: There, and on record as not.
    denied: list[str]
    #: A try that a vendor took was begun after the opt-out was on record.
    after_opt_out: list[str]
    #: Other bytes than those that were approved.
    unapproved: list[str]
    statuses: Counter[str]
    faults: Counter[str]

    @property
    def is_clean(self) -> bool:
        """Whether everything that must be 0 is 0."""
        wrong = (
            self.doubled,
            self.lost,
            self.waiting,
            self.uncertain,
            self.denied,
            self.after_opt_out,
            self.unapproved,
        )
        return not any(wrong)


def read_log(path: Path, start: int = 0) -> tuple[list[Line], int]:
    """The whole lines from byte `start` on, and where the next one begins."""
    if not path.exists():
        return [], start
    with path.open("rb") as file:
        file.seek(start)
        text = file.read()
    # A vendor may be writing its last line just now.
    whole = text[: text.rfind(b"\n") + 1]
    return [Line(**json.loads(line)) for line in whole.splitlines()], start + len(whole)


def count(lines: Sequence[Line], records: Iterable[Record], tries: Mapping[str, datetime]) -> LedgerTally:
    """Holds what we say against what the vendors have. `tries` says when the last try under a key was begun."""
    records = list(records)
    taken: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.outcome == "taken":
            taken[line.reference].append(line)
    refused = {line.reference for line in lines if line.outcome == "refused"}
    return LedgerTally(
        messages=len(records),
        accepted=len(taken),
        doubled=sorted(reference for reference, them in taken.items() if len(them) > 1),
        lost=[r.reference for r in records if _is_lost(r, taken[r.reference], r.reference in refused)],
        waiting=[r.reference for r in records if r.status in WAITING and not taken[r.reference]],
        # What was tampered with cannot be looked for by its words: in doubt after a restore, a person settles it.
        uncertain=[r.reference for r in records if r.status in UNCERTAIN and not r.is_tampered],
        denied=[r.reference for r in records if taken[r.reference] and _is_denied(r)],
        after_opt_out=[r.reference for r in records if _is_late(r, taken[r.reference], tries)],
        unapproved=_unapproved(records, taken),
        statuses=Counter(record.status for record in records),
        faults=Counter(line.fault for line in lines),
    )


def _says_taken(record: Record) -> bool:
    return record.status in TAKEN or (record.status == "failed" and record.provider_id is not None)


def _is_lost(record: Record, taken: Sequence[Line], is_refused: bool) -> bool:
    if _says_taken(record):
        return record.provider_id not in {line.provider_id for line in taken}
    if record.status in UNCERTAIN | WAITING:
        return False
    reasons = {"blocked": record.is_tampered, "suppressed": record.opted_out_at is not None, "failed": is_refused}
    return not reasons.get(record.status, False)


def _is_denied(record: Record) -> bool:
    return not _says_taken(record) and record.status not in UNCERTAIN


def _is_late(record: Record, taken: Sequence[Line], tries: Mapping[str, datetime]) -> bool:
    """Whether a try that the vendor took was begun after the opt-out was on record.

    The vendor only knows when it arrived; a sender may have been stopped on the way. So this one is asked of our own
    record of the try where there is one.
    """
    if record.opted_out_at is None:
        return False
    out = record.opted_out_at.timestamp()
    return any((tries[line.key].timestamp() if line.key in tries else line.at) > out for line in taken)


def _unapproved(records: Sequence[Record], taken: Mapping[str, Sequence[Line]]) -> list[str]:
    approved = {record.reference: record.approved_sha256 for record in records}
    return sorted(
        reference for reference, them in taken.items() if any(line.sha256 != approved.get(reference) for line in them)
    )
