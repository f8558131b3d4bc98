"""Treatments that staff said yes or no to in; those that may be asked about, and those that still wait, out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.models import Treatment, TreatmentAnswer
from outreach.settings import Settings

# Care that nobody may learn of from an envelope, a text or a housemate, whatever the allow-list says.
SENSITIVE = re.compile(
    r"abortion|miscarriage|pregnan|prenatal|antenatal|obstet|contracept|intrauterine|fertili|\bivf\b|vasectomy"
    r"|\bhiv\b|\bsti\b|\bstd\b|sexual|gyn[ae]|psych|mental|depress|anxiety|suicid|counsel|therap(?:y|ist) session"
    r"|abuse|assault|violence|addict|alcohol|opioid|substance|drug use|detox|methadone|hospice|palliative"
    r"|end[- ]of[- ]life",
    re.IGNORECASE,
)
# What was not done for half a year needs no answer today.
RECENT = timedelta(days=180)


@dataclass(frozen=True)
class WaitingTreatment:
    """A treatment without a yes or no: how often it was done of late, and on which day last."""

    name: str
    times: int
    last_on: date


def load_answers(session: Session) -> dict[str, str]:
    """“yes” or “no” by the casefolded name of a treatment."""
    return {answer.treatment: answer.answer for answer in session.exec(select(TreatmentAnswer))}


def may_ask_about(names: Iterable[str], answers: dict[str, str], settings: Settings) -> bool:
    """Whether any of the treatments may be asked about: a yes at the desk or in the settings, and no at neither."""
    listed = {name.casefold() for name in settings.moments.checkin.treatments}
    return any(answers.get(name.casefold(), "yes" if name.casefold() in listed else "") == "yes" for name in names)


def waiting_treatments(session: Session, settings: Settings, on: date) -> list[WaitingTreatment]:
    """Those done in the last half year that nobody has answered for, the most frequent first; never sensitive ones."""
    answered = set(load_answers(session)) | {name.casefold() for name in settings.moments.checkin.treatments}
    done = (
        select(Treatment.name, func.count(), func.max(Treatment.done_on))
        .where(Treatment.done_on > on - RECENT, Treatment.done_on <= on, col(Treatment.name).is_not(None))
        .group_by(col(Treatment.name))
    )
    found: dict[str, WaitingTreatment] = {}
    for name, times, last_on in session.exec(done):
        folded = (name or "").strip().casefold()
        if not folded or folded in answered or SENSITIVE.search(folded):
            continue
        known = found.get(folded, WaitingTreatment(name or "", 0, last_on))
        found[folded] = WaitingTreatment(known.name, known.times + times, max(known.last_on, last_on))
    return sorted(found.values(), key=lambda waiting: (-waiting.times, waiting.name))
