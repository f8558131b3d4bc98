"""The letter on paper: the page, the window, the faces, and the words letter for letter."""

import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine

from conftest import TODAY
from outreach.composing.handwriting.pens import (
    Pen,
    face_path,
    find_pens,
    missing_letters,
    missing_typed,
    typed_faces,
)
from outreach.composing.paper.addresses import address_of, country_code
from outreach.composing.paper.sizes import A4, US_LETTER, Paper, paper_for
from outreach.composing.preview import preview_template
from outreach.errors import CannotWrite, FieldMissing, TooLong
from outreach.models import Customer
from outreach.settings import Settings
from outreach.settings.paper import PaperSettings
from planned import (
    LONDON,
    MARIA,
    add_customer,
    box_of,
    shipped,
    words_of,
    write_one,
)


@pytest.mark.parametrize(("values", "paper"), [({}, US_LETTER), (LONDON, A4)], ids=["US", "GB"])
@pytest.mark.parametrize("kind", [kind for kind, _ in shipped("letter")])
def test_a_letter_is_one_page_of_its_countrys_paper_with_the_address_in_the_window(
    sqlite_engine: Engine, settings: Settings, kind: str, values: dict[str, Any], paper: Paper
) -> None:
    message, body = write_one(sqlite_engine, settings, kind, "letter", **values)
    pages = PdfReader(io.BytesIO(body)).pages
    assert len(pages) == 1
    size = [float(edge) * 25.4 / 72 for edge in pages[0].mediabox[2:]]
    assert size == pytest.approx([paper.width, paper.height], abs=0.1)
    recipient = json.loads(message.recipient or "")
    for line in (recipient["name"], *recipient["lines"]):
        assert paper.address.holds(*box_of(body, line)), line
    assert box_of(body, "March 10, 2026")[1] >= paper.body_top
    assert box_of(body, "To stop letters")[3] <= paper.height - 4.8
    assert box_of(body, "Nora Whitcomb")[3] < box_of(body, "To stop letters")[1]


def test_every_face_of_a_letter_is_embedded_and_no_other(sqlite_engine: Engine, settings: Settings) -> None:
    _, body = write_one(sqlite_engine, settings, "checkin", "letter")
    fonts: set[str] = set()
    for font in PdfReader(io.BytesIO(body)).pages[0]["/Resources"]["/Font"].values():  # type: ignore[index]
        described = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert any(key.startswith("/FontFile") for key in described)
        fonts.add(str(described["/FontName"]).partition("+")[2])
    assert fonts == {"Alder", "Alder-signature", "Vazirmatn"}


def test_the_words_come_out_of_the_letter_letter_for_letter(sqlite_engine: Engine, settings: Settings) -> None:
    decomposed = unicodedata.normalize("NFD", "Zoë")
    _, body = write_one(sqlite_engine, settings, "late_payment", "letter", given_name=decomposed, family_name="O’Hara")
    written = words_of(body)
    assert "Dear Zoë," in written
    assert "Mrs. Zoë O’Hara" in written
    assert "make a plan that leaves you room: smaller sums, a later start" in written
    assert "LATE-LETTER-C1" in written
    assert "To stop letters, call +1 802 555 0140 or write to hello@alderlane.example." in written


TYPED_BY_SCRIPT = {
    "Vietnamese": ({"given_name": "Nguyễn Thị", "family_name": "Ánh", "city": "Đà Nẵng", "country": "VN"},
                   ["Nguyễn Thị Ánh", "Đà Nẵng"]),
    "Greek": ({"given_name": "Γιώργος", "family_name": "Παπαδόπουλος", "city": "Αθήνα", "country": "GR",
               "postal_code": "105 57"}, ["Γιώργος Παπαδόπουλος", "105 57 Αθήνα"]),
    "Cyrillic": ({"given_name": "Олена", "family_name": "Шевченко", "city": "Київ", "country": "UA",
                  "postal_code": "01001"}, ["Олена Шевченко", "Київ", "01001"]),
    "Hebrew": ({"given_name": "דוד", "family_name": "כהן", "city": "ירושלים", "country": "IL",
                "postal_code": "9100001"}, ["דוד כהן", "ירושלים 9100001"]),
}  # fmt: skip


@pytest.mark.parametrize(("values", "lines"), TYPED_BY_SCRIPT.values(), ids=list(TYPED_BY_SCRIPT))
def test_an_address_in_another_script_is_printed_and_reads_in_order(
    sqlite_engine: Engine, settings: Settings, values: dict[str, Any], lines: list[str]
) -> None:
    others = {"honorific": None, "preferred_name": "Alex", "region": None, "address_line2": None}
    message, body = write_one(sqlite_engine, settings, "anniversary", "letter", **(others | values))
    assert (message.status, message.status_reason) == ("composed", None)
    # Marks of direction aside, and as pypdf reads it too: neither gives a box or another letter for one of a name.
    read = re.sub("[\u200e\u200f\u202a-\u202e]", "", words_of(body))
    by_pypdf = PdfReader(io.BytesIO(body)).pages[0].extract_text()
    places = [place_of(read, line) for line in lines]
    assert places == sorted(places)
    for word in " ".join(lines).split():
        assert word in by_pypdf or word[::-1] in by_pypdf


def place_of(read: str, line: str) -> int:
    """Where a line stands in what was read; Hebrew words may come in the order in which they are drawn."""
    orders = (line, " ".join(reversed(line.split())), line[::-1])
    return min(place for order in orders if (place := read.find(order)) >= 0)


def test_no_word_of_a_page_is_set_in_two_typed_faces() -> None:
    assert typed_faces("Mrs. Zoë O’Hara, Łódź سارة") == ("Vazirmatn",)
    assert typed_faces("Nguyễn سارة") == ("Open Sans", "Vazirmatn")
    assert missing_typed("Nguyễn Γιώργος Олена דוד سارة 美") == ["美"]
    for word in ("Nguyễn", "Παπαδόπουλος", "Шевченко", "כהן"):
        assert missing_letters(face_path(typed_faces(word)[0]), word) == []


def test_a_business_may_have_its_address_in_another_script(sqlite_engine: Engine, settings: Settings) -> None:
    business = settings.business.model_copy(update={"address": ["Οδός Άλφα 14", "105 57 Αθήνα"]})
    _, body = write_one(sqlite_engine, settings.model_copy(update={"business": business}), "anniversary", "letter")
    assert "Οδός Άλφα 14" in words_of(body)


def test_a_hostile_name_stands_on_the_letter_as_it_was_typed(sqlite_engine: Engine, settings: Settings) -> None:
    # What is a tag from end to end is nobody's name, and the next right greeting is taken.
    name = """Ann & "Zed" O'Neil"""
    _, body = write_one(sqlite_engine, settings, "anniversary", "letter", given_name=name)
    assert f"Dear {name}," in words_of(body)


@pytest.mark.parametrize("pen", find_pens(Path("none")).values(), ids=lambda pen: pen.name)
def test_every_pen_writes_a_letter_of_one_page(sqlite_engine: Engine, settings: Settings, pen: Pen) -> None:
    signatory = settings.business.signatories[0].model_copy(update={"pen": pen.name})
    business = settings.business.model_copy(update={"signatories": [signatory]})
    _, body = write_one(sqlite_engine, settings.model_copy(update={"business": business}), "late_payment", "letter")
    assert "Dear Maria," in words_of(body)
    assert missing_letters(pen.path, "’“”–éüñçßØł€£$ąčďěğģķłňőřșțůžŻ") == []


@pytest.mark.parametrize(
    ("more", "pages", "most_pages"), [(30, 1, 1), (250, 2, 2), (250, None, 1), (900, None, 2), (250, 2, 10)]
)
def test_a_longer_letter_is_written_smaller_then_on_a_second_page_and_one_that_is_too_long_is_not_written(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, more: int, pages: int | None, most_pages: int
) -> None:
    written = (settings.templates / "letters/referral_ask.en.html").read_text(encoding="utf-8")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/referral_ask.en.html").write_text(written + f"<p>{'word ' * more}</p>", encoding="utf-8")
    add_customer(sqlite_engine)
    own = settings.model_copy(update={"templates": tmp_path, "paper": PaperSettings(most_pages=most_pages)})
    if pages is None:
        with pytest.raises(TooLong, match="one page" if most_pages == 1 else "2 pages"):
            preview_template(sqlite_engine, own, "letters/referral_ask.en.html", "c1", TODAY)
        return
    body, _ = preview_template(sqlite_engine, own, "letters/referral_ask.en.html", "c1", TODAY)
    read = PdfReader(io.BytesIO(body)).pages
    assert len(read) == pages
    # A signature never stands alone on its page.
    assert "word" in read[-1].extract_text()
    assert "Nora Whitcomb" in read[-1].extract_text()


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, ["27 Orchard Terrace", "Apartment 4B", "Winooski, VT 05404"]),
        (LONDON, ["221 Baker Street", "London", "NW1 6XE", "UNITED KINGDOM"]),
        ({"city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "country": "Canada"},
         ["27 Orchard Terrace", "Apartment 4B", "Toronto ON M5V 2T6", "CANADA"]),
        ({"city": "Berlin", "region": None, "postal_code": "10115", "country": "de"},
         ["27 Orchard Terrace", "Apartment 4B", "10115 Berlin", "GERMANY"]),
        ({"city": "Sitges", "region": None, "postal_code": "08870", "country": "ES"},
         ["27 Orchard Terrace", "Apartment 4B", "08870 Sitges Barcelona", "SPAIN"]),
    ],
)  # fmt: skip
def test_an_address_is_written_as_its_own_post_office_wants_it(values: dict[str, Any], lines: list[str]) -> None:
    assert list(address_of(Customer(customer_id="c", **{**MARIA, **values}), "US").lines) == lines


def test_a_country_is_known_by_its_code_or_its_name_and_no_other_is_guessed() -> None:
    known = ["us", "USA", "United States", "GB", "uk", " Germany ", "", None]
    assert [country_code(each, "FR") for each in known] == ["US", "US", "US", "GB", "GB", "DE", "FR", "FR"]
    with pytest.raises(CannotWrite):
        country_code("Atlantis", "US")
    assert [paper_for(code) for code in ("US", "CA", "MX", "GB", "DE", "JP")] == [US_LETTER] * 3 + [A4] * 3


def test_an_address_without_a_postal_code_is_not_written() -> None:
    with pytest.raises(FieldMissing, match="postal_code"):
        address_of(Customer(customer_id="c", **{**MARIA, "postal_code": " "}), "US")
