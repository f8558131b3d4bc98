"""Finds the customers whom somebody at the desk may mean by what they typed, a page at a time. Reads only."""

import unicodedata
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from outreach.contacts import normalise_phone
from outreach.models import Customer
from outreach.text_folding import plain, plain_letters

A_PAGE = 25
# Fewer digits than these would find half of a town.
FEWEST_DIGITS = 4


def find_people(session: Session, typed: str, region: str, page: int = 1) -> tuple[list[Customer], bool]:
    """One page of the customers whose id, name, number or e-mail address has what was typed, and if there is another.

    Case and accents do not matter (o finds ö, ss finds ß), and every word must be found in a name. `region` is the
    country numbers are dialled in.
    """
    words = unicodedata.normalize("NFC", typed).split()
    if not words:
        return [], False
    ways = [
        func.lower(Customer.customer_id) == typed.strip().lower(),
        and_(*(_is_in_a_name(word) for word in words)),
    ]
    if "@" in typed:
        ways.append(_has(Customer.email, typed.strip()))
    if digits := _digits(typed, region):
        ways.append(_only_digits(Customer.phone).contains(digits))
    people = select(Customer).where(or_(*ways))
    ordered = people.order_by(col(Customer.family_name), col(Customer.given_name), Customer.customer_id)
    customers = session.exec(ordered.offset((page - 1) * A_PAGE).limit(A_PAGE + 1)).all()
    return list(customers[:A_PAGE]), len(customers) > A_PAGE


def _is_in_a_name(word: str) -> ColumnElement[bool]:
    names = (Customer.given_name, Customer.family_name, Customer.preferred_name)
    return or_(*(_has(name, word) for name in names))


def _has(column: Any, word: str) -> ColumnElement[bool]:
    """Whether a column has the word in it, whatever the accents and the case of either."""
    # With autoescape, a % or _ that somebody types is a letter and no wildcard. A word of nothing but accents has no
    # plain letters, and is looked for as it is: an empty word would be found in every name.
    contains: ColumnElement[bool] = plain(column).contains(plain_letters(word) or word, autoescape=True)
    return contains


def _digits(typed: str, region: str) -> str:
    """What to look for among the digits of a number: without the country's code, which few numbers on file have."""
    digits = "".join(letter for letter in typed if letter.isdecimal() and letter.isascii())
    others = typed.strip("+ ").translate(str.maketrans("", "", "0123456789 -().+/"))
    if others or len(digits) < FEWEST_DIGITS:
        return ""
    whole = normalise_phone(typed, region)
    # The last nine stand in every way of writing it, with or without the country's code and its zero.
    return digits[-9:] if whole else digits


def _only_digits(column: Any) -> Any:
    for letter in " -().+/":
        column = func.replace(column, letter, "")
    return column


def name_of(customer: Customer) -> str:
    """The name staff know a customer by; their id where no name is on file."""
    name = " ".join(part for part in (customer.given_name or customer.preferred_name, customer.family_name) if part)
    return name or customer.customer_id


def names_of(session: Session, ids: Collection[str]) -> dict[str, str]:
    """The names of those among `ids` who are on file, by id; for as many as stand on one page."""
    customers = session.exec(select(Customer).where(col(Customer.customer_id).in_(ids)))
    return {customer.customer_id: name_of(customer) for customer in customers}
