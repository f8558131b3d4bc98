"""Writes a customer's postal address as its country's post office wants it: lines for the envelope's window."""

import re
from dataclasses import dataclass
from functools import cache

from babel import Locale

from outreach.errors import CannotWrite, FieldMissing
from outreach.intake.cells.countries import find_country
from outreach.intake.names import names_of
from outreach.intake.postal_rules import missing_fields, order_lines
from outreach.models import Customer
from outreach.planning.contact_cards import postal_fields

# Han, kana and hangul.
_EAST_ASIAN = re.compile("[\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


@dataclass(frozen=True)
class Address:
    """Whom a letter is for, and where they live."""

    name: str
    #: What stands below the name; the last is the country, where that is not the sender's.
    lines: tuple[str, ...]
    postal_code: str
    #: Two letters, such as US.
    country: str
    #: This and the two below are the same address in the fields that printing houses ask for.
    streets: tuple[str, ...]
    city: str
    region: str


def address_of(customer: Customer, home: str) -> Address:
    """The customer's address as written in the country with the code `home`.

    Raises FieldMissing for a missing name and for a field that an address in that country cannot do without,
    CannotWrite for a country nobody knows.
    """
    country = country_code(customer.country, home)
    fields = postal_fields(customer, country)
    if missing := missing_fields(fields, country):
        if fields[missing[0]]:
            raise CannotWrite(f"“{missing[0]}” is none that {country} can have; mend it in the customer data")
        raise FieldMissing(missing[0], "the address")
    streets = _filled([customer.address_line1, customer.address_line2])
    lines = order_lines(fields, list(streets), country)
    if country != home:
        lines.append(_country_names()[country].upper())
    return Address(
        name=full_name(customer),
        lines=tuple(lines),
        postal_code=fields["postal_code"],
        country=country,
        streets=streets,
        city=fields["city"],
        region=fields["region"],
    )


def _filled(lines: list[str | None]) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines if line and line.strip())


def full_name(customer: Customer) -> str:
    """The name on the envelope: title, given and family name, as far as there are any. Raises FieldMissing for none.

    What stands for no name ("N/A", "nan") is not printed. Names in Chinese, Japanese and Korean letters are written as
    there: the family's first, and no space between.
    """
    names = names_of(customer)
    given, family = names.given or names.preferred, names.family
    if given and family and _EAST_ASIAN.fullmatch(given + family):
        return family + given
    if not (given or family):
        raise FieldMissing("name", "the address")
    return " ".join(part for part in (names.title, given, family) if part)


def country_code(written: str | None, home: str) -> str:
    """The two letters of a country that may be written in any of the usual ways; `home` where nothing is written."""
    if not (written and written.strip()):
        return home
    code = find_country(written)
    if code is None:
        raise CannotWrite("“country” is none we know; write its two letters, such as US, in the customer data")
    return code


@cache
def _country_names() -> dict[str, str]:
    return {code: name for code, name in Locale("en").territories.items() if len(code) == 2 and code.isalpha()}
