"""Writes counts as a page to read: Markdown that reads as plain text too. Counts only, so it may be shown anywhere."""

from collections.abc import Iterable, Sequence
from datetime import date

from outreach.learning.counts import StatusReport


def write_report(report: StatusReport, on: date) -> str:
    """Where everything stands on `on`: how many got how far, why the others did not, and every message by status."""
    rules = [(*key, number) for key, number in sorted(report.rules.items()) if key[1] != "send"]
    messages = [(*key, number) for key, number in sorted(report.messages.items())]
    parts = [
        f"# Outreach on {on}",
        _table(("reached", "number"), report.funnel.items()),
        "## Not written to, and why",
        _table(("moment", "decision", "rule", "number"), rules),
        "## Messages",
        _table(("moment", "channel", "status", "number"), [*messages, ("all", "", "", report.messages.total())]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table whose last column is a number, lined up for those who read it as text."""
    cells = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    lines = [f"| {' | '.join(_pad(row, widths))} |" for row in cells]
    rule = [*("-" * width for width in widths[:-1]), "-" * (widths[-1] - 1) + ":"]
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def _pad(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    return [*padded[:-1], row[-1].rjust(widths[-1])]
