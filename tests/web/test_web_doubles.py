"""The pages of people on file twice and of households: what staff of each role see, and what a button does."""

from collections.abc import Iterator
from datetime import date

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW
from doubled import add_history, add_person
from outreach.database import reading, writing
from outreach.identity.duplicates import find_duplicates
from outreach.identity.households import detect_households
from outreach.models import AuditEntry, Customer, Visit
from outreach.settings import Settings
from serving import Browser, serving

ODD = "C/1 ü?#"
HOME = {"address_line1": "27 Orchard Terrace", "postal_code": "05404"}


@pytest.fixture
def client(sqlite_engine: Engine, settings: Settings) -> Iterator[httpx.Client]:
    maria = {"given_name": "<b>Maria</b>", "family_name": "López", "email": "maria@example.org"}
    with writing(sqlite_engine) as session:
        add_person(session, ODD, **maria, born_on=date(1980, 5, 1), **HOME)
        add_person(session, "C2", **maria | {"family_name": "Lopez"}, phone="+1 802 555 2671")
        add_person(session, "Otto", given_name="Otto", family_name="Lopez", **HOME)
        add_history(session, "C2")
    find_duplicates(sqlite_engine, settings, NOW)
    detect_households(sqlite_engine, settings, NOW)
    with serving(sqlite_engine, settings) as client:
        yield client


@pytest.fixture
def will(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "will", "writer")


def test_two_who_may_be_one_stand_side_by_side_with_the_reason_and_the_doubt(will: Browser) -> None:
    page = will.get("/same-person").text
    assert "They have the same name and e-mail address" in page
    assert "a birth date is missing" in page
    assert "&lt;b&gt;Maria" in page
    assert "<b>Maria" not in page
    assert 'href="/same-person"' in will.get("/people").text


def test_a_viewer_sees_the_pairs_and_has_no_button_that_acts(client: httpx.Client, sqlite_engine: Engine) -> None:
    vic = Browser(client, sqlite_engine, "vic", "viewer")
    for path in ("/same-person", "/people/Otto"):
        page = vic.get(path).text
        assert "/same-person/" not in page
        assert "/households/" not in page
    for path in ("/same-person/merge", "/same-person/two", "/same-person/unmerge", "/households/say"):
        fields = {"keep": ODD, "other": "C2", "one": ODD, "merged": "C2", "customer_id": "Otto"}
        assert vic.post(path, **fields).status_code == 403
    with reading(sqlite_engine) as session:
        assert session.get(Customer, "C2")


def test_one_press_merges_and_another_takes_it_back(will: Browser, sqlite_engine: Engine) -> None:
    said = will.press("/same-person/merge", keep=ODD, other="C2").text
    assert f"C2 is another number of {ODD}" in said.replace("&#39;", "'")
    assert "Nobody waits for an answer" in said
    with reading(sqlite_engine) as session:
        assert session.exec(select(Visit.customer_id)).all() == [ODD]
    redirected = will.get("/people/C2")
    assert redirected.status_code == 303
    page = will.get(redirected.headers["location"]).text
    assert "Also on file as <strong>C2</strong>" in page
    back = will.press("/same-person/unmerge", merged="C2").text
    assert "Taken back: C2" in back
    with reading(sqlite_engine) as session:
        assert session.exec(select(Visit.customer_id)).all() == ["C2"]
        entries = session.exec(select(AuditEntry).where(AuditEntry.actor == "will")).all()
        assert not [one for one in entries if "Maria" in one.detail + one.subject]
    assert will.post("/same-person/unmerge", merged="C2").status_code == 409


def test_two_people_stay_two_however_often_one_looks(will: Browser) -> None:
    assert "Nobody waits" in will.press("/same-person/two", one="C2", other=ODD).text
    assert "0 wait for an answer" in will.press("/same-person/look").text


def test_a_household_is_shown_and_the_customer_has_the_last_word(will: Browser) -> None:
    page = will.get("/people/Otto").text
    assert "They share an address with" in page
    alone = will.press("/households/say", customer_id="Otto", other="").text
    assert "They told us that they live with none of those" in alone
    together = will.press("/households/say", customer_id="Otto", other="c2").text
    assert 'live with <a href="/people/C2">C2</a>' in together
    back = will.press("/households/take-back", customer_id="Otto").text
    assert "They share an address with" in back
    assert will.post("/households/say", customer_id="Otto", other="nobody").status_code == 404


def test_a_number_in_another_case_leads_to_the_page(will: Browser) -> None:
    answer = will.get("/people/oTTO")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people/Otto")
