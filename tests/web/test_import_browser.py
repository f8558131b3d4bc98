"""Importing at the desk in a real browser: unknown columns are matched, looked at, imported, and told of."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from chromium import DESKTOP, PASSWORD, PHONE, chromium, new_page, sign_in, violations
from conftest import NOW
from intake_data import stored, write
from outreach.approval.accounts import set_password
from outreach.approval.staff import add_staff
from outreach.database import writing
from outreach.import_steps import PROGRESS, take_look
from outreach.intake.uploads import Upload
from outreach.models import Customer, Intake
from outreach.settings import Settings
from outreach.settings.sources import SavedSource
from outreach.web import import_jobs
from serving import serving

__all__ = ["chromium"]
pytestmark = pytest.mark.xdist_group("chromium")
HEADER = ["Ref", "Called", "Surname", "Mail", "Street", "Town", "State", "Zip", "Joined", "Shoe size"]
PATIENCE = 60_000


@pytest.fixture
def members(tmp_path: Path) -> Path:
    """What a gym's program exports: one without a number, one without a street, and a name that was misread."""
    ada = ["Ada", "Quill", "ada@example.com", "12 Elm Street", "Burlington", "VT", "05401", "3/4/2020", "38"]
    rows = [["1", *ada], ["", *ada], ["3", "M4ry", *ada[1:]], ["4", *ada[:3], "", *ada[4:]]]
    write(tmp_path / "given", "members.csv", HEADER, *rows)
    return tmp_path / "given" / "members.csv"


@pytest.fixture
def desk(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> Iterator[httpx.Client]:
    write(tmp_path / "till", "customers.csv", ["customer_id", "given_name"], ["c9", "Tess"])
    with writing(sqlite_engine) as session:
        add_staff(session, "wanda", "Wanda Whitcomb", "writer", NOW)
        session.flush()
        set_password(session, "wanda", PASSWORD, must_change=False)
    places = {
        "uploads": tmp_path / "uploads",
        "mappings": tmp_path / "mappings",
        "sources": (SavedSource(name="The till", place=str(tmp_path / "till")),),
    }
    with serving(sqlite_engine, settings.model_copy(update=places)) as client:
        yield client


def wait_for_the_step(page: Page) -> None:
    """Until the page that says how far it is has given way to what came of it."""
    page.wait_for_load_state()
    expect(page.locator("[data-refresh]")).to_have_count(0, timeout=PATIENCE)


def give(page: Page, file: Path) -> None:
    page.goto("/imports")
    page.get_by_label("Drop files here, or choose them").set_input_files(file)
    page.get_by_role("button", name="Look at them").click()
    page.wait_for_url("**/imports/*")
    wait_for_the_step(page)


def require_fit(page: Page, look: dict[str, Any]) -> None:
    """The page is as wide as its window, and axe finds nothing serious on it, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} is too wide"
        assert violations(page) == [], f"{page.url} {look} {scheme}"


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_file_that_nobody_knows_is_matched_looked_at_imported_and_told_of_on_today(
    chromium: Browser, desk: httpx.Client, sqlite_engine: Engine, members: Path, viewport: dict[str, Any]
) -> None:
    with new_page(chromium, str(desk.base_url), viewport) as page:
        sign_in(page, "wanda")
        page.get_by_role("link", name="Import", exact=True).click()
        require_fit(page, viewport)
        give(page, members)
        require_fit(page, viewport)
        page.get_by_role("link", name="Match the columns").click()
        expect(page.get_by_label("Surname")).to_have_value("customers.family_name")
        expect(page.get_by_label("Called")).to_have_value("")
        require_fit(page, viewport)
        page.get_by_label("Called").select_option("First name")
        page.get_by_label("What shall we call files like this?").fill("Members of the gym")
        page.get_by_role("button", name="Keep this, and look").click()
        wait_for_the_step(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("3 rows can come in, 1 cannot")
        expect(page.get_by_text("This looks like Members of the gym.")).to_be_visible()
        expect(page.get_by_role("cell", name="line 3", exact=True)).to_be_visible()
        expect(page.get_by_text("M4ry")).to_be_visible()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save the refused rows").click()
        assert "it is empty" in saved.value.path().read_text()
        require_fit(page, viewport)
        assert stored(sqlite_engine, Customer) == []
        page.get_by_role("button", name="Import 3 rows").click()
        wait_for_the_step(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("3 rows came in, 1 did not")
        require_fit(page, viewport)
        page.get_by_role("link", name="In the history").click()
        expect(page.get_by_text("Wanda Whitcomb, 11:00")).to_be_visible()
        require_fit(page, viewport)
        page.goto("/")
        expect(page.get_by_text("3 rows came in today at 11:00, 1 was refused.")).to_be_visible()
        require_fit(page, viewport)
    assert [each.customer_id for each in stored(sqlite_engine, Customer)] == ["1", "3", "4"]


def test_a_saved_source_is_imported_with_the_keyboard_alone(
    chromium: Browser, desk: httpx.Client, sqlite_engine: Engine
) -> None:
    with new_page(chromium, str(desk.base_url)) as page:
        sign_in(page, "wanda")
        page.goto("/imports")
        page.get_by_role("button", name="Look at it", exact=True).focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/imports/*")
        wait_for_the_step(page)
        page.get_by_role("button", name="Import 1 row").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("1 row came in", timeout=PATIENCE)
    assert [(each.by, each.source) for each in stored(sqlite_engine, Intake)] == [("wanda", "The till")]


def test_a_file_that_is_too_large_is_told_of_before_it_is_sent(
    chromium: Browser, desk: httpx.Client, members: Path
) -> None:
    with new_page(chromium, str(desk.base_url)) as page:
        sign_in(page, "wanda")
        page.goto("/imports")
        field = page.get_by_label("Drop files here, or choose them")
        field.evaluate("element => element.dataset.most = 10")
        field.set_input_files(members)
        assert "Choose fewer" in field.evaluate("element => element.validationMessage")
        page.get_by_role("button", name="Look at them").click()
        assert page.url.endswith("/imports")


@pytest.mark.parametrize("has_javascript", [True, False])
def test_the_page_of_a_long_step_says_how_far_it_is_and_then_gives_way_with_or_without_javascript(
    chromium: Browser, desk: httpx.Client, members: Path, monkeypatch: pytest.MonkeyPatch, has_javascript: bool
) -> None:
    may_end = Event()

    def look_slowly(upload: Upload, *more: Any) -> None:
        upload.write(PROGRESS, "members.csv: 50,000 rows so far")
        may_end.wait(PATIENCE / 1000)
        take_look(upload, *more)

    monkeypatch.setattr(import_jobs, "take_look", look_slowly)
    monkeypatch.setattr(import_jobs, "PATIENCE_SECONDS", 0.0)
    with new_page(chromium, str(desk.base_url), java_script_enabled=has_javascript) as page:
        sign_in(page, "wanda")
        page.goto("/imports")
        page.get_by_label("Drop files here, or choose them").set_input_files(members)
        page.get_by_role("button", name="Look at them").click()
        expect(page.get_by_role("status")).to_have_text("members.csv: 50,000 rows so far", timeout=PATIENCE)
        may_end.set()
        expect(page.get_by_role("link", name="Match the columns")).to_be_visible(timeout=PATIENCE)
