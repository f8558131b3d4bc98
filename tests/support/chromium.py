"""Debian's Chromium, driven by Playwright, on pages served on this machine; skips loudly where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

# It must reach for nothing beyond this machine, and containers give it no sandbox of its own.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PASSWORD = "correct horse battery"


# Playwright keeps an event loop running in this thread, which other tests must not find there.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a file."""
    program = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if program is None:
        pytest.skip("there is no Chromium here: the desk is NOT tried in a browser in this run")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def new_page(chromium: Browser, base_url: str, viewport: Any = DESKTOP, **options: Any) -> Iterator[Page]:
    """A page in a browser profile of its own. Fails where the page complained in its console."""
    context = chromium.new_context(base_url=base_url, viewport=viewport, **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    expected = [text for text in complaints if "status of 4" in text]
    assert [text for text in complaints if text not in expected] == []


def sign_in(page: Page, who: str, password: str = PASSWORD) -> None:
    page.goto("/signin")
    page.get_by_label("Your short name here").fill(who)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in {"serious", "critical"}
    ]
