"""The rules about people and about how things stand with them, each one function with its own reason.

A rule about one kind of moment stands in that moment's file. `rules.py` lists all, and says which are asked again.
"""

from collections.abc import Callable
from datetime import date, timedelta

from outreach.intake.names import greeting_of, tells_of_death, why_no_greeting
from outreach.moments.anniversary import ANNIVERSARY
from outreach.moments.care_words import is_end_of_life, is_never_mentioned
from outreach.planning.candidates import Candidate, Day
from outreach.planning.flags import hold_for_flags
from outreach.planning.verdicts import Hold

# Nothing cheerful follows such care so soon, and nobody is asked about it.
AFTER_CARE = timedelta(days=30)


def hold_for_switch(candidate: Candidate, day: Day) -> Hold | None:
    if candidate.knobs.enabled:
        return None
    return Hold("disabled", "this moment is switched off", day.tomorrow)


def hold_for_start(candidate: Candidate, day: Day) -> Hold | None:
    start = day.settings.start_on
    if start and candidate.occasion_on < start:
        return Hold("before_start", f"its day was before we started on {start}")
    return None


def hold_for_usefulness(candidate: Candidate, day: Day) -> Hold | None:
    if candidate.useful_until < day.on:
        return Hold("too_late", f"it would have been useful until {candidate.useful_until}")
    return None


def hold_for_person(candidate: Candidate, day: Day) -> Hold | None:
    """The dead, minors without a guardian who can be written to, and payers who cannot."""
    customer, recipient = candidate.customer, candidate.recipient
    if customer.is_dead(day.on):
        return Hold("dead", "they have died")
    if recipient is None:
        who = "guardian" if customer.is_minor(day.on) else "payer"
        return Hold(f"no_{who}", f"there is no {who} on record to write to", day.tomorrow)
    if recipient.is_dead(day.on) or recipient.is_minor(day.on):
        return Hold("guardian_unfit", "the person to write to in their place is not a living adult", day.tomorrow)
    if recipient.id != customer.id and recipient.flags:
        return Hold("guardian_flagged", "the person to write to in their place has a flag on record", day.tomorrow)
    return None


def hold_for_flag(candidate: Candidate, day: Day) -> Hold | None:
    for person in candidate.people:
        if hold := hold_for_flags(person, candidate.kind, day.on, day.settings.pacing.mourning_days):
            return hold
    return None


def hold_for_name(candidate: Candidate, day: Day) -> Hold | None:
    """A person looks where there is no right greeting, and asks where a name says that its bearer has died."""
    for person in candidate.people:
        if greeting_of(person.customer) is None:
            rule = "death_in_name" if tells_of_death(person.customer) else "no_name"
            return Hold(rule, why_no_greeting(person.customer), day.tomorrow)
    return None


def hold_for_end_of_life(candidate: Candidate, day: Day) -> Hold | None:
    """Whoever is in a hospice, and those around them, hear from a person or from nobody."""
    span = timedelta(days=day.settings.pacing.mourning_days)
    last = _last_care(candidate, is_end_of_life)
    if last is None or day.on - last >= span:
        return None
    return Hold("end_of_life", "they have been given care at the end of life; only a person writes now", last + span)


def hold_after_care(candidate: Candidate, day: Day) -> Hold | None:
    """No question, present or “we miss you” soon after care that is never mentioned."""
    last = _last_care(candidate, is_never_mentioned)
    if not candidate.traits & {"present", "intrusive"} or last is None or day.on - last >= AFTER_CARE:
        return None
    return Hold("after_care", f"they had care lately, on {last}, that is never mentioned", last + AFTER_CARE)


def _last_care(candidate: Candidate, is_such: Callable[[str], bool]) -> date | None:
    return max((t.done_on for t in candidate.standing.treatments if is_such(t.name or "")), default=None)


def hold_for_complaint(candidate: Candidate, day: Day) -> Hold | None:
    # Care goes on: what puts a complaint right must not be held by it.
    if "care" not in candidate.traits and candidate.standing.complaining:
        return Hold("complaint", "a complaint of theirs is still open", day.tomorrow)
    return None


def hold_for_dispute(candidate: Candidate, day: Day) -> Hold | None:
    bills = candidate.late_bills(day.settings, day.on) if "debt" in candidate.traits else []
    is_disputed = candidate.standing.disputing or any(bill.beside_dispute for bill in bills)
    if candidate.traits & {"present", "debt"} and is_disputed:
        return Hold("dispute", "an invoice of theirs is in dispute", day.tomorrow)
    return None


def hold_present(candidate: Candidate, day: Day) -> Hold | None:
    """A present is not sent to someone who owes, who has been silent for long, or whose start date is a default."""
    if "present" not in candidate.traits:
        return None
    if candidate.customer.customer.customer_since in day.facts.shared_since:
        percent = ANNIVERSARY.knobs_of(day.settings).shared_since_percent
        return Hold("shared_since", f"over {percent:g} % of customers share the day they came: a default?")
    if candidate.standing.is_overdue(day.on):
        return Hold("overdue", "something is overdue, and a present would embarrass", day.tomorrow)
    last = candidate.standing.last_contact
    # On the day that it is for: a letter that leaves a week ahead must not thank for a year without a visit.
    if last is not None and (candidate.occasion_on - last).days > getattr(candidate.knobs, "silent_days", FOREVER):
        return Hold("silent", f"we have not seen them since {last}")
    return None


# In days: for presents that have no knob for silence.
FOREVER = 10**6


def hold_for_absence(candidate: Candidate, day: Day) -> Hold | None:
    """Nobody is missed who has a visit booked, has just paid, or whom the post could not find."""
    if "absence" not in candidate.traits:
        return None
    standing = candidate.standing
    if standing.booked_on:
        return Hold("booked", f"they have a visit booked for {standing.booked_on}", standing.booked_on + ONE_DAY)
    if standing.last_payment and day.on - standing.last_payment < PAID_LATELY:
        return Hold("paid_lately", f"they paid on {standing.last_payment}", standing.last_payment + PAID_LATELY)
    if standing.returned_on:
        return Hold("returned_mail", "the post brought a letter to them back", day.tomorrow)
    return None


ONE_DAY = timedelta(days=1)
# Who pays has not left.
PAID_LATELY = timedelta(days=30)
