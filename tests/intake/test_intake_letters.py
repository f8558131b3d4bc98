"""Letters as they come in: those that nobody sees, e-mail addresses with dust around them, lost zeros, code pages."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from intake_data import import_folder, only, stored, write
from outreach.contacts import normalise_email
from outreach.email_cells import trim_email
from outreach.errors import SourceUnreadable
from outreach.intake.cells.postal_codes import mend_code
from outreach.intake.postal_rules import missing_fields, propose_code, region_of_code
from outreach.intake.sources.code_pages import PAGES
from outreach.intake.sources.encodings import choose_page, detect_encoding
from outreach.invisible_characters import drop_invisible
from outreach.models import Customer, Feedback
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)

# Letters nobody sees


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("\u200bMaya", "Maya"), ("Mia\u200b", "Mia"), ("\ufeffmo", "mo"), ("Jo\u00adan", "Joan"),
        ("\u202eAnn\u202c", "Ann"),
        ("Ann\u2060e", "Anne"), ("M\u200ciller", "Miller"), ("\u200dAnn\u200d", "Ann"),
        ("Lee\u00a0Ann", "Lee\u00a0Ann"),
        ("\u00a0Lee\u00a0", "Lee"), ("\u200f\u05d3\u05d5\u05d3\u200f", "\u05d3\u05d5\u05d3"),
    ],
)  # fmt: skip
def test_letters_that_nobody_sees_are_dropped(written: str, kept: str) -> None:
    assert drop_invisible(written) == kept


@pytest.mark.parametrize(
    "name",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # Ali-Reza, in Persian one word of two parts
        "\u0d05\u0d28\u0d4d\u200d", "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0915\u094d\u200d\u0937",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)  # fmt: skip
def test_joiners_stay_where_a_script_or_a_picture_needs_them(name: str) -> None:
    assert drop_invisible(name) == name


@given(st.text())
def test_dropping_twice_drops_nothing_more(text: str) -> None:
    once = drop_invisible(text)
    assert drop_invisible(once) == once


def test_ids_names_contacts_and_days_lose_dust_and_free_text_keeps_it(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path, "customers.csv", ["customer_id\u200b", "given_name", "email", "phone", "customer_since"],
          ["c\u200b1", "\u200bMaya", "mailto:lou@example.com\u200b",
           "\u202a+1 802 555 0101\u202c", "2021-03-20\u200b"])  # fmt: skip
    write(tmp_path, "feedback.csv", ["feedback_id", "customer_id", "given_at", "kind", "text"],
          ["f1", "c1", "2026-01-01", "review", "a\u200db"])  # fmt: skip
    assert import_folder(sqlite_engine, tmp_path, settings, NOW).refused == 0
    row = only(sqlite_engine, Customer)
    assert (row.customer_id, row.given_name, row.email, row.phone) == (
        "c1",
        "Maya",
        "lou@example.com",
        "+1 802 555 0101",
    )
    assert row.customer_since is not None
    assert only(sqlite_engine, Feedback).text == "a\u200db"


# E-mail addresses


@pytest.mark.parametrize(
    "written",
    ["mailto:max@example.com", "MAILTO:max@example.com?subject=Hi", "Max York <max@example.com>", "<max@example.com>",
     '"York, Max" <max@example.com>;', "'max@example.com'", "(max@example.com).", "max@example.com;",
     "max@example.com.",
     "\u201cmax@example.com\u201d", "[mailto:max@example.com]", "mailto:max%40example.com", " max@example.com, "],
)  # fmt: skip
def test_an_address_is_found_within_what_stands_around_it(written: str) -> None:
    assert trim_email(written) == "max@example.com"
    assert normalise_email(written) == "max@example.com"


@pytest.mark.parametrize("written", ["ask at desk", "a@b.example; c@d.example", "none", "(unknown)"])
def test_what_is_no_single_address_stays_as_it_came(written: str) -> None:
    assert trim_email(written) == written
    assert normalise_email(written) is None


# Postal codes


@pytest.mark.parametrize(
    ("code", "country", "region", "mended"),
    [
        ("2134", "US", "MA", "02134"), ("2134.0", "US", "Massachusetts", "02134"), ("5401", "US", "VT", "05401"),
        ("3801", "US", "NH", "03801"), ("4101", "US", "ME", "04101"), ("2903", "US", "RI", "02903"),
        ("6103", "US", "CT", "06103"), ("7030", "US", "nj", "07030"), ("601", "US", "PR", "00601"),
        ("802", "US", "VI", "00802"), ("601", "PR", "", "00601"), ("2134-4567", "US", "MA", "02134-4567"),
        ("21344567", "US", "MA", "02134-4567"), ("021344567", "US", "MA", "02134-4567"), ("02134", "US", "MA", "02134"),
        ("1067", "DE", "", "01067"), ("1000", "FR", "", "01000"), ("100", "FI", "", "100"), ("100.0", "NO", "", "0100"),
        ("8001", "ES", "Barcelona", "08001"), ("6082", "MX", "", "06082"), ("118", "IT", "", "118"),
        ("187", "IT", "", "187"), ("1310-200", "BR", "", "01310-200"), ("1100", "CZ", "", "1100"),
        ("2134", "US", "CA", "2134"), ("2134", "US", "", "2134"), ("SW1A 1AA", "GB", "", "SW1A 1AA"),
        ("80331", "DE", "", "80331"), ("1067", "AT", "", "1067"),
    ],
)  # fmt: skip
def test_a_postal_code_gets_its_zero_back_where_it_can_only_be_a_zero(
    code: str, country: str, region: str, mended: str
) -> None:
    assert mend_code(code, country, region) == mended


def test_a_code_that_stays_in_doubt_is_noted_and_no_letter_goes_there(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    head = ["customer_id", "address_line1", "city", "region", "postal_code", "country"]
    write(tmp_path, "customers.csv", head, ["A", "5 Beacon St", "Boston", "MA", "2134", "US"],
          ["B", "5 Beacon St", "Boston", "CA", "2134.0", "US"],
          ["C", "5 Beacon St", "Boston", "", "2134", ""])  # fmt: skip
    report = import_folder(sqlite_engine, tmp_path, settings, NOW)
    assert [(row.customer_id, row.postal_code) for row in stored(sqlite_engine, Customer)] == [
        ("A", "02134"), ("B", "2134"), ("C", "2134")]  # fmt: skip
    assert [(note.column, note.rows) for note in report.notes] == [("postal_code", 2)]
    fields = {"address_line1": "5 Beacon St", "city": "Boston", "region": "MA"}
    assert missing_fields(fields | {"postal_code": "2134"}, "US") == ["postal_code"]
    assert missing_fields(fields | {"postal_code": "02134-4567"}, "US") == []


def test_a_zero_that_was_put_back_and_a_code_that_cannot_be_are_told_with_their_lines(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    head = ["customer_id", "address_line1", "city", "region", "postal_code", "country"]
    write(tmp_path, "customers.csv", head, ["A", "1 Elm", "Burlington", "VT", "5401", "US"],
          ["B", "1 Elm", "Burlington", "VT", "5401-1234", ""], ["C", "1 Elm", "Burlington", "VT", "NONE", "US"],
          ["D", "1 Elm", "Berlin", "", "101155", "DE"], ["E", "1 Elm", "London", "", "sw1a1aa", "GB"],
          ["F", "1 Elm", "Burlington", "VT", "05401", "US"])  # fmt: skip
    report = import_folder(sqlite_engine, tmp_path, settings, NOW)
    assert [row.postal_code for row in stored(sqlite_engine, Customer)] == [
        "05401", "05401-1234", "NONE", "101155", "sw1a1aa", "05401"]  # fmt: skip
    assert [(each.column, each.rows) for each in report.mended] == [("postal_code", 2)]
    assert [(note.column, note.rows, note.lines) for note in report.notes] == [("postal_code", 2, (4, 5))]
    assert (
        "customers.csv, postal_code: 2 accepted, but its country cannot have such a code; no letter goes there "
        "(see line 4, 5)" in report.remarks
    )


@pytest.mark.parametrize(
    ("code", "country", "region", "proposed"),
    [
        ("5401", "US", "VT", "05401"), ("5401-1234", "US", "Vermont", "05401-1234"), ("2134", "US", "MA", "02134"),
        ("5501", "US", "MA", "05501"), ("2134", "US", "VT", ""), ("7030", "US", "NJ", ""), ("2134", "US", "", ""),
        ("2134", "US", "CA", ""), ("501", "US", "NY", ""), ("1067", "DE", "Sachsen", ""), ("05401", "US", "VT", ""),
    ],
)  # fmt: skip
def test_a_zip_without_its_zero_is_proposed_in_new_england_and_guessed_at_nowhere_else(
    code: str, country: str, region: str, proposed: str
) -> None:
    assert propose_code(code, country, region) == proposed


@pytest.mark.parametrize(
    ("code", "country", "region"),
    [
        ("08001", "ES", "Barcelona"), ("28013", "ES", "Madrid"), ("26127", "ES", "Soria"), ("26001", "ES", "La Rioja"),
        ("52001", "ES", "Melilla"), ("01001", "ES", "Álava"), ("53001", "ES", ""), ("8001", "ES", ""), ("", "ES", ""),
        ("28013", "FR", ""), ("02134", "US", ""),
    ],
)  # fmt: skip
def test_a_spanish_province_is_known_from_its_code_and_no_other_region_is(code: str, country: str, region: str) -> None:
    assert region_of_code(code, country) == region


def test_every_spanish_code_of_a_province_has_one_name() -> None:
    assert len({region_of_code(f"{number:02}001", "ES") for number in range(1, 53)}) == 52
    assert region_of_code("00001", "ES") == ""


# Code pages


PEOPLE = {
    "cp1250": [
        "Tomáš Dvořák Dlouhá 12 Praha, Petr Novák Zahradní 3 Kladno, Jiří Řezníček Na příkopě 5, Zdeněk Černý Sokolská",
        "Michał Wójcik ul. Długa 5 Łódź, Agnieszka Zielińska Kraków, Małgorzata Kowalska Gdańsk, Piotr Lis Poznań",
        "Nagy László, Kovács Erzsébet, Szabó Péter Petőfi u. 3 Győr, Szűcs Gergő, Tóth Ágnes Debrecen",
        "Ivan Horvat, Ana Kovačević, Marko Babić, Đuro Jurić, Željka Marić Ilica 5 Zagreb, Šibenik",
        "Ján Kováč, Zuzana Horváthová, Ľubomír Baláž Hlavná 3 Košice, Žilina, Štefan",
        "Ion Popescu, Ştefan Mihăilescu, Andreea Răducan Iaşi, Bucureşti, Constanţa Strada Mihai",
    ],
    "cp1257": [
        "Jonas Žukauskas Ąžuolų g. 3 Vilnius, Rūta Kazlauskienė Liepų g. 5 Kaunas, Eglė Šimkutė Pušų g. Klaipėda",
        "Jānis Bērziņš Rīga, Brīvības iela, Līga Kalniņa Daugavpils, Pēteris Ozoliņš Jūrmala",
        "Jüri Tamm, Õie Mägi Pärnu mnt Tallinn, Tõnu Põder Tartu Võru",
    ],
    "cp1254": ["Ayşe Yılmaz Kadıköy, Çağla Öztürk İzmir, Gülşen Doğan, Şükrü Işık"],
    "mac_roman": [
        "José Muñoz 12 Elm St, María Gómez, Renée Baker, Andrés López, Ann Smith",
        "Hélène Gagné 4 rue Émile, François Lefèvre Québec, Zoé Côté, Benoît Besançon",
        "José Núñez, Sofía García Málaga, Iñigo Peña León, Ángel Ibáñez, Begoña Jesús",
        "Jörg Müller Am Hügel München, Jürgen Groß Köln, Bäckerstraße",
    ],
    "iso8859_2": [
        "Tomáš Dvořák Dlouhá 12, Petr Novák Zahradní 3, Jiří Řezníček Žižkov, Šimek, Květa Žáková, Lukáš Beneš"
    ],
    "cp850": ["Jörg Müller Am Hügel München Straße Köln Jürgen Groß Bäcker"],
    "cp1252": [
        "Jörg Müller Am Hügel 4 München, Åsa Öberg Storgatan Malmö, José Núñez León, Hélène Gagné 4 rue Émile Québec",
        "Ann Smith, Bob Jones, José Rivera", "Ann Smith, Zoë Jones", "Ann Smith, Maria Muñoz", "Bjørn Hansen",
        "João Conceição São Paulo Gonçalves", "Søren Kjær Århus, Øystein Ødegård Tromsø", "Väinö Hämäläinen Jyväskylä",
        "Guðrún Þórðardóttir, Sigurður Jónsson Reykjavík", "O’Brien, D’Angelo – “Bob”", "Niccolò Forlì, Cantù",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("page", "people"), [(page, people) for page, lists in PEOPLE.items() for people in lists])
def test_names_of_each_page_are_read_as_they_were_written(page: str, people: str, tmp_path: Path) -> None:
    content = f"customer_id,name\n1,{people}\n".encode(page)
    (tmp_path / "file.csv").write_bytes(content)
    assert content.decode(detect_encoding(tmp_path / "file.csv")) == content.decode(page)


@pytest.mark.parametrize(("page", "people"), [("cp1250", "Kamiński"), ("mac_roman", "Weiß")])
def test_too_few_letters_to_tell_the_page_by_are_refused_with_what_to_do(
    page: str, people: str, tmp_path: Path
) -> None:
    (tmp_path / "file.csv").write_bytes(people.encode(page))
    with pytest.raises(SourceUnreadable, match="save it as CSV UTF-8, or name its encoding in a mapping"):
        detect_encoding(tmp_path / "file.csv")


@given(st.binary(max_size=400))
def test_whatever_bytes_are_no_utf_8_have_a_page_or_are_refused_with_what_to_do(content: bytes) -> None:
    words = content.split()
    try:
        assert choose_page(words) in PAGES
    except SourceUnreadable as error:
        told = str(error)
        assert "save it as CSV UTF-8" in told
