"""At most one touch per person within the quiet days, and of marketing one per household.

What was sent before comes along with each Person; what this run has planned so far is kept here.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from outreach.planning.candidates import Candidate
from outreach.planning.channels import Route
from outreach.planning.verdicts import Hold

Touch = tuple[date, str]


class Touches:
    """The touches planned in this run, by recipient and by household."""

    def __init__(self, quiet_days: int) -> None:
        self.quiet = timedelta(days=quiet_days)
        self._of_person: dict[str, list[Touch]] = defaultdict(list)
        self._of_household: dict[str, list[Touch]] = defaultdict(list)

    def add(self, candidate: Candidate, route: Route) -> None:
        if candidate.recipient:
            self._of_person[candidate.recipient.id].append((route.send_on, candidate.kind))
            if candidate.household and candidate.purpose == "marketing":
                self._of_household[candidate.household].append((route.send_on, candidate.kind))

    def hold_for(self, candidate: Candidate, route: Route) -> Hold | None:
        """The hold when another touch lies within the quiet days on either side of this one."""
        recipient = candidate.recipient
        if recipient is None:
            return None
        if near := self._near(route, self._of_person.get(recipient.id, ())):
            return Hold("collision", f"{near[1]} comes first for this person", near[0] + self.quiet)
        if near := self._near(route, ((day, "") for day in recipient.touches)):
            return Hold(
                "quiet_days", f"they hear from us on {near[0]}; we leave {self.quiet.days} days", near[0] + self.quiet
            )
        return self._hold_for_household(candidate, route) if candidate.purpose == "marketing" else None

    def _hold_for_household(self, candidate: Candidate, route: Route) -> Hold | None:
        """Care and debt are for one person; a second piece of marketing in one house would look like a mailing."""
        planned = self._of_household.get(candidate.household or "", ())
        before = candidate.recipient.household_touches if candidate.recipient else []
        near = self._near(route, [*planned, *((day, "") for day in before)])
        if near is None:
            return None
        return Hold("household", f"somebody in their household hears from us on {near[0]}", near[0] + self.quiet)

    def _near(self, route: Route, touches: Iterable[Touch]) -> Touch | None:
        """The latest of `touches` that lies too near."""
        return max((touch for touch in touches if abs(route.send_on - touch[0]) < self.quiet), default=None)
