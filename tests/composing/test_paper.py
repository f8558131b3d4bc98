"""What a letter is printed on: letterhead, vouchers, cards, a second page, and what the file keeps to."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject
from sqlalchemy import Engine

from conftest import TODAY
from outreach.composing.editing import preview_edited
from outreach.composing.paper.card_sizes import CARDS, Card
from outreach.composing.paper.cards import address_place
from outreach.composing.paper.letterhead import read_letterhead, why_refused
from outreach.composing.paper.sizes import US_LETTER
from outreach.composing.paper.vouchers import code_for
from outreach.composing.preview import preview_template
from outreach.composing.templating.templates import template_fingerprint
from outreach.errors import SettingsError, TemplateRefused, TooLong
from outreach.settings import Settings
from outreach.settings.paper import PaperSettings
from paper_cards import TREE, on_card, with_letterhead
from planned import LONDON, add_customer, add_debt, box_of, write_one

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")


def on_paper(settings: Settings, **paper: Any) -> Settings:
    return settings.model_copy(update={"paper": PaperSettings(**paper)})


def text_of(body: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages).split())


def _places(picture: Any, colour: tuple[int, int, int]) -> list[tuple[float, float]]:
    """Where a page drawn at three pixels to the point has this colour, in mm from the top left."""
    mm = 25.4 / 72 / 3
    wide, high = picture.size
    return [
        (x * mm, y * mm) for x in range(0, wide, 6) for y in range(0, high, 6) if picture.getpixel((x, y)) == colour
    ]


def draw(body: bytes, page: int = 0, scale: float = 3.0) -> Any:
    return pypdfium2.PdfDocument(body)[page].render(scale=scale).to_pil().convert("RGB")


# Letterhead


def test_the_letterhead_stands_above_our_address_in_its_own_colours(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    _, body = write_one(sqlite_engine, with_letterhead(settings, tmp_path, TREE), "checkin", "letter")
    green = _places(draw(body), (10, 122, 60))
    assert green
    assert all(US_LETTER.sender.holds(x, y, x, y) for x, y in green)
    assert "14 Alder Lane" in text_of(body)


def test_another_letterhead_makes_other_letters_of_the_same_templates(settings: Settings, tmp_path: Path) -> None:
    own = with_letterhead(settings, tmp_path, TREE)
    before = template_fingerprint(own, "checkin", {}, read_letterhead(own))
    (tmp_path / "head.svg").write_text(TREE.replace("#0a7a3c", "#0a7a3cff"), encoding="utf-8")
    assert template_fingerprint(own, "checkin", {}, read_letterhead(own)) != before


@pytest.mark.parametrize(
    ("svg", "why"),
    [
        ("", "not SVG"),
        ("<svg/>", "first tag must be"),
        (TREE.replace(' viewBox="0 0 120 40"', ""), "viewBox"),
        (TREE.replace("120 40", "120 0"), "viewBox"),
        (TREE.replace("<rect", "<script>alert(1)</script><rect"), "<script> may not stand in it"),
        (TREE.replace("<rect", "<text>Alder</text><rect"), "turn text into paths"),
        (TREE.replace("<rect", '<image href="http://x.example/a.png"/><rect'), "<image> may not"),
        (TREE.replace("<rect", '<rect onload="alert(1)"'), "would run a script"),
        (TREE.replace('fill="#0a7a3c"', 'fill="url(http://x.example/a)"'), "would load something"),
        (TREE.replace("<rect", "<style>@import 'http://x.example/a.css';</style><rect"), "would load something"),
        (TREE.replace("<rect", "<style>rect{fill:\\75rl(http://x.example)}</style><rect"), "would load something"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + TREE, "document type"),
        (TREE.replace("<rect", "<path d='M0 0'/>" * 2_001 + "<rect"), "2,000 may be"),
        (TREE.replace("<rect", f"<desc>{'x' * 100_001}</desc><rect"), "100,000 may be"),
    ],
)
def test_a_letterhead_that_could_do_more_than_be_seen_is_refused_with_what_to_do(svg: str, why: str) -> None:
    assert why in why_refused(svg.encode())


def test_a_letterhead_may_use_its_own_gradients() -> None:
    svg = TREE.replace("<rect", '<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><rect')
    assert why_refused(svg.replace('fill="#0a7a3c"', 'fill="url(#g)"').encode()) == ""


@given(st.binary(max_size=300))
def test_no_bytes_at_all_make_the_check_of_a_letterhead_fail_itself(written: bytes) -> None:
    assert isinstance(why_refused(written), str)


def test_a_letterhead_that_is_gone_stops_the_run_before_a_letter_is_written(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    own = with_letterhead(settings, tmp_path, TREE)
    (tmp_path / "head.svg").unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        write_one(sqlite_engine, own, "checkin", "letter")


# Vouchers


@pytest.mark.parametrize("where", ["strip", "page"])
def test_a_voucher_holds_its_gift_and_a_code_that_a_telephone_reads(
    sqlite_engine: Engine, settings: Settings, where: str
) -> None:
    message, body = write_one(sqlite_engine, on_paper(settings, voucher=where), "anniversary", "letter")
    (code,) = set(CODE.findall(text_of(body)))
    pages = len(PdfReader(io.BytesIO(body)).pages)
    assert (pages, message.size) == ((1, 1) if where == "strip" else (2, 2))
    (read,) = zxingcpp.read_barcodes(draw(body, pages - 1))
    assert (read.text, read.format.name) == (code, "QRCode")
    assert "A gift of $" in text_of(body)


def test_a_second_page_costs_what_a_second_page_costs(sqlite_engine: Engine, settings: Settings) -> None:
    message, _ = write_one(sqlite_engine, on_paper(settings, voucher="page"), "anniversary", "letter")
    assert message.cost - message.reward_cost == settings.postage.letter + settings.postage.letter_page


def test_a_letter_that_gives_nothing_has_no_voucher(sqlite_engine: Engine, settings: Settings) -> None:
    _, body = write_one(sqlite_engine, on_paper(settings, voucher="strip"), "checkin", "letter")
    assert not CODE.search(text_of(body))
    assert not zxingcpp.read_barcodes(draw(body))


def test_an_edited_letter_keeps_its_code(sqlite_engine: Engine, settings: Settings) -> None:
    own = on_paper(settings, voucher="strip")
    message, body = write_one(sqlite_engine, own, "anniversary", "letter")
    again, _ = preview_edited(sqlite_engine, own, message.reference, "Dear Maria,\n\nUntil soon,")
    assert CODE.findall(text_of(again)) == CODE.findall(text_of(body))
    assert "Until soon" in text_of(again)


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=2, max_size=2, unique=True))
def test_codes_of_two_gifts_differ_and_one_gift_has_one_code(gifts: list[tuple[str, str]]) -> None:
    one, other = (code_for(b"key", *gift) for gift in gifts)
    assert one != other
    assert CODE.fullmatch(one)
    assert one == code_for(b"key", *gifts[0])
    assert one != code_for(b"another key", *gifts[0])


# Cards


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.name)
def test_a_card_has_two_sides_its_bleed_and_its_address_where_the_post_looks_for_it(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, card: Card
) -> None:
    values = LONDON if card.name == "card A6" else {}
    message, body = write_one(
        sqlite_engine, on_card(settings, tmp_path, "anniversary", card.name), "anniversary", "letter", **values
    )
    front, back = PdfReader(io.BytesIO(body)).pages
    for side in (front, back):
        assert [float(edge) * 25.4 / 72 for edge in side.mediabox[2:]] == pytest.approx(
            [card.width, card.height], abs=0.1
        )
        cut = [float(edge) * 25.4 / 72 for edge in side.trimbox]
        assert cut == pytest.approx(
            [card.bleed, card.bleed, card.width - card.bleed, card.height - card.bleed], abs=0.1
        )
    assert "Thank you!" in front.extract_text()
    recipient = json.loads(message.recipient or "")
    for line in (recipient["name"], *recipient["lines"]):
        assert line in back.extract_text()
        assert line not in front.extract_text().replace("Maria", "")
        assert address_place(card).holds(*box_of(body, line, side=1)), line
    assert (message.size, message.cost - message.reward_cost) == (2, settings.postage.card)


def test_nobody_elses_business_is_written_on_a_card(settings: Settings, tmp_path: Path, sqlite_engine: Engine) -> None:
    add_customer(sqlite_engine)
    add_debt(sqlite_engine)
    own = on_card(settings, tmp_path, "late_payment", "card 4x6")
    with pytest.raises(TemplateRefused, match="anyone can read a card"):
        preview_template(sqlite_engine, own, "letters/late_payment.en.html", "c1", TODAY)


def test_a_card_that_does_not_exist_is_refused_by_its_name(
    settings: Settings, tmp_path: Path, sqlite_engine: Engine
) -> None:
    add_customer(sqlite_engine)
    own = on_card(settings, tmp_path, "anniversary", "card 5x7")
    with pytest.raises(TemplateRefused, match="there are letter, card 4x6, card 6x9, card A6"):
        preview_template(sqlite_engine, own, "letters/anniversary.en.html", "c1", TODAY)


def test_words_that_no_side_of_a_card_holds_are_said_to_be_too_long_for_it(
    settings: Settings, tmp_path: Path, sqlite_engine: Engine
) -> None:
    add_customer(sqlite_engine)
    own = on_card(settings, tmp_path, "anniversary", "card 4x6")
    template = own.templates / "letters/anniversary.en.html"
    template.write_text(template.read_text("utf-8") + "<p>And once more, with all our thanks.</p>" * 40, "utf-8")
    with pytest.raises(TooLong, match="do not fit on one side of a card 4x6; shorten the template, or choose a larger"):
        preview_template(sqlite_engine, own, "letters/anniversary.en.html", "c1", TODAY)


OPEN_KINDS = ("anniversary", "first_hundred", "referral_ask", "surprise", "thank_you", "win_back")


@pytest.mark.parametrize(
    ("kind", "paper"), [*((kind, "card 6x9") for kind in OPEN_KINDS), ("surprise", "card 4x6"), ("surprise", "card A6")]
)
def test_every_letter_of_ours_that_anyone_may_read_fits_a_large_card_and_the_shortest_fits_all(
    settings: Settings, sqlite_engine: Engine, kind: str, paper: str
) -> None:
    add_customer(sqlite_engine)
    template = f"letters/{kind}.en.html"
    source = f"{{# paper: {paper} #}}\n" + (settings.templates / template).read_text(encoding="utf-8")
    body, _ = preview_template(sqlite_engine, settings, template, "c1", TODAY, source=source)
    assert len(PdfReader(io.BytesIO(body)).pages) == 2


# What the file keeps to


def test_a_files_title_says_what_it_is_and_names_no_customer(sqlite_engine: Engine, settings: Settings) -> None:
    message, body = write_one(sqlite_engine, settings, "checkin", "letter")
    title = (PdfReader(io.BytesIO(body)).metadata or {}).get("/Title")
    assert title == f"Letter from {settings.business.name}, {message.reference}"


def test_a_letter_can_be_read_aloud_in_its_language(sqlite_engine: Engine, settings: Settings) -> None:
    _, body = write_one(sqlite_engine, settings, "checkin", "letter")
    root = PdfReader(io.BytesIO(body)).trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    kinds = _kinds(root["/StructTreeRoot"])
    assert {"/Document", "/P"} <= kinds


def test_a_picture_on_a_letter_says_what_it_shows(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    own = with_letterhead(on_paper(settings, voucher="strip"), tmp_path, TREE)
    _, body = write_one(sqlite_engine, own, "anniversary", "letter")
    said = _alternatives(PdfReader(io.BytesIO(body)).trailer["/Root"]["/StructTreeRoot"])
    assert "Alder Lane Dental" in said
    assert any(CODE.fullmatch(each) for each in said)


def test_a_letter_that_is_to_last_says_so_and_has_its_colours_with_it(
    sqlite_engine: Engine, settings: Settings
) -> None:
    _, body = write_one(sqlite_engine, on_paper(settings, format="PDF/A-2b"), "checkin", "letter")
    root = PdfReader(io.BytesIO(body)).trailer["/Root"]
    described = root["/Metadata"].get_object().get_data()
    assert re.search(rb'pdfaid:part(="|>)2', described)
    assert re.search(rb'pdfaid:conformance(="|>)B', described)
    assert b"pdfuaid:part" in described
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert "/ID" in PdfReader(io.BytesIO(body)).trailer


def _in_mm(box: Any) -> list[float]:
    return [float(edge) * 25.4 / 72 for edge in box]


def _kinds(element: Any) -> set[str]:
    return {str(each["/S"]) for each in _elements(element) if "/S" in each}


def _alternatives(element: Any) -> set[str]:
    return {str(each["/Alt"]) for each in _elements(element) if "/Alt" in each}


def _elements(element: Any) -> list[DictionaryObject]:
    here = element.get_object()
    if not isinstance(here, DictionaryObject):
        return []
    under = here.get("/K", [])
    children = under if isinstance(under, list) else [under]
    return [here, *(found for child in children for found in _elements(child))]
