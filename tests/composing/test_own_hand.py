"""A hand of one's own: forms filled in by program and photographed badly become a pen, or words on what to do."""

import hashlib
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
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from filled_form import Picture, blank_pages, fill_form, photograph, size_of, write
from outreach.commands.main import app
from outreach.composing.handwriting.font.compiler import forms_of
from outreach.composing.handwriting.glyph_forms import for_word_ends, for_word_starts
from outreach.composing.handwriting.ink import Ink
from outreach.composing.handwriting.own_hand import learn
from outreach.composing.handwriting.own_hand.form import (
    ALPHABETS,
    COMMON,
    EDITION,
    FOOT_MARK,
    PAPERS,
    Box,
    Form,
    foot_at,
    foot_numbers,
    form_for,
    key_of,
    mark_at,
    print_sheet,
    read_foot,
)
from outreach.composing.handwriting.own_hand.learn import OwnHand, keep_hand, learn_hand
from outreach.composing.handwriting.own_hand.likeness import STRANGE, measure_strangeness
from outreach.composing.handwriting.own_hand.registration_marks import CORNERS, MarkPlace, draw_foot_mark, draw_mark
from outreach.composing.handwriting.own_hand.ruled_lines import remove_lines
from outreach.composing.handwriting.own_hand.samples import (
    AROUND,
    EMPTY,
    FAINT,
    ODD,
    PAPER,
    SPILT,
    Take,
    cut_page,
    cut_takes,
    read_box,
)
from outreach.composing.handwriting.own_hand.scans import FINE, ScannedPage, flatten, read_scans
from outreach.composing.handwriting.pens import FACES, SIGNATURE_FORMS, Pen, find_pens, pen_named
from outreach.composing.handwriting.press import font_address, print_page
from outreach.composing.paper.sizes import A4, US_LETTER, Paper
from outreach.composing.proofing.pdf_pages import draw_page
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
    """A form without q and tt, with l for ll, a b outside its box, a faint d, and an M among the e."""
    pages = [page.copy() for page in filled("Mynerve")]
    for take in range(3):
        rewrite(pages[0], box_of("q", take), "")
        rewrite(pages[0], box_of("tt", take), "")
        rewrite(pages[0], box_of("ll", take), "l")
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


def test_pairs_are_written_as_one_and_every_take_stands_within_words() -> None:
    hand = learned("Caveat")
    assert list(hand.pairs) == ["th", "tt", "ff", "oo", "ll"]
    with TTFont(io.BytesIO(hand.pen)) as pen:
        together = pen["GSUB"].table.LookupList.Lookup[0].SubTable[0].ligatures
        assert {pen.getGlyphID(row.LigGlyph) for rows in together.values() for row in rows} == {
            len(pen.getGlyphOrder()) - 8 * nth for nth in range(1, 6)
        }
    for character, forms in hand.forms.items():
        takes = [take for take in hand.takes if take.box.words == character and take.is_good]
        kept = {*for_word_starts(len(forms)), *for_word_ends(len(forms))}
        assert not set(range(len(takes))) & kept, character
    assert {len(hand.forms[letter]) for letter in COMMON} == {forms_of("e")}


def test_letters_keep_the_sizes_and_the_unevenness_they_were_written_with() -> None:
    hand = learned("Caveat")
    for letter in "eagT":
        written = [take.outline.box for take in hand.takes if take.box.words == letter and take.outline]
        heights = sorted((top - bottom) * hand.units for _, bottom, _, top in written)
        ours = sorted(form.box[3] - form.box[1] for form in hand.forms[letter][: len(written)])
        assert ours == pytest.approx(heights, abs=1.5)


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
    empty = {(words, take): EMPTY for words in ("q", "tt") for take in range(3)}
    assert wrong == empty | {("b", 1): SPILT, ("d", 0): FAINT, ("e", 2): ODD}


def test_what_was_written_again_on_a_fresh_page_stands_in_for_what_was_wrong_and_only_for_that() -> None:
    fresh = blank_pages(FORM)[0].copy()
    for words, take in (("q", 0), ("q", 1), ("q", 2), ("tt", 0), ("tt", 1), ("tt", 2), ("b", 1), ("d", 0), ("e", 2)):
        write(
            fresh, box_of(words, take), words, size_of(face("Mynerve"), FORM), face("Mynerve"), np.random.default_rng(9)
        )
    before, after = pages_of([spoilt()[0], fresh])
    takes = cut_takes([before, after])
    assert [take.box.words for take in takes if take.complaint] == []
    assert len(takes) == sum(box.page == 0 for box in FORM.boxes)


def test_nothing_that_the_form_prints_is_taken_for_ink() -> None:
    for page in pages_of(blank_pages(FORM)):
        assert {take.complaint for take in cut_page(page)} == {EMPTY}


def ruled(page: Picture, pitch: float, colour: tuple[int, int, int], is_squared: bool = False) -> Picture:
    """The page as if it were printed on ruled or squared paper, whose lines lie a little askew."""
    paper, fall = np.full_like(page, 255), page.shape[1] // 90
    for y in range(round(3.3 * FINE), page.shape[0], round(pitch * FINE)):
        cv2.line(paper, (0, y), (page.shape[1], y + fall), colour, 2)
    for x in range(round(1.7 * FINE), page.shape[1] if is_squared else 0, round(pitch * FINE)):
        cv2.line(paper, (x, 0), (x - fall, page.shape[0]), colour, 2)
    return np.minimum(page, paper)


def in_black(page: Picture, shade: int) -> Picture:
    """The page as if its frames and lines had been printed in grey or black."""
    is_orange = (page[:, :, 0] > 240) & (page[:, :, 2] < 235)
    return np.where(is_orange[:, :, None], shade, page).astype(np.uint8)


def folded(page: Picture) -> Picture:
    """The page with a soft dark line across and one down, where it was folded."""
    dark = np.zeros(page.shape[:2], np.float32)
    for y, x in ((56, 0), (148, 0), (0, 39), (0, 105)):
        cv2.line(dark, (x * FINE, y * FINE), ((x or 210) * FINE, (y or 297) * FINE), 0.35, 6)
    return (page * (1 - cv2.GaussianBlur(dark, (0, 0), 4))[:, :, None]).astype(np.uint8)


@pytest.mark.parametrize(
    ("spoil", "alike"),
    [
        (lambda page: in_black(page, 150), 0.85),
        (lambda page: in_black(page, 20), 0.75),
        (lambda page: ruled(page, 8, (120, 150, 220)), 0.85),
        (lambda page: ruled(page, 8, (140, 140, 140)), 0.85),
        (lambda page: ruled(page, 5, (140, 160, 200), is_squared=True), 0.85),
        (folded, 0.85),
    ],
    ids=["grey frames", "black frames", "blue rules", "grey rules", "squares", "folds"],
)
def test_a_ruled_line_is_no_ink_and_takes_no_stroke_from_a_letter(
    spoil: Callable[[Picture], Picture], alike: float
) -> None:
    for number, words in enumerate(["tEHLlfz1", "-=/7"]):
        boxes = [box for box in FORM.boxes if box.page == number and box.words in list(words)]
        page = flatten(spoil(filled("Caveat")[number]), "scan")
        for box, clean in zip(boxes, (read_box(plain("Caveat", number), box) for box in boxes), strict=True):
            take = read_box(page, box)
            assert take.complaint == "", box
            common, whole = (take.spots & clean.spots).sum(), (take.spots | clean.spots).sum()
            assert common >= alike * whole, (box.words, common / whole)
    blank = flatten(spoil(blank_pages(FORM)[2]), "scan")
    assert {take.complaint for take in cut_page(blank)} == {EMPTY}


@given(
    row=st.floats(0.2, 15.5), lean=st.floats(-0.02, 0.02), thick=st.floats(0.15, 0.6), shade=st.floats(0.15, 1.0),
    is_upright=st.booleans(),
)  # fmt: skip
def test_no_line_through_a_box_leaves_anything_in_it(
    row: float, lean: float, thick: float, shade: float, is_upright: bool
) -> None:
    box = np.zeros((192, 172), np.float32)
    y, x = np.mgrid[0 : box.shape[0], 0 : box.shape[1]]
    across, along = (x, y) if is_upright else (y, x)
    away = np.abs(across / FINE - row - lean * along / FINE)
    box[:] = shade * np.clip(0.5 + (thick / 2 - away) * FINE, 0, 1)
    left = remove_lines(cv2.GaussianBlur(box, (0, 0), 1.0), FINE, AROUND, [9.8 + AROUND])
    edge = round(2 * AROUND * FINE)
    assert left[edge:-edge, edge:-edge].max() < PAPER


def test_a_form_that_an_older_version_printed_is_to_be_printed_anew() -> None:
    page = np.full((297 * FINE, 210 * FINE, 3), 255, np.uint8)
    for corner in range(CORNERS):
        # The forms of the first edition had their language where the edition is now.
        draw_cells(page, mark_at(A4, corner), 10 / 7, draw_mark(MarkPlace(0, 0, 1, corner)))
    with pytest.raises(ScanUnreadable, match=r"scan: this form was printed by an older version .* print it anew"):
        flatten(page, "scan")


def test_a_form_whose_boxes_changed_is_of_another_edition() -> None:
    """Where this fails, forms printed before would be cut wrongly: add 1 to EDITION, then write the digest here."""
    boxes = repr([Form(language, paper).boxes for language in ALPHABETS for paper in PAPERS])
    assert (EDITION, hashlib.sha256(boxes.encode()).hexdigest()[:12]) == (27, "e96922297328")


def draw_cells(page: Picture, corner: tuple[float, float], cell: float, cells: list[tuple[int, int]]) -> None:
    for column, row in cells:
        left, top = corner[0] + column * cell, corner[1] + row * cell
        page[round(top * FINE) : round((top + cell) * FINE), round(left * FINE) : round((left + cell) * FINE)] = 0


def of_person(page: Picture, name: str) -> Picture:
    """The page as if its form had been printed for a person of that name."""
    named = page.copy()
    named[-20 * FINE : -6 * FINE, 75 * FINE : 135 * FINE] = 255
    for at, number in enumerate(foot_numbers(FORM, key_of(name))):
        draw_cells(named, foot_at(A4, at), FOOT_MARK / 8, draw_foot_mark(number))
    return named


def test_pages_of_two_persons_forms_are_refused_together_unless_they_are_said_to_be_one_persons(tmp_path: Path) -> None:
    paths = []
    for number, name in enumerate(["Nora Whitcomb", "Jack Quinn", " nora  WHITCOMB"]):
        paths.append(tmp_path / f"{number}.bmp")
        Image.fromarray(of_person(blank_pages(FORM)[number], name)).save(paths[-1])
    files = r"form \d{3}-\d{3}: 0.bmp, page 1, 2.bmp, page 1; form \d{3}-\d{3}: 1.bmp, page 1"
    with pytest.raises(ScanUnreadable, match=rf"more than one person's form; .* say --one-person .*: {files}"):
        read_scans(paths)
    assert [page.number for page in read_scans(paths, is_one_person=True)] == [0, 1, 2]


@given(st.sampled_from(list(ALPHABETS)), st.sampled_from(PAPERS), st.text(max_size=40))
def test_a_name_has_one_number_which_the_marks_at_the_foot_bear(language: str, paper: Paper, name: str) -> None:
    key = key_of(name)
    assert key == key_of(f"  {name} ")
    assert (key == 0) == (not name.strip())
    form = Form(language, paper)
    assert read_foot(paper, foot_numbers(form, key)) == (form, key)


def test_a_form_printed_for_somebody_says_so_and_bears_their_number() -> None:
    pdf = print_sheet(FORM, NAME)
    with pypdfium2.PdfDocument(pdf) as document:
        assert f"The form of {NAME} and nobody else" in document[1].get_textpage().get_text_range()
    assert flatten(np.asarray(draw_page(pdf, FORM.paper.width * FINE, 2)), "form").key == key_of(NAME)


@cache
def plain(hand: str, number: int) -> ScannedPage:
    return flatten(filled(hand)[number], f"{hand} {number + 1}")


@cache
def commonest(hand: str, number: int) -> list[Take]:
    """The commonest letters of one page."""
    boxes = [box for box in FORM.boxes if box.page == number and box.words in list(COMMON)]
    return [read_box(plain(hand, number), box) for box in boxes]


def test_one_hands_pages_are_alike_and_two_hands_are_not() -> None:
    for hand, other in (("Caveat", "Mynerve"), ("Mynerve", "Caveat")):
        for number in (1, 2):
            assert measure_strangeness(commonest(hand, 0), commonest(hand, number)) < STRANGE / 2
            assert measure_strangeness(commonest(hand, 0), commonest(other, number)) > 1.2 * STRANGE
    assert measure_strangeness(commonest("Caveat", 0)[:9], commonest("Mynerve", 0)) is None


@pytest.mark.parametrize("strange", [[("Caveat", 0), ("Mynerve", 1), ("Caveat", 2)],
                                     [("Caveat", 0), ("Caveat", 1), ("Caveat", 2), ("Mynerve", 0)]])  # fmt: skip
def test_pages_that_two_hands_wrote_do_not_become_one_pen(
    monkeypatch: pytest.MonkeyPatch, strange: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(learn, "cut_page", lambda page: commonest(page.source[:-2], page.number))
    pages = [plain(*each) for each in strange]
    with pytest.raises(ScanUnreadable, match=r"Caveat 1 and Mynerve \d look as if two persons .* or say --one-person"):
        learn_hand("Nora", pages, NAME)
    assert learn_hand("Nora", pages, NAME, is_one_person=True).forms


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
    assert "own-hand.pdf: 3 pages" in run("sheet", "--language", "sv").stdout
    document = pypdfium2.PdfDocument(tmp_path / "own-hand.pdf")
    assert document[0].get_width() == pytest.approx(US_LETTER.width / 25.4 * 72, abs=0.1)
    words = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert all(letter in words for letter in "åäöÅÄÖ")
    assert "Your signature, six times" in words


def test_a_form_that_cannot_be_written_down_says_so(run: Learn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.composing.handwriting.own_hand.form.print_sheet", lambda form, name: b"%PDF")
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


def as_learned_before(name: str, pages: Sequence[ScannedPage], signs: str, seed: int, is_one_person: bool) -> OwnHand:
    """The hand that was learned from the same pages, where they are the same in everything."""
    assert (name, signs, seed, is_one_person) == ("Nora", NAME, 1, False)
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
    assert "d (too faint (1 of 6)); e (unlike its sisters (1 of 6))" in said
    assert "Written letter by letter, not as one: tt (empty (3 of 3)); ll\n" in said
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
        p {{ font: 28pt "{pen.name}" }}
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
        assert len(learned("Caveat").signatures) == SIGNATURE_FORMS
        shapes = {
            tuple(font["glyf"][name].getCoordinates(font["glyf"])[0])
            for name in font.getGlyphOrder()[-SIGNATURE_FORMS:]
        }
    assert len(shapes) == SIGNATURE_FORMS
    assert signed(pen, references[0]) == drawn[0]
