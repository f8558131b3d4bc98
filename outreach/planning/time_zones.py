"""Finds every time zone that a customer's clock may show, by where they may be.

Nothing is guessed: what is known narrows the zones, and what is not known leaves all of a country's.
"""

from functools import cache
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from outreach.country_zones import zones_by_country
from outreach.models import Customer

_EAST, _CENTRAL, _MOUNTAIN, _PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
_OF_REGIONS = {
    "US": {
        (_EAST,): "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
        (_EAST, _CENTRAL): "AL FL IN KY MI TN",
        (_CENTRAL,): "AR IA IL LA MN MO MS WI",
        (_CENTRAL, _MOUNTAIN): "KS ND NE OK SD TX",
        (_MOUNTAIN,): "CO MT NM UT WY",
        (_MOUNTAIN, "America/Phoenix"): "AZ",
        (_MOUNTAIN, _PACIFIC): "ID NV OR",
        (_PACIFIC,): "CA WA",
        ("America/Anchorage", "America/Adak"): "AK",
        ("Pacific/Honolulu",): "HI",
        ("America/Puerto_Rico",): "PR VI",
        ("Pacific/Guam",): "GU MP",
        ("Pacific/Pago_Pago",): "AS",
    },
    "CA": {
        ("America/St_Johns", "America/Goose_Bay"): "NL",
        ("America/Halifax",): "NB NS PE",
        ("America/Toronto", "America/Blanc-Sablon", "America/Halifax"): "QC",
        ("America/Toronto", "America/Winnipeg", "America/Atikokan"): "ON",
        ("America/Winnipeg",): "MB",
        ("America/Regina", "America/Edmonton"): "SK",
        ("America/Edmonton",): "AB NT",
        ("America/Vancouver", "America/Edmonton", "America/Fort_Nelson"): "BC",
        ("America/Whitehorse",): "YT",
        ("America/Iqaluit", "America/Rankin_Inlet", "America/Cambridge_Bay", "America/Resolute"): "NU",
    },
}
_ZONES_OF = {
    country: {region: zones for zones, regions in table.items() for region in regions.split()}
    for country, table in _OF_REGIONS.items()
}
# The first three digits of a US postal code up to and including each number lie in the state beside it.
_ZIPS = (
    (4, ""), (5, "NY"), (7, "PR"), (8, "VI"), (9, "PR"), (27, "MA"), (29, "RI"), (38, "NH"), (49, "ME"), (54, "VT"),
    (55, "MA"), (59, "VT"), (69, "CT"), (89, "NJ"), (99, "AE"), (149, "NY"), (196, "PA"), (199, "DE"), (205, "DC"),
    (219, "MD"), (246, "VA"), (268, "WV"), (269, ""), (289, "NC"), (299, "SC"), (319, "GA"), (339, "FL"), (340, "AA"),
    (349, "FL"), (369, "AL"), (385, "TN"), (397, "MS"), (399, "GA"), (427, "KY"), (429, ""), (459, "OH"), (479, "IN"),
    (499, "MI"), (528, "IA"), (529, ""), (549, "WI"), (567, "MN"), (568, ""), (569, "DC"), (577, "SD"), (579, ""),
    (588, "ND"), (589, ""), (599, "MT"), (629, "IL"), (658, "MO"), (659, ""), (679, "KS"), (693, "NE"), (699, ""),
    (714, "LA"), (715, ""), (729, "AR"), (732, "OK"), (733, "TX"), (749, "OK"), (799, "TX"), (816, "CO"), (819, ""),
    (831, "WY"), (838, "ID"), (839, ""), (847, "UT"), (849, ""), (865, "AZ"), (869, ""), (884, "NM"), (885, "TX"),
    (888, ""), (898, "NV"), (899, ""), (961, "CA"), (966, "AP"), (968, "HI"), (969, "GU"), (979, "OR"), (994, "WA"),
    (999, "AK"),
)  # fmt: skip
# Addresses of the armed forces lie anywhere.
_FORCES = frozenset({"AA", "AE", "AP"})
# Codes in use that the tz database has no line for.
_WITHOUT_A_LINE = {"XK": ("Europe/Belgrade",), "UK": ("Europe/London",)}


def plausible_zones(customer: Customer, number: str | None, home: str) -> tuple[str, ...]:
    """The zones that the customer may be in, in order of their names.

    Their own `timezone` settles it. Else it is every zone of their address (of the country `home` where it names none),
    with those of their `number` in E.164: people move and keep it. A place we do not know leaves all the world's.
    """
    if customer.timezone in _known():
        return (customer.timezone,) if customer.timezone else ()
    country = (customer.country or home).strip().upper()
    places = _regions_of(country, customer.region or "", customer.postal_code or "")
    zones = {zone for place in places for zone in _zones_of_region(country, place)}
    return tuple(sorted(zones | _zones_of_number(number)))


def region_of(customer: Customer, home: str) -> tuple[str, str]:
    """The country, and the region of it where exactly one is plausible: ("US", "FL"), or ("US", "")."""
    country = (customer.country or home).strip().upper()
    places = _regions_of(country, customer.region or "", customer.postal_code or "")
    return country, next(iter(places)) if len(places) == 1 else ""


def _regions_of(country: str, region: str, postal_code: str) -> set[str]:
    """The regions that an address may lie in by what it says; where it says two, both; {""} where it says none."""
    region = region.strip().upper().removeprefix(f"{country}-")
    regions = {region} if region in _ZONES_OF.get(country, {}) or (country == "US" and region in _FORCES) else set()
    if country == "US" and postal_code[:3].isascii() and postal_code[:3].isdecimal() and len(postal_code) >= 5:
        regions.add(next(state for last, state in _ZIPS if int(postal_code[:3]) <= last))
    return regions or {""}


@cache
def _zones_of_region(country: str, region: str) -> frozenset[str]:
    if region in _FORCES:
        return frozenset(available_timezones())
    zones = _ZONES_OF.get(country, {}).get(region) or _WITHOUT_A_LINE.get(country) or zones_by_country().get(country)
    return frozenset(zones or _known())


@cache
def _zones_of_number(number: str | None) -> frozenset[str]:
    try:
        zones = time_zones_for_number(phonenumbers.parse(number, None)) if number else ()
    except phonenumbers.NumberParseException:
        zones = ()
    return frozenset(zones) - {UNKNOWN_TIMEZONE} & _known()


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
