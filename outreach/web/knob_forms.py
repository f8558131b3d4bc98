"""Shows the knobs of a moment as fields for people, and reads what they typed into those fields. It judges nothing."""

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
# Of those that every moment has; its own say what they are in its file.
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
}


@dataclass(frozen=True)
class KnobField:
    """One field of the form."""

    name: str
    label: str
    help: str
    #: switch, days, choice, list or number.
    kind: str
    value: Any
    #: Value and label of each choice.
    choices: tuple[tuple[str, str], ...] = ()
    #: Whether the environment has it, so that nobody can change it here.
    fixed: bool = False


def fields_of(knobs: MomentKnobs, typed: dict[str, Any], fixed: frozenset[str]) -> list[KnobField]:
    """The fields of a moment's form, filled with what was typed, or else with what stands."""
    fields = []
    for name in type(knobs).model_fields:
        if name in ELSEWHERE:
            continue
        label, explained = label_of(type(knobs), name)
        value = typed.get(name, getattr(knobs, name))
        if name in LISTS:
            value = ", ".join(str(part) for part in value)
        fields.append(KnobField(name, label, explained, _kind(name), value, CHOICES.get(name, ()), fixed=name in fixed))
    return fields


def label_of(knobs: type[MomentKnobs], name: str) -> tuple[str, str]:
    """A knob's label and what it means, as its moment's file says, or as for every moment; else its name."""
    field = knobs.model_fields[name]
    if field.title:
        return field.title, field.description or ""
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
        # A browser sends nothing of a box that is not ticked (HTML standard, form submission).
        return name in form
    if kind == "days":
        chosen = {str(day) for day in form.getlist(name)}
        # Days that there are not are passed on: the knob's own check refuses them.
        return [day for day in WEEKDAYS if day in chosen] + sorted(chosen - set(WEEKDAYS))
    typed = str(form.get(name, "")).strip()
    if kind == "list":
        return [part.strip() for part in typed.split(",") if part.strip()]
    # Only this knob can be without a number. An empty field of any other is refused by the knob's own check.
    return typed if typed or name != "most_a_day" else None
