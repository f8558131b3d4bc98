"""People on the desk: found, read about, and what one tap on them does, as staff of each role see it."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved
from conftest import TODAY
from outreach.database import reading, writing
from outreach.models import AuditEntry, Customer, Flag
from outreach.settings import Settings
from outreach.tracking.news import NEWS
from serving import Browser, serving
from waiting import statuses

ODD = "C/1 ü?#"


@pytest.fixture
def client(sqlite_engine: Engine, settings: Settings) -> Iterator[httpx.Client]:
    with writing(sqlite_engine) as session:
        session.add(Customer(customer_id=ODD, given_name="<b>Maria</b>", family_name="Lopez", phone="+1 802 555 2671"))
        session.add(Customer(customer_id="C2", given_name="Otto", family_name="Lopez", died_on=TODAY))
        session.flush()
        add_approved(session, "K7QF-2M9X-TB4D", customer_id=ODD)
    with serving(sqlite_engine, settings) as client:
        yield client


@pytest.fixture
def nora(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "nora", "approver")


def path_of(browser: Browser) -> str:
    """The address of the person's page, as the search links to it."""
    page = browser.get("/people?q=maria").text
    return page.partition('<a href="/people/')[2].partition('"')[0]


def test_a_person_is_found_by_a_part_of_their_name_and_their_page_opens_whatever_their_id(nora: Browser) -> None:
    found = nora.get("/people?q=LOP").text
    assert "Lopez" in found
    assert "has died" in found
    page = nora.get(f"/people/{path_of(nora)}")
    assert page.status_code == 200
    assert "&lt;b&gt;Maria&lt;/b&gt; Lopez" in page.text
    assert "<b>Maria" not in page.text
    assert "What we sent before" in page.text
    assert "K7QF-2M9X-TB4D" in page.text


def test_nobody_found_is_said_and_a_stranger_is_a_page_too(nora: Browser) -> None:
    assert "Nobody is found for" in nora.get("/people?q=nobody").text
    answer = nora.get("/people/nobody")
    assert (answer.status_code, "no customer “nobody”" in answer.text) == (404, True)


def test_the_page_says_what_would_be_done_today_and_why(nora: Browser) -> None:
    assert "it comes round once a year on that day" in nora.get(f"/people/{path_of(nora)}?why=1").text


@pytest.mark.parametrize("what", NEWS)
def test_one_tap_and_a_confirmation_record_news_and_say_what_was_pulled_back(
    nora: Browser, sqlite_engine: Engine, what: str
) -> None:
    before = nora.get(f"/people/{path_of(nora)}").text
    assert f'name="what" value="{what}"' in before
    page = nora.press("/news", customer_id=ODD, what=what).text
    assert f"Recorded: {what.replace('_', ' ')}. One message was withdrawn." in page
    assert f'action="/news/take-back"><input type="hidden" name="csrf" value="{nora.csrf}">' in page
    assert set(statuses(sqlite_engine).values()) <= {"withdrawn", "suppressed"}
    back = nora.press("/news/take-back", customer_id=ODD, what=what).text
    assert "Taken back" in back
    assert 'action="/news/take-back"' not in back


def test_news_that_was_taken_back_already_changes_nothing_and_says_so(nora: Browser) -> None:
    assert nora.post("/news/take-back", customer_id=ODD, what="moved").status_code == 409


@pytest.mark.parametrize("role", ["viewer", "writer"])
def test_only_approvers_have_the_buttons_and_may_press_them(
    client: httpx.Client, sqlite_engine: Engine, role: str
) -> None:
    browser = Browser(client, sqlite_engine, "vic", role)
    assert 'action="/news"' not in browser.get(f"/people/{path_of(browser)}").text
    assert browser.post("/news", customer_id=ODD, what="died").status_code == 403
    assert browser.post("/news/take-back", customer_id=ODD, what="died").status_code == 403
    with reading(sqlite_engine) as session:
        assert session.get_one(Customer, ODD).died_on is None


def test_a_form_from_elsewhere_records_nothing(nora: Browser, sqlite_engine: Engine) -> None:
    foreign = {"Origin": "https://elsewhere.example", "Cookie": nora.headers["Cookie"]}
    answer = nora.client.post("/news", data={"csrf": nora.csrf, "customer_id": ODD, "what": "moved"}, headers=foreign)
    without = nora.post("/news", csrf="wrong", customer_id=ODD, what="moved")
    assert (answer.status_code, without.status_code) == (403, 403)
    with reading(sqlite_engine) as session:
        assert session.exec(select(Flag)).all() == []


def test_news_at_the_desk_is_in_the_audit_under_who_was_signed_in(nora: Browser, sqlite_engine: Engine) -> None:
    nora.press("/news", customer_id=ODD, what="hardship")
    with reading(sqlite_engine) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.act == "hardship recorded")).one()
    assert (entry.actor, entry.subject) == ("nora", ODD)
