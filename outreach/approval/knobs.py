"""Knobs that somebody sets at the desk in; a new version of them out, never one changed. Each is in the audit."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.database import take_turns
from outreach.errors import NotFound
from outreach.models import KnobVersion
from outreach.settings import MomentKnobs, Settings, with_knobs


def knobs_with(settings: Settings, moment: str, values: Mapping[str, Any]) -> MomentKnobs:
    """The moment's knobs with `values` in them. Raises SettingsError naming each that does not fit."""
    return with_knobs(settings, {moment: values}).knobs_for(moment)


def save_knobs(
    session: Session, given: Settings, moment: str, values: Mapping[str, Any], by: str, at: datetime
) -> KnobVersion:
    """The new version of a moment's knobs; it keeps those that differ from `given`, the settings of outreach.toml.

    Raises SettingsError naming each value that does not fit; nothing is saved then.
    """
    plain = given.knobs_for(moment).model_dump(mode="json")
    wanted = knobs_with(given, moment, values).model_dump(mode="json")
    return _append(session, moment, {name: wanted[name] for name in wanted if wanted[name] != plain[name]}, by, at)


def undo_knobs(session: Session, moment: str, by: str, at: datetime) -> KnobVersion:
    """A new version with the knobs of the one before the last. Raises NotFound where none was saved."""
    versions = list_knob_versions(session, moment)
    if not versions:
        raise NotFound(f"No knobs of {moment} were saved here; those of outreach.toml stand")
    before = json.loads(versions[1].knobs) if len(versions) > 1 else {}
    return _append(session, moment, before, by, at)


def list_knob_versions(session: Session, moment: str) -> Sequence[KnobVersion]:
    """Every version of a moment's knobs, the newest first."""
    of_moment = select(KnobVersion).where(KnobVersion.moment == moment)
    return session.exec(of_moment.order_by(col(KnobVersion.version).desc())).all()


def _append(session: Session, moment: str, knobs: dict[str, Any], by: str, at: datetime) -> KnobVersion:
    take_turns(session, "knobs")
    version = KnobVersion(moment=moment, knobs=json.dumps(knobs, sort_keys=True), by=by, at=at)
    session.add(version)
    session.flush()
    record_act(session, by, "knobs saved", moment, hashlib.sha256(version.knobs.encode()).hexdigest(), at)
    return version
