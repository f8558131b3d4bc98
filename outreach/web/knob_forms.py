"""The knobs of a moment in, as fields for people; what they typed into those fields, out. It judges nothing."""

from dataclasses import dataclass
from typing import Any

from fastapi.datastructures import FormData

from outreach.settings import WEEKDAYS, MomentKnobs

CHOICES = {
    "approval": (("rule", "by rule"), ("person", "a person looks at each batch")),
    "by": (("tenure", "how long they are with us"), ("value", "what they paid in twelve months")),
    "rhythm": (("fixed", "by days"), ("learned", "by their own rhythm")),
}
SWITCHES = frozenset({"enabled", "ladder"})
LISTS = frozenset({"channels", "days"})
# Answered on a page of their own, or written in outreach.toml alone.
ELSEWHERE = frozenset({"treatments", "min_balances"})
LABELS: dict[str, tuple[str, str]] = {
    "enabled": ("This moment is on", "Switched off, it is neither looked for nor written"),
    "weekdays": ("Days on which it is written", "On the others it is put off, as long as it is still of use"),
    "most_a_day": ("At most so many a day", "Empty for no limit; the rest is put off to the day after"),
    "approval": ("Who lets e-mails, texts and calls go", "Letters always wait for a person"),
    "channels": ("Channels, the first choice first", "Of letter, email, text and call, with commas between"),
    "grace_days": ("Days we may be late", "How long after its day it may still be written"),
    "lead_days": ("Business days ahead", "How early it is looked for, so that a letter arrives in time"),
    "ladder": ("The next channel follows", "Where the first brought no answer"),
    "wait_days": ("Days to wait for an answer", "Before the next channel follows"),
    "reward": ("Gift, in cents", "0 for none; in other currencies what [rewards.amounts] says"),
    "shared_since_percent": ("A shared start date is a default from", "In percent of all customers with that date"),
    "silent_days": ("Not after so many silent days", "Days without a visit, treatment, invoice or payment"),
    "after_days": ("First day after", "How many days after it, at the earliest"),
    "until_days": ("Last day after", "How many days after it, at the latest"),
    "useful_days": ("Of use for so many days", "After that nobody is asked any more"),
    "from_days": ("Days past due, at least", "From this day on it counts as late"),
    "first_touch_days": ("First note on day", "Half of the slips pay by themselves before"),
    "again_days": ("Not again within days", "How long after one note there is no other"),
    "min_balance": ("Smallest balance, in cents", "Nobody is written to about less; elsewhere as many major units"),
    "min_balances": ("Smallest balances in other currencies", "By their codes, in their own minor units"),
    "fresh_hours": ("Payments imported within hours", "With older payments nobody is written to"),
    "tenure_days": ("With us for days, at least", "Nobody is asked earlier"),
    "visits": ("Completed visits, at least", "Nobody is asked earlier"),
    "score": ("Score, at least", "Of 10"),
    "low_score": ("A score is low up to", "Of 10"),
    "happy_days": ("A score counts for days", "How long after it they may be asked"),
    "treatments": ("Treatments that may be asked about", "By name; each new one waits for a yes at the desk"),
    "within_days": ("For so many days after", "How long after it went wrong it is still put right"),
    "days": ("Days with us", "On these days someone new is looked after"),
    "hours": ("Hours without an answer", "After so long a question is on the call sheet"),
    "stars": ("Stars, at most", "A better review needs no letter"),
    "one_in": ("One good customer in", "How rare a surprise is"),
    "seed": ("Seed of the draw", "Another number draws others"),
    "top_percent": ("The first so many percent", "Of all customers, in the order below"),
    "by": ("In the order of", "A health business knows only tenure"),
    "rhythm": ("Silence is measured", "By one number of days for all, or by each one's own visits"),
    "rhythm_times": ("Times their usual gap", "How much longer than usual is long"),
    "history": ("Visits to know a rhythm", "With fewer, the number of days counts"),
    "verify_days": ("A person looks after silent days", "So long ago that the address may be another's"),
    "relief_days": ("No note about payments for days", "After something hit them"),
    "every_days": ("Not again within days", "How long after one message there is no other"),
}


@dataclass(frozen=True)
class KnobField:
    """One field of the form. `kind` is switch, days, choice, list or number; `fixed` where the environment has it."""

    name: str
    label: str
    help: str
    kind: str
    value: Any
    choices: tuple[tuple[str, str], ...] = ()
    fixed: bool = False


def fields_of(knobs: MomentKnobs, typed: dict[str, Any], fixed: frozenset[str]) -> list[KnobField]:
    """The fields of a moment's form, filled with what was typed, or else with what stands."""
    fields = []
    for name in type(knobs).model_fields:
        if name in ELSEWHERE:
            continue
        label, explained = label_of(name)
        value = typed.get(name, getattr(knobs, name))
        if name in LISTS:
            value = ", ".join(str(part) for part in value)
        fields.append(KnobField(name, label, explained, _kind(name), value, CHOICES.get(name, ()), fixed=name in fixed))
    return fields


def label_of(name: str) -> tuple[str, str]:
    """A knob's label and what it means; a knob of a moment of your own has its name for a label."""
    return LABELS.get(name, (name.replace("_", " ").capitalize(), ""))


def _kind(name: str) -> str:
    if name in SWITCHES:
        return "switch"
    if name == "weekdays":
        return "days"
    if name in LISTS:
        return "list"
    return "choice" if name in CHOICES else "number"


def read_knobs(knobs: MomentKnobs, form: FormData, fixed: frozenset[str]) -> dict[str, Any]:
    """What was typed, by knob; the knob's own check says whether it fits."""
    return {name: _read(name, form) for name in type(knobs).model_fields if name not in ELSEWHERE and name not in fixed}


def _read(name: str, form: FormData) -> Any:
    kind = _kind(name)
    if kind == "switch":
        return name in form
    if kind == "days":
        chosen = {str(day) for day in form.getlist(name)}
        return [day for day in WEEKDAYS if day in chosen] + sorted(chosen - set(WEEKDAYS))
    said = str(form.get(name, "")).strip()
    if kind == "list":
        return [part.strip() for part in said.split(",") if part.strip()]
    return said if said or name != "most_a_day" else None
