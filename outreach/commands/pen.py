"""The commands pen make, list, sheet and learn, for the handwriting of signatories. They call composing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outreach import console
from outreach.commands.context import open_settings
from outreach.commands.options import AsJson, path_argument, path_option
from outreach.composing.handwriting.pens import (
    SET_AT,
    SHIPPED,
    find_pens,
    missing_letters,
    pen_named,
    require_unused,
)
from outreach.composing.paper.sizes import paper_for
from outreach.errors import SettingsError
from outreach.local_files import write_private

if TYPE_CHECKING:
    from outreach.composing.handwriting.own_hand.learn import OwnHand

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="The handwriting of your signatories: their own, and others."
)


@app.command("make")
def pen_make(
    name: Annotated[str, typer.Argument(help="The pen's name, as outreach.toml will name it.")],
    base: Annotated[Path, path_option("A TrueType font of handwriting whose licence lets you change it.")],
    seed: Annotated[int, typer.Option(help="Another number gives another hand.")] = 1,
    size: Annotated[
        float, typer.Option(min=4, max=72, help="The points at which the base looks as large as writing.")
    ] = SET_AT,
    word_gap: Annotated[float, typer.Option(help="More space between words, in em; less, when negative.")] = 0.0,
    joined: Annotated[bool, typer.Option("--joined", help="The letters of the base touch one another.")] = False,
) -> None:
    """Make a pen from a font: many forms of each letter. The same words make the same pen."""
    from outreach.composing.handwriting.font.compiler import Recipe, make_pen  # numpy takes a moment to import

    settings = open_settings()
    path = make_pen(Recipe(name, base, seed, size, word_gap, joined), settings.pens)
    console.say(f"{path}: {path.stat().st_size // 1000} kB. Name it as the pen of a signatory in outreach.toml")
    if missing := missing_letters_of(path):
        console.say(f"It cannot write {missing}")


@app.command("list")
def pen_list(as_json: AsJson = False) -> None:
    """The pens there are, where they come from, and what each cannot write."""
    pens = find_pens(open_settings().pens).values()
    rows = [
        (each.name, "yours" if each.path.parent != SHIPPED else "shipped", missing_letters_of(each.path))
        for each in pens
    ]
    if as_json:
        return console.print_json([dict(zip(("name", "from", "cannot_write"), row, strict=True)) for row in rows])
    return console.print_table("Pens", ["pen", "from", "cannot write"], rows)


def missing_letters_of(path: Path) -> str:
    """The letters of Western, Central and Nordic European languages that a pen cannot write."""
    from outreach.composing.handwriting.font.letterforms import LATIN

    return "".join(missing_letters(path, LATIN))


@app.command("sheet")
def pen_sheet(
    name: Annotated[str, typer.Option(help="Whose hand it is for; the same name prints the same form again.")] = "",
    language: Annotated[str, typer.Option(help="Whose letters it asks for, such as de. [the business's]")] = "",
    out: Annotated[Path, path_option("The PDF to write.")] = Path("own-hand.pdf"),
) -> None:
    """Print the form on which a person writes their hand down, for `pen learn`."""
    from outreach.composing.handwriting.own_hand.form import (  # WeasyPrint takes a moment to import
        form_for,
        print_sheet,
    )

    business = open_settings().business
    form = form_for(language or business.language, paper_for(business.country))
    _write(out, print_sheet(form, name))
    console.say(f"{out}: {form.pages} pages. Print them at true size, fill them in, scan them: outreach pen learn")


@app.command("learn")
def pen_learn(
    scans: Annotated[list[Path], path_argument("The form's pages: PDF, JPEG or PNG, in any order.")],
    name: Annotated[str, typer.Option(help="The pen's name, as outreach.toml will name it.")],
    signs: Annotated[str, typer.Option(help="The name that the signature stands for. [the pen's name]")] = "",
    proof: Annotated[Path | None, path_option("The picture to look at. [beside the pen]")] = None,
    seed: Annotated[int, typer.Option(help="Another number varies the letters otherwise.")] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of a pen of that name.")] = False,
    one_person: Annotated[
        bool, typer.Option("--one-person", help="One person wrote all pages, though they look like two people's.")
    ] = False,
) -> None:
    """Make a pen, and its signature, from a form that somebody filled in. The same scans make the same pen."""
    # OpenCV takes a moment to import.
    from outreach.composing.handwriting.own_hand.learn import keep_hand, learn_hand
    from outreach.composing.handwriting.own_hand.proof import draw_proof
    from outreach.composing.handwriting.own_hand.scans import read_scans
    from outreach.composing.proofing.pdf_pages import as_png

    pens, signs = open_settings().pens, signs or name
    # Asked first, since reading scans takes a while; `keep_hand` itself writes over a pen of that name.
    if not replace:
        require_unused(name, pens)
    hand = learn_hand(name, read_scans(scans, one_person), signs, seed, one_person)
    path = keep_hand(hand, name, pens)
    proof = proof or path.with_suffix(".png")
    _write(proof, as_png(draw_proof(hand, pen_named(name, pens), signs), colours=64))
    console.say(f"{path}: {path.stat().st_size // 1000} kB. Look at {proof}, then name it as a signatory's pen")
    _say_what_to_mend(hand)


def _say_what_to_mend(hand: "OwnHand") -> None:
    lost = hand.lost
    fewer = [character for character in hand.again if character not in (*lost, *hand.apart)]
    if lost:
        console.say(f"Write again: {'; '.join(f'{character} ({hand.again[character]})' for character in lost)}")
    if fewer:
        console.say(f"Enough to go by: {'; '.join(f'{character} ({hand.again[character]})' for character in fewer)}")
    if hand.apart:
        said = (f"{pair} ({hand.again[pair]})" if pair in hand.again else pair for pair in hand.apart)
        console.say(f"Written letter by letter, not as one: {'; '.join(said)}")
    if hand.unsigned:
        console.say(f"It writes the name letter by letter, because {hand.unsigned}")
    if hand.again or hand.unsigned:
        console.say("To mend it, print the form anew, fill in those boxes alone, and give all scans, the new ones last")
    if hand.missing:
        console.say(f"It cannot write {hand.missing}")


def _write(path: Path, content: bytes) -> None:
    try:
        write_private(path, content)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}; name another file") from error
