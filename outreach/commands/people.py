"""The commands under people: who is one person, who lives with whom, and which contact may be used again."""

from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_context
from outreach.commands.options import AsJson, By, Database, Now
from outreach.database import reading
from outreach.errors import SettingsError
from outreach.identity.duplicates import find_duplicates, list_doubles
from outreach.identity.households import detect_households
from outreach.tracking.do_not_contact import REASONS_TO_LIFT, lift_typed
from outreach.tracking.household_statements import record_household, take_household_back
from outreach.tracking.merges import merge_people, say_two_people, unmerge_people

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Who is one person, and who lives with whom.")
# A page that holds every pair there is.
ALL = 1_000_000
Who = Annotated[str, typer.Argument(help="A customer's id.")]


@app.command("duplicates")
def people_duplicates(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Look through all customers for those who may be one person; merges nobody."""
    context = open_context(database, now, as_json)
    report = find_duplicates(context.engine, context.settings, context.now)
    with reading(context.engine) as session:
        doubles, _ = list_doubles(session, 1, ALL)
    if as_json:
        return console.print_json({"report": report, "pairs": doubles})
    rows = [(one.first_id, one.second_id, one.reasons, one.doubt) for one in doubles]
    console.print_table("May be one person", ["one", "other", "because they have", "but"], rows)
    for kind, number in sorted(report.defaults.items()):
        console.say(f"{number} values of {kind} are shared by too many people to tell anything")
    return console.say(f"{report.open} wait for an answer, {report.new} of them new; {report.decided} were answered")


@app.command("merge")
def people_merge(
    keep: Annotated[str, typer.Argument(help="The id that stays.")],
    other: Annotated[str, typer.Argument(help="Another id of the same person.")],
    by: By,
    database: Database = None,
    now: Now = None,
) -> None:
    """Make one person of two customers; can be taken back."""
    context = open_context(database, now)
    report = merge_people(context.engine, context.settings, keep, other, by, context.now)
    console.say(f"{other} is another number of {keep} now; {report.pulled.withdrawn} open messages were withdrawn")


@app.command("unmerge")
def people_unmerge(
    merged: Annotated[str, typer.Argument(help="The id that was merged into another.")],
    by: By,
    database: Database = None,
    now: Now = None,
) -> None:
    """Take a merge back: each has their own history again."""
    context = open_context(database, now)
    merge = unmerge_people(context.engine, merged, by, context.now)
    console.say(f"{merge.merged_id} and {merge.kept_id} are two people again")


@app.command("two")
def people_two(one: Who, other: Who, by: By, database: Database = None, now: Now = None) -> None:
    """Say that two who may be one person are two; they are never proposed again."""
    context = open_context(database, now)
    say_two_people(context.engine, one, other, by, context.now)
    console.say(f"{one} and {other} are two people")


@app.command("reopen")
def people_reopen(
    contact: Annotated[
        str, typer.Argument(help="An e-mail address, a number, or the lines of an address with ; between them.")
    ],
    by: By,
    reason: Annotated[str, typer.Option(help=f"One of: {'; '.join(REASONS_TO_LIFT)}.")],
    postal_code: Annotated[str, typer.Option(help="Only for a postal address.")] = "",
    database: Database = None,
    now: Now = None,
) -> None:
    """Take off the do-not-contact list what staff or a bounce put on it; never what the person asked for."""
    context = open_context(database, now)
    channels = lift_typed(context.engine, context.settings, contact, postal_code, by, reason, context.now)
    console.say(f"Lifted for {' and '.join(channels)}")


@app.command("households")
def people_households(database: Database = None, now: Now = None) -> None:
    """Find who shares an address, as every import does at its end."""
    context = open_context(database, now)
    changed = detect_households(context.engine, context.settings, context.now)
    console.say(f"{changed} customers have another household than before")


@app.command("lives")
def people_lives(
    customer: Who,
    by: By,
    with_: Annotated[str | None, typer.Option("--with", help="The id of whom they live with.")] = None,
    alone: Annotated[bool, typer.Option("--alone", help="With none of those they are on file with.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Take back what they said.")] = False,
    database: Database = None,
    now: Now = None,
) -> None:
    """Record whom a customer says they live with; it stands above the data."""
    if (with_ is not None) + alone + forget != 1:
        raise SettingsError("Say one of --with ID, --alone and --forget")
    context = open_context(database, now)
    if forget:
        take_household_back(context.engine, customer, by, context.now)
    else:
        record_household(context.engine, customer, with_, by, context.now)
    console.say("Taken back" if forget else "Recorded")
