"""The desk under a path of its host: every link, form, redirect and webhook works, whoever takes the path off."""

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved
from asgi import new_browser
from conftest import NOW
from outreach.approval.staff import add_staff, take_password
from outreach.composing.unsubscribe_links import unsubscribe_token
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.models import Suppression
from outreach.settings import Providers, Settings
from outreach.web.app import create_app
from vendor_twilio import CASE, TOKEN, inbound_body, sign

HOST, PREFIX = "https://practice.example", "/desks/outreach"
REFERENCE = "K7QF-2M9X-TB4D"
PASSWORD = "kettle orchard violin lamp"


@pytest.fixture
def under_a_path(settings: Settings) -> Settings:
    business = settings.business.model_copy(update={"public_url": f"{HOST}{PREFIX}/"})
    twilio = settings.providers.model_dump(exclude={"twilio"}) | {"twilio": CASE.settings}
    return settings.model_copy(update={"business": business, "providers": Providers.model_validate(twilio)})


@pytest.fixture
def browser(sqlite_engine: Engine, under_a_path: Settings) -> httpx.Client:
    with writing(sqlite_engine) as session:
        add_staff(session, "maria", "Maria Stone", "admin", NOW)
        take_password(session, "maria", PASSWORD, "Alder Lane Dental", NOW)
    return new_browser(create_app(sqlite_engine, under_a_path, lambda: NOW), HOST)


def press(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return browser.post(path, data=fields, headers={"Origin": HOST, "Referer": f"{HOST}{PREFIX}/people?q=a"})


def addresses_of(page: str) -> list[str]:
    return re.findall(r'\s(?:href|src|action|formaction|data-[a-z]+)="(/[^"]*)"', page)


@pytest.mark.parametrize("comes_as", [PREFIX, ""], ids=["the path is left in", "the proxy takes it off"])
def test_pages_forms_and_redirects_lead_on_under_the_path(browser: httpx.Client, comes_as: str) -> None:
    first = browser.get(f"{comes_as}/people?q=a")
    assert first.headers["location"] == f"{PREFIX}/signin?next=%2Fpeople%3Fq%3Da"
    page = browser.get(f"{comes_as}/signin?next=%2Fpeople%3Fq%3Da")
    assert f'action="{PREFIX}/signin"' in page.text
    assert int(page.headers["content-length"]) == len(page.content)
    entered = press(browser, f"{comes_as}/signin", who="maria", password=PASSWORD, next="/people?q=a")
    assert entered.headers["location"] == f"{PREFIX}/people?q=a"
    for path in ("/", "/people", "/moments", "/do-not-contact", "/account", "/status", "/goodwill"):
        answer = browser.get(f"{comes_as}{path}")
        assert answer.status_code == 200, path
        found = addresses_of(answer.text)
        assert found
        assert {address for address in found if not address.startswith(f"{PREFIX}/")} == set(), path
        assert not [address for address in found if address.startswith(PREFIX * 2)]
    assert browser.get(f"{comes_as}/assets/style.css").status_code == 200
    assert browser.head(f"{comes_as}/unsubscribe/x").status_code == 200


def test_somebody_whose_sign_in_ended_comes_back_to_the_page_they_were_on(browser: httpx.Client) -> None:
    assert press(browser, f"{PREFIX}/stop").headers["location"] == f"{PREFIX}/signin?next=%2Fpeople%3Fq%3Da"


def test_what_people_wrote_is_no_address_of_ours(browser: httpx.Client) -> None:
    page = press(browser, "/signin", who='" href="/elsewhere', password="x").text
    assert 'href="/elsewhere' not in page
    assert f"{PREFIX}/elsewhere" not in page


@pytest.mark.parametrize("comes_as", [PREFIX, ""])
def test_unsubscribing_and_webhooks_work_under_the_path(
    browser: httpx.Client, sqlite_engine: Engine, under_a_path: Settings, comes_as: str
) -> None:
    with writing(sqlite_engine) as session:
        add_approved(
            session, REFERENCE, "email", status="accepted", provider="smtp", provider_id="1", accepted_at=NOW,
            contact_hash="h",
        )  # fmt: skip
    token = unsubscribe_token(load_key(sqlite_engine, under_a_path), REFERENCE)
    assert browser.post(f"{comes_as}/unsubscribe/{token}", content=b"List-Unsubscribe=One-Click").status_code == 200
    signed = sign(inbound_body("STOP"), NOW, query="")
    proved = _sign_for(f"{HOST}{PREFIX}/webhooks/twilio", signed.body)
    answer = browser.post(f"{comes_as}/webhooks/twilio", content=signed.body, headers={**signed.headers, **proved})
    assert answer.status_code == 200
    with reading(sqlite_engine) as session:
        closed = session.exec(select(Suppression.channel, Suppression.source)).all()
    assert sorted(closed) == [("email", "unsubscribed"), ("text", "unsubscribed")]


def _sign_for(url: str, body: bytes) -> dict[str, str]:
    """As Twilio signs: the address that it called, under the path, and then every field."""
    fields = sorted(parse_qsl(body.decode(), keep_blank_values=True))
    signed = url + "".join(name + value for name, value in fields)
    proof = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    return {"x-twilio-signature": base64.b64encode(proof).decode()}


def test_staff_may_have_another_host_with_a_path_of_its_own(sqlite_engine: Engine, under_a_path: Settings) -> None:
    desk = under_a_path.desk.model_copy(update={"url": "https://inside.example/desk"})
    app = create_app(sqlite_engine, under_a_path.model_copy(update={"desk": desk}), lambda: NOW)
    assert new_browser(app, "https://inside.example").get("/desk/").headers["location"] == "/desk/signin?next=%2F"
    assert new_browser(app, HOST).get("/").headers["location"] == f"{PREFIX}/signin?next=%2F"


def test_without_a_path_nothing_is_rewritten(sqlite_engine: Engine, settings: Settings) -> None:
    app = create_app(sqlite_engine, settings, lambda: NOW)
    assert new_browser(app, HOST).get("/people").headers["location"] == "/signin?next=%2Fpeople"
