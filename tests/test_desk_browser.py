"""The desk in a real browser, as the people who use it would: by mouse, by keys alone, and on a phone."""

from collections.abc import Iterator

import httpx
import pytest
from chromium import PASSWORD, chromium, new_page, sign_in
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from outreach.approval import add_staff, open_batches
from outreach.approval.accounts import set_password
from outreach.composing import compose_planned
from outreach.database import reading, writing
from outreach.models import Message
from outreach.settings import Settings
from planned import add_customer, plan
from serving import serving

__all__ = ["chromium"]
pytestmark = pytest.mark.xdist_group("chromium")
STAFF = {"nora": "approver", "ben": "approver", "wanda": "writer", "vic": "viewer", "ada": "admin"}
LETTERS = 6


@pytest.fixture
def practice(sqlite_engine: Engine, settings: Settings) -> Engine:
    """A practice with its staff, and batches of letters, e-mails, texts and calls that wait."""
    for number in range(LETTERS):
        name = {"given_name": f"Maria{'abcdefgh'[number]}", "email": f"maria{number}@example.org"}
        add_customer(sqlite_engine, f"c{number}", **name)
        plan(sqlite_engine, "anniversary", "letter", f"c{number}")
    plan(sqlite_engine, "checkin", "email", "c0")
    plan(sqlite_engine, "checkin", "text", "c1")
    plan(sqlite_engine, "checkin", "call", "c2")
    plan(sqlite_engine, "late_payment", "letter", "c3")
    assert not compose_planned(sqlite_engine, settings, TODAY, NOW).to_mend
    open_batches(sqlite_engine, settings, TODAY, NOW)
    with writing(sqlite_engine) as session:
        for who, role in STAFF.items():
            add_staff(session, who, who.capitalize(), role, NOW)
            session.flush()
            set_password(session, who, PASSWORD, must_change=False)
    return sqlite_engine


@pytest.fixture
def desk(practice: Engine, settings: Settings) -> Iterator[httpx.Client]:
    with serving(practice, settings) as client:
        yield client


def address(desk: httpx.Client) -> str:
    return str(desk.base_url)


def letters(engine: Engine) -> list[Message]:
    with reading(engine) as session:
        of_batch = select(Message).where(Message.kind == "anniversary").order_by(Message.reference)
        return list(session.exec(of_batch))


def press(page: Page, key: str) -> None:
    """Presses a key as a person would: when the page is there."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def test_a_letter_is_looked_at_large_and_the_keys_lead_from_one_to_the_next(
    chromium: Browser, desk: httpx.Client
) -> None:
    with new_page(chromium, address(desk)) as page:
        sign_in(page, "nora")
        page.get_by_role("link", name="6 letters: anniversary").click()
        expect(page.locator(".sheet img.paper")).to_have_count(LETTERS)
        page.locator(".sheet a").first.click()
        expect(page.get_by_role("link", name="1 of 6")).to_be_visible()
        for number in range(2, LETTERS + 1):
            press(page, "ArrowRight")
            expect(page.get_by_role("link", name=f"{number} of 6")).to_be_visible()
        press(page, "ArrowLeft")
        expect(page.get_by_role("link", name="5 of 6")).to_be_visible()
        press(page, "Escape")
        expect(page.get_by_role("link", name="Go on where you were")).to_be_visible()
