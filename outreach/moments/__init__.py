"""Customer data and a date in; everyone who has a moment on that date out, whatever ran before. It writes nothing.

`MOMENTS` is the registry, in the order in which moments come first when several meet in one person.
"""

from collections.abc import Collection, Sequence
from datetime import date

from sqlmodel import Session

from outreach.errors import SettingsError
from outreach.moments.anniversary import ANNIVERSARY
from outreach.moments.checkin import CHECKIN
from outreach.moments.definition import Found, MomentDefinition
from outreach.moments.late_payment import LATE_PAYMENT
from outreach.moments.referral_ask import REFERRAL_ASK
from outreach.settings import Settings

MOMENTS: dict[str, MomentDefinition] = {
    definition.kind: definition for definition in (CHECKIN, LATE_PAYMENT, ANNIVERSARY, REFERRAL_ASK)
}


def require_kinds(kinds: Collection[str]) -> None:
    """Raises SettingsError for the name of a moment that there is not."""
    if unknown := set(kinds) - set(MOMENTS):
        raise SettingsError(f"There is no moment “{min(unknown)}”; there are {', '.join(MOMENTS)}")


def find_moments(session: Session, settings: Settings, on: date, kinds: Sequence[str] | None = None) -> list[Found]:
    """Everyone who meets a definition on `on`, by moment in the registry's order and then by customer."""
    found: list[Found] = []
    for kind, definition in MOMENTS.items():
        if kinds is None or kind in kinds:
            rows = session.execute(definition.find(settings.knobs_for(kind), on))
            found += sorted(Found(kind, customer_id, day.isoformat(), on) for customer_id, day in rows)
    return found


__all__ = ["MOMENTS", "Found", "MomentDefinition", "find_moments", "require_kinds"]
