"""Finds who had a part in a message: who saved its words and knobs, named its event, said yes to its treatment.

It goes by the very text and value that was used, so that an undo, or a comma of somebody else's, changes nobody's part
in it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import exists
from sqlmodel import Session, col, func, select

from outreach.chunks import select_for
from outreach.composing.moment_data import Assignment, Occasion
from outreach.models import (
    Batch,
    Goodwill,
    Hand,
    KnobVersion,
    Message,
    Staff,
    TemplateVersion,
    Treatment,
    TreatmentAnswer,
)

# A message of one of these went on with the approval of its batch; what was taken out before it did not.
LET_GO = ("approved", "sending", "uncertain", "needs_person", "accepted", "delivered", "returned", "failed",
           "suppressed", "blocked", "cancelled")  # fmt: skip
# A list to which every name is added by somebody: whoever put a treatment there is asked by treatment.
TREATMENTS = "treatments"
_NEVER: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, order=True)
class Contribution:
    """A part of a message and who put it there."""

    #: The id of a member of staff.
    by: str
    #: "words", "knobs", "event", "treatment" or "edit".
    part: str
    #: Of the template, the knob, the event or the treatment; of an edit, the message's reference.
    name: str
    #: The saved version of words or knobs.
    version: int | None = None


def was_let_go(provenance_id: Any) -> Any:
    """A condition: a person has approved a batch with messages of the provenance, and they went on with it."""
    approved = (
        select(Message.reference)
        .join(Batch, col(Batch.batch_id) == Message.batch_id)
        .where(
            col(Message.provenance_id) == provenance_id,
            col(Message.status).in_(LET_GO),
            Batch.status == "approved",
            col(Batch.decided_by).in_(select(Staff.staff_id)),
        )
    )
    return exists(approved)


def knob_parts(savings: Sequence[KnobVersion], used: Mapping[str, Any]) -> list[Contribution]:
    """Whoever gave a knob the value that is used, at any time; those of outreach.toml are nobody's."""
    return [
        Contribution(version.by, "knobs", name, version.version)
        for version, before, knobs in _changes(savings)
        for name, value in knobs.items()
        if name != TREATMENTS and name in used and used[name] == value and before.get(name) != value
    ]


def _changes(savings: Sequence[KnobVersion]) -> Iterable[tuple[KnobVersion, Mapping[str, Any], Mapping[str, Any]]]:
    before = _NEVER
    for version in savings:
        knobs = json.loads(version.knobs)
        yield version, before, knobs
        before = knobs


def find_writers(session: Session, sources: Mapping[str, str]) -> dict[str, frozenset[Contribution]]:
    """Who wrote each of the sources that was saved at the desk, by the template's name."""
    versions: dict[str, list[TemplateVersion]] = defaultdict(list)
    for version in session.exec(select(TemplateVersion).order_by(col(TemplateVersion.version))):
        versions[version.name].append(version)
    newest = select(Hand.name, func.max(Hand.version)).where(Hand.part == "words", was_let_go(Hand.provenance_id))
    approved = {name: number for name, number in session.exec(newest.group_by(col(Hand.name)))}
    return {
        name: frozenset(word_parts(saved, sources[name], approved.get(name) or 0))
        for name, saved in versions.items()
        if name in sources
    }


def word_parts(versions: Sequence[TemplateVersion], source: str, approved: int) -> list[Contribution]:
    """Who saved this very source, at any time, and who saved what it grew from since the last `approved` version.

    A comma of somebody else's does not make words another's. Words of a file are nobody's.
    """
    same = [at for at, version in enumerate(versions) if version.source == source]
    if not same:
        return []
    first = max((at + 1 for at in range(same[-1]) if versions[at].source is None), default=0)
    grown = [at for at in range(first, same[-1]) if (versions[at].version or 0) > approved]
    standing = versions[same[-1]]
    return [Contribution(versions[at].by, "words", standing.name, standing.version) for at in {*same, *grown}]


def add_events(session: Session, assignments: Sequence[Assignment], own: Mapping[str, set[Contribution]]) -> None:
    """Adds, by message, who named its customers for its event."""
    about = _occasions_of(assignments, "goodwill")
    for row in select_for(session, select(Goodwill), Goodwill.customer_id, about):
        for reference, occasion in about[row.customer_id]:
            if row.by and occasion.key == row.event:
                own[reference].add(Contribution(row.by, "event", row.event))


def add_treatments(
    session: Session,
    assignments: Sequence[Assignment],
    savings: Sequence[KnobVersion],
    own: Mapping[str, set[Contribution]],
) -> None:
    """Adds, by message, who said that customers may be asked about the treatments that it asks about.

    `savings` are the knobs of check-ins as they were saved: their list of treatments says so, too.
    """
    allowed_by: dict[str, set[Contribution]] = defaultdict(set)
    for row in session.exec(select(TreatmentAnswer).where(TreatmentAnswer.answer == "yes")):
        allowed_by[row.treatment].add(Contribution(row.by, "treatment", row.treatment))
    for version, before, knobs in _changes(savings):
        listed = {each.casefold() for each in before.get(TREATMENTS, ())}
        for name in {each.casefold() for each in knobs.get(TREATMENTS, ())} - listed:
            allowed_by[name].add(Contribution(version.by, "treatment", name))
    about = _occasions_of(assignments, "checkin") if allowed_by else {}
    for row in select_for(session, select(Treatment), Treatment.customer_id, about):
        for reference, occasion in about[row.customer_id]:
            if row.done_on == occasion.on:
                own[reference] |= allowed_by.get((row.name or "").casefold(), set())


def _occasions_of(assignments: Sequence[Assignment], kind: str) -> dict[str, list[tuple[str, Occasion]]]:
    """The occasions of a moment that each customer has, with the message that is about each."""
    about: dict[str, list[tuple[str, Occasion]]] = defaultdict(list)
    for each in assignments:
        for occasion in each.occasions if each.kind == kind else ():
            about[occasion.customer_id].append((each.reference, occasion))
    return about


def in_order(parts: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Each part of each person once."""
    once = {(part.by, part.part, part.name): part for part in sorted(parts, key=lambda part: part.version or 0)}
    return tuple(once[key] for key in sorted(once))
