"""The people who may act: records of staff, added and removed by name, never deleted, and their first passwords."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.passwords import (
    Draw,
    draw_at_random,
    hash_password,
    make_first_password,
    require_good_password,
)
from outreach.errors import ApprovalError, NotAllowed, NotFound
from outreach.models import ROLES, SignIn, Staff

COMMAND_LINE = "command line"
#: The roles of those who may approve, reject and undo.
APPROVERS = ROLES[ROLES.index("approver") :]
# The program's own names in the audit hold a space, and nobody else may pass for them.
_STAFF_ID = re.compile(r"\w[\w.@+-]{0,63}")


def add_staff(session: Session, staff_id: str, name: str, role: str, at: datetime, email: str | None = None) -> Staff:
    """The record of a member of staff, new or brought back with this name and role.

    Without `email` they keep the one they have; an empty one takes it away.
    """
    if role not in ROLES:
        raise ApprovalError(f"“{role}” is not a role; choose one of {', '.join(ROLES)}")
    if not _STAFF_ID.fullmatch(staff_id):
        raise ApprovalError(f"“{staff_id}” cannot be an id; use letters and digits without spaces, such as maria")
    member = session.get(Staff, staff_id) or Staff(staff_id=staff_id, name=name, role=role, added_at=at)
    member.name, member.role, member.removed_at = name, role, None
    if email is not None:
        member.email = _free_email(session, staff_id, email) if email else None
    session.add(member)
    record_act(session, COMMAND_LINE, "staff added", staff_id, role, at)
    return member


def _free_email(session: Session, staff_id: str, email: str) -> str:
    """The address as mail goes to it; raises ApprovalError where it is none, or is somebody else's already."""
    from outreach.contacts import deliverable_email  # see find_by_email

    address = deliverable_email(email)
    if address is None:
        raise ApprovalError("That is not an e-mail address; write one such as maria@practice.example")
    other = find_by_email(session, address)
    if other and other.staff_id != staff_id:
        raise ApprovalError(f"{other.staff_id} has this e-mail address already; everybody needs one of their own")
    return address


def find_by_email(session: Session, email: str) -> Staff | None:
    """The active member of staff with this address, in any spelling."""
    # Imported here: it brings libraries of addresses and numbers, and every command that asks for a role would wait.
    from outreach.contacts import normalise_email

    normal = normalise_email(email)
    with_email = select(Staff).where(col(Staff.email).is_not(None), col(Staff.removed_at).is_(None))
    members = session.exec(with_email.order_by(Staff.staff_id)) if normal else ()
    # Compared here and not by the database: an address is kept as mail goes to it, and may be typed in other spellings.
    return next((member for member in members if normalise_email(member.email or "") == normal), None)


def list_staff(session: Session) -> Sequence[Staff]:
    return session.exec(select(Staff).where(col(Staff.removed_at).is_(None)).order_by(Staff.staff_id)).all()


def remove_staff(session: Session, staff_id: str, at: datetime) -> None:
    """Takes away what someone may do, at once and wherever they are signed in; what they did stays in the audit."""
    member = require_staff(session, staff_id)
    # Who is added again later gets this record back, and must not come in with the password of before.
    member.removed_at, member.email, member.password_hash, member.must_change = at, None, None, True
    end_sign_ins(session, staff_id)
    record_act(session, COMMAND_LINE, "staff removed", staff_id, "", at)


def give_first_password(session: Session, staff_id: str, at: datetime, draw: Draw = draw_at_random) -> str:
    """A password to be told to this person and changed at the first sign-in. Ends their sign-ins. Shown only here."""
    require_staff(session, staff_id)
    password = make_first_password(draw)
    set_password(session, staff_id, password, must_change=True)
    record_act(session, COMMAND_LINE, "first password given", staff_id, "", at)
    return password


def take_password(session: Session, staff_id: str, password: str, business: str, at: datetime) -> None:
    """Takes a password that was chosen beforehand, and ends this person's sign-ins. Raises PasswordRefused."""
    member = require_staff(session, staff_id)
    require_good_password(password, known_words(member, business))
    set_password(session, staff_id, password, must_change=False)
    record_act(session, COMMAND_LINE, "password set", staff_id, "", at)


def known_words(member: Staff, business: str) -> tuple[str, ...]:
    """What those who guess this person's password would try first."""
    return business, member.name, member.staff_id, *(member.email or "").split("@")


def set_password(session: Session, staff_id: str, password: str, must_change: bool, keep: str | None = None) -> None:
    """Gives somebody another password, and ends their sign-ins but the one with the hash `keep`."""
    member = session.get_one(Staff, staff_id)
    member.password_hash, member.must_change = hash_password(password), must_change
    end_sign_ins(session, staff_id, keep)


def end_sign_ins(session: Session, staff_id: str, keep: str | None = None) -> int:
    """Signs someone out everywhere, save for the sign-in with the hash `keep`; returns from how many browsers."""
    gone = delete(SignIn).where(col(SignIn.staff_id) == staff_id, col(SignIn.token_hash).is_distinct_from(keep))
    return session.connection().execute(gone).rowcount


def can_anybody_approve(session: Session, by_account: bool) -> bool:
    """Whether some approver could sign in: with a password or, `by_account`, with the address of an account."""
    return any(
        member.password_hash or (by_account and member.email)
        for member in list_staff(session)
        if ROLES.index(member.role) >= ROLES.index("approver")
    )


def invite_somebody(
    session: Session, by_account: bool, at: datetime, draw: Draw = draw_at_random
) -> tuple[Staff, str] | None:
    """The first of those who may approve, with a first password to be told to them, where none of them could sign in.

    None where somebody can, or where nobody may approve.
    """
    approvers = [member for member in list_staff(session) if ROLES.index(member.role) >= ROLES.index("approver")]
    if not approvers or can_anybody_approve(session, by_account):
        return None
    return approvers[0], give_first_password(session, approvers[0].staff_id, at, draw)


def whom_to_ask(session: Session) -> str:
    """The names of those who may change what others may do."""
    admins = [member.name for member in list_staff(session) if member.role == "admin"]
    return " or ".join(admins) or "whoever runs this program (outreach staff add WHO --role …)"


def require_staff(session: Session, staff_id: str) -> Staff:
    """The active record of `staff_id`; raises NotFound saying how to add one."""
    if not staff_id:
        raise NotFound("Say who does this: add --by WHO, the id of a staff record (outreach staff list)")
    member = session.get(Staff, staff_id)
    if member is None or member.removed_at:
        raise NotFound(f"Nobody here is called “{staff_id}”. Add them: outreach staff add {staff_id} --name '…'")
    return member


def require_approver(session: Session, staff_id: str, act: str = "approve") -> Staff:
    """The record of someone who may approve, reject and undo; raises NotAllowed for a lower role."""
    return _require_role(session, staff_id, "approver", act)


def require_writer(session: Session, staff_id: str, act: str = "change a message") -> Staff:
    """The record of someone who may edit messages and hold them; raises NotAllowed for a lower role."""
    return _require_role(session, staff_id, "writer", act)


def require_admin(session: Session, staff_id: str, act: str) -> Staff:
    """The record of someone who may do what only admins may, `act` in words; raises NotAllowed for any other role."""
    return _require_role(session, staff_id, "admin", act)


def _require_role(session: Session, staff_id: str, lowest: str, act: str) -> Staff:
    member = require_staff(session, staff_id)
    allowed = ROLES[ROLES.index(lowest) :]
    if member.role not in allowed:
        who = " or ".join(other.staff_id for other in list_staff(session) if other.role in allowed)
        ask = f"Ask {who}" if who else f"Add somebody: outreach staff add WHO --name '…' --role {lowest}"
        roles = " or ".join(allowed)
        raise NotAllowed(f"{staff_id} may not {act}: their role is {member.role}, and it takes {roles}. {ask}")
    return member
