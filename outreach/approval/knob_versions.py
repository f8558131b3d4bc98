"""Saves the knobs of a moment as a person sets them: a checked, audited version that stands from the next run on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.errors import ApprovalError, SettingsError
from outreach.locks import take_turns
from outreach.models import KnobVersion
from outreach.moments import knobs_for
from outreach.planning.ceilings import GiftTotals, why_too_much
from outreach.planning.knobs import overlay_knobs, saved_knobs
from outreach.settings import Settings, fixed_knobs

LONGEST_KNOBS = 20_000


def save_knobs(
    session: Session, settings: Settings, moment: str, values: Mapping[str, Any], by: str, at: datetime
) -> KnobVersion | None:
    """The new version; None where nothing would change. `values` are the knobs to change, the others stay as they are.

    `settings` are those of outreach.toml, without what was saved. Raises NotFound for an unknown moment, and
    SettingsError naming each value that does not fit, that the environment fixes, or that is above a ceiling. Raises
    NotAllowed for whoever is no writer.
    """
    require_writer(session, by, "change a knob")
    take_turns(session, "knobs")
    # Read within the turn: of two who save at once, the second builds upon what the first has saved.
    before = saved_knobs(session, moment)
    standing = knobs_for(overlay_knobs(settings, moment, before), moment).model_dump(mode="json")
    wanted = knobs_for(overlay_knobs(settings, moment, before | dict(values)), moment).model_dump(mode="json")
    fixed = sorted(name for name in fixed_knobs(moment) if wanted[name] != standing[name])
    if fixed:
        variable = f"OUTREACH_MOMENTS__{moment.upper()}__{fixed[0].upper()}"
        raise SettingsError(f"{fixed[0]} is fixed by {variable} in the environment; it can only be changed there")
    if wanted == standing:
        return None
    # Only where it changes: a reward above a new ceiling must not keep the other knobs from being saved.
    if wanted.get("reward") != standing.get("reward") and (why := why_too_much(settings, GiftTotals(wanted["reward"]))):
        raise SettingsError(f"reward: {why}")
    written = knobs_for(settings, moment).model_dump(mode="json")
    # What is as outreach.toml has it is not kept, so that a later change to the file counts.
    differing = {name: value for name, value in wanted.items() if value != written[name]}
    return _store(session, moment, differing, "knobs saved", by, at)


def undo_knobs(session: Session, moment: str, by: str, at: datetime) -> KnobVersion:
    """A new version with the values of the one before the last; before the first stand those of outreach.toml.

    Raises ApprovalError where nothing was saved, and NotAllowed for whoever is no writer.
    """
    require_writer(session, by, "change a knob")
    take_turns(session, "knobs")
    versions = list_knob_versions(session, moment)
    if not versions:
        raise ApprovalError(f"Nothing was saved for {moment} at the desk, so there is nothing to undo")
    before = json.loads(versions[1].knobs) if len(versions) > 1 else {}
    return _store(session, moment, before, "knobs undone", by, at)


def list_knob_versions(session: Session, moment: str) -> Sequence[KnobVersion]:
    """What was saved for the moment, the version that stands first."""
    saved = select(KnobVersion).where(KnobVersion.moment == moment)
    return session.exec(saved.order_by(col(KnobVersion.version).desc())).all()


def _store(session: Session, moment: str, knobs: dict[str, Any], act: str, by: str, at: datetime) -> KnobVersion:
    written = json.dumps(knobs, sort_keys=True)
    if len(written) > LONGEST_KNOBS:
        raise SettingsError(f"The knobs of {moment} are longer than {LONGEST_KNOBS:,} characters; shorten their lists")
    version = KnobVersion(moment=moment, knobs=written, by=by, at=at)
    session.add(version)
    session.flush()
    digest = hashlib.sha256(written.encode()).hexdigest()
    record_act(session, by, act, moment, f"version {version.version}, {digest}", at)
    return version
