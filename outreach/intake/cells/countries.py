"""Knows countries by their codes and by their names in the languages that exports are written in.

A name that stands for two countries, or for none, is not guessed at.
"""

import re
import unicodedata
from collections import defaultdict
from functools import cache

from babel import Locale
from babel.core import get_global

# CLDR has codes of no country: ZZ stands for an unknown one, EU, EZ and UN are unions, XA and XB are made up.
_NO_COUNTRIES = frozenset({"ZZ", "EU", "EZ", "UN", "XA", "XB", "QO"})
_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "sk", "hu", "ro", "hr", "tr", "el",
    "ru", "uk", "ar", "fa", "he", "ja", "zh", "ko",
)  # fmt: skip
# What people write and CLDR has under no country.
_ALSO = {
    "usa": "US", "us of a": "US", "united states of america": "US", "estados unidos de america": "US",
    "america": "US", "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "britain": "GB", "holland": "NL", "czech republic": "CZ",
    "republic of ireland": "IE", "eire": "IE", "uae": "AE", "south korea": "KR", "korea": "KR", "russia": "RU",
    "macedonia": "MK", "swaziland": "SZ", "burma": "MM", "ivory coast": "CI", "brasil": "BR", "vietnam": "VN",
    "viet nam": "VN", "hong kong": "HK", "macau": "MO", "macao": "MO", "turkey": "TR", "russian federation": "RU",
    "bundesrepublik deutschland": "DE", "brd": "DE", "palestine": "PS", "cape verde": "CV", "east timor": "TL",
    # As ISO 3166 and the United Nations write them, where no word can be left out.
    "democratic people s republic of korea": "KP", "democratic republic of congo": "CD",
    "democratic republic of the congo": "CD", "congo drc": "CD", "drc": "CD", "republic of china": "TW",
    "taiwan province of china": "TW", "province of china taiwan": "TW", "lao people s democratic republic": "LA",
    "syrian arab republic": "SY", "libyan arab jamahiriya": "LY", "slovak republic": "SK", "czech rep": "CZ",
    "dominican rep": "DO", "holy see": "VA", "holy see vatican city state": "VA", "falkland islands malvinas": "FK",
    "saint martin french part": "MF", "sint maarten dutch part": "SX", "hong kong sar": "HK", "macao sar": "MO",
    "occupied palestinian territory": "PS", "united kingdom of great britain and northern ireland": "GB",
    "great britain and northern ireland": "GB", "prc": "CN", "pr china": "CN", "p r china": "CN",
    "the former yugoslav republic of macedonia": "MK", "former yugoslav republic of macedonia": "MK",
    "saint helena ascension and tristan da cunha": "SH", "bonaire sint eustatius and saba": "BQ",
}  # fmt: skip
# What kind of state it is, which may stand before its name.
_FORM_OF_STATE = re.compile(
    r"(?:(?:islamic|people s|democratic|socialist|plurinational|bolivarian|united|federal|federated|arab|hashemite"
    r"|cooperative|co operative|oriental|independent) )*"
    r"(?:republic|kingdom|states?|federation|sultanate|principality|commonwealth|union|grand duchy) of (?:the )?"
)
# There the kind of state tells two of one name apart.
_TOLD_BY_FORM = frozenset({"korea", "congo", "china"})
# `Korea, Republic of` and `Iran (Islamic Republic of)`.
_TURNED = re.compile(r"([^,(]+)[,(]\s*([^,()]+)\)?")


def find_country(text: str) -> str | None:
    """The two-letter code of a country that is written as a code of two or three letters, or as a name."""
    folded = _fold(text)
    if len(folded) == 2 and folded.upper() in _codes():
        return folded.upper()
    turned = _TURNED.fullmatch(text.strip())
    ways = [folded, *([_fold(f"{turned[2]} {turned[1]}")] if turned else [])]
    return next((code for way in ways if (code := _find_name(way))), None)


def _find_name(folded: str) -> str | None:
    """The country of a name, with or without what kind of state it is."""
    if code := _names().get(folded):
        return code
    form = _FORM_OF_STATE.match(folded)
    name = folded[form.end() :] if form else ""
    if form and name in _TOLD_BY_FORM and form[0] not in {"republic of ", "republic of the ", "people s republic of "}:
        return None
    return _names().get(name)


def _fold(name: str) -> str:
    """In small letters, without marks and accents: `U.S.A.` is `usa`, and `The Gambia` is `gambia`."""
    letters = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    together = re.sub(r"(?<=\w)\.(?=\w|$)", "", bare)
    return " ".join(re.sub(r"[^\w]+", " ", together).split()).removeprefix("the ")


@cache
def _codes() -> frozenset[str]:
    return (
        frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code)) - _NO_COUNTRIES
    )


@cache
def _names() -> dict[str, str]:
    """Codes by names that are of one country alone, whatever the language."""
    countries: defaultdict[str, set[str]] = defaultdict(set)
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in _codes():
                countries[_fold(name)].add(code)
    names = {name: codes.pop() for name, codes in countries.items() if len(codes) == 1}
    # CLDR's list of other codes has the three-letter ones, each with the two letters it stands for.
    for alias, codes in get_global("territory_aliases").items():
        if re.fullmatch("[A-Z]{3}", alias) and len(codes) == 1 and codes[0] in _codes():
            names.setdefault(alias.casefold(), codes[0])
    return names | _ALSO
