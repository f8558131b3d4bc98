"""Addresses, numbers and names of many countries, as people and post offices there write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from outreach.composing.paper.addresses import address_of, full_name
from outreach.composing.template_data import greeting_name
from outreach.contacts import normalise_phone, takes_texts
from outreach.errors import ComposingError, FieldMissing
from outreach.intake.postal_rules import rules_of
from outreach.models import Customer
from outreach.planning.contact_cards import contacts_of
from outreach.settings import Settings


def someone(street: str, city: str, region: str, code: str, country: str, **more: str) -> Customer:
    return Customer(customer_id="c", given_name="Ada", address_line1=street, city=city, region=region,
                    postal_code=code, country=country, **more)  # fmt: skip


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.mark.parametrize(
    ("country", "street", "city", "region", "code", "lines"),
    [
        ("US", "1 Elm St", "Winooski", "VT", "05404", ["1 Elm St", "Winooski, VT 05404"]),
        ("PR", "1 Calle Sol", "San Juan", "", "00901", ["1 Calle Sol", "San Juan PR 00901"]),
        ("CA", "1 Elm St", "Toronto", "ON", "M5V 2T6", ["1 Elm St", "Toronto ON M5V 2T6"]),
        ("GB", "221 Baker Street", "London", "", "NW1 6XE", ["221 Baker Street", "London", "NW1 6XE"]),
        ("IE", "1 Main St", "Naas", "Co. Kildare", "W91 X0X0", ["1 Main St", "Naas", "Co. Kildare", "W91 X0X0"]),
        ("IE", "1 Main St", "Naas", "", "", ["1 Main St", "Naas"]),
        ("DE", "Weg 1", "Berlin", "Berlin", "10115", ["Weg 1", "10115 Berlin"]),
        ("FR", "1 rue X", "Paris", "", "75001", ["1 rue X", "75001 Paris"]),
        ("BR", "Rua X, 1", "São Paulo", "SP", "01310-100", ["Rua X, 1", "São Paulo-SP", "01310-100"]),
        ("IT", "Via X 1", "Roma", "RM", "00184", ["Via X 1", "00184 Roma RM"]),
        ("JP", "1-1 Chiyoda", "Chiyoda-ku", "Tokyo", "100-0001", ["1-1 Chiyoda", "Chiyoda-ku, Tokyo", "100-0001"]),
        ("JP", "千代田1-1", "千代田区", "東京都", "100-0001", ["〒100-0001", "東京都", "千代田区", "千代田1-1"]),
        ("SG", "1 Marina Blvd", "Singapore", "", "018989", ["1 Marina Blvd", "SINGAPORE 018989"]),
        ("HK", "1 Queen's Rd", "Central", "Hong Kong Island", "", ["1 Queen's Rd", "Central", "Hong Kong Island"]),
        ("AE", "Tower 1", "", "Dubai", "", ["Tower 1", "Dubai"]),
        ("LU", "1 rue X", "Luxembourg", "", "L-1111", ["1 rue X", "L-1111 Luxembourg"]),
        ("IC", "Calle X 1", "Las Palmas", "", "35001", ["Calle X 1", "35001 Las Palmas"]),
    ],
)  # fmt: skip
def test_lines_stand_in_the_order_of_the_country(
    country: str, street: str, city: str, region: str, code: str, lines: list[str]
) -> None:
    assert list(address_of(someone(street, city, region, code, country), country).lines) == lines


@pytest.mark.parametrize(
    ("country", "missing", "code"),
    [
        ("US", "region", "12345"),
        ("GB", "postal_code", "EC1Y 8SY"),
        ("DE", "city", "10115"),
        ("AE", "region", ""),
        ("IE", "city", "A65 F4E2"),
    ],
)
def test_a_field_that_the_country_asks_for_is_named_when_it_is_missing_and_no_letter_is_planned(
    country: str, missing: str, code: str, settings: Settings
) -> None:
    whole = someone("1 Elm St", "Town", "Region", code, country)
    assert "letter" in contacts_of(whole, None, settings)
    setattr(whole, missing, " ")
    with pytest.raises(FieldMissing, match=missing):
        address_of(whole, country)
    assert "letter" not in contacts_of(whole, None, settings)


def test_every_country_of_the_published_rules_asks_for_what_they_say(shared: Path) -> None:
    published = json.loads((shared / "data/addresses/libaddressinput_formats.json").read_text(encoding="utf-8"))
    letters = {"A": "address_line1", "C": "city", "S": "region", "Z": "postal_code"}
    filled = {"street": "1 Street", "city": "Town", "region": "Region"}
    compared = 0
    for country, rules in published.items():
        if "require" not in rules or "fmt" not in rules or country == "ZZ":
            continue
        assert set(rules_of(country).required) == {letters[each] for each in rules["require"] if each in letters}
        code = rules.get("zipex", "X1").partition(",")[0]
        lines = "|".join(address_of(someone(*filled.values(), code, country), country).lines)
        for field, value in (("A", "1 Street"), ("C", "Town"), ("S", "Region"), ("Z", code)):
            if f"%{field}" in rules.get("lfmt", rules["fmt"]):
                assert value in lines, (country, lines)
        compared += 1
    assert compared > 90


@pytest.mark.parametrize(
    ("country", "code", "can_be"),
    [
        ("US", "ABCDE", False), ("US", "123456", False), ("US", "05401-1234", True), ("US", "054011234", True),
        ("GB", "12345", False), ("GB", "ec1y8sy", True), ("DE", "1011", False), ("DE", "D-10115", True),
        ("CH", "CH 8001", True), ("PL", "00950", True), ("PL", "00 950", True), ("SE", "11455", True),
        ("CA", "K1P5M7", True), ("CA", "90210", False), ("JP", "〒150-0001", True), ("NL", "1011AB", True),
        ("BR", "01310100", True), ("AE", "anything", True), ("US", "see note", False), ("US", "", False),
    ],
)  # fmt: skip
def test_a_postal_code_is_held_only_where_the_country_can_have_none_like_it(
    country: str, code: str, can_be: bool, settings: Settings
) -> None:
    whole = someone("1 Elm St", "Town", "Region", code, country)
    assert ("letter" in contacts_of(whole, None, settings)) is can_be
    if not can_be:
        with pytest.raises(ComposingError, match="postal_code"):
            address_of(whole, country)


def test_every_published_number_is_read_in_its_own_region_and_a_landline_gets_no_text(shared: Path) -> None:
    rows = read_rows(shared / "data/phones/libphonenumber_examples.jsonl")
    plain = [row for row in rows if row["valid"] and row["region"].isalpha()]
    for row in plain:
        assert normalise_phone(row["national"], row["region"]) == row["e164"]
        assert takes_texts(row["national"], row["region"]) or row["type"] != "MOBILE"
    assert len(plain) > 500
    assert takes_texts("(415) 555-2671", "US")
    assert not takes_texts("(415) 555-2671 ext. 12", "US")
    assert not takes_texts("030 901820", "DE")
    assert takes_texts("0151 23456789", "DE")


def test_the_customers_own_country_reads_their_number_and_the_business_its_where_none_is_known(
    settings: Settings,
) -> None:
    german = Customer(customer_id="c", phone="0151 23456789", country="DE")
    assert contacts_of(german, None, settings) == {"text": "+4915123456789", "call": "+4915123456789"}
    assert contacts_of(Customer(customer_id="c", phone="0151 23456789"), None, settings) == {}
    desk = Customer(customer_id="c", phone="+1 415-555-2671 x12")
    assert contacts_of(desk, None, settings) == {"call": "+14155552671"}
    area_code_of_four = Customer(customer_id="c", phone="(4155) 555-2671")
    assert contacts_of(area_code_of_four, None, settings) == {}
    assert area_code_of_four.phone == "(4155) 555-2671"


@pytest.mark.parametrize(
    ("name", "greeting", "envelope"),
    [
        ({"given_name": "Vincent", "family_name": "van Gogh"}, "Vincent", "Vincent van Gogh"),
        ({"given_name": "Mary Ann", "family_name": "O’Neill"}, "Mary Ann", "Mary Ann O’Neill"),
        ({"given_name": "Sukarno"}, "Sukarno", "Sukarno"),
        ({"given_name": "نجيب", "family_name": "محفوظ"}, "نجيب", "نجيب محفوظ"),
        ({"honorific": "Prof.", "family_name": "al-Khwarizmi"}, "Prof. al-Khwarizmi", "Prof. al-Khwarizmi"),
        ({"given_name": "太郎", "family_name": "山田"}, "太郎", "山田太郎"),
        ({"given_name": "Taro", "family_name": "Yamada"}, "Taro", "Taro Yamada"),
        ({"honorific": " ", "family_name": "Smith"}, None, "Smith"),
        ({"family_name": "Smith"}, None, "Smith"),
        ({"honorific": "Dr."}, None, None),
    ],
)
def test_names_are_written_as_people_write_them_and_no_title_is_guessed(
    name: dict[str, str], greeting: str | None, envelope: str | None
) -> None:
    customer = Customer(customer_id="c", **name)
    for write, expected in (
        (lambda: greeting_name(customer, "greeting"), greeting),
        (lambda: full_name(customer), envelope),
    ):
        if expected is None:
            with pytest.raises(FieldMissing):
                write()
        else:
            assert write() == expected


def test_every_sample_name_of_unicode_is_greeted_by_its_given_name_unchanged(shared: Path) -> None:
    rows = read_rows(shared / "data/names/cldr48_sample_names.jsonl")
    for row in rows:
        customer = Customer(customer_id="c", given_name=row.get("given"), family_name=row.get("surname"))
        if row.get("given"):
            assert greeting_name(customer, "greeting") == row["given"].strip()
        for part in filter(None, (row.get("given"), row.get("surname"))):
            assert part.strip() in full_name(customer)
    assert len(rows) > 300
