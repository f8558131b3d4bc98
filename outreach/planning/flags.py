"""Says what each flag holds back: one table, one reason each. `confidential` and the postal flags close channels."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from outreach.channels import LETTER
from outreach.moments import MOMENTS
from outreach.moments.definition import Trait
from outreach.planning.contact_cards import Person
from outreach.planning.verdicts import Hold

Holds = Callable[[frozenset[Trait]], bool]


def holds_everything(traits: frozenset[Trait]) -> bool:
    return True


def holds_all_but_care(traits: frozenset[Trait]) -> bool:
    return "care" not in traits


def holds_presents(traits: frozenset[Trait]) -> bool:
    return "present" in traits


def holds_nothing(traits: frozenset[Trait]) -> bool:
    return False


@dataclass(frozen=True)
class FlagRule:
    """`holds` says of a moment's traits whether the flag holds it back."""

    holds: Holds
    reason: str


FLAG_RULES = {
    "bereaved": FlagRule(holds_everything, "they are in mourning; only a person writes now"),
    "hardship": FlagRule(holds_all_but_care, "they are going through hardship"),
    "legal": FlagRule(holds_everything, "a lawyer or a court is involved"),
    "bankrupt": FlagRule(holds_all_but_care, "they are bankrupt"),
    "dismissed": FlagRule(holds_everything, "we have parted from them"),
    "wrong_person": FlagRule(holds_everything, "these details belong to somebody else"),
    "moved": FlagRule(holds_presents, "they have moved"),
    "separated": FlagRule(holds_presents, "they are going through a separation"),
    "do_not_mail": FlagRule(holds_presents, "they asked for no mail"),
    "inconvenient": FlagRule(holds_nothing, "they told us of hours that do not suit them"),
    "confidential": FlagRule(holds_nothing, "they asked for confidential communication"),
}
UNKNOWN = FlagRule(holds_everything, "a flag we do not know stands on them")
# The channels a flag closes. Where someone has moved, the old address would hand a letter to a stranger.
CLOSED_CHANNELS = {"moved": {LETTER.name}, "do_not_mail": {LETTER.name}}


def hold_for_flags(person: Person, kind: str, on: date, mourning_days: int) -> Hold | None:
    """The first flag, or death in the household, that holds this moment; flags unknown to us hold everything."""
    if person.mourning_until and person.mourning_until > on:
        return Hold("household_death", "someone in their household has died", person.mourning_until)
    # By name, so that every run gives the same of several reasons.
    for name, flag in sorted(person.flags.items()):
        rule = FLAG_RULES.get(name, UNKNOWN)
        if not rule.holds(MOMENTS[kind].traits):
            continue
        until = flag.until_on
        if name == "bereaved" and until is None:
            # A mourning to which nobody gave an end would hold everything for ever.
            until = flag.from_on + timedelta(days=mourning_days) - timedelta(days=1)
            if until < on:
                continue
        return Hold(f"flag_{name}", rule.reason, until + timedelta(days=1) if until else on + timedelta(days=1))
    return None
