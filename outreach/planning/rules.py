"""The one list of reasons why somebody is not written to today: asked when we plan, and asked again before it leaves.

Every rule is a function of a candidate and the day, and gives a Hold or nothing. Planning, the forecast, `why`, every
look at a batch that waits, the cancel window and the transaction that opens an attempt all ask this list; none of them
has a rule of its own about whom we may write to. The order is the order in which a person would want the reasons.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from outreach.moments import MOMENTS
from outreach.moments.rule import OWN_COUNT, Rule
from outreach.planning import pacing, presents
from outreach.planning.candidates import Candidate, Day
from outreach.planning.channel_choice import objection_now
from outreach.planning.person_rules import (
    hold_after_care,
    hold_for_absence,
    hold_for_complaint,
    hold_for_dispute,
    hold_for_end_of_life,
    hold_for_flag,
    hold_for_name,
    hold_for_person,
    hold_for_start,
    hold_for_switch,
    hold_for_usefulness,
    hold_present,
)
from outreach.planning.unread_holds import hold_for_unread
from outreach.planning.verdicts import Hold


def hold_for_channel(candidate: Candidate, day: Day) -> Hold | None:
    """No channel of the moment can carry it; of one that is planned, its own."""
    if candidate.only is None:
        if candidate.legs:
            return None
        return Hold("no_channel", "no channel can carry it: " + "; ".join(candidate.against), day.tomorrow)
    objection = objection_now(candidate.only, candidate, day)
    return Hold(objection.rule, objection.reason, day.tomorrow) if objection else None


def _own_rules() -> Iterator[Rule]:
    """The rules that moments bring along in their own files, each asked of its own kind only."""
    for kind, definition in MOMENTS.items():
        for own in definition.rules:
            yield replace(own, hold=_only_for(kind, own))


def _only_for(kind: str, own: Rule) -> Callable[[Candidate, Day], Hold | None]:
    # In a function of its own: a lambda within the loop would ask for the loop's last kind.
    return lambda candidate, day: own.hold(candidate, day) if candidate.kind == kind else None


# Asked of the people and the occasion, before any channel is chosen.
RULES: tuple[Rule, ...] = (
    Rule("enabled", "the moment is switched on", hold_for_switch),
    Rule("before_start", "nothing is written about a day before we started", hold_for_start),
    Rule("too_late", "it is still of use", hold_for_usefulness, status="expired"),
    Rule("person", "nobody dead; a child only through a living, adult, unflagged guardian", hold_for_person),
    Rule("flag", "no flag, and no mourning in the household, holds this moment", hold_for_flag),
    Rule("end_of_life", "nobody in a hospice, or around them, hears from a program", hold_for_end_of_life),
    Rule("unread", "no newer row about them is waiting to be mended", hold_for_unread),
    Rule("complaint", "no complaint of theirs is open", hold_for_complaint),
    Rule("dispute", "no present and no note about a debt while an invoice is in dispute", hold_for_dispute),
    Rule("after_care", "no question, present or “we miss you” soon after care that is never mentioned",
         hold_after_care),
    Rule("present", "no present to who owes, was silent for long, or whose start is a default", hold_present),
    Rule("beginning", "no present for a beginning that cannot be one", presents.hold_for_beginning),
    Rule("came_once", "no present to who came only once", presents.hold_came_once),
    Rule("absence", "nobody is missed who has booked, paid lately, or whom the post could not find",
         hold_for_absence),
    Rule("after_present", "nobody is missed soon after a present", presents.hold_after_present,
         once="a present that is planned later yields to this message"),
    *_own_rules(),
    Rule("again", "not again so soon about the same", pacing.hold_again, once=OWN_COUNT),
    Rule("no_name", "there is a name to greet them by", hold_for_name),
    Rule("weekday", "on the weekdays of the moment", pacing.hold_for_weekday,
         once="its day was chosen when it was planned"),
)  # fmt: skip
# Asked once the channels are chosen, of the messages that the candidate would get.
ON_THE_WAY: tuple[Rule, ...] = (
    Rule("no_channel", "consent, contact, flags and agreements allow its channel", hold_for_channel),
    Rule("collision", "one touch a person on one day", pacing.hold_for_collision, once=OWN_COUNT),
    Rule("quiet_days", "at most one touch a person in the quiet days", pacing.hold_for_quiet_days, once=OWN_COUNT),
    Rule("fixed_day", "what has weeks yields to what has its day", pacing.hold_for_fixed_day,
         once="its day was chosen when it was planned"),
    Rule("household", "one piece of marketing a household in the quiet days", pacing.hold_for_household,
         once=OWN_COUNT),
    Rule("same_contact", "one number or address gets the same news once a day", pacing.hold_for_contact,
         once=OWN_COUNT),
    Rule("size", "so many of a moment a day", pacing.hold_for_size, once=OWN_COUNT),
    Rule("budget", "the month's budget", pacing.hold_for_month, once=OWN_COUNT),
    Rule("gift", "no more is given than a message, a batch and a month may", pacing.hold_for_gift,
         once=OWN_COUNT),
    Rule("worth", "no more than a share of what they bring", pacing.hold_for_value,
         once="its cost was agreed to when it was approved"),
)  # fmt: skip
EVERY: tuple[Rule, ...] = RULES + ON_THE_WAY
RECHECKED: tuple[Rule, ...] = tuple(rule for rule in EVERY if rule.is_rechecked)


def first_hold(candidate: Candidate, day: Day) -> Hold | None:
    """The first rule that holds the candidate back, or None when planning may go on to the channel."""
    return _first(RULES, candidate, day)


def first_hold_on_way(candidate: Candidate, day: Day) -> Hold | None:
    """The first rule that holds back the messages that the candidate would get."""
    return _first(ON_THE_WAY, candidate, day)


def _first(rules: tuple[Rule, ...], candidate: Candidate, day: Day) -> Hold | None:
    return next((hold for rule in rules if (hold := rule.hold(candidate, day))), None)


def ask_again(candidate: Candidate, day: Day) -> tuple[Rule, Hold] | None:
    """The first rule that holds back a message that was planned, with what it says; None where it may still go.

    A reason for good comes before one that only makes it wait.
    """
    waits: tuple[Rule, Hold] | None = None
    for rule in RECHECKED:
        hold = rule.hold(candidate, day)
        if hold and rule.status != "approved":
            return rule, hold.within(candidate.useful_until)
        if hold and waits is None:
            waits = rule, hold
    return waits


def reason_for_person(candidate: Candidate, day: Day) -> str | None:
    """Why a person must look at the message first, whatever its channel; None where the moment's rule decides."""
    # Only a moment that has the knob asks for it (win_back): no rule may name a moment.
    last, verify_days = candidate.standing.last_contact, getattr(candidate.knobs, "verify_days", None)
    if verify_days is None or last is None or (day.on - last).days <= verify_days:
        return None
    return f"silent since {last}: is this still their address?"
