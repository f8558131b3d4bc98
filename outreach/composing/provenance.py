"""Keeps what messages are made with, as one hash, and who had a part in it.

Both come from the very sources, knobs and letterhead that a run uses, and are stored together with what it wrote:
whatever is saved, undone or replaced meanwhile is another provenance. Nothing is asked of how things stand later.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from outreach.composing.contributors import Contribution, add_events, add_treatments, find_writers, in_order, knob_parts
from outreach.composing.moment_data import Assignment
from outreach.composing.paper.letterhead import read_letterhead
from outreach.composing.templating.templates import Words, template_fingerprint
from outreach.database import insert_new
from outreach.errors import SettingsError
from outreach.models import Hand, Import, KnobSet, KnobVersion, Message, Provenance
from outreach.planning.knobs import knob_set
from outreach.settings import Settings

# What every message says of us, beside its templates.
_BUSINESS = ("name", "kind", "address", "phone", "email", "website", "language", "country", "currency")
_SIGNATORY = ("name", "role", "pen", "direct_line")


@dataclass(frozen=True)
class Made:
    """What a message was made with."""

    #: The moment.
    kind: str
    #: The hash of templates, knobs, mappings, rewards and business.
    fingerprint: str
    #: Whether its knobs ask for a person's approval.
    for_person: bool
    #: Who put what into it.
    parts: tuple[Contribution, ...]

    @property
    def provenance_id(self) -> str:
        hands = [[each.by, each.part, each.name, each.version] for each in self.parts]
        return _hash([self.fingerprint, self.for_person, hands])


class Provenances:
    """What one run makes its messages with; `sources` are the templates that it uses, by name."""

    def __init__(self, session: Session, settings: Settings, sources: Mapping[str, str]) -> None:
        self.settings, self.sources = settings, dict(sources)
        self.writers = find_writers(session, self.sources)
        self.savings: dict[str, list[KnobVersion]] = defaultdict(list)
        for version in session.exec(select(KnobVersion).order_by(col(KnobVersion.version))):
            self.savings[version.moment].append(version)
        self.letterhead: bytes | None = None
        self.mappings: tuple[str, ...] = ()
        self.planned: dict[str, dict[str, Any]] = {}
        self.own: dict[str, set[Contribution]] = {}
        self._known: dict[tuple[object, ...], tuple[str, bool, frozenset[Contribution]]] = {}

    def look(self, session: Session, messages: Sequence[Message], assignments: Sequence[Assignment]) -> None:
        """Reads what is of these messages alone, in the session in which their facts are read."""
        self.letterhead = read_letterhead(self.settings)
        used = select(Import.mapping).where(col(Import.mapping).is_not(None)).distinct()
        self.mappings = tuple(sorted(mapping for mapping in session.exec(used) if mapping))
        wanted = {message.planned_with for message in messages if message.planned_with} - set(self.planned)
        for kept in session.exec(select(KnobSet).where(col(KnobSet.sha256).in_(wanted))):
            self.planned[kept.sha256] = json.loads(kept.knobs)
        self.own = {each.reference: set() for each in assignments}
        add_events(session, assignments, self.own)
        add_treatments(session, assignments, self.savings["checkin"], self.own)

    def of(self, message: Message, words: Words) -> Made:
        """What a message was made with that was just written in these words.

        Raises SettingsError where the letterhead was replaced while it was written.
        """
        if read_letterhead(self.settings) != self.letterhead:
            raise SettingsError("business.letterhead was replaced while letters were written; the next run writes them")
        # With what `look` reads anew for every chunk: a run takes hours, and a file may be imported meanwhile.
        key = (message.kind, message.planned_with, self.mappings, self.letterhead)
        if key not in self._known:
            self._known[key] = self._of_kind(message.kind, message.planned_with)
        fingerprint, for_person, parts = self._known[key]
        for ending in words.sources:
            parts |= self.writers.get(words.name(ending), frozenset())
        return Made(message.kind, fingerprint, for_person, in_order(parts | self.own[message.reference]))

    def _of_kind(self, kind: str, planned_with: str | None) -> tuple[str, bool, frozenset[Contribution]]:
        settings, now = self.settings, knob_set(self.settings, kind)
        used: dict[str, Any] = json.loads(now.knobs)
        planned = self.planned.get(planned_with or "", used)
        rewards, business = settings.rewards, settings.business
        shaping = {
            "templates": template_fingerprint(settings, kind, self.sources, self.letterhead),
            "knobs": [now.sha256, planned_with or now.sha256],
            "mappings": self.mappings,
            "rewards": [
                rewards.moments[kind].model_dump(mode="json") if kind in rewards.moments else None,
                {currency: amounts[kind] for currency, amounts in rewards.amounts.items() if kind in amounts},
            ],
            "business": [getattr(business, name) for name in _BUSINESS],
            "signatories": [[getattr(each, name) for name in _SIGNATORY] for each in business.signatories],
        }
        hands = [part for knobs in (used, planned) for part in knob_parts(self.savings[kind], knobs)]
        return _hash(shaping), "person" in {used["approval"], planned["approval"]}, frozenset(hands)


def keep_provenances(session: Session, made: Iterable[Made]) -> None:
    """Stores each provenance once; the caller stores the messages in the same transaction."""
    by_id = {each.provenance_id: each for each in made}
    # In one order: two processes that insert the same rows must not wait for each other in a circle.
    rows = [(id_, by_id[id_]) for id_ in sorted(by_id)]
    provenances = [
        {"provenance_id": id_, "kind": m.kind, "fingerprint": m.fingerprint, "for_person": m.for_person}
        for id_, m in rows
    ]
    insert_new(session, Provenance, provenances)
    insert_new(session, Hand, [{"provenance_id": id_, **vars(part)} for id_, each in rows for part in each.parts])


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
