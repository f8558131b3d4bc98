"""What marketing saved at the desk in; the settings that hold today out. Reads, and saves nothing."""

import json
from typing import Any

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from outreach.database import reading
from outreach.models import KnobVersion
from outreach.settings import Settings, with_knobs


def open_settings(engine: Engine, settings: Settings) -> Settings:
    """`settings` with the knobs that stand at the desk."""
    with reading(engine) as session:
        return with_knobs(settings, saved_knobs(session))


def saved_knobs(session: Session) -> dict[str, dict[str, Any]]:
    """The knobs that stand, by moment: those of its highest version."""
    newest = select(func.max(KnobVersion.version)).group_by(col(KnobVersion.moment))
    standing = select(KnobVersion).where(col(KnobVersion.version).in_(newest))
    return {version.moment: json.loads(version.knobs) for version in session.exec(standing)}
