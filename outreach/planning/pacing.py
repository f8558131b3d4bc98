"""The rules of pace: how often, how many, how much, and whose turn it is. They write nothing.

`hold_again` and `hold_for_weekday` are asked before a channel is chosen, the others of a candidate with its legs. None
is asked again once a message is planned: most count messages, and its own would be among them; `rules.py` says why.
"""

from collections.abc import Iterable
from datetime import timedelta

from outreach.channels import CALL, CHANNELS, EMAIL, TEXT
from outreach.moments import MOMENTS, knobs_for
from outreach.planning.budget import first_of_next_month, hold_for_budget, hold_for_worth
from outreach.planning.candidates import Candidate, Day
from outreach.planning.ceilings import GiftTotals, why_too_much
from outreach.planning.routes import Leg
from outreach.planning.tally import Touch
from outreach.planning.verdicts import Hold
from outreach.settings import WEEKDAYS, Settings

ONE_DAY = timedelta(days=1)


def quiet_of(settings: Settings) -> timedelta:
    return timedelta(days=settings.pacing.quiet_days)


def hold_again(candidate: Candidate, day: Day) -> Hold | None:
    """Not again so soon about the same; a further step of a ladder is about the same on purpose."""
    days = MOMENTS[candidate.kind].not_again(candidate.knobs)
    before = candidate.standing.written_on.get(candidate.kind)
    if not candidate.tried and before is not None and (day.on - before).days < days:
        return Hold("again", f"we wrote to them about this on {before}", before + timedelta(days=days))
    return None


def hold_for_weekday(candidate: Candidate, day: Day) -> Hold | None:
    weekdays = candidate.knobs.weekdays
    # There always is one: the knob holds at least one weekday.
    ahead = next(days for days in range(len(WEEKDAYS)) if WEEKDAYS[(day.on.weekday() + days) % 7] in weekdays)
    if ahead == 0:
        return None
    return Hold("weekday", f"this moment is written on {', '.join(weekdays)} only", day.on + timedelta(days=ahead))


def hold_for_collision(candidate: Candidate, day: Day) -> Hold | None:
    """One touch a person: what comes first in the order of moments was planned before this one."""
    near = _nearest(candidate, day, day.tally.of_person.get(candidate.recipient.id, ()) if candidate.recipient else ())
    if near is None:
        return None
    return Hold("collision", f"{near[1]} comes first for this person", near[0] + quiet_of(day.settings))


def hold_for_quiet_days(candidate: Candidate, day: Day) -> Hold | None:
    """What was sent before; a repair, and a call that answers what they said, wait only for what was about the same."""
    touches = candidate.recipient.touches if candidate.recipient else []
    for leg in candidate.legs:
        same = _is_answer(candidate, leg)
        near = _near(leg, [touch for touch in touches if not same or touch[1] == candidate.kind], day)
        if near:
            quiet = quiet_of(day.settings)
            return Hold("quiet_days", f"they hear from us on {near[0]}; we leave {quiet.days} days", near[0] + quiet)
    return None


def _is_answer(candidate: Candidate, leg: Leg) -> bool:
    return "repair" in candidate.traits or ("answer" in candidate.traits and leg.route.channel == CALL.name)


def hold_for_fixed_day(candidate: Candidate, day: Day) -> Hold | None:
    """What has weeks, or all year, yields to what has its fixed day within the quiet days."""
    since = candidate.customer.customer.customer_since
    if "patient" not in candidate.traits or since is None:
        return None
    for kind, definition in MOMENTS.items():
        if definition.next_day is None or not knobs_for(day.settings, kind).enabled:
            continue
        coming = definition.next_day(since, day.on + ONE_DAY)
        if coming - day.on < quiet_of(day.settings):
            return Hold("fixed_day", f"{kind} on {coming} comes first for this person", coming + ONE_DAY)
    return None


def hold_for_household(candidate: Candidate, day: Day) -> Hold | None:
    """Care and debt are for one person; a second piece of marketing in one house would look like a mailing."""
    if candidate.purpose != "marketing" or candidate.recipient is None:
        return None
    planned = day.tally.of_household.get(candidate.household or "", [])
    before = [(day_, "") for day_ in candidate.recipient.household_touches]
    near = _nearest(candidate, day, [*planned, *before])
    if near is None:
        return None
    quiet = quiet_of(day.settings)
    return Hold("household", f"somebody in their household hears from us on {near[0]}", near[0] + quiet)


def _nearest(candidate: Candidate, day: Day, touches: Iterable[Touch]) -> Touch | None:
    kept = list(touches)
    return next((near for leg in candidate.legs if (near := _near(leg, kept, day))), None)


def _near(leg: Leg, touches: Iterable[Touch], day: Day) -> Touch | None:
    """The latest of `touches` that lies too near."""
    quiet = quiet_of(day.settings)
    # The latest, because its quiet days outlast those of the others.
    return max((touch for touch in touches if abs(leg.route.send_on - touch[0]) < quiet), default=None)


def hold_for_contact(candidate: Candidate, day: Day) -> Hold | None:
    """One number under two customers: the same news twice on one day would look like a machine's mistake."""
    for leg in candidate.legs:
        channel = CHANNELS[leg.route.channel]
        if channel in {EMAIL, TEXT} and (candidate.kind, channel.name, leg.contact_hash) in day.tally.written:
            reason = f"another customer with the same {channel.contact} gets this message today"
            return Hold("same_contact", reason, day.tomorrow)
    return None


def hold_for_size(candidate: Candidate, day: Day) -> Hold | None:
    """Each is told its place in the line: to be put off from day to day would be a decision on everybody every day."""
    most, tally = candidate.knobs.most_a_day, day.tally
    if most is None or tally.sizes[candidate.kind] < most:
        return None
    days = 1 + tally.queued[candidate.kind] // most
    tally.queued[candidate.kind] += 1
    return Hold("size", f"at most {most} of these are written in a day", day.on + timedelta(days=days))


def hold_for_month(candidate: Candidate, day: Day) -> Hold | None:
    return hold_for_budget(day.settings, day.tally.spent, candidate.kind, candidate.cost(day.settings), day.on)


def hold_for_gift(candidate: Candidate, day: Day) -> Hold | None:
    """No more is given than the ceilings of `[rewards]` allow: a message, a batch and a month."""
    gift, tally = candidate.gift_value(day.settings), day.tally
    if not gift:
        return None
    # As if all of one moment and channel were in one batch: their provenance may part it, and never makes it larger.
    batch = max((tally.given_by[candidate.kind, leg.route.channel] for leg in candidate.legs), default=0) + gift
    if why := why_too_much(day.settings, GiftTotals(gift, batch)):
        return Hold("gift", why, day.tomorrow)
    # Above another ceiling we look again tomorrow, since somebody may have raised it; a month's ends with its month.
    month = GiftTotals(month=tally.given + gift * len(candidate.legs))
    why = why_too_much(day.settings, month)
    return Hold("gift", why, first_of_next_month(day.on)) if why else None


def hold_for_value(candidate: Candidate, day: Day) -> Hold | None:
    return hold_for_worth(day.settings, candidate.worth.year, candidate.cost(day.settings), day.on)
