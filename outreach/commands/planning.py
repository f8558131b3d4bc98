"""The commands moments, prepare and why: whom we write to, and why."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated

import typer

from outreach.commands import output
from outreach.commands.context import open_context
from outreach.commands.dry_run import show_plan
from outreach.commands.options import AsJson, Database, DryRun, Now, On
from outreach.console import print_json, print_table
from outreach.database import reading
from outreach.day import prepare_day
from outreach.identity.customer_ids import read_customer_id
from outreach.intake.dates import reading_dated
from outreach.moments import Found, find_moments, require_kinds
from outreach.planning.why import MomentAnswer, explain_customer
from outreach.prefect_events import announce_approval, prefect_address

app = typer.Typer(rich_markup_mode=None)


@app.command()
def moments(
    on: On = None,
    from_: Annotated[str | None, typer.Option("--from", help="The first day of a range.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The last day of a range.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this moment; may be given again.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Who has a moment on a day, whatever was sent before; writes nothing."""
    # It writes nothing, not even the business dates of another time zone.
    context = open_context(database, now, as_json, dates=False)
    first, last = context.day(from_ or on or to), context.day(to or on or from_)
    require_kinds(kind or [])
    days = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
    with reading_dated(context.engine, context.settings) as session:
        found = (item for day in days for item in find_moments(session, context.settings, day, kind or None))
        # Within the block: `found` reads from the database only while it is shown.
        show_moments(found, as_json)


@app.command()
def prepare(
    on: On = None,
    moment: Annotated[list[str] | None, typer.Option(help="Plan only this moment; may be given again.")] = None,
    dry_run: DryRun = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Write at most so many messages; the rest later.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Find moments, decide, write the messages and open the batches of a day; running it again changes nothing."""
    context = open_context(database, now, as_json)
    day = context.day(on)
    prepared = prepare_day(
        context.engine, context.settings, day, context.clock, context.tell, moment or (), dry_run, limit
    )
    if dry_run:
        return show_plan(prepared, as_json)
    # What needs no person is delivered as soon as what a person approves: Prefect is told in the same way.
    for batch in prepared.approved:
        announce_approval(prefect_address(), batch)
    with reading(context.engine) as session:
        return output.show_prepared(session, prepared, as_json)


@app.command()
def why(
    customer: Annotated[str, typer.Argument(help="A customer's id.")],
    on: On = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Why this person, why today, why not."""
    context = open_context(database, now, as_json)
    with reading(context.engine) as session:
        person = read_customer_id(session, customer)
    show_answers(explain_customer(context.engine, context.settings, person, context.day(on), context.now), as_json)


def show_moments(found: Iterable[Found], as_json: bool) -> None:
    if as_json:
        # As they come: many days of a large practice need not be in memory together.
        for item in found:
            about = {"on": item.on, "moment": item.kind, "customer_id": item.customer_id, "occasion": item.occasion}
            print_json(about)
        return
    rows = [(item.on, item.kind, item.customer_id, item.occasion) for item in found]
    print_table("Moments", ["on", "moment", "customer", "occasion"], rows)


def show_answers(answers: Sequence[MomentAnswer], as_json: bool) -> None:
    if as_json:
        return print_json(answers)
    rows = [
        (a.kind, a.occasion, a.outcome.replace("_", " "), a.reason, a.decided_on, a.next_on, a.reference, a.status)
        for a in answers
    ]
    columns = ["moment", "occasion", "answer", "because", "decided", "look again", "message", "status"]
    print_table("Why, and why not", columns, rows, most=None)
    asked = {answer.kind: answer.clauses for answer in answers}
    # About one person, who was asked for: none of it is too much.
    return print_table(
        "What each moment asks",
        ["moment", "condition", "met", "what we know", "what would have to change"],
        [
            ("" if place else kind, clause.says, "yes" if clause.is_met else "no", clause.value, clause.change)
            for kind, clauses in asked.items()
            for place, clause in enumerate(clauses)
        ],
        most=None,
    )
