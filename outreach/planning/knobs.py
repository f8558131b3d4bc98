"""Lays what was saved at the desk over the settings of outreach.toml, so that they are those that stand today.

The environment is above what was saved, and what was saved is above outreach.toml. It saves nothing itself.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, func, select

from outreach.database import insert_new
from outreach.models import KnobSet, KnobVersion, TreatmentAnswer
from outreach.moments import MOMENTS, knobs_for, require_knobs
from outreach.moments.checkin import CHECKIN
from outreach.settings import Settings, fixed_knobs


def with_saved_knobs(session: Session, settings: Settings) -> Settings:
    """`settings` with the knobs saved for every moment, and the answers on treatments.

    A knob that does not fit, or that this version of the program does not know, raises SettingsError, whether it was
    saved or written.
    """
    # Before anything is laid over them: what was saved could hide a knob in outreach.toml that does not fit.
    require_knobs(settings)
    newest = select(func.max(KnobVersion.version)).group_by(col(KnobVersion.moment))
    for version in session.exec(select(KnobVersion).where(col(KnobVersion.version).in_(newest))):
        # What was saved for a moment that there is no more is left alone.
        if version.moment in MOMENTS:
            fixed = fixed_knobs(version.moment)
            saved = {name: value for name, value in json.loads(version.knobs).items() if name not in fixed}
            settings = overlay_knobs(settings, version.moment, saved)
    return _with_answers(session, settings)


def overlay_knobs(settings: Settings, moment: str, values: Mapping[str, Any]) -> Settings:
    """`settings` with these knobs of one moment. Raises NotFound, or SettingsError as `knobs_of`."""
    changed = settings.moments.get(moment, {}) | dict(values)
    tried = settings.model_copy(update={"moments": settings.moments | {moment: changed}})
    knobs_for(tried, moment)
    return tried


def saved_knobs(session: Session, moment: str) -> dict[str, Any]:
    """The knobs that were saved for the moment and stand, as JSON has them; none where nothing was saved."""
    standing = select(KnobVersion.knobs).where(KnobVersion.moment == moment).order_by(col(KnobVersion.version).desc())
    newest = session.exec(standing.limit(1)).first()
    knobs: dict[str, Any] = json.loads(newest) if newest else {}
    return knobs


def knob_set(settings: Settings, kind: str) -> KnobSet:
    """The knobs of the moment as they are in `settings`, under their hash."""
    # Sorted, so that equal knobs have one hash whatever the order of their fields.
    knobs = json.dumps(knobs_for(settings, kind).model_dump(mode="json"), sort_keys=True)
    return KnobSet(sha256=hashlib.sha256(f"{kind} {knobs}".encode()).hexdigest(), kind=kind, knobs=knobs)


def keep_knobs(session: Session, settings: Settings) -> None:
    """Keeps the knobs of every moment under their hash, which is all that a message that is planned says of them."""
    insert_new(session, KnobSet, [knob_set(settings, kind).model_dump() for kind in MOMENTS])


def _with_answers(session: Session, settings: Settings) -> Settings:
    """A yes adds the treatment to those that may be asked about; a no takes it out, whoever listed it."""
    answers = {row.treatment: row.answer for row in session.exec(select(TreatmentAnswer)).all()}
    if not answers:
        return settings
    listed = [name for name in CHECKIN.knobs_of(settings).treatments if answers.get(name.casefold()) != "no"]
    folded = {name.casefold() for name in listed}
    agreed = sorted(name for name, answer in answers.items() if answer == "yes" and name not in folded)
    return overlay_knobs(settings, "checkin", {"treatments": listed + agreed})
