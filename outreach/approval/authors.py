"""Finds who had a part in a batch: whoever prepared it, edited a message, or put something into what made its messages.

What they were made with is on record with each message. How templates, knobs and lists stand by now says nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlmodel import Session, col, select

from outreach.approval.batches import WAITING
from outreach.approval.staff import APPROVERS, list_staff
from outreach.channels import CHANNELS
from outreach.chunks import select_for
from outreach.composing.contributors import Contribution
from outreach.errors import SamePerson
from outreach.models import Batch, Edit, Hand, KnobVersion, Message, TemplateVersion
from outreach.settings import Settings

# What an approval of a batch would let go, and what its page shows.
TO_APPROVE = ("composed",)
SHOWN = (*WAITING, "approved")
_NOUNS = {"words": "words", "knobs": "knobs", "event": "event", "treatment": "treatment", "edit": "edited"}


def parts_of(session: Session, provenances: Collection[str]) -> dict[str, set[Contribution]]:
    """Who put what into the messages of each provenance."""
    parts: dict[str, set[Contribution]] = defaultdict(set)
    for hand in select_for(session, select(Hand), Hand.provenance_id, provenances):
        parts[hand.provenance_id].add(Contribution(hand.by, hand.part, hand.name, hand.version))
    return parts


def parts_in(session: Session, batch: Batch, statuses: Sequence[str] = SHOWN) -> list[Contribution]:
    """Who put what into the messages of a batch that have one of `statuses`; an edit is named by its reference."""
    of_batch = Message.batch_id == batch.batch_id, col(Message.status).in_(statuses)
    made = set(session.exec(select(Message.provenance_id).where(*of_batch).distinct()))
    parts = {part for theirs in parts_of(session, {id_ for id_ in made if id_}).values() for part in theirs}
    edits = select(Edit.by, Edit.reference).join(Message, col(Message.reference) == Edit.reference)
    parts |= {Contribution(by, "edit", reference) for by, reference in session.exec(edits.where(*of_batch))}
    if None in made:
        parts |= _any_hand(session, batch)
    return sorted(parts, key=lambda part: (part.part, part.name, part.by))


def _any_hand(session: Session, batch: Batch) -> set[Contribution]:
    """Whoever ever saved words or knobs for it: nobody knows what an earlier version of the program made it with."""
    name = col(TemplateVersion.name).startswith(f"{CHANNELS[batch.channel].folder}/{batch.kind}.", autoescape=True)
    words = session.exec(select(TemplateVersion.by, TemplateVersion.name).where(name).distinct())
    knobs = session.exec(select(KnobVersion.by).where(KnobVersion.moment == batch.kind).distinct())
    return {Contribution(by, "words", template) for by, template in words} | {
        Contribution(by, "knobs", batch.kind) for by in knobs
    }


def authors_of(session: Session, batch: Batch) -> set[str]:
    """The members of staff (or the planner) who had a hand in what an approval of the batch would let go."""
    return {batch.author, *(part.by for part in parts_in(session, batch, TO_APPROVE))}


def tell_parts(parts: Sequence[Contribution]) -> str:
    """The parts in words, such as “words (letters/anniversary.en.html), knobs (reward)”."""
    names: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        names[_NOUNS[part.part]].append(part.name)
    return ", ".join(f"{noun} ({', '.join(dict.fromkeys(listed))})" for noun, listed in names.items())


def tell_hands(parts: Sequence[Contribution]) -> list[tuple[str, str]]:
    """Each member of staff who put something in, with what it was."""
    people = sorted({part.by for part in parts})
    return [(by, tell_parts([part for part in parts if part.by == by])) for by in people]


def require_another(session: Session, settings: Settings, batch: Batch, by: str) -> bool:
    """False when `by` had no hand in the batch; True when they had, and this business has only one person to ask.

    Raises SamePerson otherwise.
    """
    if by not in authors_of(session, batch):
        return False
    if not settings.approval.single_person:
        raise SamePerson(
            f"{by} had a hand in {batch.batch_id} ({tell_share(session, batch, by)}); somebody else must approve it. "
            "Where there is only one person, set approval.single_person"
        )
    return True


def tell_share(session: Session, batch: Batch, by: str) -> str:
    """What of a batch is theirs, in words."""
    theirs = [part for part in parts_in(session, batch, TO_APPROVE) if part.by == by]
    return f"their {tell_parts(theirs)}" if theirs else "they prepared it"


def find_other_approvers(session: Session, settings: Settings, batch: Batch, by: str) -> list[str] | None:
    """The names of those who may approve the batch in place of `by`; None where `by` may."""
    authors = authors_of(session, batch)
    if by not in authors or settings.approval.single_person:
        return None
    return [one.name for one in list_staff(session) if one.role in APPROVERS and one.staff_id not in authors]
