"""The check of printed letters: every kind of fault found in a file that has it, and none in ours."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import Engine
from weasyprint import HTML

from budget import IS_LONG
from conftest import NOW, TODAY
from outreach.approval.approving import approve_batch
from outreach.commands.main import main
from outreach.composing.handwriting.pens import TYPED
from outreach.composing.paper.card_sizes import CARDS
from outreach.composing.paper.sizes import A4, INCH, US_LETTER, Paper, Zone
from outreach.composing.paper.windows import PUBLISHED, stocks, takes, zones_for
from outreach.composing.preview import preview_template
from outreach.composing.proofing import letter_check
from outreach.composing.proofing.fault_overlay import draw_faults
from outreach.composing.proofing.page_check import Examined, ExpectedLetter, Fault, check_letter
from outreach.composing.run import compose_planned
from outreach.errors import ComposingError, FailedCheck, NotFound
from outreach.settings import Settings
from outreach.settings.paper import PaperSettings
from paper_cards import TREE, on_card, with_letterhead
from planned import LONDON, add_customer, add_debt, compose, message_of, plan, shipped, write_one
from printed_letters import ADDRESS, letter, say

EXPECTED = ExpectedLetter(ADDRESS, frozenset({"Filling"}))
VENDORS = ("outbox", "printroom", "lob", "postgrid", "stannp")
PART = 4
SPECS = Path(__file__).resolve().parents[3] / "shared/contracts/print-specs.json"


def block(left: float, top: float, wide: float, high: float, paper: Paper = US_LETTER) -> Callable[[Canvas], None]:
    return lambda canvas: canvas.rect(left * mm, (paper.height - top - high) * mm, wide * mm, high * mm, fill=1)


def confirmed(settings: Settings, **paper: Any) -> Settings:
    proofs = tuple(f"{provider} {stock.name}" for provider in ("postgrid", "stannp") for stock in stocks())
    return settings.model_copy(update={"paper": PaperSettings(confirmed_proofs=proofs, **paper)})


def kinds(faults: list[Fault]) -> set[str]:
    return {fault.kind for fault in faults}


def test_a_plain_letter_with_its_address_in_the_window_has_no_fault(settings: Settings) -> None:
    assert check_letter(letter(), "lob", settings, EXPECTED) == []
    assert check_letter(letter(), "lob", settings) == []


def embolden(canvas: Canvas) -> None:
    canvas.setFont("Helvetica-Bold", 12)
    say(canvas, "bold", 25, 130)


def whiten(canvas: Canvas) -> None:
    canvas.setFillColorRGB(1, 1, 1)
    say(canvas, "words that nobody can see here", 25, 130)


def clip(canvas: Canvas) -> None:
    path = canvas.beginPath()
    path.rect(0, 0, 60 * mm, US_LETTER.height * mm)
    canvas.clipPath(path, stroke=0)
    say(canvas, "a line of words that is cut off in its middle because it is far too long", 25, 130)


@pytest.mark.parametrize(
    ("kind", "pdf"),
    [
        ("address", letter(at=(20, 95))),
        ("address", letter(at=(20, 66))),
        ("address", letter(at=(8, 48))),
        ("address", letter(lines=(*ADDRESS[:2], "Essex, VT 05404"))),
        ("window", letter(lambda canvas: say(canvas, "since 2019", 80, 50))),
        ("window", letter(block(80, 50, 10, 5))),
        ("covered", letter(lambda canvas: say(canvas, "Our summer news", 25, 35))),
        ("covered", letter(block(25, 30, 20, 5))),
        ("ink", letter(block(0, 150, 4, 20))),
        ("ink", letter(block(100, 277, 20, 4))),
        ("words", letter(lines=(*ADDRESS, "PAST DUE"))),
        ("words", letter(lambda canvas: say(canvas, "your Filling", 60, 48))),
        ("face", letter(embolden)),
        ("glyph", letter(lambda canvas: say(canvas, "a word of 鬱 here", 25, 130))),
        ("overflow", letter(lambda canvas: say(canvas, "a very long line indeed" * 6, 60, 130))),
        ("overflow", letter(whiten)),
        ("overflow", letter(clip)),
        ("pages", letter(pages=61)),
        ("paper", letter(paper=A4)),
        ("paper", letter(paper=CARDS["card A6"])),  # type: ignore[arg-type]
    ],
    # Named by its bytes, as pytest would, a file of ReportLab's would change its name with the time.
    ids=lambda value: value if isinstance(value, str) else "file",
)  # fmt: skip
def test_every_kind_of_fault_is_found_and_says_what_to_do(settings: Settings, kind: str, pdf: bytes) -> None:
    found = [fault for fault in check_letter(pdf, "lob", settings, EXPECTED) if fault.kind == kind]
    assert found
    assert all(re.search("; |, or ", fault.says) for fault in found)
    assert not any(name in fault.says for fault in found for name in ("Maria", "Lopez", "Orchard", "Filling"))


def test_a_fault_is_marked_where_it_is(settings: Settings) -> None:
    (fault,) = check_letter(letter(block(0, 150, 4, 20)), "outbox", settings, EXPECTED)
    assert fault.box
    assert (fault.box.left, fault.box.top) == pytest.approx((0, 150), abs=1)
    assert (fault.box.width, fault.box.height) == pytest.approx((4, 20), abs=1.5)
    picture = Image.open(io.BytesIO(draw_faults(letter(block(0, 150, 4, 20)), "outbox", [fault]))).convert("RGB")
    red = picture.point(lambda level: 255 if level > 170 else 0).getchannel("R")
    red = ImageChops.subtract(red, picture.point(lambda level: 255 if level > 90 else 0).getchannel("G"))
    scale = 900 / US_LETTER.width
    around = (0, int(24 + 145 * scale), int(24 + 8 * scale), int(24 + 175 * scale))
    assert red.crop(around).getbbox()
    assert not red.crop((0, 0, picture.width, around[1] - 20)).getbbox()


def test_a_letter_of_weasyprint_with_a_glyph_that_no_font_has_is_found(settings: Settings) -> None:
    page = HTML(string="<style>@page{size:8.5in 11in;margin:3in 1in 1in}</style><p>a \ue123 b</p>").write_pdf()
    assert "glyph" in kinds(check_letter(page, "outbox", settings))


def test_one_page_of_another_size_is_a_fault_of_that_page(settings: Settings) -> None:
    def turn(canvas: Canvas) -> None:
        canvas.showPage()
        canvas.setPageSize((A4.width * mm, A4.height * mm))

    assert [(fault.kind, fault.page) for fault in check_letter(letter(turn), "outbox", settings)] == [("paper", 2)]


@pytest.mark.parametrize("damaged", [b"", b"no PDF at all", letter()[:300]], ids=["empty", "words", "half"])
def test_what_is_no_pdf_is_an_error_that_says_so(settings: Settings, damaged: bytes) -> None:
    with pytest.raises(ComposingError, match="no PDF"):
        check_letter(damaged, "lob", settings)


def test_a_brand_that_the_settings_forbid_may_stand_inside_and_not_in_a_window(settings: Settings) -> None:
    own = settings.model_copy(update={"paper": PaperSettings(forbidden_outside=("Brightsmile",))})
    inside = letter(lambda canvas: say(canvas, "All of us at Brightsmile", 25, 130))
    outside = letter(lambda canvas: say(canvas, "BRIGHTSMILE", 20, 20))
    assert check_letter(inside, "outbox", own, EXPECTED) == []
    assert kinds(check_letter(outside, "outbox", own, EXPECTED)) == {"words"}
    assert check_letter(outside, "outbox", settings, EXPECTED) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("Anna Krebs", *ADDRESS[1:]),
        ("Jean Dette", *ADDRESS[1:]),
        ("Krebs", *ADDRESS[1:]),
        ("Maria Lopez", "12 Fertility Lane", "Winooski, VT 05404"),
        ("Maria Lopez", "9 Cancer Road", "Winooski, VT 05404"),
        ("Maria Filling", *ADDRESS[1:]),
    ],
)
def test_a_name_or_a_street_may_be_any_word_and_the_same_word_elsewhere_in_the_window_is_found(
    settings: Settings, lines: tuple[str, ...]
) -> None:
    expected = ExpectedLetter(lines, frozenset({"Filling"}))
    assert check_letter(letter(lines=lines), "lob", settings, expected) == []
    for word in ("Krebs", "DETTE", "fertility", "Cancer", "Filling"):
        said = letter(lambda canvas, word=word: say(canvas, word, 75, 60), lines=lines)  # type: ignore[misc]
        assert "words" in kinds(check_letter(said, "lob", settings, expected)), word


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"given_name": "Anna", "family_name": "Krebs"}, "letter"),
        ({"address_line1": "12 Fertility Lane"}, "letter"),
        ({"given_name": None, "honorific": "Dr.", "family_name": "Krebs"}, "card"),
    ],
)
def test_who_is_called_or_lives_as_a_private_word_gets_their_letter_and_their_card(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, values: dict[str, str], where: str
) -> None:
    own = on_card(settings, tmp_path, "anniversary", "card 6x9") if where == "card" else settings
    write_one(sqlite_engine, own, "anniversary", "letter", **values)


@pytest.mark.parametrize("title", ["Dr.", None])
@pytest.mark.parametrize(
    "street",
    ["27 Orchard Terrace", "12 شارع الملك Apt 4B", "شارع الملك 12 Apt 4", "Apt 4 شارع 12", "شارع 12"],
)
def test_lines_of_two_directions_are_found_where_they_are_printed_right(
    sqlite_engine: Engine, settings: Settings, title: str | None, street: str
) -> None:
    names = {"given_name": "سارة", "family_name": "حداد", "honorific": title, "preferred_name": "Sara"}
    _, body = write_one(sqlite_engine, settings, "anniversary", "letter", address_line1=street, **names)
    lines = [f"{title or ''} سارة حداد".strip(), street, "Apartment 4B", "Winooski, VT 05404"]
    assert check_letter(body, "outbox", settings, ExpectedLetter(tuple(lines))) == []
    wrong = [
        lines[0].replace("حداد", "حسن"), lines[0].replace("Dr.", "Mr.") if title else f"Dr. {lines[0]}",
        f"{lines[0]} Smith", street.replace("12", "21") if "12" in street else street.replace("27", "72"),
        street.replace("الملك", "الأمير") if "الملك" in street else f"{street} Apt 9",
    ]  # fmt: skip
    for place, line in zip((0, 0, 0, 1, 1), wrong, strict=True):
        other = tuple(line if number == place else same for number, same in enumerate(lines))
        assert "address" in kinds(check_letter(body, "outbox", settings, ExpectedLetter(other))), line


@pytest.mark.parametrize("provider", ["postgrid", "stannp"])
def test_what_a_vendor_has_not_published_is_forbidden_until_a_proof_is_confirmed(
    settings: Settings, provider: str
) -> None:
    assert kinds(check_letter(letter(), provider, settings, EXPECTED)) == {"proof"}
    assert check_letter(letter(), provider, confirmed(settings), EXPECTED) == []


def live(settings: Settings, provider: str) -> Settings:
    providers = settings.providers.model_copy(update={"letter": provider})
    return settings.model_copy(update={"mode": "live", "providers": providers})


@pytest.mark.longer
@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("values", [{}, LONDON], ids=["US", "GB"])
def test_every_shipped_letter_passes_for_every_provider_on_every_paper(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, provider: str, values: dict[str, Any]
) -> None:
    own = with_letterhead(live(confirmed(settings, voucher="strip"), provider), tmp_path, TREE)
    own = own.model_copy(update={"business": own.business.model_copy(update={"public_url": "https://a.example"})})
    add_customer(sqlite_engine, **values)
    add_debt(sqlite_engine)
    # In part, each provider is tried with letters of its own: between them they get every one.
    letters = shipped("letter") if IS_LONG else shipped("letter")[VENDORS.index(provider) % PART :: PART]
    for kind, _ in letters:
        pdf, _ = preview_template(sqlite_engine, own, f"letters/{kind}.en.html", "c1", TODAY)
        assert check_letter(pdf, provider, own) == []


@pytest.mark.parametrize("card", CARDS)
def test_every_card_passes_where_we_print_it_and_not_where_the_vendor_prints_the_address(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, card: str
) -> None:
    _, body = write_one(sqlite_engine, on_card(settings, tmp_path, "anniversary", card), "anniversary", "letter")
    assert check_letter(body, "printroom", settings) == []
    assert check_letter(body, "lob", settings)


def test_words_of_a_card_keep_away_from_what_is_cut_off_and_tell_nothing(settings: Settings) -> None:
    card = CARDS["card 4x6"]
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(card.width * mm, card.height * mm))
    canvas.setFont(TYPED, 10)
    canvas.drawString(3 * mm, 40 * mm, "How is it after your root canal?")
    canvas.showPage()
    canvas.setFont(TYPED, 10)
    canvas.drawString((card.address.left + 6) * mm, 55 * mm, ADDRESS[0])
    canvas.rect((card.address.left + 10) * mm, 6 * mm, 20 * mm, 5 * mm, fill=1)
    canvas.save()
    found = check_letter(file.getvalue(), "outbox", settings)
    assert {(fault.kind, fault.page) for fault in found} == {("ink", 1), ("words", 1), ("ink", 2)}


# Before the seal


def test_a_letter_that_fails_is_withdrawn_with_the_reason_and_can_never_be_approved(
    sqlite_engine: Engine, settings: Settings
) -> None:
    own = settings.model_copy(update={"paper": PaperSettings(forbidden_outside=("Orchard Terrace",))})
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "checkin", "letter", "c1")
    compose(sqlite_engine, own)
    message, body = message_of(sqlite_engine, reference)
    assert (message.status, message.digest, message.batch_id, body) == ("withdrawn", None, None, b"")
    assert "fails its check on page 1" in (message.status_reason or "")
    with pytest.raises(NotFound):
        approve_batch(sqlite_engine, own, reference, "nora", NOW, "test")


def test_letters_wait_and_are_not_lost_while_a_proof_is_not_confirmed(
    sqlite_engine: Engine, settings: Settings
) -> None:
    own = live(settings, "stannp")
    own = own.model_copy(update={"business": own.business.model_copy(update={"public_url": "https://a.example"})})
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "checkin", "letter", "c1")
    report = compose_planned(sqlite_engine, own, TODAY, NOW)
    assert message_of(sqlite_engine, reference)[0].status == "planned"
    assert any("“stannp US Letter” to paper.confirmed_proofs" in problem for problem in report.to_mend)


def test_the_check_before_the_seal_says_one_fault_and_how_many_more(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault("ink", 1, Zone(0, 0, 1, 1), "Move it")
    monkeypatch.setattr(letter_check, "examine_letter", lambda *_: Examined([fault, fault]))
    add_customer(sqlite_engine)
    with pytest.raises(FailedCheck, match=r"page 1: Move it \(and 1 more"):
        preview_template(sqlite_engine, settings, "letters/checkin.en.html", "c1", TODAY)


# The command


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["outreach", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return 1 if isinstance(ended.value.code, str) else int(ended.value.code or 0)


def test_outreach_check_says_in_one_sentence_that_all_is_well_or_each_fault_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, picture = tmp_path / "good.pdf", tmp_path / "bad.pdf", tmp_path / "bad.png"
    good.write_bytes(letter())
    bad.write_bytes(letter(block(0, 150, 4, 20), at=(20, 95)))
    assert run(monkeypatch, "check", str(good), "--for", "lob") == 0
    assert capsys.readouterr().out.strip() == "good.pdf may go: lob can print it, and nothing is out of its place."
    assert run(monkeypatch, "check", str(bad), "--for", "lob", "--picture", str(picture)) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[1].startswith("2  ink, page 1, 0 × 149 mm")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run(monkeypatch, "check", str(bad), "--for", "lob", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [fault["kind"] for fault in told["faults"]] == ["address", "ink"]
    assert run(monkeypatch, "check", str(tmp_path / "none.pdf")) == 1


# The vendor's own numbers


@pytest.mark.skipif(not SPECS.exists(), reason="the vendors' numbers are not beside this checkout")
def test_our_numbers_are_those_the_vendors_published() -> None:
    specs = json.loads(SPECS.read_text(encoding="utf-8"))
    of_lob = specs["lob"]["letter"]["first_page_zones"]
    zones = zones_for("lob", US_LETTER)
    assert zones.window == _zone(of_lob["recipient_window"])
    assert zones.sender == _zone(of_lob["return_address_window"])
    assert zones.covered == _zone(of_lob["address_and_barcode_white_box"])
    assert zones.edge == specs["lob"]["letter"]["clear_margin_each_side"]["use"] * INCH
    assert not specs["lob"]["letter"]["a4"]
    assert not takes("lob", A4)
    for size in ("4x6", "6x9"):
        published, card = specs["lob"]["postcards"][size], CARDS[f"card {size}"]
        assert zones_for("lob", card).keep_out == (_zone(published["back_ink_free"]),)
        assert [card.width, card.height] == [side * INCH for side in published["artwork_with_bleed"]]
        assert zones_for("lob", card).edge == pytest.approx(published["safe_area"]["left"] * INCH)
    unpublished = {
        "postgrid": specs["postgrid"]["letter"]["first_page_address_zone"],
        "stannp": specs["stannp"]["letter"]["first_page_address_zone"],
    }
    assert unpublished == {"postgrid": None, "stannp": None}
    assert {provider for provider, _ in PUBLISHED} == {"lob"}


def _zone(published: dict[str, Any]) -> Zone:
    return Zone(*(published[side] * INCH for side in ("left", "top", "width", "height")))
