"""Whom a customer may be greeted as: what stands for no name is passed over, and a note of a death asks staff."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.composing.paper.addresses import full_name
from outreach.composing.template_data import greeting_name
from outreach.errors import FieldMissing
from outreach.intake.name_affixes import has_degree, is_company, split_titles
from outreach.intake.names import FIELDS, greeting_of, is_name, names_of, tells_of_death, why_no_greeting
from outreach.models import Customer

MADE_OF_NOTHING = """
- | . | — | ? | _ | 0 | 12345 | +1 802 555 0140 | anna@example.com | https://a.example | N/A | n/a | N.A. | NA | #N/A
NULL | null | None | none | nan | NaN | nil | undefined | (null) | <NA> | [blank] | \\N | #REF! | NaT | unknown
Unknown | UNKNOWN | test | Test | TEST | Test User | test2 | xxx | XXX | x | aaa | asdf | TBD | tba | no name | No Name
noname | no-name | first_name | First Name | FNAME | {{first_name}} | {{ name }} | %FIRSTNAME% | *|FNAME|* | <name>
«Vorname» | ${name} | [[NAME]] | @@name@@ | Anna nan | Valued Customer | Customer 4711 | Current Resident
sir/madam | Unbekannt | unbekannt | ohne Name | keine Angabe | k.A. | k. A. | N.N. | Vorname
Kunde | inconnue | Sans nom | Non renseigné | n/c
Prénom | Desconocido | Sin nombre | no consta | s/n | Nombre | c/o Miller | attn: Bob | z. Hd. Frau Lang | do not mail
The Smith Family | Smith Family | Familie Schmidt | Famille Dupont | Familia García | Parents of Mia | Baby Boy
""".replace("*|FNAME|*", "*¦FNAME¦*").replace("\n", " | ").split(" | ")  # fmt: skip
NO_NAMES = sorted({word.strip().replace("¦", "|") for word in MADE_OF_NOTHING} - {""})
DEATHS = (
    "(deceased)", "Anna (deceased)", "DECEASED", "Estate of Anna", "The Estate of J. Smith", "Smith Estate", "Anna †",
    "the late John", "Anna (verstorben)", "verst. 2021", "Nachlass Schmidt", "Erben von Anna", "Anne (décédée)",
    "Succession Dupont", "feu Jean", "Ana (fallecida)", "Difunto Juan", "Herederos de Juan", "R.I.P.", "Anna RIP",
)  # fmt: skip
PEOPLE = (
    "Cher", "Nan", "NAN", "Nil", "Na", "J", "J.", "J.R.", "K. A.", "Bo", "太郎", "نجيب", "Anna & Tom", "Jean-Luc",
    "O’Neill", "Thế Anh", "Rip", "Deanna", "Decker", "Estefanía", "Given", "No", "Testa", "Dr. Lena Hartmann",
)  # fmt: skip
SURNAMES = (
    "Null",
    "Test",
    "Blank",
    "BLANK",
    "Guest",
    "Nan",
    "Kunde",
    "Gast",
    "X",
    "Erben",
    "van Erven",
    "Familia",
    "Krebs",
)


def customer(**names: str | None) -> Customer:
    return Customer(customer_id="c", **names)


@pytest.mark.parametrize("word", NO_NAMES)
def test_a_word_for_no_name_is_passed_over_for_the_next_right_greeting(word: str) -> None:
    assert greeting_of(customer(preferred_name=word, given_name="Anna")) == "Anna"
    formal = customer(preferred_name=word, given_name=word, honorific="Dr.", family_name="Stone")
    assert (greeting_of(formal), full_name(formal)) == ("Dr. Stone", "Dr. Stone")
    assert full_name(customer(given_name=word, preferred_name="Ann", family_name="Stone")) == "Ann Stone"
    alone = customer(given_name=word, family_name="Stone")
    assert greeting_of(alone) is None
    assert "given_name holds" in why_no_greeting(alone)
    assert not tells_of_death(alone)
    with pytest.raises(FieldMissing):
        greeting_name(alone, "greeting")


@pytest.mark.parametrize("word", ["-", "N/A", "NULL", "null", "nan", "NaN", "unknown", "test", "TBD", "{{last_name}}"])
def test_no_such_word_is_printed_for_a_family_name_or_a_title(word: str) -> None:
    assert full_name(customer(honorific=word, given_name="Anna", family_name=word)) == "Anna"
    assert greeting_of(customer(honorific=word, family_name="Stone")) is None
    assert greeting_of(customer(honorific="Mrs.", family_name=word)) is None


@pytest.mark.parametrize("title", ["Mr/Mrs", "Herr/Frau", "Sr./Sra.", "M./Mme", "Mr or Mrs", "Familie", "Other", "F"])
def test_a_title_that_is_left_open_greets_nobody(title: str) -> None:
    assert greeting_of(customer(honorific=title, family_name="Stone")) is None
    assert full_name(customer(honorific=title, given_name="Anna", family_name="Stone")) == "Anna Stone"


@pytest.mark.parametrize("title", ["Mr. & Mrs.", "Prof. Dr.", "Sir", "Madam", "Herr", "M.", "Mx", "Sra."])
def test_a_title_that_people_have_does(title: str) -> None:
    assert greeting_of(customer(honorific=title, family_name="Stone")) == f"{title} Stone"


@pytest.mark.parametrize("name", PEOPLE)
def test_people_whose_names_are_short_or_look_like_words_are_greeted(name: str) -> None:
    assert greeting_of(customer(given_name=name)) == name
    assert full_name(customer(given_name=name)) == name
    assert is_name(name)


@pytest.mark.parametrize("name", SURNAMES)
def test_surnames_that_are_also_words_are_printed(name: str) -> None:
    assert full_name(customer(given_name="Anna", family_name=name)) == f"Anna {name}"
    assert greeting_of(customer(honorific="Mr.", family_name=name)) == f"Mr. {name}"


def test_a_surname_that_is_also_a_word_is_not_believed_beside_a_given_name_that_is_none() -> None:
    both = customer(given_name="Test", honorific="Mr.", family_name="Patient")
    assert greeting_of(both) is None
    with pytest.raises(FieldMissing):
        full_name(both)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("note", DEATHS)
def test_a_note_of_a_death_in_any_name_greets_nobody_and_is_told(note: str, field: str) -> None:
    noted = customer(**{"given_name": "Anna", "family_name": "Stone", field: note})
    assert tells_of_death(noted)
    assert greeting_of(noted) is None
    assert "they have died" in why_no_greeting(noted)
    assert note not in full_name(noted)


COMPANIES = (
    "Ann's Dental, LLC", "ACME INC.", "Baker & Sons Ltd", "Praxis Dr. Lang GmbH", "Nestlé S.A.", "Rossi S.r.l.",
    "Volvo AB", "Bakkerij Jansen B.V.", "Ferretería López, S.L.", "Novák s.r.o.", "Kowalski Sp. z o.o.", "Smith & Co.",
    "Müller & Co. KG", "山田株式会社", "ООО Ромашка", "Green Dental P.C.", "F. Hoffmann-La Roche AG", "Sportclub e.V.",
)  # fmt: skip
NOT_COMPANIES = (
    "Sa", "SA", "Maria de SA", "Ag", "As", "Co", "S.L. Jackson", "B.V. Rao", "C.V.", "J.S.A.", "Aps", "Ince", "Lincoln",
    "Corpuz", "Plca", "Dental", "Baker", "van SE", "O'Brien-Smith", "María José", "King Jr.", "نجيب", "美咲",
)  # fmt: skip


@pytest.mark.parametrize("name", COMPANIES)
def test_a_company_is_written_to_under_its_name_and_is_known_for_one(name: str) -> None:
    assert greeting_of(customer(given_name=name)) == name
    assert is_company(name)


@pytest.mark.parametrize("name", NOT_COMPANIES)
def test_names_that_are_spelled_like_legal_forms_are_names(name: str) -> None:
    assert not is_company(name)
    assert greeting_of(customer(given_name=name, family_name=name)) == name
    assert full_name(customer(given_name="Ann", family_name=name)) == f"Ann {name}"


def test_no_public_name_is_taken_for_a_company_or_a_title(shared: Path) -> None:
    lists = ("faker_name_lists.jsonl", "cldr48_sample_names.jsonl")
    texts = [(shared / "data/names" / name).read_text(encoding="utf-8") for name in lists]
    entries = [json.loads(line) for text in texts for line in text.splitlines()]
    names = {one[key] for one in entries for key in ("name", "given", "given2", "surname") if one.get(key)}
    assert len(names) > 10_000
    assert [name for name in names if is_company(name) or split_titles(name)[0] or has_degree(name)] == []


@pytest.mark.parametrize(
    ("given", "called", "envelope"),
    [
        ("Dr. Ruth", "Ruth", "Dr. Ruth Green DDS"),
        ("Prof. Dr. Mary Ann", "Mary Ann", "Prof. Dr. Mary Ann Green DDS"),
        ("MRS RUTH", "RUTH", "MRS RUTH Green DDS"),
        ("Dr.Ruth", "Ruth", "Dr. Ruth Green DDS"),
        ("Frau Dr. Ruth", "Ruth", "Frau Dr. Ruth Green DDS"),
        ("Sra. Lucía", "Lucía", "Sra. Lucía Green DDS"),
        # The field names two, or a name that begins like a title.
        ("Mr. & Mrs. John", "Mr. & Mrs. John", "Mr. & Mrs. John Green DDS"),
        ("Mr. John & Mrs. Jane", "Mr. John & Mrs. Jane", "Mr. John & Mrs. Jane Green DDS"),
        ("Drew", "Drew", "Drew Green DDS"),
        ("Missy", "Missy", "Missy Green DDS"),
        ("Mag", "Mag", "Mag Green DDS"),
    ],
)
def test_a_title_in_the_given_name_is_not_part_of_the_greeting(given: str, called: str, envelope: str) -> None:
    titled = customer(given_name=given, family_name="Green DDS")
    assert greeting_of(titled) == called
    assert full_name(titled) == envelope


def test_a_title_in_the_given_name_stands_once_on_the_envelope() -> None:
    twice = customer(honorific="Dr", given_name="Dr. Ruth", family_name="Green")
    assert (greeting_of(twice), full_name(twice)) == ("Ruth", "Dr Ruth Green")
    both = customer(honorific="Frau", given_name="Dr. Ruth", family_name="Green")
    assert (greeting_of(both), full_name(both)) == ("Ruth", "Frau Dr. Ruth Green")


def test_a_title_without_a_given_name_behind_it_is_kept_before_the_family_name() -> None:
    assert greeting_of(customer(given_name="Mr. Smith")) == "Mr. Smith"
    assert greeting_of(customer(given_name="Mr. Smith", family_name="Smith")) == "Mr. Smith"
    assert greeting_of(customer(given_name="Dr. Lena Hartmann")) == "Dr. Lena Hartmann"


# Any text at all, and what forms, programs and mailers leave behind, put together at random.
PIECES = st.sampled_from(
    [
        *NO_NAMES,
        *DEATHS,
        "Anna",
        "Stone",
        "Mr.",
        " ",
        "\u200b",
        "\t",
        "{{",
        "}}",
        "%",
        "*|",
        "|*",
        "<",
        ">",
        "@",
        "†",
        "é",
    ]
)
ANYTHING = st.none() | st.text(max_size=12) | st.lists(PIECES, max_size=3).map("".join)


@given(preferred=ANYTHING, first=ANYTHING, title=ANYTHING, family=ANYTHING)
def test_no_greeting_is_ever_empty_punctuation_or_a_template_mark(
    preferred: str | None, first: str | None, title: str | None, family: str | None
) -> None:
    anybody = customer(preferred_name=preferred, given_name=first, honorific=title, family_name=family)
    greeting = greeting_of(anybody)
    if greeting is None:
        assert why_no_greeting(anybody)
        return
    assert why_no_greeting(anybody) == ""
    assert any(letter.isalpha() for letter in greeting)
    assert not set("{}<>%|*[]$=\\@†") & set(greeting)
    assert greeting == greeting.strip()
    assert greeting not in NO_NAMES
    names = names_of(anybody)
    # Whoever can be greeted can be addressed.
    assert full_name(anybody)
    assert greeting in (names.preferred, names.given, f"{names.title} {names.family}")


def test_a_reason_repeats_nothing_of_what_stands_in_the_field() -> None:
    told = why_no_greeting(customer(given_name="anna@example.com", family_name="+1 802 555 0140"))
    assert told == (
        "there is no name to greet them by: given_name holds an e-mail address or a link; "
        "family_name holds a telephone number or another number"
    )
