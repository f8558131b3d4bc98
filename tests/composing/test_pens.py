"""Pens: what is in them, that they are made the same each time, and which pen writes a letter."""

import io
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader
from sqlalchemy import Engine
from sqlmodel import select

from outreach.composing.handwriting.font import compiler
from outreach.composing.handwriting.font.compiler import FORMS, Recipe, compile_pen, forms_of, make_pen
from outreach.composing.handwriting.font.letterforms import LATIN, read_letterforms
from outreach.composing.handwriting.font.recipes import RECIPES
from outreach.composing.handwriting.glyph_forms import for_word_starts
from outreach.composing.handwriting.pens import FACES, SHIPPED, find_pens, missing_letters, pen_named
from outreach.database import writing
from outreach.errors import SettingsError
from outreach.models import Message
from outreach.settings import Settings
from planned import add_customer, compose, message_of, plan, words_of

SOME = "aegn .é"
JOINED = next(recipe for recipe in RECIPES if recipe.is_joined)
of_each_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


def shapes(font: TTFont, character: str) -> list[tuple[tuple[int, int], ...]]:
    """The points of each form of a character."""
    first = font.getGlyphID(font.getBestCmap()[ord(character)])
    names = [font.getGlyphName(first + form) for form in range(forms_of(character))]
    return [tuple(font["glyf"][name].getCoordinates(font["glyf"])[0]) for name in names]


@of_each_recipe
def test_a_shipped_pen_is_what_its_recipe_makes(recipe: Recipe) -> None:
    made = TTFont(io.BytesIO(compile_pen(recipe, SOME)))
    shipped = TTFont(SHIPPED / f"{recipe.name}.ttf")
    for character in SOME:
        for ours, theirs in zip(shapes(made, character), shapes(shipped, character), strict=True):
            # Another processor may round the last bit of a sine another way.
            assert all(abs(a - b) <= 1 for p, q in zip(ours, theirs, strict=True) for a, b in zip(p, q, strict=True))


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_another_hand() -> None:
    recipe = RECIPES[0]
    other = Recipe(recipe.name, recipe.base, recipe.seed + 1, recipe.size, recipe.word_gap)
    made = compile_pen(recipe, SOME)
    assert made == compile_pen(recipe, SOME)
    assert made != compile_pen(other, SOME)


@of_each_recipe
def test_no_two_forms_of_a_letter_are_alike_and_frequent_letters_have_most(recipe: Recipe) -> None:
    with TTFont(SHIPPED / f"{recipe.name}.ttf") as font:
        for character in "eagthé":
            forms = shapes(font, character)
            assert len(set(forms)) == len(forms) == forms_of(character)
    assert forms_of("e") == FORMS > forms_of("g") > forms_of("A") > forms_of("é") >= 4


@of_each_recipe
def test_a_pen_bears_a_name_of_its_own_and_keeps_its_bases_copyright_and_licence(recipe: Recipe) -> None:
    with TTFont(SHIPPED / f"{recipe.name}.ttf") as pen, TTFont(recipe.base) as base:
        assert pen["name"].getDebugName(0) == base["name"].getDebugName(0)
        assert pen["name"].getDebugName(13) == base["name"].getDebugName(13)
        names = [pen["name"].getDebugName(number) for number in (1, 4, 6)]
        assert names == [recipe.name] * 3
        assert base["name"].getDebugName(1) not in names


@of_each_recipe
def test_every_pen_writes_the_letters_of_western_central_and_nordic_languages(recipe: Recipe) -> None:
    # A macron by itself is no letter.
    assert missing_letters(SHIPPED / f"{recipe.name}.ttf", LATIN.replace("¯", "")) == []


def test_where_letters_join_they_go_on_joining_at_the_same_height() -> None:
    base = read_letterforms(JOINED.base, "nme").outlines
    with TTFont(io.BytesIO(compile_pen(JOINED, "nme"))) as font:
        for character, outline in base.items():
            edges = [int(outline.points[:, 0].argmin()), int(outline.points[:, 0].argmax())]
            within = for_word_starts(FORMS).start
            for form in shapes(font, character)[:within]:
                assert [form[edge][1] for edge in edges] == pytest.approx(outline.points[edges, 1], abs=2)


@pytest.mark.parametrize(("letter", "plain"), [("č", "c"), ("ő", "o"), ("ż", "z"), ("ș", "s"), ("ą", "a"), ("đ", "d")])
def test_an_accent_that_the_base_lacks_is_put_together_from_its_parts(letter: str, plain: str) -> None:
    outlines = read_letterforms(FACES / "HomemadeApple.ttf", letter + plain).outlines
    accented, bare = outlines[letter], outlines[plain]
    assert len(accented.ends) > len(bare.ends)
    assert accented.advance == bare.advance
    above_or_below = accented.box[3] > bare.box[3] or accented.box[1] < bare.box[1]
    assert above_or_below or letter == "đ"


def test_a_pen_of_ones_own_is_made_and_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of all its letters only some: to make them all takes seconds.
    monkeypatch.setattr(compiler, "compile_pen", lambda recipe, _: compile_pen(recipe, SOME))
    path = make_pen(Recipe("Nora Whitcomb", FACES / "Caveat.ttf", 5, 19), tmp_path / "pens")
    assert pen_named("Nora Whitcomb", tmp_path / "pens").path == path
    assert len(find_pens(tmp_path / "pens")) == len(RECIPES) + 1
    with pytest.raises(SettingsError, match="outreach pen make"):
        pen_named("Nora", tmp_path / "pens")


@pytest.mark.parametrize("name", ["", "  ", "a/b", "../x", ".hidden"])
def test_a_name_that_is_no_files_makes_no_pen(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be a pen's name"):
        make_pen(Recipe(name, FACES / "Caveat.ttf", 1), tmp_path)


def test_what_is_no_font_makes_no_pen(tmp_path: Path) -> None:
    (tmp_path / "note.ttf").write_text("not a font")
    for base in ("note.ttf", "nowhere.ttf"):
        with pytest.raises(SettingsError, match="no TrueType font"):
            make_pen(Recipe("Nora", tmp_path / base, 1), tmp_path / "pens")
    assert not (tmp_path / "pens").exists()


def write_to(engine: Engine, settings: Settings, name: str) -> tuple[Message, bytes]:
    add_customer(engine, given_name=name)
    reference = plan(engine, "anniversary", "letter", "c1")
    compose(engine, settings)
    return message_of(engine, reference)


def with_pens(settings: Settings, folder: Path, pen: str, fallback: str = "") -> Settings:
    signatory = settings.business.signatories[0].model_copy(update={"pen": pen})
    business = settings.business.model_copy(update={"signatories": [signatory]})
    return settings.model_copy(update={"business": business, "pens": folder, "fallback_pen": fallback})


@pytest.fixture(scope="module")
def plain_pen() -> bytes:
    """A pen that knows no accents."""
    recipe = Recipe("Plain", FACES / "Caveat.ttf", 1, 19)
    return compile_pen(recipe, "".join(letter for letter in LATIN if letter.isascii() or not letter.isalpha()))


@pytest.fixture
def plain_pens(tmp_path: Path, plain_pen: bytes) -> Path:
    """A folder with that pen."""
    (tmp_path / "Plain.ttf").write_bytes(plain_pen)
    return tmp_path


def test_a_letter_that_its_pen_cannot_write_is_held_back_and_no_name_is_spelled_out(
    sqlite_engine: Engine, settings: Settings, plain_pens: Path
) -> None:
    message, _ = write_to(sqlite_engine, with_pens(settings, plain_pens, "Plain"), "Žofie")
    assert message.status == "withdrawn"
    reason = message.status_reason or ""
    assert reason.startswith(
        "Plain cannot write 1 character (Latin); set fallback_pen in outreach.toml to one that can"
    )
    assert "“Alder”" in reason
    assert "“Plain”" not in reason


@pytest.mark.parametrize(
    ("name", "script", "can_be_made"),
    [("Γιώργος", "Greek", True), ("Олена", "Cyrillic", True), ("Nguyễn", "Latin", True), ("דוד", "Hebrew", False)],
)
def test_the_advice_is_to_make_a_pen_only_where_one_can_be_made(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, name: str, script: str, can_be_made: bool
) -> None:
    message, _ = write_to(sqlite_engine, with_pens(settings, tmp_path, "Cedar", "Gorse"), name)
    reason = message.status_reason or ""
    assert message.status == "withdrawn"
    assert reason.startswith("Neither Cedar nor Gorse can write")
    assert f"({script}); no pen here can: " in reason
    assert "write the preferred_name" in reason
    assert "e-mail" in reason
    assert ("outreach pen make" in reason) == can_be_made
    assert name not in reason


def test_a_pen_is_made_with_the_greek_and_vietnamese_letters_of_its_base_and_writes_their_names(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    make_pen(Recipe("Wide", FACES / "Mynerve.ttf", 1), tmp_path)
    message, body = write_to(sqlite_engine, with_pens(settings, tmp_path, "Cedar", "Wide"), "Γιώργος Nguyễn")
    assert (message.status, message.status_reason) == ("composed", None)
    assert "Dear Γιώργος Nguyễn," in words_of(body)
    assert {"Wide", "Open-Sans"} == fonts_of(body)


def test_it_is_written_with_the_fallback_pen_where_the_settings_say_so(
    sqlite_engine: Engine, settings: Settings, plain_pens: Path
) -> None:
    message, body = write_to(sqlite_engine, with_pens(settings, plain_pens, "Plain", "Gorse"), "Žofie")
    assert message.status == "composed"
    assert "Dear Žofie," in words_of(body)
    assert {"Gorse", "Gorse-signature", "Vazirmatn"} == fonts_of(body)


def fonts_of(body: bytes) -> set[str]:
    fonts = PdfReader(io.BytesIO(body)).pages[0]["/Resources"]["/Font"].values()  # type: ignore[index]
    return {str(font.get_object()["/BaseFont"]).partition("+")[2] for font in fonts}


def test_one_reference_is_written_the_same_for_ever_and_two_never_the_same(
    sqlite_engine: Engine, settings: Settings
) -> None:
    for customer_id in ("c1", "c2"):
        add_customer(sqlite_engine, customer_id)
        plan(sqlite_engine, "anniversary", "letter", customer_id)
    references = [plan(sqlite_engine, "checkin", "letter", customer_id) for customer_id in ("c1", "c2")]
    compose(sqlite_engine, settings)
    written = [message_of(sqlite_engine, reference)[1] for reference in references]
    drawn = [PdfReader(io.BytesIO(body)).pages[0].get_contents().get_data() for body in written]  # type: ignore[union-attr]
    assert drawn[0] != drawn[1], "twins at one address, whose letters say the same"
    with writing(sqlite_engine) as session:
        for message in session.exec(select(Message)):
            message.status = "planned"
    compose(sqlite_engine, settings)
    assert [message_of(sqlite_engine, reference)[1] for reference in references] == written
