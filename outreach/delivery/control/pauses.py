"""Stops and resumes sending: of everything, one moment, one provider or one batch. Every attempt that opens asks here.

A pause never calls back what has left; it only says how much that was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import COMMAND_LINE, require_approver, require_writer
from outreach.database import insert_new
from outreach.delivery.providers import PROVIDERS
from outreach.errors import NotFound
from outreach.models import Attempt, Batch, Message, Pause
from outreach.moments import MOMENTS

# From the widest to the narrowest: where several pauses hold a message, the first of them is the one that is named.
SCOPES = ("everything", "moment", "provider", "batch")


@dataclass(frozen=True)
class PauseReport:
    """How many messages a new pause concerns."""

    #: Approved, and waiting from now on.
    held: int
    #: Being handed over when the pause began: they may still leave.
    leaving: int
    #: Handed over in the day before the pause: they cannot be called back.
    left: int


def require_may_pause(session: Session, scope: str, by: str) -> None:
    """Writers may pause a moment, and approvers anything; the command line may always. Raises NotAllowed."""
    if by == COMMAND_LINE:
        return
    if scope == "moment":
        require_writer(session, by, "pause a moment")
    else:
        require_approver(session, by, "stop sending")


def pause(session: Session, scope: str, name: str, at: datetime, by: str = COMMAND_LINE) -> PauseReport:
    """Stops new attempts from now on. Raises NotFound when there is nothing of that name to stop.

    It asks for no role, because an incident pauses a batch too.
    """
    _require_known(session, scope, name)
    if insert_new(session, Pause, [{"scope": scope, "name": name, "at": at}]):
        record_act(session, by, f"{scope} paused", name, "", at)
    touched = touched_by(scope, name)
    # An open attempt and an unknown outcome count as left: the provider may have the message.
    recent = select(Attempt.reference).where(
        Attempt.started_at > at - timedelta(days=1), func.coalesce(Attempt.outcome, "").in_(("", "accepted", "unknown"))
    )
    return PauseReport(
        held=count_messages(session, touched, Message.status == "approved"),
        leaving=count_messages(session, touched, Message.status == "sending"),
        left=count_messages(session, touched, Message.status != "sending", col(Message.reference).in_(recent)),
    )


def resume(session: Session, scope: str, name: str, at: datetime, by: str = COMMAND_LINE) -> bool:
    """Lets go what `pause` stopped; False when it was not paused. Other pauses over the same messages stand.

    Of staff it takes an approver, whatever was paused. Raises NotAllowed.
    """
    if by != COMMAND_LINE:
        require_approver(session, by, "let sending go on")
    stopped = session.get(Pause, (scope, name))
    if stopped is None:
        return False
    session.delete(stopped)
    record_act(session, by, f"{scope} resumed", name, "", at)
    return True


def list_pauses(session: Session) -> Sequence[Pause]:
    return session.exec(select(Pause).order_by(col(Pause.at), Pause.scope, Pause.name)).all()


def pauses_over(session: Session, messages: Sequence[Message]) -> dict[str, Pause]:
    """The pause that holds each of `messages`, the widest first, by reference."""
    pauses = {(stopped.scope, stopped.name): stopped for stopped in list_pauses(session)}
    if not pauses:
        return {}
    over = {}
    for message in messages:
        # In the order of SCOPES.
        names = ("", message.kind, message.provider or "", message.batch_id or "")
        held = [pauses[key] for key in zip(SCOPES, names, strict=True) if key in pauses]
        if held:
            over[message.reference] = held[0]
    return over


def is_paused() -> ColumnElement[bool]:
    """The condition, on messages, that some pause holds them."""
    # Part of the claim's own query, so that no message can be claimed between a look at the pauses and the claim.
    return select(Pause).where(_holds(Message.kind, Message.provider, Message.batch_id)).exists()


def _holds(kind: Any, provider: Any, batch_id: Any) -> ColumnElement[bool]:
    return or_(
        col(Pause.scope) == "everything",
        and_(col(Pause.scope) == "moment", col(Pause.name) == kind),
        and_(col(Pause.scope) == "provider", col(Pause.name) == provider),
        and_(col(Pause.scope) == "batch", col(Pause.name) == batch_id),
    )


def touched_by(scope: str, name: str) -> ColumnElement[bool]:
    """The condition, on messages, that a pause of this scope and name concerns them."""
    columns = {"moment": Message.kind, "provider": Message.provider, "batch": Message.batch_id}
    return col(Message.reference).is_not(None) if scope == "everything" else col(columns[scope]) == name


def count_messages(session: Session, *conditions: Any) -> int:
    """How many messages fit all of `conditions`."""
    return session.exec(select(func.count()).select_from(Message).where(*conditions)).one()


def _require_known(session: Session, scope: str, name: str) -> None:
    known = {
        "everything": name == "",
        "moment": name in MOMENTS,
        "provider": name in PROVIDERS,
        "batch": scope == "batch" and session.get(Batch, name) is not None,
    }
    if not known.get(scope):
        raise NotFound(f"There is no {scope} “{name}” to pause. `outreach status` and `outreach batches` list them")
