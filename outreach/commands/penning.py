"""The pens: pen make and list. Words in, a call to composing, a file or a table out."""

from pathlib import Path
from typing import Annotated

import typer

from outreach import tables
from outreach.commands.options import AsJson
from outreach.composing.handwriting.pens import SET_AT, SHIPPED, find_pens, missing_letters
from outreach.settings import load_settings

pen = typer.Typer(no_args_is_help=True, help="The handwriting of your signatories: make pens, and list them.")


@pen.command("make")
def pen_make(
    name: Annotated[str, typer.Argument(help="The pen's name, as outreach.toml will name it.")],
    base: Annotated[Path, typer.Option(help="A TrueType font of handwriting whose licence lets you change it.")],
    seed: Annotated[int, typer.Option(help="Another number gives another hand.")] = 1,
    size: Annotated[
        float, typer.Option(min=4, max=72, help="The points at which the base looks as large as writing.")
    ] = SET_AT,
    word_gap: Annotated[float, typer.Option(help="More space between words, in em; less, when negative.")] = 0.0,
    joined: Annotated[bool, typer.Option("--joined", help="The letters of the base touch one another.")] = False,
) -> None:
    """Make a pen from a font: many forms of each letter. The same words make the same pen."""
    from outreach.composing.handwriting.compiler import Recipe, make_pen  # numpy takes a moment to import

    settings = load_settings()
    path = make_pen(Recipe(name, base, seed, size, word_gap, joined), settings.pens)
    tables.say(f"{path}: {path.stat().st_size // 1000} kB. Name it as the pen of a signatory in outreach.toml")
    if missing := missing_letters_of(path):
        tables.say(f"It cannot write {missing}")


@pen.command("list")
def pen_list(as_json: AsJson = False) -> None:
    """The pens there are, where they come from, and what each cannot write."""
    pens = find_pens(load_settings().pens).values()
    rows = [
        (each.name, "yours" if each.path.parent != SHIPPED else "shipped", missing_letters_of(each.path))
        for each in pens
    ]
    if as_json:
        return tables.print_json([dict(zip(("name", "from", "cannot_write"), row, strict=True)) for row in rows])
    return tables.print_table("Pens", ["pen", "from", "cannot write"], rows)


def missing_letters_of(path: Path) -> str:
    """The letters of Western, Central and Nordic European languages that a pen cannot write."""
    from outreach.composing.handwriting.letterforms import LATIN

    return "".join(missing_letters(path, LATIN))
