"""A customer's postal address as its country's post office wants it written: lines for the envelope's window."""

from dataclasses import dataclass
from functools import cache

from babel import Locale

from outreach.errors import CannotWrite, FieldMissing
from outreach.models import Customer

# Where the postal code stands: behind the town, below it, and elsewhere before it (UPU, postal addressing systems).
_TOWN_FIRST = frozenset({"US", "CA", "AU", "NZ", "PR"})
_CODE_BELOW = frozenset({"GB", "IE", "JE", "GG", "IM", "GI", "ZA", "HK", "SG", "PK"})
_ALIASES = {"usa": "US", "united states of america": "US", "uk": "GB", "great britain": "GB", "england": "GB"}


@dataclass(frozen=True)
class Address:
    """Who and where: `lines` stand below the name, the last of them the country where it is not the sender's.

    `streets`, `city` and `region` are the same address in the fields that printing houses ask for.
    """

    name: str
    lines: tuple[str, ...]
    postal_code: str
    country: str
    streets: tuple[str, ...]
    city: str
    region: str


def address_of(customer: Customer, home: str) -> Address:
    """The customer's address as written in the country with the code `home`.

    Raises FieldMissing for a missing name, street, town or postal code, CannotWrite for a country nobody knows.
    """
    required = {"address_line1": customer.address_line1, "city": customer.city, "postal_code": customer.postal_code}
    for field, value in required.items():
        if not (value and value.strip()):
            raise FieldMissing(field, "the address")
    country = country_code(customer.country, home)
    lines = [customer.address_line1, customer.address_line2, *_town_lines(customer, country)]
    if country != home:
        lines.append(_country_names()[country].upper())
    return Address(
        name=full_name(customer),
        lines=_filled(lines),
        postal_code=(customer.postal_code or "").strip(),
        country=country,
        streets=_filled([customer.address_line1, customer.address_line2]),
        city=(customer.city or "").strip(),
        region=(customer.region or "").strip(),
    )


def _filled(lines: list[str | None]) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines if line and line.strip())


def full_name(customer: Customer) -> str:
    """The name on the envelope: title, given and family name, as far as there are any."""
    parts = (customer.honorific, customer.given_name or customer.preferred_name, customer.family_name)
    name = " ".join(part.strip() for part in parts if part and part.strip())
    if not name:
        raise FieldMissing("name", "the address")
    return name


def country_code(written: str | None, home: str) -> str:
    """The two letters of a country that may be written in any of the usual ways; `home` where nothing is written."""
    if not (written and written.strip()):
        return home
    cleaned = written.strip()
    if cleaned.upper() in _country_names():
        return cleaned.upper()
    by_name = {name.casefold(): code for code, name in _country_names().items()}
    code = _ALIASES.get(cleaned.casefold()) or by_name.get(cleaned.casefold())
    if code is None:
        raise CannotWrite("“country” is none we know; write its two letters, such as US, in the customer data")
    return code


@cache
def _country_names() -> dict[str, str]:
    return {code: name for code, name in Locale("en").territories.items() if len(code) == 2 and code.isalpha()}


def _town_lines(customer: Customer, country: str) -> list[str]:
    city, region, code = ((value or "").strip() for value in (customer.city, customer.region, customer.postal_code))
    if country in _TOWN_FIRST:
        town = f"{city}, {region}" if region and country == "US" else f"{city} {region}"
        return [f"{town.strip()} {code}"]
    if country in _CODE_BELOW:
        return [city, code]
    return [f"{code} {city}"]
