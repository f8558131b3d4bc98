"""Shows the result of a drill, as tables for people or as JSON for programs."""

from dataclasses import replace
from typing import Any

from outreach import console
from outreach.drill.result import DrillResult
from outreach.drill.senders import POINTS

SHOWN = 2


def show_drill(result: DrillResult, as_json: bool) -> None:
    """Prints the ledger, the points that kills hit, and in one line whether the drill passed."""
    if as_json:
        console.print_json(to_plain(result))
        return
    console.print_table(
        "The ledger, from the vendors' own logs", ("what", "messages", "must be", "which"), _ledger_rows(result)
    )
    points = [point for point in POINTS if result.killed[point] or result.stopped[point]]
    rows = [(point, result.killed[point], result.stopped[point]) for point in points]
    console.print_table("Kills by the point they hit", ("point", "killed", "stopped"), rows)
    console.print_table("What the vendors did", ("to a hand-over", "times"), sorted(result.tally.faults.items()))
    if result.webhooks:
        console.print_table("Webhooks", ("webhooks", "times"), sorted(result.webhooks.items()))
    console.say(_verdict(result))


def to_plain(result: DrillResult) -> dict[str, Any]:
    """The result as JSON has it: everything that must be 0 as a count, with the references behind it under `which`."""
    tally, options = result.tally, result.options
    return {
        "passed": result.passed,
        "naive": options.naive,
        "vendors": options.vendors,
        "seed": options.seed,
        "kills": options.kills,
        "database": result.database,
        "messages": tally.messages,
        "accepted": tally.accepted,
        **{name: len(which) for name, _, which in _must_be_none(result)},
        "fell_over": result.fell_over,
        "restores": result.restores,
        "unnoticed_restores": result.unnoticed,
        "jumps": result.jumps,
        "pace": round(result.pace, 1),
        "slow": result.slow,
        "which": {name: which for name, _, which in _must_be_none(result)},
        "statuses": dict(sorted(tally.statuses.items())),
        "killed_at": dict(result.killed),
        "stopped_at": dict(result.stopped),
        "faults": dict(sorted(tally.faults.items())),
        "webhooks": result.webhooks,
        "seconds": round(result.seconds, 1),
        "folder": str(result.folder) if result.folder else None,
    }


def _must_be_none(result: DrillResult) -> list[tuple[str, str, list[str]]]:
    tally = result.tally
    return [
        ("more_than_once", "accepted more than once", tally.doubled),
        ("lost", "lost", tally.lost),
        ("waiting", "still waiting at the end", tally.waiting),
        ("uncertain", "uncertain after tracking", tally.uncertain),
        ("denied", "accepted, and on record as not", tally.denied),
        ("after_opt_out", "begun after the opt-out", tally.after_opt_out),
        ("unapproved", "other bytes than were approved", tally.unapproved),
    ]


def _ledger_rows(result: DrillResult) -> list[tuple[str, int, str, str]]:
    tally = result.tally
    rows = [("handed in", tally.messages, "", ""), ("accepted", tally.accepted, "", "")]
    rows += [(words, len(which), "0", _some(which)) for _, words, which in _must_be_none(result)]
    ends = {"blocked": "tampered with, and blocked", "suppressed": "opted out in time"}
    return rows + [(words, tally.statuses[status], "", "") for status, words in ends.items()]


def _some(which: list[str]) -> str:
    return ", ".join(which[:SHOWN]) + (" …" if len(which) > SHOWN else "")


def _verdict(result: DrillResult) -> str:
    kills = f"{result.killed.total()} kills and {result.stopped.total()} stops in {result.seconds:.0f} seconds"
    kills += f", {result.restores} backups restored" if result.options.restore else ""
    kills += f", {result.jumps} jumps of clocks" if result.options.clocks else ""
    if result.passed:
        return f"Passed: {kills}, one send each, and nothing was lost."
    if result.options.naive:
        return f"Failed, as a general retry does: {kills}."
    # Only what waits can be the machine's fault; whatever else is wrong is ours.
    if result.slow and replace(result.tally, waiting=[]).is_clean and not result.fell_over and not result.unnoticed:
        waiting = len(result.tally.waiting)
        return (
            f"Not decided: {kills}. {waiting} messages were still on their way, and senders at work on them: this "
            "machine is too slow just now. Nothing was sent twice or lost by then."
        )
    fell = f" {result.unnoticed} restored backups went unnoticed." if result.unnoticed else ""
    fell += f" {result.fell_over} processes fell over." if result.fell_over else ""
    return f"Failed: {kills}.{fell} The vendors' logs are in {result.folder}; the tables are in {result.database}."
