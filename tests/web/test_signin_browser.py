"""Signing in with a real browser: a first password, one's own account, and an account from elsewhere."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine

from chromium import DESKTOP, PASSWORD, PHONE, chromium, new_page, sign_in, violations
from conftest import NOW
from openid_provider import CLIENT, SECRET, openid_provider
from outreach.approval.staff import add_staff, give_first_password
from outreach.database import writing
from outreach.settings import Settings, load_settings
from serving import serving

__all__ = ["chromium"]
pytestmark = pytest.mark.xdist_group("chromium")


@pytest.fixture
def first_password(sqlite_engine: Engine) -> str:
    with writing(sqlite_engine) as session:
        add_staff(session, "maria", "Maria Stone", "approver", NOW, "maria@practice.example")
        return give_first_password(session, "maria", NOW)


@pytest.fixture
def desk(sqlite_engine: Engine, settings: Settings) -> Iterator[httpx.Client]:
    with serving(sqlite_engine, settings) as client:
        yield client


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_first_password_is_changed_and_the_account_shows_this_browser(
    chromium: Browser, desk: httpx.Client, first_password: str, viewport: dict[str, int]
) -> None:
    with new_page(chromium, str(desk.base_url), viewport) as page:
        page.goto("/account")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert violations(page) == []
        page.get_by_label("Your short name here").fill("Maria")
        page.get_by_label("Password").fill("not the password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        assert violations(page) == []
        expect(page.get_by_label("Your short name here")).to_have_value("Maria")
        page.get_by_label("Password").fill(first_password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
        assert violations(page) == []
        page.get_by_label("The password you have").fill(first_password)
        page.get_by_label("The new one", exact=True).fill(PASSWORD)
        page.get_by_label("The new one once more").fill(PASSWORD)
        page.get_by_role("button", name="Choose it").click()
        expect(page.get_by_role("status")).to_contain_text("Your password is changed")
        page.goto("/account")
        expect(page.get_by_role("listitem").filter(has_text="this one")).to_contain_text("Chrome on Linux")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="Sign out everywhere").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        sign_in(page, "maria")


def test_scripts_of_the_page_cannot_read_the_cookies(
    chromium: Browser, desk: httpx.Client, first_password: str
) -> None:
    with new_page(chromium, str(desk.base_url)) as page:
        page.goto("/signin")
        page.get_by_label("Your short name here").fill("maria")
        page.get_by_label("Password").fill(first_password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
        assert page.evaluate("document.cookie") == ""
        assert {cookie["name"] for cookie in page.context.cookies()} == {"__Host-session", "__Host-known"}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_account_from_elsewhere_signs_in_through_the_providers_pages_and_back(
    chromium: Browser, sqlite_engine: Engine, settings: Settings, first_password: str, scripts: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with openid_provider(int(NOW.timestamp())) as provider:
        oidc = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, "name": "Alder"}
        here = settings.business.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        changed = {"business": here, "desk": load_settings(desk={"oidc": oidc}).desk}
        with (
            serving(sqlite_engine, settings.model_copy(update=changed), port=port) as desk,
            new_page(chromium, str(desk.base_url), java_script_enabled=scripts) as page,
        ):
            page.goto("/account")
            page.get_by_role("button", name="Sign in with Alder").click()
            if not scripts:
                page.get_by_role("button", name="Sign in with Alder").click()
            page.wait_for_url("**/account")
            expect(page.get_by_role("heading", name="Maria Stone")).to_be_visible()
