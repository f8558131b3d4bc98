"""Right person, right words: a letter that lacks its own recipient, or carries somebody else, is refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from conftest import NOW, TODAY
from outreach.composing import editing, template_data, writing
from outreach.composing.proofing import letter_check
from outreach.composing.proofing.text_match import holds_line, take_out
from outreach.composing.proofing.wrong_recipient import Own, find_amounts, find_mix_up, person_of
from outreach.composing.run import compose_planned
from outreach.database import writing as in_database
from outreach.errors import FailedCheck, TemplateRefused
from outreach.models import Customer
from outreach.settings import Settings
from planned import MARIA, add_customer, compose, message_of, plan

LINES = ("Mrs. Maria Lopez", "27 Orchard Terrace", "Winooski, VT 05404")
NAMES = st.text("abcdefghijklmnopqrstuvwxyzäéñøšž’-", min_size=2, max_size=14).map(str.title)


def customer(customer_id: str = "c1", **values: Any) -> Customer:
    return Customer(customer_id=customer_id, **{**MARIA, **values})


MARIA_LOPEZ = person_of(customer())
OWN = Own(LINES, (MARIA_LOPEZ,), ("Maria", "$185.50"), ("$185.50",), "Alder Lane Dental Nora Whitcomb")


def written(*more: str, lines: tuple[str, ...] = LINES) -> str:
    return "\r\n".join(["Dear Maria,", "thank you; $185.50 is open.", *more, "Nora Whitcomb", *lines])


def test_a_letter_of_ones_own_is_let_through() -> None:
    assert find_mix_up(written(), OWN, [MARIA_LOPEZ, person_of(customer("c2", given_name="Anna"))]) == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (written(lines=("Mrs. Anna Lopez", *LINES[1:])), "lacks its recipient's name or address"),
        (written(lines=LINES[:2]), "lacks its recipient's name or address"),
        (written().replace("$185.50", "soon"), "lacks its recipient's greeting or amount"),
        (written("and $99.00 besides"), "names an amount"),
        (written("and 99,00\u00a0€ besides"), "names an amount"),
        (written("and EUR 99 besides"), "names an amount"),
        (written("For Ben\r\nSchmidt"), "another customer's name"),
        (written("For BEN SCHMIDT"), "another customer's name"),
        (written("at 9 Elm Street"), "another customer's address"),
    ],
)
def test_what_is_not_theirs_is_refused_in_words_that_name_nobody(said: str, why: str) -> None:
    other = person_of(customer("c2", given_name="Ben", family_name="Schmidt", address_line1="9 Elm Street"))
    found = find_mix_up(said, OWN, [other])
    assert why in found
    assert not any(name in found for name in ("Maria", "Ben", "Schmidt", "Elm", "99"))


@given(given_name=NAMES, family_name=NAMES, street=st.integers(100, 9999))
def test_any_letter_given_another_customers_name_or_street_is_refused(
    given_name: str, family_name: str, street: int
) -> None:
    other = person_of(
        customer("c2", given_name=given_name, family_name=family_name, address_line1=f"{street} {family_name} Road")
    )
    assert find_mix_up(written(), OWN, [other]) == ""
    assert "address" in find_mix_up(written(f"at {street} {family_name} Road, then"), OWN, [other])
    if other.names:
        assert "name" in find_mix_up(written(f"and {given_name} {family_name}, too"), OWN, [other])


@given(cents=st.integers(1, 10**9))
def test_any_amount_that_is_not_theirs_is_refused(cents: int) -> None:
    amount = f"${cents / 100:,.2f}"
    assert bool(find_mix_up(written(f"and {amount}."), OWN, [])) == (amount != "$185.50")


# Allowed pairs


def test_a_guardians_letter_names_the_ward_and_another_ward_is_refused() -> None:
    mia = person_of(customer("mia", given_name="Mia", guardian_id="c1"))
    theo = person_of(customer("theo", given_name="Theo", guardian_id="c9"))
    own = replace(OWN, people=(MARIA_LOPEZ, mia))
    assert find_mix_up(written("It is about Mia Lopez."), own, [MARIA_LOPEZ, mia, theo]) == ""
    assert "name" in find_mix_up(written("It is about Theo Lopez."), own, [MARIA_LOPEZ, mia, theo])


def test_twins_share_a_birthday_a_name_and_a_door_and_one_is_not_named_on_the_others_letter() -> None:
    ann, anna = (person_of(customer(name, given_name=name)) for name in ("Ann", "Anna"))
    own = Own(("Anna Lopez", *LINES[1:]), (anna,), ("Anna",))
    said = "Dear Anna, well done. Anna Lopez, 27 Orchard Terrace, Winooski, VT 05404"
    assert find_mix_up(said, own, [ann, anna]) == ""
    assert "name" in find_mix_up(f"{said} Ann Lopez", own, [ann, anna])


def test_junior_and_senior_are_told_apart_though_one_name_holds_the_other() -> None:
    senior = person_of(customer("sr", given_name="John", family_name="Smith"))
    junior = person_of(customer("jr", given_name="John", family_name="Smith Jr."))
    to_junior = Own(("John Smith Jr.", *LINES[1:]), (junior,))
    to_senior = Own(("John Smith", *LINES[1:]), (senior,))
    address = " 27 Orchard Terrace Winooski, VT 05404"
    assert find_mix_up("John Smith Jr." + address, to_junior, [senior, junior]) == ""
    assert find_mix_up("John Smith" + address, to_senior, [senior, junior]) == ""
    assert "name" in find_mix_up("Dear John Smith Jr., John Smith" + address, to_senior, [senior, junior])


def test_a_customer_may_be_called_as_the_signatory_or_as_words_of_the_template() -> None:
    nora = person_of(customer("nora", given_name="Nora", family_name="Whitcomb"))
    assert find_mix_up(written(), OWN, [nora]) == ""


def test_a_number_in_front_of_a_street_does_not_make_it_the_neighbours() -> None:
    neighbour = person_of(customer("c2", given_name="Ben", address_line1="7 Orchard Terrace"))
    assert find_mix_up(written(), OWN, [neighbour]) == ""


def test_amounts_are_known_by_their_sign_wherever_it_stands() -> None:
    said = "$20, 1.234,50\u00a0€, CHF 12, 30 kr, CA$5.00; call 802 555 0140 by March 10, 2026, NW1 6XE"
    assert find_amounts(said) == ["$20, ".strip(" "), "1.234,50\u00a0€", "CHF 12,", "30 kr", "CA$5.00"]


# Two directions in a line

SARA = ("Dr. سارة حداد", *LINES[1:])


@pytest.mark.parametrize("read", ["Dr. سارة حداد", "سارة حداد .Dr", "Dr. حداد سارة"])
def test_a_line_of_two_directions_is_known_in_every_order_in_which_it_is_read_back(read: str) -> None:
    own = replace(OWN, lines=SARA)
    assert find_mix_up(written(lines=(read, *LINES[1:])), own, []) == ""


@pytest.mark.parametrize(
    "read", ["Dr. سارة", "سارة حداد", "Mr. سارة حداد", "سارة حسن .Dr", "سارة Dr. حداد", "Dr. Sara حداد"]
)
def test_another_line_of_two_directions_is_not(read: str) -> None:
    own = replace(OWN, lines=SARA)
    assert "lacks its recipient's name" in find_mix_up(written(lines=(read, *LINES[1:])), own, [])


@pytest.mark.parametrize("read", ["with Sara حداد, too", "with حداد Sara, too"])
def test_another_customers_name_of_two_directions_is_found_in_every_order(read: str) -> None:
    other = person_of(customer("c2", given_name="Sara", family_name="حداد"))
    assert "another customer's name" in find_mix_up(written(read), OWN, [other])


EITHER_WAY = st.sampled_from(["سارة", "حداد", "شارع", "Dr.", "Sara", "12", "Apt", "4B"])


@given(words=st.lists(EITHER_WAY, min_size=2, max_size=5), more=st.sampled_from(["علي", "Smith", "77"]))
def test_a_word_more_or_a_word_less_is_another_line(words: list[str], more: str) -> None:
    line = " ".join(words)
    assert holds_line(f"before\n{line}\nafter", line)
    assert not holds_line(f"before\n{' '.join(words[:-1])}\nafter", line)
    assert not holds_line(f"before\n{line}\nafter", f"{more} {line}")
    assert more not in take_out(f"{line} and {line}", [line])
    assert take_out(f"before {line} after", [line]).split() == ["before", "after"]


# In composing


@pytest.mark.parametrize("name", ["Zoë O’Hara", "Jean-Luc d’Arc", "Åsa Öberg", "Łukasz Żółć", "محمد الأحمد"])
def test_real_names_are_read_back_from_the_page(sqlite_engine: Engine, settings: Settings, name: str) -> None:
    given, family = name.split(" ", 1)
    add_customer(sqlite_engine, given_name=given, family_name=family, honorific=None, preferred_name="Sam")
    reference = plan(sqlite_engine, "anniversary", "letter", "c1")
    compose(sqlite_engine, settings)
    message, _ = message_of(sqlite_engine, reference)
    assert message.status == "composed", message.status_reason


def two(engine: Engine) -> tuple[str, str]:
    add_customer(engine, "c1")
    add_customer(engine, "c2", given_name="Ben", family_name="Schmidt", honorific=None, address_line1="9 Elm Street")
    return plan(engine, "late_payment", "letter", "c1"), plan(engine, "late_payment", "letter", "c2")


@pytest.mark.parametrize("part", ["page", "greeting", "amount"])
def test_a_mistake_in_the_program_that_mixes_two_people_up_withdraws_both_letters(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """What no customer data can do: the printing press hands out a stale page, or facts are gathered wrongly."""
    stale: list[bytes] = []
    printed, gathered = writing.letter_body, template_data.greeting_name

    def print_stale(*given: Any) -> bytes:
        stale.append(printed(*given))
        return stale[0] if len(stale) > 1 else stale[-1]

    def greet_wrong(customer: Customer, field: str) -> str:
        return "Gregor"

    if part == "page":
        monkeypatch.setattr(writing, "letter_body", print_stale)
    elif part == "greeting":
        monkeypatch.setattr(template_data, "greeting_name", greet_wrong)
    else:
        monkeypatch.setattr(letter_check, "amounts_in", lambda *_: [])
    references = two(sqlite_engine)
    compose_planned(sqlite_engine, settings, TODAY, NOW)
    said = [message_of(sqlite_engine, reference)[0].status for reference in references]
    assert said == (["composed", "withdrawn"] if part == "page" else ["withdrawn", "withdrawn"])
    assert gathered is letter_check.greeting_name


def test_an_edit_that_brings_in_another_customer_of_the_batch_is_refused(
    sqlite_engine: Engine, settings: Settings
) -> None:
    references = two(sqlite_engine)
    compose(sqlite_engine, settings)
    with in_database(sqlite_engine) as session:
        draft = editing.open_draft(session, references[0])
    assert set(draft.people) >= {"c1", "c2"}
    key = b"k" * 32
    fine = editing.write_edited(settings, key, draft, "Dear Maria,\n\nwe can also agree on $50 a month.")
    assert fine.body.startswith(b"%PDF")
    for words in ("Dear Ben Schmidt,\n\nhello.", "Dear Maria,\n\nwe wrote to 9 Elm Street."):
        with pytest.raises(FailedCheck, match="another customer's"):
            editing.write_edited(settings, key, draft, words)


@pytest.mark.parametrize("name", ["Sue", "Court", "Anwalt"])
def test_words_that_press_nobody_may_call_the_recipient_by_a_name_that_would(
    sqlite_engine: Engine, settings: Settings, name: str
) -> None:
    add_customer(sqlite_engine, "c1", given_name=name, honorific=None)
    reference = plan(sqlite_engine, "late_payment", "letter", "c1")
    compose(sqlite_engine, settings)
    with in_database(sqlite_engine) as session:
        draft = editing.open_draft(session, reference)
    written = editing.write_edited(settings, b"k" * 32, draft, f"Dear {name},\n\nwe can also agree on $50 a month.")
    assert written.body.startswith(b"%PDF")
    for words in (f"Dear {name},\n\nwe will {name.lower()} you.", f"Dear {name},\n\nThe {name} will write to you."):
        with pytest.raises(TemplateRefused, match=r"line 3.*a threat"):
            editing.write_edited(settings, b"k" * 32, draft, words)
