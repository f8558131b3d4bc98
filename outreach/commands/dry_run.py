"""Prints what dry runs count: what would be done, and that none of it was."""

from outreach import console
from outreach.commands import output
from outreach.day import Prepared
from outreach.delivery.due import DueReport


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
    """What a run of deliver would hand over now."""
    if as_json:
        return console.print_json(report)
    due = [(*key, number) for key, number in sorted(report.due.items())]
    console.print_table("Due now", ["moment", "channel", "number"], due)
    for name in ("paused", "waiting", "undoable", "out_of_hours"):
        if number := getattr(report.waits, name):
            console.say(f"  {number} {output.SENT_WORDS[name]}")
    return console.say(f"A dry run: {report.leaving} would be handed over, and nothing has left.")
