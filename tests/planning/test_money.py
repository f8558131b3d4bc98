"""Amounts as people read them: each in its own currency, with that currency's decimals, wherever it is written."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from conftest import TODAY
from outreach.money import Amount, convert_count, decimals_of, to_major, write_money
from outreach.planning.why import explain_customer
from outreach.settings import Settings
from planning_rows import at, customer, late, store


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "written", "short"),
    [
        (2000, "USD", "en_US", "$20.00", "$20"),
        (1250, "USD", "en_US", "$12.50", "$12.50"),
        (12345, "KWD", "en_US", "KWD\u00a012.345", "KWD\u00a012.345"),
        (12000, "KWD", "en_US", "KWD\u00a012.000", "KWD\u00a012"),
        (5000, "JPY", "en_US", "¥5,000", "¥5,000"),
        (120050, "EUR", "de_DE", "1.200,50\u00a0€", "1.200,50\u00a0€"),
        (120000, "EUR", "de_DE", "1.200,00\u00a0€", "1.200\u00a0€"),
        (700000, "HUF", "hu_HU", "7\u00a0000,00\u00a0Ft", "7\u00a0000\u00a0Ft"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(
    minor: int, currency: str, locale: str, written: str, short: str
) -> None:
    assert (write_money(minor, currency, locale), write_money(minor, currency, locale, short=True)) == (written, short)


@given(st.integers(0, 10**15), st.sampled_from(["USD", "JPY", "KWD", "HUF", "EUR"]), st.booleans())
def test_no_digit_of_an_amount_is_lost_however_large_it_is(minor: int, currency: str, short: bool) -> None:
    digits = "".join(letter for letter in write_money(minor, currency, "en_US", short) if letter.isdigit())
    assert int(digits) in {minor, minor // 10 ** decimals_of(currency)}
    assert int(digits) == minor or to_major(minor, currency) == int(digits)


def test_as_many_major_units_of_another_currency_are_counted_in_its_own_decimals() -> None:
    assert [convert_count(1050, "USD", other) for other in ("EUR", "JPY", "KWD")] == [1050, 11, 10500]


def test_an_amount_keeps_its_currency_when_it_is_copied() -> None:
    assert copy.deepcopy(Amount(5, "KWD")).currency == "KWD"
    assert json.dumps(Amount(5, "KWD")) == "5"


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [(12345, "KWD", "KWD\u00a012.345"), (5000, "JPY", "¥5,000"), (12050, "USD", "$120.50")],
)
def test_why_tells_what_is_owed_in_its_own_currency(
    engine: Engine, settings: Settings, amount: int, currency: str, said: str
) -> None:
    (invoice,) = late(amount=amount)
    invoice.currency = currency  # type: ignore[attr-defined]
    store(engine, [customer(), invoice])
    answers = {answer.kind: answer for answer in explain_customer(engine, settings, "c1", TODAY, at(TODAY))}
    assert f"{said} is still to be paid" in [clause.value for clause in answers["late_payment"].clauses]
