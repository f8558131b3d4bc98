"""The `outreach` command, for people and programs: it finds the file of a command and calls it. It holds no rules.

Exit status: 0 done, 1 failed, 2 done with refused rows.
"""

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from outreach.errors import OutreachError
from outreach.local_files import PRIVATE_UMASK, explain_file_error

#: Each command in the order of the help, with the file in this folder that holds it and its line there. A command's
#: file is imported when the command is called: all of them together take seconds.
COMMANDS: dict[str, tuple[str, str]] = {
    "new": ("new", "Make an installation, in a folder of your own."),
    "init": ("intake", "Create the database, or bring it to today's shape."),
    "import": ("intake", "Take in customer data."),
    "mapping": ("mapping", "How other systems' columns become ours."),
    "moments": ("planning", "Who has a moment on a day, whatever was sent before."),
    "prepare": ("planning", "Plan a day, write its messages, open its batches."),
    "why": ("planning", "Why this person, why today, why not."),
    "batches": ("approval", "List the batches that wait for a person."),
    "approve": ("approval", "Approve a batch as it is sealed."),
    "reject": ("approval", "Reject a batch or one message."),
    "deliver": ("send", "Send what is approved and due, each exactly once."),
    "track": ("send", "Look up what is open, and close what can be closed."),
    "close": ("send", "Close an open case by hand."),
    "run": ("send", "Prepare, deliver and track, with no server: for cron."),
    "pause": ("send", "Stop sending: all, or one moment, provider or batch."),
    "resume": ("send", "Take a pause back."),
    "status": ("status", "Count messages by moment, channel and status."),
    "simulate": ("simulate", "Whom we would write to on the days to come."),
    "preview": ("preview", "Write a template as one customer would get it."),
    "check": ("check", "Look whether a printed letter may go."),
    "goodwill": ("goodwill", "Name those whom an event hit."),
    "redeem": ("redeem", "Redeem a reward, once."),
    "people": ("people", "Who is one person, and who lives with whom."),
    "staff": ("staff", "The people who may approve."),
    "pen": ("pen", "The handwriting of your signatories."),
    "serve": ("serve", "Serve the desk, the public pages and the webhooks."),
    "up": ("serve", "Start everything on one machine."),
    "deploy": ("deploy", "Bring Prefect's deployments to what the files say."),
    "doctor": ("doctor", "Say what is missing on this machine."),
    "demo": ("demo", "Run the whole main job on a sample practice."),
    "drill": ("drill", "Kill senders at random, and count what arrived."),
}


@dataclass(frozen=True)
class Completion:
    """A word that a shell may put in, with the fields that Typer's scripts for shells read."""

    value: str
    help: str
    type: str = "plain"


class CommandGroup(TyperGroup):
    """All commands by name, each imported when it is called, and none for the help that lists them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        file, _ = COMMANDS[cmd_name]
        group = typer.main.get_group(import_module(f"outreach.commands.{file}").app)
        # A file whose commands stand below a word of their own, as in `staff add`, is itself the command.
        return group.commands.get(cmd_name, group)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        # Typer would import every command to ask whether it is hidden.
        return [Completion(name, line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    # With Rich's markup, the help would lose what stands in square brackets, such as [today] (Typer 0.29).
    rich_markup_mode=None,
    # Typer's own tracebacks can show the values of variables, which may be people's data
    # (https://typer.tiangolo.com/tutorial/exceptions/).
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"outreach {version('outreach')}")
        raise typer.Exit


@app.callback()
def outreach(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Write to customers as a person who remembers them would. Each command says more with --help.

    Exit status: 0 done, 1 failed, 2 done with refused rows.
    """


def main() -> None:
    """Runs the command and exits with its status; an error of ours is one line on stderr, without a traceback."""
    os.umask(PRIVATE_UMASK)  # the database and the outbox hold people's health and debts: for this user's eyes only
    try:
        # Standalone, Typer would print errors and end the process by itself, with statuses of its own. This way its
        # errors come to the handlers below, and `typer.Exit` comes back as a number.
        status: Any = app(standalone_mode=False)
    except OutreachError as error:
        sys.exit(f"outreach: {error}")
    except TyperException as error:
        # Typer's own status for a wrong call is 2, which here means "done, with refused rows".
        message = error.format_message()
        sys.exit(message if message.startswith("Usage:") else f"outreach: {message} See outreach --help")
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. What is still in the buffer must go somewhere at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if explained := _explain(error):
            sys.exit(f"outreach: {explained}")
        raise
    sys.exit(status if isinstance(status, int) else 0)


def _explain(error: Exception) -> str:
    """One line about trouble with the database or with a file; empty for any other error."""
    from outreach.database_errors import DATABASE_ERRORS, explain_database_error  # SQLAlchemy takes half a second

    if isinstance(error, DATABASE_ERRORS):
        return explain_database_error(error)
    return explain_file_error(error) if isinstance(error, OSError) else ""
