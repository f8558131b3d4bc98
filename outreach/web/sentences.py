"""What an act of staff brought about comes in; one plain sentence that says so goes out."""

from outreach.tables import money
from outreach.tracking import PullReport


def say_pulled(report: PullReport, currency: str) -> str:
    """What was pulled back, what was saved, and what can no longer be stopped."""
    done = [
        f"{_many(report.withdrawn)} withdrawn" if report.withdrawn else "",
        f"{_many(report.cancelled)} cancelled before printing, which saves {money(report.saved, currency)}"
        if report.cancelled
        else "",
    ]
    said = " and ".join(part for part in done if part)
    sentences = [f"{said[0].upper()}{said[1:]}." if said else "Nothing was waiting to be sent."]
    if report.left:
        sentences.append(f"{report.left} had left already, or may have, and may still arrive.")
    if report.problem:
        sentences.append(f"The vendor could not be asked to cancel: {report.problem}")
    return " ".join(sentences)


def _many(count: int) -> str:
    return "one message was" if count == 1 else f"{count} messages were"
