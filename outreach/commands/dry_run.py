"""Prints what dry runs count: what would be done, and that none of it was."""

from outreach import console
from outreach.commands import output
from outreach.day import Prepared
from outreach.delivery.due import DueReport

# What is foreseen of some in other words than those for what has happened.
FORESEEN = {
    "uncertain": "uncertain: they may have left already, and `outreach track` looks them up first",
    "again": "wait: the storage does not give their letters out; `outreach doctor` says why",
    "held": "wait for something that a rule asks; `outreach why` says for what",
}


def show_plan(prepared: Prepared, as_json: bool) -> None:
    """What a dry run of prepare decided."""
    if as_json:
        return console.print_json(prepared.plan)
    messages = [(*key, number) for key, number in sorted(prepared.plan.messages.items())]
    decisions = [(*key, number) for key, number in sorted(prepared.plan.decisions.items())]
    console.print_table(f"Would be planned for {prepared.on}", ["moment", "channel", "number"], messages)
    console.print_table("Would be decided", ["moment", "decision", "rule", "number"], decisions)
    return console.say("A dry run: nothing was kept.")


def show_due(report: DueReport, as_json: bool) -> None:
    """What a run of deliver would hand over now, and what would become of the rest."""
    if as_json:
        return console.print_json(report)
    due = [(*key, number) for key, number in sorted(report.due.items())]
    console.print_table("Due now", ["moment", "channel", "number"], due)
    for name, words in (output.SENT_WORDS | FORESEEN).items():
        if number := report.stops[name] or getattr(report.waits, name, 0):
            console.say(f"  {number} {words}")
    return console.say(f"A dry run: {report.leaving} would be handed over, and nothing has left.")
