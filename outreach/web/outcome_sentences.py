"""Says in plain sentences what an act of staff brought about."""

from outreach.delivery.control.stopping import StopReport
from outreach.money import write_money
from outreach.tracking.pulling_back import PullReport


def say_pulled(report: PullReport, currency: str) -> str:
    """What was pulled back, what was saved, and what can no longer be stopped."""
    done = [
        f"{_many(report.withdrawn)} withdrawn" if report.withdrawn else "",
        f"{_many(report.cancelled)} cancelled before printing, which saves {write_money(report.saved, currency)}"
        if report.cancelled
        else "",
    ]
    summary = " and ".join(part for part in done if part)
    sentences = [f"{summary[0].upper()}{summary[1:]}." if summary else "Nothing was waiting to be sent."]
    if report.left:
        sentences.append(f"{report.left} had left already, or may have, and may still arrive.")
    if report.problem:
        sentences.append(f"The vendor could not be asked to cancel: {report.problem}")
    return " ".join(sentences)


def say_stopped(what: str, report: StopReport) -> str:
    """That it is stopped, how much waits and had left, and what could be taken back at vendors."""
    paused, cancelled = report.paused, report.cancelled
    sentence = f"{what}. {paused.held} messages wait, and {paused.left} had left in the day before."
    if report.problem:
        return f"{sentence} What had left could not be cancelled: {report.problem}"
    sentence = f"{sentence} {cancelled.cancelled} letters were cancelled before they were printed."
    if printed := cancelled.too_late + cancelled.unanswered:
        sentence += f" {printed} could not be taken back: printed already, or the vendor did not answer."
    return sentence


def _many(count: int) -> str:
    return "one message was" if count == 1 else f"{count} messages were"
