"""The people who may act: records of staff, added and removed by name, never deleted."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.errors import ApprovalError, NotAllowed, NotFound
from outreach.models import ROLES, Staff


def add_staff(session: Session, staff_id: str, name: str, role: str, at: datetime) -> Staff:
    """The record of a member of staff, new or brought back with this name and role."""
    if role not in ROLES:
        raise ApprovalError(f"“{role}” is not a role; choose one of {', '.join(ROLES)}")
    member = session.get(Staff, staff_id) or Staff(staff_id=staff_id, name=name, role=role, added_at=at)
    member.name, member.role, member.removed_at = name, role, None
    session.add(member)
    record_act(session, "command line", "staff added", staff_id, role, at)
    return member


def list_staff(session: Session) -> Sequence[Staff]:
    return session.exec(select(Staff).where(col(Staff.removed_at).is_(None)).order_by(Staff.staff_id)).all()


def remove_staff(session: Session, staff_id: str, at: datetime) -> None:
    require_staff(session, staff_id).removed_at = at
    record_act(session, "command line", "staff removed", staff_id, "", at)


def require_staff(session: Session, staff_id: str) -> Staff:
    """The active record of `staff_id`; raises NotFound saying how to add one."""
    member = session.get(Staff, staff_id)
    if member is None or member.removed_at:
        raise NotFound(f"Nobody here is called “{staff_id}”. Add them: outreach staff add {staff_id} --name '…'")
    return member


def require_approver(session: Session, staff_id: str) -> Staff:
    """The record of someone who may approve, reject and undo; raises NotAllowed for any other role."""
    return _require_role(session, staff_id, "approver", "approve")


def require_writer(session: Session, staff_id: str) -> Staff:
    """The record of someone who may edit messages and hold them; raises NotAllowed for any other role."""
    return _require_role(session, staff_id, "writer", "change a message")


def require_admin(session: Session, staff_id: str) -> Staff:
    """The record of someone who may lift what others wrote down; raises NotAllowed for any other role."""
    return _require_role(session, staff_id, "admin", "lift it")


def _require_role(session: Session, staff_id: str, lowest: str, act: str) -> Staff:
    member = require_staff(session, staff_id)
    allowed = ROLES[ROLES.index(lowest) :]
    if member.role not in allowed:
        raise NotAllowed(f"{staff_id} is a {member.role} and cannot {act}; only {', '.join(allowed)} can")
    return member
