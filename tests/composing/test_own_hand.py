"""A hand of one's own: forms filled in by program and photographed badly become a pen, or words on what to do."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from filled_form import Picture, blank_pages, fill_form, photograph, size_of, write
from outreach.commands.main import app
from outreach.composing.handwriting.ink import Ink, choose_walk
from outreach.composing.handwriting.own_hand import learn
from outreach.composing.handwriting.own_hand.form import Box, form_for
from outreach.composing.handwriting.own_hand.learn import OwnHand, keep_hand, learn_hand
from outreach.composing.handwriting.own_hand.samples import EMPTY, FAINT, ODD, SPILT, Take, cut_takes
from outreach.composing.handwriting.own_hand.scans import FINE, ScannedPage, flatten, read_scans
from outreach.composing.handwriting.pens import FACES, WALKS, Pen, find_pens, pen_named
from outreach.composing.handwriting.press import font_address, print_page
from outreach.composing.paper.sizes import A4, US_LETTER
from outreach.errors import OutreachError, ScanUnreadable, SettingsError
from outreach.settings import Settings
from planned import add_customer, compose, message_of, plan, words_of
from read_back import read_back

# In one process, so that each form is filled in and learned once.
pytestmark = pytest.mark.xdist_group("own hand")
FORM = form_for("en", A4)
NAME = "Nora Whitcomb"
HANDS = ("Caveat", "Mynerve", "HomemadeApple")
Learn = Callable[..., Result]


def face(hand: str) -> Path:
    return FACES / f"{hand}.ttf"


@cache
def filled(hand: str) -> list[Picture]:
    return fill_form(FORM, face(hand), NAME, 7)


@cache
def photographed(hand: str, number: int) -> Picture:
    """One page of the form, numbered from 0."""
    return photograph(filled(hand)[number], number + 1)


@cache
def scanned(hand: str, number: int) -> ScannedPage:
    return flatten(photographed(hand, number), hand)


@cache
def learned(hand: str) -> OwnHand:
    return learn_hand("Nora", [scanned(hand, page) for page in range(FORM.pages)], NAME)


def on_paper(box: Box) -> tuple[slice, slice]:
    """Where a box is on a page's picture."""
    zone = box.zone
    rows = slice(round(zone.top * FINE), round((zone.top + zone.height) * FINE))
    return rows, slice(round(zone.left * FINE), round((zone.left + zone.width) * FINE))


def box_of(words: str, take: int) -> Box:
    return next(box for box in FORM.boxes if box.words == words and box.take == take)


def rewrite(page: Picture, box: Box, words: str) -> None:
    """Another word, or none, in a box of a page filled in by Mynerve."""
    page[on_paper(box)] = blank_pages(FORM)[box.page][on_paper(box)]
    write(page, box, words, size_of(face("Mynerve"), FORM), face("Mynerve"), np.random.default_rng(3))


@cache
def spoilt() -> list[Picture]:
    """A form of which q was never written, b leaves its box, d is too faint, and an M stands among three e."""
    pages = [page.copy() for page in filled("Mynerve")]
    for take in range(3):
        rewrite(pages[0], box_of("q", take), "")
    edge = box_of("b", 1).zone
    start, end = (round((edge.left + 3) * FINE), round((edge.top + 4) * FINE)), (0, round((edge.top - 3) * FINE))
    cv2.line(pages[0], start, (start[0], end[1]), (28, 34, 92), 5)
    pale = pages[0][on_paper(box_of("d", 0))]
    pale[:] = 255 - ((255 - pale.astype(int)) * 0.25).astype(np.uint8)
    rewrite(pages[0], box_of("e", 2), "M")
    return pages


def pages_of(pictures: list[Picture]) -> list[ScannedPage]:
    return [flatten(picture, "scan") for picture in pictures]


@pytest.mark.parametrize("hand", [HANDS[0], *(pytest.param(hand, marks=pytest.mark.drill) for hand in HANDS[1:])])
def test_nearly_every_letter_of_a_photographed_form_comes_back_right(hand: str) -> None:
    back = read_back(learned(hand), face(hand), FORM)
    assert back.letters > 300
    assert back.share >= 0.98, back.wrong
    assert back.covered > 0.7
    assert learned(hand).again == {}
    assert not learned(hand).unsigned


def test_the_letters_of_another_hand_are_not_taken_for_right() -> None:
    assert read_back(learned("Caveat"), face("Mynerve"), FORM).share < 0.3


def test_no_letter_is_written_twice_the_same_and_three_forms_are_as_they_were_written() -> None:
    with TTFont(io.BytesIO(learned("Caveat").pen)) as pen:
        for letter in "eagT":
            first = pen.getGlyphID(pen.getBestCmap()[ord(letter)])
            count = len(learned("Caveat").forms[letter])
            shapes = [pen["glyf"][pen.getGlyphName(first + form)].getCoordinates(pen["glyf"]) for form in range(count)]
            assert count >= 5
            assert len({tuple(points) for points, _, _ in shapes}) == count


def test_a_page_upside_down_or_on_its_side_is_read_as_if_it_were_not() -> None:
    picture, upright = photographed("Caveat", 0), scanned("Caveat", 0)
    for quarters in (1, 2):
        turned = flatten(np.ascontiguousarray(np.rot90(picture, quarters)), "turned")
        assert turned.number == upright.number
        assert np.abs(turned.darkness - upright.darkness).mean() < 0.01


def test_a_corner_out_of_sight_does_no_harm_and_two_are_asked_for_again() -> None:
    picture = filled("Mynerve")[0].copy()
    picture[: 20 * FINE, : 20 * FINE] = 255
    assert flatten(picture, "p1").number == 0
    picture[: 20 * FINE, -20 * FINE :] = 255
    with pytest.raises(
        ScanUnreadable, match=r"p1: 2 of the four marks .* three are needed; take it again, all corners"
    ):
        flatten(picture, "p1")


def test_each_box_that_cannot_be_used_is_named_with_what_is_wrong() -> None:
    takes = cut_takes(pages_of(spoilt()[:1]))
    wrong = {(take.box.words, take.box.take): take.complaint for take in takes if take.complaint}
    assert wrong == {("q", 0): EMPTY, ("q", 1): EMPTY, ("q", 2): EMPTY, ("b", 1): SPILT, ("d", 0): FAINT, ("e", 2): ODD}


def test_what_was_written_again_on_a_fresh_page_stands_in_for_what_was_wrong_and_only_for_that() -> None:
    fresh = blank_pages(FORM)[0].copy()
    for words, take in (("q", 0), ("q", 1), ("q", 2), ("b", 1), ("d", 0), ("e", 2)):
        write(
            fresh, box_of(words, take), words, size_of(face("Mynerve"), FORM), face("Mynerve"), np.random.default_rng(9)
        )
    before, after = pages_of([spoilt()[0], fresh])
    takes = cut_takes([before, after])
    assert [take.box.words for take in takes if take.complaint] == []
    assert len(takes) == sum(box.page == 0 for box in FORM.boxes)


@pytest.fixture
def scans(tmp_path: Path) -> list[Path]:
    """The pages of a form, as photographs."""
    paths = [tmp_path / f"page {number + 1}.bmp" for number in range(FORM.pages)]
    for number, path in enumerate(paths):
        Image.fromarray(photographed("Caveat", number)).save(path)
    return paths


def test_a_page_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    Image.fromarray(filled("Mynerve")[1]).save(tmp_path / "scan.png", compress_level=1)
    with pytest.raises(ScanUnreadable, match="Of the 3 pages of the form, page 1 and page 3 is not here; give all"):
        read_scans([tmp_path / "scan.png"])


def test_a_form_without_writing_is_to_be_filled_in() -> None:
    with pytest.raises(ScanUnreadable, match="Nothing is written on these pages; fill in the form with a dark pen"):
        learn_hand("Nora", pages_of(blank_pages(FORM)), NAME)


def of_something_else(path: Path) -> None:
    Image.new("RGB", (900, 1200), "white").save(path, "PNG")


def of_few_dots(path: Path) -> None:
    Image.fromarray(filled("Mynerve")[0]).resize((840, 1188)).save(path, "PNG")


def cut_short(path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (900, 1200), "white").save(file, "JPEG")
    path.write_bytes(file.getvalue()[:300])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (of_something_else, "0 of the four marks in the corners can be seen, and three are needed; take it again"),
        (of_few_dots, r"has \d+ dots an inch, and 127 are needed; scan it at 300"),
        (cut_short, "is no picture that we can read; save it as PDF, PNG or JPEG"),
        (lambda path: path.write_bytes(b"words"), "is no picture that we can read; save it as PDF, PNG or JPEG"),
        (lambda path: path.write_bytes(b""), "is no picture that we can read; save it as PDF, PNG or JPEG"),
        (lambda path: path.write_bytes(b"%PDF-1.7 broken"), "cannot be opened as a PDF; scan it again"),
        (lambda path: None, "cannot be read: No such file"),
    ],
    ids=["something else", "few dots", "cut short", "no picture", "nothing in it", "broken PDF", "no file"],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_with_what_to_do(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(tmp_path / "scan")
    with pytest.raises(ScanUnreadable, match=words):
        read_scans([tmp_path / "scan"])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Learn:
    """Runs `outreach pen …` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["pen", *map(str, words)])


def test_the_form_is_printed_in_a_languages_letters_on_the_papers_of_the_country(run: Learn, tmp_path: Path) -> None:
    assert "own-hand.pdf: 4 pages" in run("sheet", "--language", "sv").stdout
    document = pypdfium2.PdfDocument(tmp_path / "own-hand.pdf")
    assert document[0].get_width() == pytest.approx(US_LETTER.width / 25.4 * 72, abs=0.1)
    words = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert all(letter in words for letter in "åäöÅÄÖ")
    assert "Your signature, six times" in words


def test_a_form_that_cannot_be_written_down_says_so(run: Learn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.composing.handwriting.own_hand.form.print_sheet", lambda form: b"%PDF")
    with pytest.raises(SettingsError, match="cannot be written: .*; name another file"):
        raise_from(run("sheet", "--out", "nowhere/form.pdf"))


def raise_from(result: Result) -> None:
    """The command line turns errors of ours into one line; here they come as they are."""
    assert isinstance(result.exception, OutreachError)
    raise result.exception


def outlines_of(takes: Iterable[Take]) -> dict[Box, list[list[float]]]:
    return {take.box: take.outline.points.tolist() for take in takes if take.outline}


def test_the_same_page_gives_the_same_outlines() -> None:
    alone = outlines_of(cut_takes([flatten(photographed("Caveat", 2), "again")]))
    known = outlines_of(learned("Caveat").takes)
    assert alone == {box: known[box] for box in FORM.boxes if box.page == 2 and box in known}
    assert len(alone) == sum(box.page == 2 for box in FORM.boxes)


@pytest.mark.parametrize("is_learned_anew", [False, pytest.param(True, marks=pytest.mark.drill)])
def test_scans_become_a_pen_with_its_signature_and_a_proof_and_the_same_scans_the_same_bytes(
    run: Learn, scans: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_learned_anew: bool
) -> None:
    if not is_learned_anew:
        monkeypatch.setattr(learn, "learn_hand", as_learned_before)
    done = run("learn", *reversed(scans), "--name", "Nora", "--signs", NAME)
    assert "pens/Nora.ttf" in done.stdout
    assert "It cannot write <>" in done.stdout
    assert "again" not in done.stdout
    pens = tmp_path / "pens"
    assert (pens / "Nora.ttf").read_bytes() == learned("Caveat").pen
    assert (pens / "Nora signature.ttf").read_bytes() == learned("Caveat").signature
    with Image.open(pens / "Nora.png") as proof:
        assert proof.width > 1000
        assert np.asarray(proof.convert("L")).mean() < 253
    assert pen_named("Nora", pens).signs_with.name == "Nora signature"
    with pytest.raises(SettingsError, match=r"a pen “Nora” already; choose another name, or say --replace"):
        raise_from(run("learn", *scans, "--name", "Nora"))


def as_learned_before(name: str, pages: Sequence[ScannedPage], signs: str, seed: int) -> OwnHand:
    """The hand that was learned from the same pages, where they are the same in everything."""
    assert (name, signs, seed) == ("Nora", NAME, 1)
    by_number = sorted(pages, key=lambda page: page.number)
    assert all((page.darkness == scanned("Caveat", page.number).darkness).all() for page in by_number)
    assert [page.number for page in by_number] == list(range(FORM.pages))
    return learned("Caveat")


def test_it_says_which_letters_to_write_again_and_why_it_cannot_sign(run: Learn, tmp_path: Path) -> None:
    pages = [page.copy() for page in spoilt()]
    for box in FORM.boxes:
        if box.kind == "signature":
            rewrite(pages[box.page], box, "")
    (tmp_path / "pens").mkdir()
    for name in ("Nora.ttf", "Nora signature.ttf"):
        (tmp_path / "pens" / name).write_bytes(learned("Caveat").pen)
    Image.fromarray(pages[0]).save(
        "form.pdf", save_all=True, append_images=[Image.fromarray(page) for page in pages[1:]]
    )
    said = run("learn", "form.pdf", "--name", "Nora", "--replace").stdout
    assert "Write again: q (empty (3 of 3))" in said
    assert "b (ink outside the box (1 of 3))" in said
    assert "d (too faint (1 of 3)); e (unlike its sisters (1 of 3))" in said
    assert "letter by letter, because none of the 6 boxes for the signature can be used: empty" in said
    assert "It cannot write" in said
    assert "q" in said.partition("It cannot write")[2]
    assert not find_pens(tmp_path / "pens")["Nora"].signature


def test_a_letter_is_written_in_the_learned_hand_and_signed_with_the_learned_signature(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    keep_hand(learned("Caveat"), "Nora", tmp_path / "pens")
    signatory = settings.business.signatories[0].model_copy(update={"pen": "Nora"})
    business = settings.business.model_copy(update={"signatories": [signatory]})
    add_customer(sqlite_engine, given_name="Zoë")
    reference = plan(sqlite_engine, "anniversary", "letter", "c1")
    compose(sqlite_engine, settings.model_copy(update={"business": business, "pens": tmp_path / "pens"}))
    message, body = message_of(sqlite_engine, reference)
    assert message.status == "composed", message.status_reason
    words = words_of(body)
    assert "Dear Zoë," in words
    assert NAME in words
    assert NAME in pypdfium2.PdfDocument(body)[0].get_textpage().get_text_range()
    fonts = PdfReader(io.BytesIO(body)).pages[0]["/Resources"]["/Font"].values()  # type: ignore[index]
    names = {str(font.get_object()["/BaseFont"]).partition("+")[2] for font in fonts}
    assert names == {"Nora", "Nora-signature", "Vazirmatn"}


def signed(pen: Pen, reference: str) -> tuple[bytes, bytes]:
    """Which form of the signature a reference is signed with, and how ink then leans, turns and scales it."""
    css = f"""
        @font-face {{ font-family: "{pen.name}"; src: url("{font_address(pen.path)}") }}
        p {{ font: 28pt "{pen.name}"; font-feature-settings: "calt" 0, "ss0{choose_walk(reference, WALKS)}" }}
    """
    html = f'<html lang="en"><p>{NAME}</p>'
    page = PdfReader(io.BytesIO(print_page(html, css, (pen.path,), Ink(reference, {pen.name})))).pages[0]
    drawn = page.get_contents().get_data()  # type: ignore[union-attr]
    assert page.extract_text().strip() == NAME
    (form,) = re.findall(rb"\[<([0-9a-f]{4})>0? ?\] TJ", drawn)
    matrix = re.findall(rb"((?:-?[0-9.]+ ){6})Tm", drawn)[-1]
    return form, matrix


def test_the_signature_has_several_forms_and_no_two_letters_bear_the_same(tmp_path: Path) -> None:
    keep_hand(learned("Caveat"), "Nora", tmp_path)
    pen = pen_named("Nora", tmp_path).signs_with
    references = [f"K7QF-2M9X-TB{number:02}" for number in range(16)]
    drawn = [signed(pen, reference) for reference in references]
    assert len(set(drawn)) == len(references)
    assert len({matrix for _, matrix in drawn}) == len(references)
    with TTFont(pen.path) as font:
        assert len(learned("Caveat").signatures) == WALKS + 1
        shapes = {
            tuple(font["glyf"][name].getCoordinates(font["glyf"])[0]) for name in font.getGlyphOrder()[-WALKS - 1 :]
        }
    assert len(shapes) == WALKS + 1
    assert signed(pen, references[0]) == drawn[0]
