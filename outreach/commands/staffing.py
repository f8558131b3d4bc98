"""The people who may act: staff add, list and remove. Words in, a call to the approval room, a table out."""

from typing import Annotated

import typer

from outreach import tables
from outreach.approval import add_staff, list_staff, remove_staff
from outreach.call import open_call
from outreach.commands.options import AsJson, Database, Now
from outreach.database import reading, writing

staff = typer.Typer(no_args_is_help=True, help="The people who may approve: add, list, remove.")


@staff.command("add")
def staff_add(
    who: Annotated[str, typer.Argument(help="A short id, such as maria.")],
    name: Annotated[str, typer.Option(help="The full name.")] = "",
    role: Annotated[str, typer.Option(help="viewer, writer, approver or admin.")] = "approver",
    database: Database = None,
    now: Now = None,
) -> None:
    """Add someone, or change their name or role."""
    call = open_call(database, now, create=True)
    with writing(call.engine) as session:
        member = add_staff(session, who, name or who, role, call.now)
        tables.say(f"{member.staff_id} is {member.name}, {member.role}")


@staff.command("list")
def staff_list(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """List the staff."""
    call = open_call(database, now, as_json)
    with reading(call.engine) as session:
        tables.show_staff(list_staff(session), as_json)


@staff.command("remove")
def staff_remove(
    who: Annotated[str, typer.Argument(help="The id.")], database: Database = None, now: Now = None
) -> None:
    """Remove someone; what they did stays in the audit."""
    call = open_call(database, now)
    with writing(call.engine) as session:
        remove_staff(session, who, call.now)
        tables.say(f"{who} may not act any more")
