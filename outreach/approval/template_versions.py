"""Saves a template as a person changed it: a checked, audited version that stands in place of its file."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.clock import business_date
from outreach.composing.paper.pen_choice import require_writable
from outreach.composing.templating.templates import check_source, read_sources, split_name
from outreach.database import writing
from outreach.errors import ApprovalError
from outreach.locks import take_turns
from outreach.models import TemplateVersion
from outreach.settings import Settings


def save_template(
    engine: Engine, settings: Settings, name: str, source: str | None, by: str, at: datetime
) -> TemplateVersion | None:
    """The new version; None where this is what stands already. Without a source the file stands again.

    Raises TemplateRefused with the line, or NotAllowed for whoever is no writer, and then nothing is saved.
    """
    split_name(name)
    if source is not None:
        # Forms come with CRLF from every browser; the files have LF, and the two are compared below.
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        check_source(name, source)
        require_writable(settings, name, source, business_date(at, settings.business.timezone))
    # The trial above takes a while, and no lock is held meanwhile.
    with writing(engine) as session:
        require_writer(session, by, "change a template")
        take_turns(session, "templates")
        standing = next(iter(list_template_versions(session, name)), None)
        stands = standing.source if standing else None
        if source == stands or (stands is None and source == read_sources(settings.templates).get(name)):
            return None
        return _store(session, name, source, "template saved", by, at)


def undo_template(session: Session, name: str, by: str, at: datetime) -> TemplateVersion:
    """A new version with the words of the one before the last; before the first stands the file.

    Raises ApprovalError where nothing was saved, and NotAllowed for whoever is no writer.
    """
    require_writer(session, by, "change a template")
    take_turns(session, "templates")
    versions = list_template_versions(session, name)
    if not versions:
        raise ApprovalError(f"Nothing was saved for {name} at the desk, so there is nothing to undo")
    before = versions[1].source if len(versions) > 1 else None
    return _store(session, name, before, "template undone", by, at)


def list_template_versions(session: Session, name: str) -> Sequence[TemplateVersion]:
    """What was saved in place of the file, the version that stands first."""
    saved = select(TemplateVersion).where(TemplateVersion.name == name)
    return session.exec(saved.order_by(col(TemplateVersion.version).desc())).all()


def _store(session: Session, name: str, source: str | None, act: str, by: str, at: datetime) -> TemplateVersion:
    version = TemplateVersion(name=name, source=source, by=by, at=at)
    session.add(version)
    session.flush()
    what = hashlib.sha256(source.encode()).hexdigest() if source is not None else "the file"
    record_act(session, by, act, name, f"version {version.version}, {what}", at)
    return version
