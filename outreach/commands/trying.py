"""What dry runs print: counts of what would be done, and that none of it was."""

from outreach import output, tables
from outreach.day import Prepared
from outreach.delivery import DueReport


def show_plan(prepared: Prepared, as_json: bool) -> None:
    """What a dry run of prepare decided."""
    if as_json:
        return output.print_json(prepared.plan)
    messages = [(*key, number) for key, number in sorted(prepared.plan.messages.items())]
    decisions = [(*key, number) for key, number in sorted(prepared.plan.decisions.items())]
    output.print_table(f"Would be planned for {prepared.on}", ["moment", "channel", "number"], messages)
    output.print_table("Would be decided", ["moment", "decision", "rule", "number"], decisions)
    return output.say("A dry run: nothing was kept.")


def show_due(report: DueReport, as_json: bool) -> None:
    """What a run of deliver would hand over now."""
    if as_json:
        return output.print_json(report)
    due = [(*key, number) for key, number in sorted(report.due.items())]
    output.print_table("Due now", ["moment", "channel", "number"], due)
    for name in ("paused", "waiting", "undoable", "out_of_hours"):
        if number := getattr(report.waits, name):
            output.say(f"  {number} {tables.SENT_WORDS[name]}")
    return output.say(f"A dry run: {report.leaving} would be handed over, and nothing has left.")
