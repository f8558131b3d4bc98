"""Puts off what a row that could not be read may change, until that row is mended and imported again."""

from collections.abc import Mapping
from types import MappingProxyType

from outreach.moments.definition import Trait
from outreach.planning.candidates import Candidate, Day
from outreach.planning.verdicts import Hold

_MONEY: frozenset[Trait] = frozenset({"debt", "present", "favour"})
_VISITS: frozenset[Trait] = frozenset({"absence", "intrusive", "present", "health"})
# The traits of the moments that a row of a table may change. Of the others (who somebody is, what they have said, what
# has befallen them) any moment may hang on it.
MAY_CHANGE: Mapping[str, frozenset[Trait]] = MappingProxyType(
    {
        "invoices": _MONEY,
        "payments": _MONEY,
        "referrals": frozenset({"favour"}),
        "treatments": _VISITS,
        "visits": _VISITS,
    }
)


def hold_for_unread(candidate: Candidate, day: Day) -> Hold | None:
    """A newer row of theirs was refused; or payments were of which nobody can say whose they are."""
    for person in candidate.people:
        for row in person.unread:
            may_change = MAY_CHANGE.get(row.table)
            if may_change is None or may_change & candidate.traits:
                what = f"{row.table}, {row.column}" if row.column else row.table
                return Hold(
                    "unread",
                    f"a newer row of theirs could not be read ({what}); mend it, and import it again",
                    day.tomorrow,
                )
    if "debt" in candidate.traits and day.facts.payments_unread:
        return Hold("unread", "payments could not be read, and nobody can say whose they are", day.tomorrow)
    return None
