"""Lists the treatments in the data that nobody has said yes or no to yet, with how often they were done lately."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from outreach.models import Treatment, TreatmentAnswer
from outreach.moments.care_words import is_never_mentioned
from outreach.moments.checkin import CHECKIN
from outreach.moments.relationship import was_done
from outreach.settings import Settings

DAYS_BACK = 90


@dataclass(frozen=True)
class WaitingTreatment:
    """A treatment that waits for a yes or a no."""

    #: As the data have it most often.
    name: str
    #: How often it was done in the last three months.
    times: int
    last_on: date


def waiting_treatments(session: Session, settings: Settings, on: date) -> list[WaitingTreatment]:
    """Those done lately, neither listed under `[moments.checkin] treatments` nor answered, the most usual first.

    Care that is never mentioned is never among them.
    """
    done = select(Treatment.name, func.count(), func.max(Treatment.done_on)).where(
        was_done(),
        col(Treatment.name).is_not(None),
        Treatment.done_on > on - timedelta(days=DAYS_BACK),
        Treatment.done_on <= on,
    )
    settled = {name.casefold() for name in CHECKIN.knobs_of(settings).treatments}
    settled |= set(session.exec(select(TreatmentAnswer.treatment)).all())
    waiting: dict[str, WaitingTreatment] = {}
    rows = session.execute(done.group_by(col(Treatment.name))).all()
    # The most usual spelling first: it is the one that is shown.
    for name, times, last_on in sorted(rows, key=lambda row: (-row[1], row[0])):
        # Here and not in SQL: lower() of SQLite knows ASCII only (https://www.sqlite.org/lang_corefunc.html#lower).
        folded = name.casefold()
        if not name.strip() or folded in settled or is_never_mentioned(name):
            continue
        first = waiting.get(folded, WaitingTreatment(name, 0, last_on))
        waiting[folded] = WaitingTreatment(first.name, first.times + times, max(first.last_on, last_on))
    return sorted(waiting.values(), key=lambda treatment: (-treatment.times, treatment.name))
