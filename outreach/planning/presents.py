"""The rules about presents: who is sent none, and who is not missed soon after one.

A present thanks for having stayed. It must never state a beginning that the data cannot know.
"""

from datetime import date, timedelta

from outreach.clock import years_between
from outreach.moments import MOMENTS
from outreach.planning.candidates import Candidate, Day
from outreach.planning.verdicts import Hold

# Who comes several times in their first month was here for one thing.
FIRST_DAYS = timedelta(days=30)
AFTER_PRESENT = timedelta(days=180)
# Years: nobody has been a customer for so long.
LIFETIME = 100


def hold_came_once(candidate: Candidate, day: Day) -> Hold | None:
    """Nobody is thanked for staying who was never here again after their first days."""
    standing = candidate.standing
    since, last = candidate.customer.customer.customer_since, standing.last_contact
    began = min((day for day in (since, standing.first_contact) if day), default=None)
    if "present" not in candidate.traits or began is None or last is None or standing.booked_on:
        return None
    if last > began + FIRST_DAYS or day.on <= began + FIRST_DAYS:
        return None
    return Hold("came_once", f"they came once, in {began:%B %Y}, and never again", day.on + FIRST_DAYS)


def hold_for_beginning(candidate: Candidate, day: Day) -> Hold | None:
    """No present speaks of a beginning that cannot be one: an export's default, or the edge of an export."""
    if "present" not in candidate.traits:
        return None
    customer, first = candidate.customer.customer, candidate.standing.first_contact
    since, edge = customer.customer_since or first, day.facts.edge_until
    if since and (why := _cannot_be(since, customer.born_on, candidate.occasion_on, day.on)):
        return Hold("impossible_since", f"they are said to be with us since {since}, {why}: an export's default?")
    # A `customer_since` of those days was written down by somebody; a first contact may be only the data's beginning.
    rests_on_contact = "beginning" in candidate.traits and customer.customer_since is None
    if rests_on_contact and first and edge and first <= edge:
        return Hold("export_edge", f"the data begin in those days, so {first} need not be when they first came")
    return None


def _cannot_be(since: date, born_on: date | None, occasion_on: date, on: date) -> str | None:
    if since > on:
        return "a day to come"
    if born_on and since < born_on:
        return "before they were born"
    return "over a hundred years" if years_between(since, occasion_on) >= LIFETIME else None


def hold_after_present(candidate: Candidate, day: Day) -> Hold | None:
    """“We miss you” soon after a present makes the present a bait."""
    if not {"absence", "favour"} <= candidate.traits:
        return None
    written = candidate.standing.written_on.items()
    last = max((on for kind, on in written if kind in MOMENTS and "present" in MOMENTS[kind].traits), default=None)
    if last is None or day.on - last >= AFTER_PRESENT:
        return None
    return Hold("after_present", f"they were sent a present on {last}", last + AFTER_PRESENT)
