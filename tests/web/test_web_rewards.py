"""Gifts at the desk: a code looked up, a gift redeemed once by those who may, from the code or the person's page."""

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine, update
from sqlmodel import select

from outreach.composing.paper.vouchers import code_for
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.models import Message, Reward
from outreach.settings import Settings
from planned import add_customer, compose, plan
from serving import Browser, serving


@pytest.fixture
def code(sqlite_engine: Engine, settings: Settings) -> str:
    """The code in an anniversary letter that has left."""
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "anniversary", "letter", "c1")
    compose(sqlite_engine, settings)
    with writing(sqlite_engine) as session:
        session.execute(update(Message).values(status="accepted", provider_id="1"))
    return code_for(load_key(sqlite_engine, settings), reference, "c1")


@pytest.fixture
def client(sqlite_engine: Engine, settings: Settings, code: str) -> Iterator[httpx.Client]:
    with serving(sqlite_engine, settings) as client:
        yield client


@pytest.fixture
def will(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "will", "writer")


def redeemed_by(engine: Engine) -> list[str | None]:
    with reading(engine) as session:
        return [reward.redeemed_by for reward in session.exec(select(Reward))]


def hidden_hash(page: str) -> str:
    found = re.search(r'name="code_hash" value="([0-9a-f]{64})"', page)
    assert found, "the page offers nothing to redeem"
    return found[1]


def test_a_code_shows_what_it_is_worth_and_redeems_nothing_yet(will: Browser, sqlite_engine: Engine, code: str) -> None:
    page = will.get(f"/redeem?code={code.lower().replace('-', '%20')}").text
    assert "$20.00" in page
    assert "anniversary" in page
    assert "Redeem it" in page
    assert redeemed_by(sqlite_engine) == [None]


def test_a_gift_is_redeemed_once_and_the_second_look_says_by_whom(
    will: Browser, sqlite_engine: Engine, code: str
) -> None:
    offered = hidden_hash(will.get(f"/redeem?code={code}").text)
    assert "Redeemed. It cannot be used again." in will.press("/redeem", code_hash=offered).text
    assert redeemed_by(sqlite_engine) == ["will"]
    again = will.get(f"/redeem?code={code}").text
    assert "It was redeemed on 2026-03-10, by will" in again
    assert "Redeem it" not in again
    assert will.post("/redeem", code_hash=offered).status_code == 409


def test_somebody_without_their_letter_has_the_gift_from_their_page(will: Browser, sqlite_engine: Engine) -> None:
    page = will.get("/people/c1").text
    assert "$20.00 with" in page
    will.press("/redeem", code_hash=hidden_hash(page))
    assert redeemed_by(sqlite_engine) == ["will"]
    assert "It was redeemed on 2026-03-10, by will" in will.get("/people/c1").text


def test_a_viewer_sees_a_gift_and_cannot_redeem_it(client: httpx.Client, sqlite_engine: Engine, code: str) -> None:
    vera = Browser(client, sqlite_engine, "vera", "viewer")
    page = vera.get(f"/redeem?code={code}").text
    assert "$20.00" in page
    assert "code_hash" not in page
    with reading(sqlite_engine) as session:
        offered = session.exec(select(Reward)).one().code_hash
    assert vera.post("/redeem", code_hash=offered).status_code == 403
    assert redeemed_by(sqlite_engine) == [None]


@pytest.mark.parametrize(
    ("typed", "told"),
    [("7KQ2-M9XB", "We gave nobody a reward with this code"), ("hello", "A code has eight letters and digits")],
)
def test_a_code_that_is_none_of_ours_says_so(will: Browser, typed: str, told: str) -> None:
    page = will.get(f"/redeem?code={typed}").text
    assert told in page
    assert "code_hash" not in page
