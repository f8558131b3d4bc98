"""At most one touch per person within the quiet days: what was sent before, and what this run has planned so far."""

from datetime import date, timedelta

from outreach.planning.candidates import Candidate
from outreach.planning.channels import Route
from outreach.planning.verdicts import Hold


class Touches:
    """The touches planned in this run, by recipient, on top of those the recipient's Person brings along."""

    def __init__(self, quiet_days: int) -> None:
        self.quiet = timedelta(days=quiet_days)
        self._planned: dict[str, list[tuple[date, str]]] = {}

    def add(self, candidate: Candidate, route: Route) -> None:
        if candidate.recipient:
            self._planned.setdefault(candidate.recipient.id, []).append((route.send_on, candidate.kind))

    def hold_for(self, candidate: Candidate, route: Route) -> Hold | None:
        """The hold when another touch lies within the quiet days on either side of this one."""
        if candidate.recipient is None:
            return None
        for day, winner in self._planned.get(candidate.recipient.id, []):
            if abs(route.send_on - day) < self.quiet:
                return Hold("collision", f"{winner} comes first for this person", day + self.quiet)
        for day in sorted(candidate.recipient.touches, reverse=True):
            if abs(route.send_on - day) < self.quiet:
                return Hold(
                    "quiet_days", f"they hear from us on {day}; we leave {self.quiet.days} days", day + self.quiet
                )
        return None
