"""The rules of people, money and occasions, each one function with its own reason.

`rules.py` lists them with those of pace, and says which are asked again before a message leaves.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from outreach.intake.names import greeting_of, tells_of_death, why_no_greeting
from outreach.moments.anniversary import ANNIVERSARY
from outreach.moments.care import is_end_of_life, is_never_mentioned
from outreach.moments.checkin import CHECKIN
from outreach.moments.enquiry import ENQUIRY
from outreach.moments.first_hundred import FIRST_HUNDRED
from outreach.moments.goodwill import GOODWILL
from outreach.moments.late_payment import LATE_PAYMENT
from outreach.moments.referral_ask import REFERRAL_ASK
from outreach.planning.candidates import Candidate, Day
from outreach.planning.flags import hold_for_flags
from outreach.planning.people import Person
from outreach.planning.receivables import OpenInvoice, bills_of, is_enough
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
    for person in (candidate.customer, candidate.recipient):
        if person and (hold := hold_for_flags(person, candidate.kind, day.on, day.settings.pacing.mourning_days)):
            return hold
    return None


def hold_for_name(candidate: Candidate, day: Day) -> Hold | None:
    """A person looks where there is no right greeting, and asks where a name says that its bearer has died."""
    for person in (candidate.customer, candidate.recipient):
        if person and not _has_name(person):
            rule = "death_in_name" if tells_of_death(person.customer) else "no_name"
            return Hold(rule, why_no_greeting(person.customer), day.tomorrow)
    return None


def _has_name(person: Person) -> bool:
    return greeting_of(person.customer) is not None


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
    if "care" not in candidate.traits and candidate.standing.complaining:
        return Hold("complaint", "a complaint of theirs is still open", day.tomorrow)
    return None


def hold_for_dispute(candidate: Candidate, day: Day) -> Hold | None:
    is_disputed = candidate.standing.disputing or any(bill.beside_dispute for bill in late_bills_of(candidate, day))
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


def hold_first_hundred(candidate: Candidate, day: Day) -> Hold | None:
    """A visit since says that it is not quiet any more."""
    if candidate.kind != FIRST_HUNDRED.kind:
        return None
    silent = timedelta(days=FIRST_HUNDRED.knobs_of(day.settings).silent_days)
    last_visit = candidate.standing.last_visit
    if last_visit and day.on - last_visit <= silent:
        return Hold("came", f"they were here on {last_visit}")
    return None


def hold_wrote_lately(candidate: Candidate, day: Day) -> Hold | None:
    if candidate.kind != FIRST_HUNDRED.kind:
        return None
    silent = timedelta(days=FIRST_HUNDRED.knobs_of(day.settings).silent_days)
    written = candidate.standing.written_on.values()
    if written and day.on - max(written) <= silent:
        return Hold("wrote_lately", f"we wrote to them on {max(written)}", max(written) + silent + ONE_DAY)
    return None


def hold_checkin(candidate: Candidate, day: Day) -> Hold | None:
    if candidate.kind != CHECKIN.kind:
        return None
    names = [t.name or "" for t in candidate.standing.treatments if t.done_on == candidate.occasion_on]
    if any(is_never_mentioned(name) for name in names):
        return Hold("sensitive", "this kind of care is never mentioned, not even by asking")
    allowed = {name.casefold() for name in CHECKIN.knobs_of(day.settings).treatments}
    if not any(name.casefold() in allowed for name in names):
        return Hold("treatment_not_allowed", "nobody has said yes to asking about this treatment", day.tomorrow)
    return None


def hold_late_payment(candidate: Candidate, day: Day) -> Hold | None:
    if candidate.kind != LATE_PAYMENT.kind:
        return None
    knobs, named_on = LATE_PAYMENT.knobs_of(day.settings), candidate.standing.named_on
    bills = late_bills_of(candidate, day)
    if hold := hold_for_payments(bills, day):
        return hold
    first = bills[0].late_since + timedelta(days=knobs.first_touch_days)
    if day.on < first:
        return Hold(
            "first_touch", f"half of the slips pay by themselves; we wait until day {knobs.first_touch_days}", first
        )
    relief = timedelta(days=GOODWILL.knobs_of(day.settings).relief_days)
    if named_on and day.on - named_on < relief:
        return Hold("relief", f"an event hit them on {named_on}, and we let them breathe", named_on + relief)
    if not is_enough(bills, day.settings):
        return Hold("min_balance", "the balance is too small to write about", day.tomorrow)
    return None


def hold_stale_payments(candidate: Candidate, day: Day) -> Hold | None:
    """Nobody is asked for money that may have come since."""
    if candidate.kind != LATE_PAYMENT.kind:
        return None
    knobs, imported = LATE_PAYMENT.knobs_of(day.settings), day.facts.payments_imported_at
    if imported is None or day.now - imported > timedelta(hours=knobs.fresh_hours):
        return Hold("stale_payments", f"payments were not imported in the last {knobs.fresh_hours} hours", day.tomorrow)
    return None


def hold_for_payments(bills: Sequence[OpenInvoice], day: Day) -> Hold | None:
    """Nothing is left of what seemed late; or its payments raise a question that only a person can answer."""
    if not bills:
        return Hold("nothing_late", "nothing is late once all they are credited is counted", day.tomorrow)
    doubt = next((bill.doubt for bill in bills if bill.doubt), None)
    return Hold("refund", doubt, day.tomorrow) if doubt else None


def late_bills_of(candidate: Candidate, day: Day) -> list[OpenInvoice]:
    """The bills that a late note to the candidate's recipient is about, as its words will name them."""
    if "debt" not in candidate.traits:
        return []
    addressee = candidate.recipient.id if candidate.recipient else None
    return bills_of(candidate.standing.open_invoices, addressee, day.settings, day.on)


def hold_referral_ask(candidate: Candidate, day: Day) -> Hold | None:
    people = (candidate.customer, candidate.recipient)
    if candidate.kind == REFERRAL_ASK.kind and any(person and person.is_minor(day.on) for person in people):
        return Hold("minor", "nobody is asked to recommend us by, or on behalf of, a child")
    return None


def hold_enquiry(candidate: Candidate, day: Day) -> Hold | None:
    """By the end of the day they will have waited; now they may have asked a minute ago."""
    if candidate.kind != ENQUIRY.kind:
        return None
    hours, asked_at = ENQUIRY.knobs_of(day.settings).hours, candidate.standing.asked_at.get(candidate.occasion)
    if asked_at and day.now - asked_at < timedelta(hours=hours):
        return Hold("asked_just_now", f"they asked less than {hours} hours ago", day.tomorrow)
    return None
