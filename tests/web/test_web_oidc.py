"""Signing in with an account from elsewhere, against a real provider on this machine that also lies in every way."""

import html
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from asgi import new_browser
from conftest import NOW
from openid_provider import CLIENT, SECRET, Provider, openid_provider
from outreach.approval.staff import add_staff, remove_staff
from outreach.database import reading, writing
from outreach.models import SignIn, Staff
from outreach.settings import Settings, load_settings
from outreach.web.access import COOKIE
from outreach.web.app import create_app
from outreach.web.signin_oidc import COOKIE as HANDSHAKE

ORIGIN = "https://desk.example"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with openid_provider(int(NOW.timestamp())) as provider:
        yield provider


class Desk:
    def __init__(self, engine: Engine, settings: Settings, provider: Provider, **oidc: Any) -> None:
        self.at, self.engine, self.provider = NOW, engine, provider
        named = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, "timeout_seconds": 1} | oidc
        business = settings.business.model_copy(update={"public_url": f"{ORIGIN}/"})
        desk = load_settings(desk={"oidc": named}).desk
        self.settings = settings.model_copy(update={"business": business, "desk": desk})
        self.app = create_app(engine, self.settings, lambda: self.at)

    def browser(self) -> httpx.Client:
        return new_browser(self.app, ORIGIN)


@pytest.fixture
def desk(sqlite_engine: Engine, settings: Settings, provider: Provider) -> Desk:
    with writing(sqlite_engine) as session:
        add_staff(session, "maria", "Maria Stone", "approver", NOW, "maria@practice.example")
    return Desk(sqlite_engine, settings, provider)


def press(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return browser.post(path, data=fields, headers={"Origin": ORIGIN})


def go(browser: httpx.Client, next: str = "/") -> str:
    """Presses the button, signs in there, and returns the path on which the browser comes back."""
    page = press(browser, "/signin/account", next=next)
    assert page.status_code == 200, page.text
    [link] = re.findall(r'<a href="([^"]+)">', page.text)
    sent_back = httpx.get(html.unescape(link), trust_env=False)
    parts = urlsplit(sent_back.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
    return f"{parts.path}?{parts.query}"


def come_back(browser: httpx.Client, path: str, **other: str) -> httpx.Response:
    """Opens the way back and presses the button there, with the fields that it holds."""
    page = browser.get(path)
    assert page.status_code == 200
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return press(browser, "/signin/back", **{name: html.unescape(value) for name, value in (fields | other).items()})


def sign_ins(engine: Engine) -> list[SignIn]:
    with reading(engine) as session:
        return list(session.exec(select(SignIn)).all())


def is_refused(desk: Desk, answer: httpx.Response, words: str = "did not say who you are") -> bool:
    assert answer.status_code == 403, answer.text
    assert words in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")
    return sign_ins(desk.engine) == []


def test_an_account_that_the_provider_vouches_for_signs_in_and_leads_to_the_page_that_was_wanted(desk: Desk) -> None:
    browser = desk.browser()
    assert "Sign in with your work account" in browser.get("/signin").text
    answer = come_back(browser, go(browser, next="/account"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "Maria Stone" in browser.get("/account").text
    [entry] = sign_ins(desk.engine)
    assert (entry.staff_id, entry.how) == ("maria", "account")


def test_it_is_asked_for_a_code_with_pkce_a_state_a_nonce_and_no_more_than_the_address(desk: Desk) -> None:
    go(desk.browser())
    go(desk.browser())
    one, two = desk.provider.asked
    assert (one["response_type"], one["client_id"], one["code_challenge_method"]) == ("code", CLIENT, "S256")
    assert set(one["scope"].split()) == {"openid", "email"}
    assert one["redirect_uri"] == f"{ORIGIN}/signin/back"
    assert not [name for name in ("state", "nonce", "code_challenge") if one[name] == two[name] or len(one[name]) < 40]


def test_coming_back_does_nothing_before_the_button_is_pressed(desk: Desk) -> None:
    browser = desk.browser()
    path = go(browser)
    for method in ("GET", "HEAD", "GET"):
        browser.request(method, path)
    assert sign_ins(desk.engine) == []
    assert come_back(browser, path).status_code == 303


# What is found wrong with each.
LIES: dict[str, tuple[str, dict[str, Any]]] = {
    "signed with a key it does not publish": ("BadSignature", {"signing": "foreign"}),
    "signed with the secret that we share": ("UnsupportedAlgorithm", {"signing": "secret"}),
    "not signed": ("UnsupportedAlgorithm", {"signing": "none"}),
    "meant for another": ("InvalidClaim", {"claims": {"aud": "another"}}),
    "meant for nobody": ("MissingClaim", {"claims": {"aud": None}}),
    "meant for us among others, given to another": (
        "InvalidClaim",
        {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
    ),
    "of another issuer": ("InvalidClaim", {"claims": {"iss": "https://evil.example"}}),
    "of no issuer": ("MissingClaim", {"claims": {"iss": None}}),
    "of another sign-in": ("InvalidClaim", {"claims": {"nonce": "0" * 64}}),
    "of no sign-in": ("MissingClaim", {"claims": {"nonce": None}}),
    "expired": ("ExpiredToken", {"claims": {"exp": int(NOW.timestamp()) - 61}}),
    "good for ever": ("MissingClaim", {"claims": {"exp": None}}),
    "from the future": ("InvalidClaim", {"claims": {"iat": int(NOW.timestamp()) + 3600}}),
    "of nobody": ("MissingClaim", {"claims": {"sub": None}}),
}


@pytest.mark.parametrize(("wrong", "lie"), LIES.values(), ids=LIES.keys())
def test_an_id_token_that_is_not_right_in_every_way_lets_nobody_in(
    desk: Desk, caplog: pytest.LogCaptureFixture, wrong: str, lie: dict[str, Any]
) -> None:
    for name, value in lie.items():
        setattr(desk.provider, name, value)
    browser = desk.browser()
    assert is_refused(desk, come_back(browser, go(browser)))
    assert f"a sign-in with an account failed: {wrong}Error" in caplog.text
    assert "practice.example" not in caplog.text


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email_verified": None}, {"email_verified": "false"}, {"email": None}, {"email": 7}],
)
def test_an_address_that_the_provider_has_not_verified_lets_nobody_in(desk: Desk, claims: dict[str, Any]) -> None:
    desk.provider.claims = claims
    browser = desk.browser()
    assert is_refused(desk, come_back(browser, go(browser)), "no e-mail address that its provider has verified")


def test_somebody_whom_the_records_do_not_know_is_not_let_in_and_not_made(desk: Desk) -> None:
    desk.provider.email = "eve@practice.example"
    browser = desk.browser()
    assert is_refused(desk, come_back(browser, go(browser)), "Nobody here has the e-mail address")
    with reading(desk.engine) as session:
        assert session.exec(select(Staff.staff_id)).all() == ["maria"]


def test_somebody_who_was_removed_is_not_let_in(desk: Desk) -> None:
    with writing(desk.engine) as session:
        remove_staff(session, "maria", NOW)
    browser = desk.browser()
    assert is_refused(desk, come_back(browser, go(browser)), "Nobody here has the e-mail address")


def test_a_way_back_is_good_once(desk: Desk) -> None:
    browser = desk.browser()
    path = go(browser)
    kept = browser.cookies[HANDSHAKE]
    assert come_back(browser, path).status_code == 303
    assert HANDSHAKE not in browser.cookies
    again = desk.browser()
    answer = come_back(again, path)
    assert (answer.status_code, "begun in another browser" in answer.text) == (403, True)
    # Nor with the cookie that was to be forgotten: the provider takes no code twice.
    again.cookies.set(HANDSHAKE, kept, domain="desk.example")
    assert come_back(again, path).status_code == 403
    assert len(sign_ins(desk.engine)) == 1


def test_a_state_that_another_browser_began_signs_nobody_in(desk: Desk) -> None:
    attacker, victim = desk.browser(), desk.browser()
    path = go(attacker)
    assert is_refused(desk, come_back(victim, path), "begun in another browser")
    go(victim)
    assert is_refused(desk, come_back(victim, path), "begun in another browser")


def test_a_code_of_another_sign_in_is_refused_for_its_verifier(desk: Desk) -> None:
    attacker, victim = desk.browser(), desk.browser()
    [stolen] = parse_qs(urlsplit(go(victim)).query)["code"]
    assert is_refused(desk, come_back(attacker, go(attacker), code=stolen))


@pytest.mark.parametrize("cookie", ["", "x", "e30.0", "ü.ü", "W10=.", f"{'A' * 3000}.{'0' * 64}"])
def test_a_handshake_that_we_did_not_seal_is_refused(desk: Desk, cookie: str) -> None:
    browser = desk.browser()
    path = go(browser)
    browser.cookies.clear()
    answer = browser.post(
        "/signin/back",
        data={name: values[0] for name, values in parse_qs(urlsplit(path).query).items()},
        headers={"Origin": ORIGIN, b"Cookie": f"{HANDSHAKE}={cookie}".encode()},
    )
    assert is_refused(desk, answer, "Begin anew")


def test_a_sign_in_that_takes_longer_than_ten_minutes_begins_anew(desk: Desk) -> None:
    browser = desk.browser()
    path = go(browser)
    desk.at += timedelta(minutes=10)
    assert is_refused(desk, come_back(browser, path), "took too long")


def test_an_answer_that_names_another_issuer_is_refused_before_the_code_is_shown_to_anybody(desk: Desk) -> None:
    browser = desk.browser()
    path = go(browser)
    assert is_refused(desk, come_back(browser, path, iss="https://evil.example"))
    assert len(desk.provider.codes) == 1


def test_someone_who_said_no_over_there_is_told_so(desk: Desk) -> None:
    answer = desk.browser().get("/signin/back?error=access_denied&state=x")
    assert is_refused(desk, answer, "You were not signed in there")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize("fault", ["down", "slow", {}, [], {"keys": []}])
def test_a_provider_that_does_not_answer_as_it_must_is_told_of_in_words_within_its_time(
    desk: Desk, path: str, fault: Any
) -> None:
    browser = desk.browser()
    way_back = go(browser) if path != "/.well-known/openid-configuration" else None
    desk.provider.faults[path] = fault
    answer = come_back(browser, way_back) if way_back else press(browser, "/signin/account")
    assert is_refused(desk, answer)
    assert "with your name and password" in answer.text


@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_discovery_that_names_another_issuer_or_an_address_in_the_clear_is_refused(desk: Desk, name: str) -> None:
    told = desk.provider.discovery() | {name: "http://evil.example/x"}
    browser = desk.browser()
    path = None if name in {"issuer", "authorization_endpoint"} else go(browser)
    desk.provider.faults["/.well-known/openid-configuration"] = told
    assert is_refused(desk, come_back(browser, path) if path else press(browser, "/signin/account"))


def test_an_issuer_in_the_clear_is_not_even_asked(
    sqlite_engine: Engine, settings: Settings, provider: Provider
) -> None:
    desk = Desk(sqlite_engine, settings, provider, issuer="http://id.example")
    assert is_refused(desk, press(desk.browser(), "/signin/account"))


def test_without_the_settings_there_is_neither_a_button_nor_a_way(
    sqlite_engine: Engine, settings: Settings, provider: Provider
) -> None:
    browser = Desk(sqlite_engine, settings, provider, client_secret=None).browser()
    assert "/signin/account" not in browser.get("/signin").text
    assert press(browser, "/signin/account").status_code == 404
    assert browser.get("/signin/back?code=x&state=y").status_code == 404


def test_the_client_secret_comes_from_the_environment_or_a_file_and_never_from_outreach_toml(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("from a file\n")
    toml = '[desk.oidc]\nissuer = "https://id.example"\nclient_id = "desk"\n'
    (tmp_path / "outreach.toml").write_text(toml + 'client_secret_file = "secret"\n')
    assert load_settings().desk.oidc.is_set
    (tmp_path / "outreach.toml").write_text(toml)
    assert not load_settings().desk.oidc.is_set
    monkeypatch.setenv("OUTREACH_DESK__OIDC__CLIENT_SECRET", "s")
    assert load_settings().desk.oidc.is_set
    (tmp_path / "outreach.toml").write_text(toml + 'client_secret = "s"\n')
    with pytest.raises(Exception, match="OUTREACH_DESK__OIDC__CLIENT_SECRET"):
        load_settings()


def test_neither_codes_nor_tokens_are_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    browser = desk.browser()
    path = go(browser)
    come_back(browser, path)
    [code] = parse_qs(urlsplit(path).query)["code"]
    # Without what the browser of this test logs of itself.
    ours = "\n".join(line for line in caplog.text.splitlines() if "desk.example" not in line)
    assert "/token" in ours
    assert code not in ours
    assert SECRET not in ours
