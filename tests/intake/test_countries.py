"""Countries by their codes and by their names in the languages of exports; what may be two countries is none."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from outreach.intake.cells.countries import _LANGUAGES, _codes, find_country
from outreach.intake.cells.parsers import Style, country
from outreach.intake.cells.unfit import Unfit

KNOWN = {
    "US": ("US", "us", " us ", "USA", "usa", "U.S.", "U.S.A.", "United States", "the United States of America",
           "UNITED STATES", "America", "Vereinigte Staaten", "États-Unis", "Estados Unidos", "アメリカ合衆国"),
    "GB": ("GB", "UK", "U.K.", "United Kingdom", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland",
           "Vereinigtes Königreich", "GBR"),
    "DE": ("DE", "D.E.", "Germany", "Deutschland", "Allemagne", "Alemania", "Niemcy", "DEU", "BRD", "ドイツ"),
    "CH": ("CH", "Switzerland", "Schweiz", "Suisse", "Svizzera"),
    "CI": ("Côte d’Ivoire", "Cote d'Ivoire", "Ivory Coast"),
    "BA": ("Bosnia & Herzegovina", "Bosnia and Herzegovina"),
    "GM": ("The Gambia", "Gambia"),
    "NL": ("The Netherlands", "Netherlands", "Holland", "Pays-Bas", "Nederland"),
    "KR": ("South Korea", "Korea", "대한민국"),
    "TR": ("Turkey", "Türkiye", "TÜRKIYE"),
    "CZ": ("Czechia", "Czech Republic", "Česko"),
    "AE": ("UAE", "U.A.E.", "United Arab Emirates"),
    "ES": ("España", "Espana", "Spain"),
    "LC": ("St. Lucia", "St Lucia"),
    "GE": ("Georgia", "Georgien"),
    "RU": ("Russia", "Россия"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "code"), [(name, code) for code, names in KNOWN.items() for name in names])
def test_a_country_is_known_by_its_codes_and_its_names(name: str, code: str) -> None:
    assert find_country(name) == code


@pytest.mark.parametrize(
    "name",
    ["", " ", "Narnia", "ZZ", "EU", "UN", "XA", "European Union", "XX", "Virgin Islands", "Guineas", "US-NY",
     "U S of Narnia", "12", "?", "Vermont", "New England", "Ontario", "Bavaria", "U", "USAUSA"],
)  # fmt: skip
def test_what_is_no_country_or_may_be_two_is_none(name: str) -> None:
    assert find_country(name) is None


def test_the_reason_against_a_country_does_not_repeat_it() -> None:
    with pytest.raises(Unfit, match="this is no country's name, nor its two-letter code") as refused:
        country("Narnia", Style("UTC", "USD"))
    assert "Narnia" not in str(refused.value)


def test_every_code_stands_for_itself() -> None:
    assert len(_codes()) > 240
    assert {code for code in _codes() if find_country(code) != code or find_country(code.lower()) != code} == set()


@pytest.mark.parametrize("language", _LANGUAGES)
def test_no_name_of_a_country_is_taken_for_another(language: str) -> None:
    names = {name: code for code, name in Locale(language).territories.items() if code in _codes()}
    found = {name: find_country(name) for name in names}
    # “Congo” and the like are of two countries in some languages.
    unknown = {name for name, code in found.items() if code is None}
    assert {name: code for name, code in found.items() if name not in unknown and code != names[name]} == {}
    assert len(unknown) <= 2, unknown


@given(st.text(max_size=20))
def test_any_text_is_a_country_or_none(text: str) -> None:
    assert find_country(text) in {None, *_codes()}
