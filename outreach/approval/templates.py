"""A template that a writer changed in; a new version of it out, once it has passed every check, and nothing else."""

import hashlib
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.composing import check_source
from outreach.composing.saved import list_template_versions
from outreach.database import take_turns, writing
from outreach.errors import NotFound
from outreach.models import TemplateVersion


def save_template(engine: Engine, name: str, source: str, by: str, at: datetime) -> TemplateVersion:
    """The new version of the template `name`, such as letters/anniversary.en.html.

    Raises TemplateRefused with the line for whatever no template may hold, and NotAllowed for a role too low; nothing
    is saved then.
    """
    source = source.replace("\r\n", "\n")
    check_source(name, source)
    with writing(engine) as session:
        require_writer(session, by)
        return _append(session, name, source, by, at)


def undo_template(engine: Engine, name: str, by: str, at: datetime) -> TemplateVersion:
    """A new version with the words of the one before the last; before the first stands the file."""
    with writing(engine) as session:
        require_writer(session, by)
        versions = list_template_versions(session, name)
        if not versions:
            raise NotFound(f"{name} was not changed here; the file in the templates folder stands")
        return _append(session, name, versions[1].source if len(versions) > 1 else None, by, at)


def _append(session: Session, name: str, source: str | None, by: str, at: datetime) -> TemplateVersion:
    take_turns(session, "templates")
    version = TemplateVersion(name=name, source=source, by=by, at=at)
    session.add(version)
    session.flush()
    record_act(session, by, "template saved", name, hashlib.sha256((source or "").encode()).hexdigest(), at)
    return version
