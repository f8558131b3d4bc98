"""The command check: says whether a printed letter may go, or lists each fault in a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_settings
from outreach.commands.options import AsJson, path_argument, path_option
from outreach.composing.proofing.fault_overlay import draw_faults
from outreach.composing.proofing.page_check import Fault, check_letter
from outreach.composing.proofing.page_tree import require_bounded
from outreach.errors import SettingsError
from outreach.local_files import read_regular, write_private
from outreach.settings.providers import LetterProvider

app = typer.Typer(rich_markup_mode=None)


@app.command()
def check(
    letter: Annotated[Path, path_argument("The PDF of a letter or a card.")],
    for_: Annotated[LetterProvider | None, typer.Option("--for", help="Who prints it. [providers.letter]")] = None,
    picture: Annotated[Path | None, path_option("Draw its faults onto its pages, into this PNG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look whether a printed letter may go: window, keep-out zones, words, fonts, glyphs, size, pages."""
    settings = open_settings()
    provider = for_ or settings.provider_for("letter")
    try:
        pdf = read_regular(letter)
    except OSError as error:
        raise SettingsError(f"{letter} cannot be read ({error.strerror}); name the PDF of a letter") from error
    # Before anything opens it: a small file may unpack to more than the memory holds.
    require_bounded(pdf)
    faults = check_letter(pdf, provider, settings)
    if picture:
        write_private(picture, draw_faults(pdf, provider, faults))
    show_faults(letter.name, provider, faults, as_json)
    # The statuses that main.py promises.
    raise typer.Exit(1 if faults else 0)


def show_faults(letter: str, provider: str, faults: Sequence[Fault], as_json: bool) -> None:
    """What is wrong with a printed letter, each fault in a line with its page and its place in mm."""
    if as_json:
        return console.print_json({"letter": letter, "provider": provider, "faults": faults})
    if not faults:
        return console.say(f"{letter} may go: {provider} can print it, and nothing is out of its place.")
    for number, fault in enumerate(faults, start=1):
        box = fault.box
        where = f", {box.left:.0f} × {box.top:.0f} mm from the top left" if box else ""
        console.say(f"{number}  {fault.kind}, page {fault.page}{where}: {fault.says}")
    return None
