"""Prints the reports of the rooms: as tables and lines for people, or as JSON for programs. It changes nothing."""

import dataclasses
from collections.abc import Sequence
from datetime import date

from sqlmodel import Session, col

from outreach.console import print_json, print_table, say
from outreach.day import Prepared
from outreach.delivery.control.pauses import PauseReport
from outreach.delivery.control.stopping import StopReport
from outreach.delivery.reports import DeliverReport
from outreach.models import Batch, Customer, Decision, Message, Moment
from outreach.models.selects import select_latest_decisions
from outreach.money import write_money
from outreach.settings import Business
from outreach.tracking.lookup import TrackReport


def show_prepared(session: Session, prepared: Prepared, as_json: bool) -> None:
    """Who gets what and why, then what waits for whom."""
    if as_json:
        return print_json(prepared)
    for line in sorted(prepared.compose.to_mend):
        say(f"To mend: {line}")
    if waiting := prepared.compose.waiting.total():
        noun = "message waits" if waiting == 1 else "messages wait"
        say(f"{waiting} {noun} until that is mended; the next run writes what was mended.")
    if prepared.is_nothing_new:
        known = prepared.plan.already_decided
        say(
            f"{prepared.on} was prepared already: nothing new, and nothing changed."
            if known
            else f"Nobody has a moment on {prepared.on}; nothing changed."
        )
        return None
    _show_decisions(session, prepared.on)
    show_batches(prepared.batches, as_json=False)
    if prepared.compose.left:
        say(f"{prepared.compose.left} messages stay planned: over the limit of this run. The next run goes on")
    return None


def _show_decisions(session: Session, on: date) -> None:
    rows = session.execute(
        select_latest_decisions()
        .join(Moment, col(Moment.moment_id) == Decision.moment_id)
        .join(Customer, col(Customer.customer_id) == Moment.customer_id)
        .outerjoin(Message, col(Message.reference) == Decision.reference)
        .where(Decision.run_on == on)
        # Downwards by name: “send”, then “not_yet”, then “never”.
        .order_by(col(Decision.outcome).desc(), Moment.kind, Moment.customer_id)
        .add_columns(Moment, Customer, Message)
    )
    listed: dict[str, list[tuple[object, ...]]] = {"written": [], "unwritten": [], "held": []}
    for decision, moment, customer, message in rows:
        name = f"{customer.given_name or ''} {customer.family_name or ''}".strip() or "(no name)"
        by = message.channel if message and decision.outcome == "send" else decision.outcome.replace("_", " ")
        row = (name, customer.customer_id, moment.kind, moment.occasion, by, decision.reason)
        listed[_place_of(decision, message)].append(row)
    columns = ["who", "id", "moment", "occasion", "by", "why"]
    if listed["written"] or not listed["unwritten"]:
        print_table(f"We write to ({len(listed['written'])})", columns, listed["written"])
    if listed["unwritten"]:
        print_table(f"Planned, and not written yet ({len(listed['unwritten'])})", columns, listed["unwritten"])
    print_table(f"We hold back ({len(listed['held'])})", columns, listed["held"])


def _place_of(decision: Decision, message: Message | None) -> str:
    """Only what was written counts as written: a template to mend, or a limit, may keep a message planned."""
    if decision.outcome != "send":
        return "held"
    return "written" if message and message.status not in {"planned", "withdrawn"} else "unwritten"


def show_batches(batches: Sequence[Batch], as_json: bool) -> None:
    if as_json:
        return print_json(list(batches))
    rows = [(b.batch_id, b.count, write_money(b.cost, b.currency), b.status, _why(b)) for b in batches]
    return print_table("Batches", ["batch", "messages", "cost", "status", "by, or why it waits"], rows)


def _why(batch: Batch) -> str:
    """Who decided on a batch, and what there is to say of it; or why it waits."""
    if batch.decided_by is None:
        return batch.why_waiting
    return f"{batch.decided_by}: {batch.reason}" if batch.reason else batch.decided_by


# By the fields of DeliverReport, in the order in which they are told.
SENT_WORDS = {
    "suppressed": "stopped: the person may not be contacted this way any more",
    "blocked": "blocked: not what was approved; `outreach why` names them",
    "withdrawn": "withdrawn: paid, died, or the reason to write is gone",
    "changed": "withdrawn: what it says, or whom and where it goes to, has changed; a later run decides again",
    "expired": "expired: too late to be of use",
    "failed": "refused by the provider for good",
    "uncertain": "uncertain: `outreach track` looks them up where the provider can be searched",
    "again": "not taken, or not known to be; the next run tries them under the same key",
    "paused": "paused; `outreach resume` lets them go",
    "over_cap": "over today's cap (daily_cap); they go tomorrow",
    "left": "due, and over the limit of this run; the next run goes on",
    "waiting": "approved for a later day",
    "undoable": "approved so lately that it can be undone; they leave afterwards",
    "out_of_hours": "for whom it is not the hour now; they go in the next hours they may arrive in",
    "before": "sent before this run, and not again",
}


def show_delivered(report: DeliverReport, business: Business, as_json: bool) -> None:
    if as_json:
        return print_json(report)
    sent = ", ".join(f"{number} by {channel}" for channel, number in sorted(report.sent.items()))
    say(f"Sent {report.sent.total()} now{': ' + sent if sent else ''}.")
    for name, words in SENT_WORDS.items():
        if number := getattr(report, name):
            say(f"  {number} {words}")
    if report.undo_until:
        say(f"    (until {report.undo_until.astimezone(business.zone):%H:%M}; run it again then)")
    _say_cancelled(report.cancelled, report.saved, business.currency)
    for file in report.files:
        say(f"  {file}")
    return None


def _say_cancelled(cancelled: int, saved: int, currency: str) -> None:
    if cancelled:
        say(f"  {cancelled} taken back before they were printed: {write_money(saved, currency)} of postage saved")


def show_tracked(report: TrackReport, currency: str, as_json: bool) -> None:
    if as_json:
        return print_json(report)
    # “saved” is money, and “reminded” counts batches: both are told in lines of their own below.
    counts = {
        name: number
        for name, number in dataclasses.asdict(report).items()
        if number and name not in {"saved", "reminded"}
    }
    said = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
    say(f"Tracked: {said or 'nothing was open'}.")
    _say_cancelled(report.cancelled, report.saved, currency)
    if report.reminded:
        say(f"  The deputy was reminded of {report.reminded} batches that wait")
    if report.needs_person:
        say("  Ask the provider about those, then: outreach close REFERENCE --as accepted|failed|approved")
    return None


def show_pause(report: PauseReport) -> None:
    say(
        f"Paused. {report.held} messages now wait. {report.leaving} were being handed over just then; "
        f"{report.left} had left in the day before, and files that are written stay."
    )


def show_cancelled(stopped: StopReport, currency: str) -> None:
    if stopped.problem:
        return say(f"  Letters that a vendor has not printed yet could not be taken back. {stopped.problem}")
    cancelled = stopped.cancelled
    _say_cancelled(cancelled.cancelled, cancelled.saved, currency)
    if cancelled.cancelled:
        say("  What was taken back is not sent again, not after `outreach resume` either.")
    if left := cancelled.too_late + cancelled.unanswered:
        say(f"  {left} could not be taken back: printed already, or the vendor did not answer")
    return None


def show_run(
    session: Session,
    prepared: Prepared,
    delivered: DeliverReport,
    tracked: TrackReport,
    business: Business,
    as_json: bool,
) -> None:
    if as_json:
        return print_json({"prepared": prepared, "delivered": delivered, "tracked": tracked})
    show_prepared(session, prepared, as_json=False)
    show_delivered(delivered, business, as_json=False)
    return show_tracked(tracked, business.currency, as_json=False)
