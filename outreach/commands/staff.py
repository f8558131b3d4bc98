"""The commands staff add, password, list and remove: the people who may act."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from outreach import console
from outreach.approval.staff import add_staff, give_first_password, list_staff, remove_staff, take_password
from outreach.commands.context import Context, open_context
from outreach.commands.options import AsJson, Database, Now, path_option
from outreach.database import reading, writing
from outreach.errors import SettingsError
from outreach.local_files import read_text
from outreach.models import Staff

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The people who may approve: add, list, remove, and new passwords.",
)
# A file, since everybody on the machine may read the command lines of its processes.
PasswordFile = Annotated[
    Path | None,
    path_option("Take the first line of this file for the password, instead of making one."),
]


@app.command("add")
def staff_add(
    who: Annotated[str, typer.Argument(help="A short id, such as maria.")],
    name: Annotated[str, typer.Option(help="The full name.")] = "",
    role: Annotated[str, typer.Option(help="viewer, writer, approver or admin.")] = "approver",
    email: Annotated[str | None, typer.Option(help="For reminders, and to sign in with a work account.")] = None,
    password_file: PasswordFile = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Add someone, with a first password; or change their name, role or e-mail address."""
    context = open_context(database, now, create=True)
    with writing(context.engine) as session:
        member = add_staff(session, who, name or who, role, context.now, email)
        console.say(f"{member.staff_id} is {member.name}, {member.role}")
        # Whoever is only given another name or role keeps the password that they chose.
        if password_file or not member.password_hash:
            _new_password(context, session, who, password_file)


@app.command("password")
def staff_password(
    who: Annotated[str, typer.Argument(help="The id.")],
    password_file: PasswordFile = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Give someone a new first password, and sign them out everywhere."""
    context = open_context(database, now)
    with writing(context.engine) as session:
        _new_password(context, session, who, password_file)


def _new_password(context: Context, session: Session, who: str, password_file: Path | None) -> None:
    if password_file:
        take_password(session, who, _first_line(password_file), context.settings.business.name, context.now)
        console.say(f"The password in {password_file} is now theirs")
    else:
        _show_first_password(who, give_first_password(session, who, context.now))


def _first_line(path: Path) -> str:
    try:
        # Editors put a line end behind a password, which nobody types at the sign-in.
        return read_text(path).partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as text ({type(error).__name__}); check --password-file") from error


@app.command("list")
def staff_list(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """List the staff: their role, their e-mail address, and whether they have a password."""
    context = open_context(database, now, as_json)
    with reading(context.engine) as session:
        _show_staff(list_staff(session), as_json)


@app.command("remove")
def staff_remove(
    who: Annotated[str, typer.Argument(help="The id.")], database: Database = None, now: Now = None
) -> None:
    """Remove someone, and sign them out at once; what they did stays in the audit."""
    context = open_context(database, now)
    with writing(context.engine) as session:
        remove_staff(session, who, context.now)
        console.say(f"{who} may not act any more")


def _show_first_password(who: str, password: str) -> None:
    console.say(f"First password: {password}")
    console.say(f"It is shown only now. Tell it to {who} alone; the desk asks them for one of their own.")


def _show_staff(staff: Sequence[Staff], as_json: bool) -> None:
    """Never with a hash: it would end in a log, where anybody can try passwords on it for as long as they like."""
    listed = [
        {"staff_id": s.staff_id, "name": s.name, "role": s.role, "email": s.email, "added_at": s.added_at,
         "password": _password_words(s)}
        for s in staff
    ]  # fmt: skip
    if as_json:
        return console.print_json(listed)
    columns = ["staff_id", "name", "role", "email", "password"]
    rows = [[one[column] for column in columns] for one in listed]
    return console.print_table("Staff", ["id", "name", "role", "e-mail", "password"], rows)


def _password_words(member: Staff) -> str:
    if not member.password_hash:
        return "none"
    return "first, to be changed" if member.must_change else "set"
