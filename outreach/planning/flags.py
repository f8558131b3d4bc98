"""What each flag holds back: one table, one reason each. `confidential` and the postal flags close channels."""

from dataclasses import dataclass
from datetime import date, timedelta

from outreach.planning.people import Person
from outreach.planning.verdicts import Hold

EVERYTHING = frozenset({"anniversary", "checkin", "late_payment", "referral_ask"})
PRESENTS = frozenset({"anniversary"})


@dataclass(frozen=True)
class FlagRule:
    holds: frozenset[str]
    reason: str


FLAG_RULES = {
    "bereaved": FlagRule(EVERYTHING, "they are in mourning; only a person writes now"),
    "hardship": FlagRule(EVERYTHING - {"checkin"}, "they are going through hardship"),
    "legal": FlagRule(EVERYTHING, "a lawyer or a court is involved"),
    "bankrupt": FlagRule(EVERYTHING - {"checkin"}, "they are bankrupt"),
    "dismissed": FlagRule(EVERYTHING, "we have parted from them"),
    "wrong_person": FlagRule(EVERYTHING, "these details belong to somebody else"),
    "moved": FlagRule(PRESENTS, "they have moved"),
    "separated": FlagRule(PRESENTS, "they are going through a separation"),
    "do_not_mail": FlagRule(PRESENTS, "they asked for no mail"),
    "confidential": FlagRule(frozenset(), "they asked for confidential communication"),
}
# The channels a flag closes. Where someone has moved, the old address would hand a letter to a stranger.
CLOSED_CHANNELS = {"moved": {"letter"}, "do_not_mail": {"letter"}}


def hold_for_flags(person: Person, kind: str, on: date, mourning_days: int) -> Hold | None:
    """The first flag, or death in the household, that holds this moment; flags unknown to us hold everything."""
    if person.mourning_until and person.mourning_until > on:
        return Hold("household_death", "someone in their household has died", person.mourning_until)
    for name, flag in sorted(person.flags.items()):
        rule = FLAG_RULES.get(name, FlagRule(EVERYTHING, "a flag we do not know stands on them"))
        if kind not in rule.holds:
            continue
        until = flag.until_on
        if name == "bereaved" and until is None:
            until = flag.from_on + timedelta(days=mourning_days) - timedelta(days=1)
            if until < on:
                continue
        return Hold(f"flag_{name}", rule.reason, until + timedelta(days=1) if until else on + timedelta(days=1))
    return None
