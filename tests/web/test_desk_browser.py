"""The desk in a real browser, as the people who use it would: by mouse, by keys alone, and on a phone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine
from sqlmodel import select

from chromium import DESKTOP, PASSWORD, PHONE, chromium, new_page, sign_in, violations
from conftest import NOW, TODAY
from outreach.approval.accounts import set_password
from outreach.approval.open_batches import open_batches
from outreach.approval.staff import add_staff
from outreach.clock import stopped_clock
from outreach.composing.proofing.pdf_pages import read_words
from outreach.composing.run import compose_planned
from outreach.database import reading, writing
from outreach.day import deliver_day
from outreach.models import Content, Customer, Message, Pause
from outreach.settings import Settings
from outreach.web import marketing
from planned import add_customer, know_contacts, plan
from prepared import open_planned, prepared
from serving import serving

__all__ = ["chromium"]
pytestmark = pytest.mark.xdist_group("chromium")
STAFF = {"nora": "approver", "ben": "approver", "wanda": "writer", "vic": "viewer", "ada": "admin"}
LETTERS = 6
ON_A_PHONE = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
PAGES = [
    "/", "/status", "/batches/2026-03-10-anniversary-letter", "/batches/2026-03-10-checkin-email",
    "/messages/ANNI-LETTER-C0", "/messages/CHEC-EMAIL-C0", "/messages/CHEC-TEXT-C1", "/messages/CHEC-CALL-C2",
    "/messages/ANNI-LETTER-C0/edit", "/messages/CHEC-EMAIL-C0/edit",
    "/people?q=maria", "/people/c0", "/feedback", "/goodwill", "/survey/X.0", "/calls", "/follow", "/open",
    "/returned", "/do-not-contact", "/account",
    "/imports", "/moments", "/moments/anniversary", "/moments/checkin", "/moments/treatments",
    "/templates/letters/anniversary.en.html", "/templates/texts/checkin.en.txt",
]  # fmt: skip


def prepare(engine: Engine, settings: Settings) -> None:
    """A practice with its staff, and batches of letters, e-mails, texts and calls that wait."""
    for number in range(LETTERS):
        name = {"given_name": f"Maria{'abcdefgh'[number]}", "email": f"maria{number}@example.org"}
        add_customer(engine, f"c{number}", **name)
        plan(engine, "anniversary", "letter", f"c{number}")
    plan(engine, "checkin", "email", "c0")
    plan(engine, "checkin", "text", "c1")
    plan(engine, "checkin", "call", "c2")
    # Somebody of their own: who owes gets no card on their anniversary.
    add_customer(engine, "owes", given_name="Marias", email="marias@example.org")
    plan(engine, "late_payment", "letter", "owes")
    open_planned(engine, settings)
    add_people(engine)


practice = prepared(prepare)


def add_people(engine: Engine) -> None:
    with writing(engine) as session:
        for who, role in STAFF.items():
            add_staff(session, who, who.capitalize(), role, NOW)
            session.flush()
            set_password(session, who, PASSWORD, must_change=False)


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


def words_in(engine: Engine, message: Message) -> str:
    with reading(engine) as session:
        words = read_words(session.get_one(Content, message.content_sha256).body)
    return " ".join(words.split())


def count_taps(page: Page) -> list[None]:
    """A list that grows with every tap from now on."""
    taps: list[None] = []
    page.expose_function("tapped", lambda: taps.append(None))
    page.add_init_script("addEventListener('touchend', () => tapped(), true)")
    page.reload()
    return taps


def tab_to(page: Page, name: str) -> None:
    """Goes on with the Tab key until what has this name has the focus."""
    page.wait_for_load_state()
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in page.evaluate("document.activeElement.innerText || ''"):
            return
    raise AssertionError(f"the Tab key does not lead to {name}")


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


def open_batch(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("link", name=name).click()


def test_one_is_rejected_one_is_edited_a_second_person_approves_and_status_shows_what_was_sent(
    chromium: Browser, desk: httpx.Client, practice: Engine, settings: Settings
) -> None:
    with new_page(chromium, address(desk)) as page:
        sign_in(page, "nora")
        open_batch(page, "6 letters: anniversary")
        page.get_by_role("link", name="Mariaa Lopez").click()
        page.get_by_text("Reject …").click()
        page.get_by_label("Why? It is not sent").fill("told in person")
        page.get_by_role("button", name="Reject this one").click()
        expect(page.get_by_role("status")).to_contain_text("was rejected. Now 5.")
        page.get_by_role("link", name="Mariab Lopez").click()
        page.get_by_role("link", name="Change its words").click()
        words = page.get_by_label("An empty line begins a new paragraph")
        before = page.locator("#preview img").get_attribute("src")
        page.wait_for_load_state()
        words.fill(words.input_value().replace("Warmly,", "See you on Thursday. Warmly,"))
        expect(page.locator("#preview img")).not_to_have_attribute("src", before or "")
        page.get_by_role("button", name="Keep these words").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("1 letter: anniversary")
        expect(page.get_by_text("You had a hand in it, so somebody else approves it:")).to_be_visible()
        expect(page.get_by_role("button", name="Approve 1 letter")).to_have_count(0)
    with new_page(chromium, address(desk)) as page:
        sign_in(page, "ben")
        open_batch(page, "4 letters: anniversary")
        page.get_by_role("button", name="Approve 4 letters for $44.20").click()
        expect(page.get_by_role("status")).to_contain_text("4 approved. They leave after 11:15.")
        open_batch(page, "1 letter: anniversary")
        page.get_by_role("button", name="Approve 1 letter").click()
        expect(page.get_by_role("status")).to_contain_text("1 approved.")
    later = stopped_clock(NOW + timedelta(minutes=20))
    deliver_day(practice, settings, later, "a sender", lambda _: None)
    with serving(practice, settings, later) as client, new_page(chromium, address(client)) as page:
        sign_in(page, "vic")
        page.goto("/status")
        expect(page.get_by_role("row", name="anniversary letter accepted 5")).to_be_visible()
        expect(page.get_by_role("row", name="anniversary letter rejected 1")).to_be_visible()
    sent = [message for message in letters(practice) if message.status == "accepted"]
    [edited] = [message for message in sent if message.reference == "ANNI-LETTER-C1"]
    assert "See you on Thursday." in words_in(practice, edited)


def test_forty_ordinary_letters_are_approved_on_a_phone_in_three_taps(
    chromium: Browser, sqlite_engine: Engine, settings: Settings
) -> None:
    for number in range(40):
        add_customer(sqlite_engine, f"c{number:02}", address_line1=f"{number} Orchard Terrace", preferred_name="Mari")
        plan(sqlite_engine, "anniversary", "letter", f"c{number:02}")
    compose_planned(sqlite_engine, settings, TODAY, NOW)
    know_contacts(sqlite_engine)
    open_batches(sqlite_engine, settings, TODAY, NOW)
    add_people(sqlite_engine)
    with serving(sqlite_engine, settings) as client, new_page(chromium, address(client), **ON_A_PHONE) as page:
        sign_in(page, "nora")
        taps = count_taps(page)
        page.get_by_role("link", name="40 letters: anniversary").tap()
        expect(page.get_by_text("None stands out")).to_be_visible()
        expect(page.locator(".sheet li")).to_have_count(40)
        page.get_by_role("button", name="Approve 40 letters for $442.00").tap()
        expect(page.get_by_role("status")).to_contain_text("40 approved")
        assert len(taps) == 2


def test_each_of_forty_letters_can_be_looked_at_large_with_one_tap_each(chromium: Browser, desk: httpx.Client) -> None:
    with new_page(chromium, address(desk), **ON_A_PHONE) as page:
        sign_in(page, "nora")
        open_batch(page, "6 letters: anniversary")
        page.locator(".sheet a").first.tap()
        taps = count_taps(page)
        for number in range(2, LETTERS + 1):
            page.get_by_role("link", name="Next").tap()
            expect(page.get_by_role("link", name=f"{number} of {LETTERS}")).to_be_visible()
        assert len(taps) == LETTERS - 1


def test_a_withdrawal_makes_it_fewer_and_asks_for_one_more_tap(
    chromium: Browser, desk: httpx.Client, practice: Engine
) -> None:
    with new_page(chromium, address(desk)) as page:
        sign_in(page, "nora")
        open_batch(page, "6 letters: anniversary")
        with writing(practice) as session:
            session.get_one(Customer, "c0").died_on = TODAY
        page.get_by_role("button", name="Approve 6 letters").click()
        expect(page.get_by_role("alert")).to_contain_text("Now 5.")
        expect(page.get_by_role("alert")).to_contain_text("they have died")
        page.get_by_role("button", name="Approve 5 letters").click()
        expect(page.get_by_role("status")).to_contain_text("5 approved")


def test_an_approval_is_undone_and_everything_waits_again(chromium: Browser, desk: httpx.Client) -> None:
    with new_page(chromium, address(desk)) as page:
        sign_in(page, "nora")
        open_batch(page, "6 letters: anniversary")
        page.get_by_role("button", name="Approve 6 letters").click()
        page.get_by_role("button", name="Undo the approval").click()
        expect(page.get_by_role("status")).to_contain_text("6 wait again")
        expect(page.get_by_role("button", name="Approve 6 letters")).to_be_visible()


def test_one_is_put_on_hold_and_the_rest_goes_on(chromium: Browser, desk: httpx.Client) -> None:
    with new_page(chromium, address(desk)) as page:
        sign_in(page, "wanda")
        open_batch(page, "6 letters: anniversary")
        page.get_by_role("link", name="Mariac Lopez").click()
        page.get_by_text("Put on hold …").click()
        page.get_by_label("Why? The rest goes on").fill("ask Nora first")
        page.get_by_role("button", name="Put on hold").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("5 letters: anniversary")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_the_red_button_stops_all_sending_with_one_press(
    chromium: Browser, desk: httpx.Client, practice: Engine
) -> None:
    with new_page(chromium, address(desk), **ON_A_PHONE) as page:
        sign_in(page, "ben")
        page.get_by_role("button", name="Stop all sending").tap()
        expect(page.get_by_role("status")).to_contain_text("All sending is stopped")
        with reading(practice) as session:
            assert [pause.scope for pause in session.exec(select(Pause))] == ["everything"]
        page.get_by_role("button", name="Go on sending").tap()
        expect(page.get_by_role("status")).to_contain_text("Sending goes on")


def test_everything_can_be_done_with_the_keyboard_alone(chromium: Browser, desk: httpx.Client) -> None:
    with new_page(chromium, address(desk)) as page:
        page.goto("/signin")
        for words in ("nora", PASSWORD):
            page.keyboard.press("Tab")
            page.keyboard.type(words)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="batches wait for you")).to_be_visible()
        tab_to(page, "6 letters: anniversary")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="6 letters: anniversary")).to_be_visible()
        tab_to(page, "Approve 6 letters for $66.30")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("6 approved")


# Whether letters stand out from their ground has to do with the scheme, and all else with the width.
@pytest.mark.parametrize(
    "looks",
    [
        pytest.param([(PHONE, "light"), (DESKTOP, "dark")], id="phone-light desktop-dark"),
        pytest.param([(PHONE, "dark"), (DESKTOP, "light")], id="phone-dark desktop-light", marks=pytest.mark.drill),
    ],
)
def test_axe_finds_nothing_serious_on_any_page(
    chromium: Browser, desk: httpx.Client, looks: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What lies ahead looks the same for a week as for a month, which takes seconds.
    monkeypatch.setattr(marketing, "DAYS_AHEAD", 7)
    found: list[str] = []

    def look(page: Page, path: str) -> None:
        """Each page is asked for once, and then turned."""
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        for viewport, scheme in looks:
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is too wide"
            found.extend(f"{path} {viewport} {scheme}: {one}" for one in violations(page))

    with new_page(chromium, address(desk)) as page:
        look(page, "/signin")
        sign_in(page, "ada")
        for path in PAGES:
            look(page, path)
    assert found == []
