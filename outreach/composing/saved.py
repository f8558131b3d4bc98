"""Templates saved at the desk in; those that stand over the files of the templates folder out."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from outreach.models import TemplateVersion


def saved_sources(session: Session) -> dict[str, str]:
    """The sources that stand at the desk, by name; a template given back to its file is not in it."""
    newest = select(func.max(TemplateVersion.version)).group_by(col(TemplateVersion.name))
    standing = select(TemplateVersion).where(col(TemplateVersion.version).in_(newest))
    return {version.name: version.source for version in session.exec(standing) if version.source is not None}


def list_template_versions(session: Session, name: str) -> Sequence[TemplateVersion]:
    """Every version of a template, the newest first."""
    of_name = select(TemplateVersion).where(TemplateVersion.name == name)
    return session.exec(of_name.order_by(col(TemplateVersion.version).desc())).all()
