"""Pictures of letters: what is drawn is the stored page itself, once, and nothing is drawn of what is no letter."""

import hashlib
import io
import threading
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine
from sqlmodel import func, select

from approved import pdf_saying
from conftest import NOW, TODAY
from outreach.composing.proofing.pdf_pages import as_png, as_proof, draw_page, measure_pages, read_words
from outreach.composing.run import compose_planned
from outreach.composing.store.contents import LETTER, content_row
from outreach.composing.store.storage import open_storage
from outreach.composing.store.thumbnails import WIDTH, draw_missing, thumbnail_of
from outreach.database import insert_new, reading, writing
from outreach.models import Content, Thumbnail
from outreach.settings import Settings
from outreach.settings.paper import ProofSettings
from outreach.settings.storage import StorageSettings
from planned import add_customer, plan

IN_DATABASE = open_storage(StorageSettings())


def test_a_page_is_drawn_at_the_width_asked_for_with_ink_on_it() -> None:
    picture = draw_page(pdf_saying("Good morning"), 400)
    assert picture.width == 400
    assert picture.height == pytest.approx(400 * 11 / 8.5, abs=2)
    assert picture.convert("L").getextrema()[0] < 100


def test_a_page_that_is_not_there_is_an_index_error() -> None:
    for number in (0, 3):
        with pytest.raises(IndexError):
            draw_page(pdf_saying("Good morning", pages=2), 100, number)


def test_pages_are_measured_in_millimetres_and_their_words_can_be_read() -> None:
    pdf = pdf_saying("Good morning", pages=2)
    assert measure_pages(pdf) == [(pytest.approx(215.9), pytest.approx(279.4))] * 2
    assert read_words(pdf).split("\n") == ["Good morning", "Good morning"]


@pytest.mark.parametrize(("paper", "corner"), [("white", (255, 255, 255)), ("cream", (250, 241, 216))])
def test_a_proof_is_on_the_paper_and_in_the_ink_that_the_settings_name(
    paper: Any, corner: tuple[int, int, int]
) -> None:
    picture = Image.new("RGB", (2, 1), "white")
    picture.putpixel((1, 0), (28, 43, 87))
    in_colour, in_black = (as_proof(picture, ProofSettings(paper=paper, ink=ink)) for ink in ("colour", "black"))
    assert in_colour.getpixel((0, 0)) == in_black.getpixel((0, 0)) == corner
    red, green, blue = in_colour.getpixel((1, 0))
    assert blue > green > red
    red, green, blue = in_black.getpixel((1, 0))
    assert abs(red - blue) < 12


def test_many_may_draw_at_once() -> None:
    pictures: list[bytes] = []
    pdf = pdf_saying("Good morning")
    threads = [threading.Thread(target=lambda: pictures.append(as_png(draw_page(pdf, 200), 16))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pictures)) == 1
    assert len(pictures) == 8


def test_a_thumbnail_is_drawn_once_and_kept(engine: Engine) -> None:
    pdf = pdf_saying("Good morning")
    sha256 = hashlib.sha256(pdf).hexdigest()
    with writing(engine) as session:
        insert_new(session, Content, [content_row(sha256, LETTER, pdf)])
    first = thumbnail_of(engine, IN_DATABASE, sha256)
    assert first is not None
    assert Image.open(io.BytesIO(first)).width == WIDTH
    with writing(engine) as session:
        session.get_one(Thumbnail, sha256).picture = b"kept"
    assert thumbnail_of(engine, IN_DATABASE, sha256) == b"kept"


def test_what_is_no_letter_has_no_thumbnail(engine: Engine) -> None:
    with writing(engine) as session:
        insert_new(session, Content, [content_row("t", "text/plain", b"Good morning")])
    assert thumbnail_of(engine, IN_DATABASE, "t") is None
    assert thumbnail_of(engine, IN_DATABASE, "nothing") is None


def test_letters_that_wait_are_drawn_before_anybody_asks(engine: Engine, settings: Settings) -> None:
    for number in range(3):
        add_customer(engine, f"c{number}", address_line1=f"{number} Orchard Terrace")
        plan(engine, "anniversary", "letter", f"c{number}")
    plan(engine, "checkin", "text", "c0")
    compose_planned(engine, settings, TODAY, NOW)
    assert [draw_missing(engine, IN_DATABASE, 2) for _ in range(3)] == [2, 1, 0]
    with reading(engine) as session:
        assert session.exec(select(func.count()).select_from(Thumbnail)).one() == 3
