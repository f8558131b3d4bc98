"""Moves what was found, decided and sent under a merged number of a person to the number that is kept, and back.

Nothing is decided anew here: what was sent stays sent and counts as a touch, and no occasion is kept twice.
"""

from datetime import date

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from outreach.database import insert_new
from outreach.identity.aliases import move_back, move_column, repointed
from outreach.models import Decision, Merge, Message, Moment, Repointed, Reward
from outreach.models.selects import select_latest_decisions
from outreach.stable_ids import moment_id

RULE = "merged"
REASON = "this was decided under another number of theirs"
_NAMING = ((Message, "customer_id"), (Message, "recipient_id"), (Reward, "customer_id"))


def move_moments(session: Session, merge: Merge, on: date) -> None:
    """Points the merged customer's moments, messages and rewards at the kept one.

    Where both had the same occasion, that of the merged one stays where it is; if it was sent, the other is closed.
    """
    for model, name in _NAMING:
        move_column(session, merge, model, name)
    for moment in session.exec(select(Moment).where(Moment.customer_id == merge.merged_id)).all():
        new = moment_id(moment.kind, merge.kept_id, moment.occasion)
        if session.get(Moment, new):
            _close_second(session, merge, moment.moment_id, new, on)
        else:
            _rename(session, moment, new, merge.kept_id)
            # By its new id the way back is found; the old one is made again of the merged number.
            insert_new(session, Repointed, [repointed(merge, Moment, "moment_id", new)])


def move_moments_back(session: Session, merge: Merge) -> None:
    """Gives the merged customer back what `move_moments` took, with what was decided on it since."""
    for model, name in _NAMING:
        move_back(session, merge, model, name)
    for new in _logged(session, merge, Moment.__tablename__, "moment_id"):
        if moment := session.get(Moment, new):
            _rename(session, moment, moment_id(moment.kind, merge.merged_id, moment.occasion), merge.merged_id)
    for closed in _logged(session, merge, Decision.__tablename__, RULE):
        undone = delete(Decision).where(col(Decision.moment_id) == closed, col(Decision.rule) == RULE)
        session.connection().execute(undone)


def _logged(session: Session, merge: Merge, table: object, column: str) -> list[str]:
    of_it = select(Repointed.row_key).where(
        Repointed.merge_id == merge.merge_id, Repointed.table_name == str(table), Repointed.column_name == column
    )
    return list(session.exec(of_it))


def _rename(session: Session, moment: Moment, new: str, customer_id: str) -> None:
    """A moment's id is made of its customer's: planning would not know it again under another."""
    old = moment.moment_id
    row = moment.model_dump() | {"moment_id": new, "customer_id": customer_id}
    # In this order, because decisions and messages refer to a moment that must be there all the time.
    insert_new(session, Moment, [row])
    for table, column in ((Decision, col(Decision.moment_id)), (Message, col(Message.moment_id))):
        session.connection().execute(update(table).where(column == old).values(moment_id=new))
    session.connection().execute(delete(Moment).where(col(Moment.moment_id) == old))
    # These statements went past the session, whose objects would go on showing the old id.
    session.expire_all()


def _close_second(session: Session, merge: Merge, merged: str, kept: str, on: date) -> None:
    """Closes the kept person's moment that still waits, where the same occasion was written to already."""
    theirs, own = (
        session.exec(select_latest_decisions().where(Decision.moment_id == id_)).first() for id_ in (merged, kept)
    )
    if theirs is None or theirs.outcome != "send" or own is None or own.outcome != "not_yet":
        return
    row = {"moment_id": kept, "sequence": own.sequence + 1, "run_on": on, "outcome": "never", "rule": RULE,
           "reason": REASON}  # fmt: skip
    insert_new(session, Decision, [row])
    insert_new(session, Repointed, [repointed(merge, Decision, RULE, kept)])
