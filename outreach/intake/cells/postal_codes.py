"""Puts back the zeros that postal codes lost: a spreadsheet takes 02134 for a number and writes 2134, or 2134.0.

It does so where country and region leave no doubt. What is left in doubt is printed on no envelope.
"""

import re
from collections.abc import Iterator
from typing import Any

from outreach.intake.cells.parsers import Style
from outreach.intake.cells.unfit import Remark
from outreach.intake.postal_rules import can_be_code, fits_postal_code, knows_region, lost_zeros, put_zeros

# Where a code that fits the country may still be another state's with a digit missing, the region must agree.
NEEDS_REGION = frozenset({"US"})
_NUMBER = re.compile(r"(\d+)\.0+")
_ZIP_AND_FOUR = re.compile(r"(\d{3,5})[- ]?(\d{4})")


def mend_postal_code(record: dict[str, Any], style: Style) -> Iterator[Remark]:
    """Puts lost zeros back into a customer's postal_code; yields that it did, or why the code stays in doubt."""
    code = record.get("postal_code")
    if not code:
        return
    country = record.get("country") or style.country
    if code[:1].isdigit():
        record["postal_code"] = mend_code(code, country, record.get("region") or "")
    mended = record["postal_code"]
    if fits_postal_code(mended, country):
        if mended[:1] == "0" != code[:1]:
            yield Remark("postal_code", "a zero that was lost stands before it again", is_mended=True)
    elif lost_zeros(mended, country):
        yield Remark("postal_code", "a digit is missing, and the region does not say which; no letter goes there")
    elif not can_be_code(mended, country):
        yield Remark("postal_code", "its country cannot have such a code; no letter goes there")


def mend_code(code: str, country: str, region: str) -> str:
    """The code with the zeros it lost where it is sure that it did; any other code as it is."""
    plain = _NUMBER.sub(r"\1", code) if _NUMBER.fullmatch(code) else code
    if country == "US":
        plain = _split_zip(plain)
    if fits_postal_code(plain, country):
        return plain
    for longer in put_zeros(plain, country):
        if fits_postal_code(longer, country):
            return longer if _agrees(longer, plain, country, region) else plain
    return plain


def _split_zip(code: str) -> str:
    """021344567 is 02134-4567, and 2134-4567 and 21344567 are the same without their zero."""
    match = _ZIP_AND_FOUR.fullmatch(code)
    return f"{match[1]}-{match[2]}" if match else code


def _agrees(longer: str, plain: str, country: str, region: str) -> bool:
    if region and knows_region(country, region):
        return fits_postal_code(longer, country, region)
    if country in NEEDS_REGION:
        return False
    # Two digits can only be zeros where all codes of the country begin with them.
    return len(longer) == len(plain) + 1 or not fits_postal_code("9" + longer[1:], country)
