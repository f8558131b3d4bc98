"""The commands mapping show and mapping draft: the presets, and a proposal for files that none of them knows."""

from pathlib import Path
from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_settings
from outreach.commands.options import path_option, source_argument
from outreach.errors import SettingsError, SourceUnreadable
from outreach.intake.mapping.draft import draft_mapping
from outreach.intake.mapping.files import list_presets, preset_path, read_preset
from outreach.intake.sheets import read_sheets
from outreach.intake.sources.places import open_origin

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="How other systems' columns become ours.")


@app.command()
def show(name: Annotated[str | None, typer.Argument(help="A preset, such as shopify. [all by name]")] = None) -> None:
    """Print a preset, to read or to keep beside your own files."""
    if name is None:
        return console.print_table(
            "Presets", ["name", "for"], [(each, read_preset(each).title) for each in list_presets()]
        )
    return console.print_text(preset_path(name).read_text(encoding="utf-8"))


@app.command()
def draft(
    source: Annotated[str, source_argument("A file, a folder or a zip of files.")],
    to: Annotated[Path | None, path_option("Write it into this new file. [the screen]")] = None,
) -> None:
    """Propose a mapping for files that no preset knows; what is unsure is marked."""
    sheets = read_sheets(open_origin(source))
    if not sheets:
        raise SourceUnreadable(f"Nothing in {source} has a line that names columns")
    text = draft_mapping(sheets, open_settings().business.country)
    if to is None:
        return console.print_text(text)
    try:
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SettingsError(f"{to} cannot be written ({error.strerror})") from error
    return console.say(
        f"Written: {to}. Mend what is marked UNSURE, then: outreach import {source} --mapping {to} --look"
    )
