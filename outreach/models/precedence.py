"""Which values on record stand against those that an import brings. Data never overwrites what staff wrote."""

from typing import Any

from sqlalchemy import case
from sqlmodel import col

from outreach.models.customers import DESK, Customer, Feedback, Flag


def keep_deaths(new: Any) -> dict[str, Any]:
    """An import never brings anybody back to life; of two days, the earlier stands."""
    # Of two days the earlier: from a death on nobody has a moment, and a later day would bring some back.
    earlier = new.died_on.is_(None) | (new.died_on > col(Customer.died_on))
    return {"died_on": case((col(Customer.died_on).is_not(None) & earlier, col(Customer.died_on)), else_=new.died_on)}


def keep_death_of(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    """The same of two rows of one customer that come in together: writes into the later what stands of the earlier."""
    if days := [day for day in (earlier.get("died_on"), later.get("died_on")) if day]:
        later["died_on"] = min(days)


def keep_flags_of_the_desk(new: Any) -> dict[str, Any]:
    """What staff know of somebody stands until they take it back."""
    # Of a flag that staff have ended the desk says nothing any more, and the data may bring it anew.
    stands = (col(Flag.source) == DESK) & col(Flag.until_on).is_(None)
    columns = {"until_on": Flag.until_on, "source": Flag.source, "note": Flag.note}
    return {name: case((stands, column), else_=new[name]) for name, column in columns.items()}


def keep_what_staff_wrote(new: Any) -> dict[str, Any]:
    """What was written at the desk or in a survey stands as it is; so do an answer and a match that staff set."""
    ours = col(Feedback.source).is_not(None)
    stands = {
        "status": ours | col(Feedback.answered_at).is_not(None),
        "customer_id": ours | col(Feedback.matched_at).is_not(None),
    }
    names = ("customer_id", "given_at", "given_at_local", "given_on", "kind", "score", "status", "text")
    return {name: case((stands.get(name, ours), getattr(Feedback, name)), else_=new[name]) for name in names}
