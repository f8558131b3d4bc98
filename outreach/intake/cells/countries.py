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
}  # fmt: skip


def find_country(text: str) -> str | None:
    """The two-letter code of a country that is written as a code of two or three letters, or as a name."""
    folded = _fold(text)
    if len(folded) == 2 and folded.upper() in _codes():
        return folded.upper()
    return _names().get(folded)


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
