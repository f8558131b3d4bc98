"""Whose words a batch holds: its author's, of whoever edited a message in it, and of whoever saved its templates."""

from sqlmodel import Session, col, select

from outreach.composing.templates import FOLDERS
from outreach.errors import SamePerson
from outreach.models import Batch, Edit, Message, TemplateVersion
from outreach.settings import Settings


def authors_of(session: Session, batch: Batch) -> set[str]:
    """The members of staff (or the planner) who had a hand in what an approval of the batch would let go."""
    edited = select(Edit.by).join(Message, col(Message.reference) == Edit.reference)
    editors = session.exec(edited.where(Message.batch_id == batch.batch_id, col(Message.status) == "composed"))
    return {batch.author, *editors, *_authors_of_templates(session, batch)}


def _authors_of_templates(session: Session, batch: Batch) -> set[str]:
    """Who saved, at the desk, the templates that stood when the batch was opened, or the one it was set apart from."""
    opened_at = session.get_one(Batch, batch.apart_from).opened_at if batch.apart_from else batch.opened_at
    saved = select(TemplateVersion).where(
        col(TemplateVersion.name).startswith(f"{FOLDERS[batch.channel]}/{batch.kind}.", autoescape=True),
        col(TemplateVersion.at) <= opened_at,
    )
    standing = {version.name: version for version in session.exec(saved.order_by(col(TemplateVersion.version)))}
    return {version.by for version in standing.values() if version.source is not None}


def require_another(session: Session, settings: Settings, batch: Batch, by: str) -> bool:
    """False when `by` had no hand in the batch; True when they had, and this business has only one person to ask.

    Raises SamePerson otherwise.
    """
    if by not in authors_of(session, batch):
        return False
    if not settings.approval.single_person:
        raise SamePerson(f"{by} wrote or edited what is in {batch.batch_id}; somebody else must approve it")
    return True
