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
    "DE": ("DE", "D.E.", "Germany", "Deutschland", "Allemagne", "Alemania", "Niemcy", "DEU", "BRD", "ドイツ",
           "Federal Republic of Germany", "Germany, Federal Republic of"),
    "CH": ("CH", "Switzerland", "Schweiz", "Suisse", "Svizzera"),
    "CI": ("Côte d’Ivoire", "Cote d'Ivoire", "Ivory Coast"),
    "BA": ("Bosnia & Herzegovina", "Bosnia and Herzegovina"),
    "GM": ("The Gambia", "Gambia"),
    "NL": ("The Netherlands", "Netherlands", "Netherlands, The", "Kingdom of the Netherlands",
           "Netherlands (Kingdom of the)",
           "Holland", "Pays-Bas", "Nederland"),
    "KR": ("South Korea", "Korea", "대한민국", "Korea, Republic of", "Korea (Republic of)", "Republic of Korea",
           "Korea, South"),
    "TR": ("Turkey", "Türkiye", "TÜRKIYE"),
    "CZ": ("Czechia", "Czech Republic", "Česko"),
    "AE": ("UAE", "U.A.E.", "United Arab Emirates"),
    "ES": ("España", "Espana", "Spain"),
    "LC": ("St. Lucia", "St Lucia"),
    "GE": ("Georgia", "Georgien"),
    "RU": ("Russia", "Россия", "Russian Federation"),
    "KP": ("North Korea", "Korea, North",
           "Korea, Democratic People's Republic of", "Korea (Democratic People's Republic of)"),
    "IR": ("Iran", "Iran (Islamic Republic of)", "Iran, Islamic Republic of", "Islamic Republic of Iran"),
    "CD": ("Congo, The Democratic Republic of the", "Congo (Democratic Republic of the)", "Congo - Kinshasa", "DRC"),
    "CG": ("Congo", "Republic of the Congo", "Congo, Republic of the"),
    "CN": ("China", "People's Republic of China", "P.R. China", "PRC"),
    "TW": ("Taiwan", "Taiwan, Province of China", "Taiwan (Province of China)", "Republic of China"),
    "BO": ("Bolivia, Plurinational State of", "Bolivia (Plurinational State of)"),
    "VE": ("Venezuela, Bolivarian Republic of",), "TZ": ("Tanzania, United Republic of",),
    "MD": ("Moldova, Republic of", "Republic of Moldova"), "FM": ("Micronesia (Federated States of)",),
    "PS": ("Palestine, State of", "State of Palestine"), "BS": ("Bahamas, The", "The Bahamas"),
    "VI": ("Virgin Islands, U.S.", "Virgin Islands (U.S.)"),
    "VG": ("Virgin Islands, British", "Virgin Islands (British)"),
    "LA": ("Lao People's Democratic Republic",), "SY": ("Syrian Arab Republic",),
    "VA": ("Holy See (Vatican City State)",),
    "FK": ("Falkland Islands (Malvinas)",), "MF": ("Saint Martin (French part)",), "HK": ("Hong Kong SAR",),
    "SK": ("Slovak Republic",), "AT": ("Republic of Austria", "Österreich"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "code"), [(name, code) for code, names in KNOWN.items() for name in names])
def test_a_country_is_known_by_its_codes_and_its_names(name: str, code: str) -> None:
    assert find_country(name) == code


@pytest.mark.parametrize(
    "name",
    ["", " ", "Narnia", "ZZ", "EU", "UN", "XA", "European Union", "XX", "Virgin Islands", "Guineas", "US-NY",
     "U S of Narnia", "12", "?", "Vermont", "New England", "Ontario", "Bavaria", "U", "USAUSA",
     "Congo (Socialist Republic of)", "Republic of", "Republic of Narnia", "Georgia, South", "Germany, France",
     ", of", "(of)",
     "Socialist Republic of Korea"],
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
