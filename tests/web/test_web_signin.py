"""Signing in at the desk: cookies, waits, roles, forms of other sites, links elsewhere, and what a GET may do."""

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx import Client, Response
from sqlalchemy import Engine, delete
from sqlmodel import select

from asgi import new_browser
from conftest import NOW
from outreach.approval.staff import add_staff, give_first_password, remove_staff, take_password
from outreach.database import reading, writing
from outreach.models import Batch, Message, SignIn, Staff
from outreach.settings import Settings, load_settings
from outreach.web.access import COOKIE, KNOWN, csrf_token
from outreach.web.app import create_app
from outreach.web.signin_paths import local_path
from serving import Browser, serving

PASSWORD, NEW = "copper violin and seven plums", "eleven blue kettles on ice"
ORIGIN = "https://desk.example"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
ROLES = {"vic": "viewer", "wanda": "writer", "maria": "approver", "ada": "admin"}


class Desk:
    """The app, its clock, and browsers on it. A browser sends what real ones do: cookies, and its origin with forms."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.at = NOW
        self.engine, self.settings = engine, settings
        self.app = create_app(engine, settings, lambda: self.at)

    def browser(self, address: str = "203.0.113.7", **headers: str) -> Client:
        return new_browser(self.app, ORIGIN, address, **{"User-Agent": FIREFOX, **headers})

    def signed(self, who: str, password: str = PASSWORD, **how: Any) -> Client:
        browser = self.browser(**how)
        answer = sign_in(browser, who, password)
        assert answer.status_code == 303, answer.text
        return browser


@pytest.fixture
def desk(sqlite_engine: Engine, settings: Settings) -> Desk:
    with writing(sqlite_engine) as session:
        for who, role in ROLES.items():
            add_staff(session, who, f"{who.title()} Stone", role, NOW, f"{who}@practice.example")
            take_password(session, who, PASSWORD, "Alder Lane Dental", NOW)
    return Desk(sqlite_engine, settings)


def sign_in(browser: Client, who: str, password: str = PASSWORD, **more: str) -> Response:
    return press(browser, "/signin", who=who, password=password, **more)


def press(browser: Client, path: str, origin: str | None = ORIGIN, **fields: str) -> Response:
    """Sends a form of our own pages, with the token that they hold."""
    token = browser.cookies.get(COOKIE)
    fields = ({"csrf": csrf_token(token)} if token else {}) | fields
    return browser.post(path, data=fields, headers={"Origin": origin} if origin else {})


def sign_ins(engine: Engine) -> int:
    with reading(engine) as session:
        return len(session.exec(select(SignIn)).all())


def test_the_right_password_opens_the_desk_and_a_wrong_one_says_so_calmly(desk: Desk) -> None:
    browser = desk.browser()
    wrong = sign_in(browser, "maria", "not the password")
    assert (wrong.status_code, "do not belong together" in wrong.text) == (403, True)
    assert 'role="alert"' in wrong.text
    assert COOKIE not in browser.cookies
    right = sign_in(browser, "maria")
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert browser.get("/").status_code == 200


def test_the_cookie_is_for_this_host_over_https_alone_and_out_of_scripts_reach(desk: Desk) -> None:
    answer = sign_in(desk.browser(), "maria")
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {COOKIE, KNOWN}
    for cookie in cookies:
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not [part for part in parts if part.startswith("domain")]
    session = next(cookie for cookie in cookies if cookie.startswith(COOKIE))
    assert "max-age" not in session.lower()
    assert "expires" not in session.lower()


def test_each_sign_in_gets_another_cookie_and_one_that_was_planted_is_good_for_nothing(desk: Desk) -> None:
    planted = "f" * 64
    browser = desk.browser()
    browser.cookies.set(COOKIE, planted)
    sign_in(browser, "maria")
    first = browser.cookies.get(COOKIE, domain="desk.example")
    assert first != planted
    assert desk.browser(Cookie=f"{COOKIE}={planted}").get("/").status_code == 303
    assert desk.signed("maria").cookies.get(COOKIE) != first


def test_somebody_who_is_not_signed_in_comes_to_the_sign_in_and_from_there_to_their_page(desk: Desk) -> None:
    browser = desk.browser()
    sent = browser.get("/account?a=1&b=%2F")
    assert (sent.status_code, sent.headers["location"]) == (303, "/signin?next=%2Faccount%3Fa%3D1%26b%3D%252F")
    page = browser.get(sent.headers["location"])
    [wanted] = re.findall(r'name="next" value="([^"]*)"', page.text)
    answer = sign_in(browser, "maria", next=wanted.replace("&amp;", "&"))
    assert answer.headers["location"] == "/account?a=1&b=%2F"
    assert browser.get(answer.headers["location"]).status_code == 200
    assert browser.get("/signin?next=/account").headers["location"] == "/account"


def test_a_form_sent_after_the_sign_in_has_ended_leads_back_to_its_page_and_does_nothing(desk: Desk) -> None:
    browser = desk.signed("maria")
    desk.at += timedelta(hours=13)
    fields = {"csrf": csrf_token(browser.cookies[COOKIE]), "old": PASSWORD, "new": NEW, "again": NEW}
    headers = {"Origin": ORIGIN, "Referer": f"{ORIGIN}/account/password"}
    answer = browser.post("/account/password", data=fields, headers=headers)
    assert answer.headers["location"] == "/signin?next=%2Faccount%2Fpassword"
    desk.signed("maria", PASSWORD)


ELSEWHERE = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "/\n/evil.example", "/%09/evil.example\r\nSet-Cookie: a=b", "javascript:alert(1)", "evil.example", "",
    " //evil.example", "/ /evil.example", "///evil.example",
    "http:evil.example", "/signin?next=/", "/signout", "/\x00", "/" + "x" * 5000, "data:text/html,x",
]  # fmt: skip


@pytest.mark.parametrize("payload", ELSEWHERE)
def test_nobody_is_sent_to_another_site_nor_in_circles_after_signing_in(desk: Desk, payload: str) -> None:
    assert local_path(payload) == "/"
    browser = desk.browser()
    assert 'name="next" value="/"' in browser.get("/signin", params={"next": payload}).text
    assert sign_in(browser, "maria", next=payload).headers["location"] == "/"


@pytest.mark.parametrize("path", ["/", "/batches/2026-03-10-late-payment-letter?page=2", "/people/ü", "/a//b"])
def test_a_path_of_ours_is_gone_on_to(path: str) -> None:
    assert local_path(path) == path


def test_after_five_failures_the_page_says_in_words_how_long_to_wait_and_a_program_how_many_seconds(desk: Desk) -> None:
    browser = desk.browser()
    for _ in range(5):
        assert sign_in(browser, "maria", "not the password").status_code == 403
    answer = sign_in(browser, "maria")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "Wait a minute, then try again" in answer.text
    desk.at += timedelta(seconds=60)
    assert sign_in(browser, "maria").status_code == 303


def test_a_browser_in_which_one_has_signed_in_is_not_shut_out_by_others_elsewhere(desk: Desk) -> None:
    browser = desk.signed("maria")
    press(browser, "/signout")
    far_away = desk.browser("198.51.100.99")
    for _ in range(6):
        sign_in(far_away, "maria", "not the password")
    assert sign_in(desk.browser(), "maria").status_code == 429
    assert sign_in(browser, "maria").status_code == 303


@pytest.mark.parametrize(
    ("trusted", "forwarded", "free"),
    [
        # A caller may write what it likes into the header: only the connection counts.
        ([], "192.0.2.{}", False),
        # The proxy adds the last one; what stands before it was sent by the caller.
        (["203.0.113.0/24"], "192.0.2.{}", True),
        (["203.0.113.0/24"], "192.0.2.{}, 198.51.100.1", False),
        (["203.0.113.0/24", "10.0.0.0/8"], "192.0.2.{}, 10.0.0.5", True),
    ],
)
def test_only_a_trusted_proxy_is_believed_about_where_a_request_comes_from(
    sqlite_engine: Engine, settings: Settings, trusted: list[str], forwarded: str, free: bool
) -> None:
    proxies = load_settings(desk={"trusted_proxies": trusted}).desk
    desk = Desk(sqlite_engine, settings.model_copy(update={"desk": proxies}))
    for number in range(20):
        browser = desk.browser(**{"X-Forwarded-For": forwarded.format(number)})
        assert sign_in(browser, f"name{number}").status_code == 403
    last = sign_in(desk.browser(**{"X-Forwarded-For": forwarded.format(99)}), "name99")
    assert last.status_code == (403 if free else 429)


def test_signing_out_ends_it_on_the_server_too(desk: Desk) -> None:
    browser = desk.signed("maria")
    cookie = f"{COOKIE}={browser.cookies[COOKIE]}"
    answer = press(browser, "/signout")
    assert answer.headers["location"] == "/signin"
    assert desk.browser(Cookie=cookie).get("/").status_code == 303
    assert sign_ins(desk.engine) == 0


def test_a_sign_in_that_was_not_used_for_two_hours_is_over_and_one_in_use_lasts_twelve(desk: Desk) -> None:
    idle, busy = desk.signed("maria"), desk.signed("wanda")
    for _ in range(11):
        desk.at += timedelta(hours=1)
        assert busy.get("/").status_code == 200
    assert idle.get("/").status_code == 303
    desk.at += timedelta(hours=1)
    assert busy.get("/").status_code == 303


def test_no_page_waits_until_a_long_run_has_written(sqlite_engine: Engine, settings: Settings) -> None:
    later = NOW + timedelta(minutes=5)
    with serving(sqlite_engine, settings, lambda: later) as client:
        browser = Browser(client, sqlite_engine, "maria", "viewer", NOW)
        with writing(sqlite_engine) as session:
            session.connection()  # from here on nobody else can write
            assert browser.get("/account").status_code == 200
    # The server has ended, and what it still had to write is written.
    with reading(sqlite_engine) as session:
        assert session.exec(select(SignIn.seen_at)).one() == later


def test_removing_somebody_shuts_the_page_they_are_looking_at(desk: Desk) -> None:
    browser = desk.signed("maria")
    with writing(desk.engine) as session:
        remove_staff(session, "maria", NOW)
    assert browser.get("/").status_code == 303


def test_a_first_password_leads_nowhere_but_to_choosing_ones_own(desk: Desk) -> None:
    with writing(desk.engine) as session:
        first = give_first_password(session, "maria", NOW)
    browser = desk.signed("maria", first)
    for path in ("/", "/account", "/status"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/password")
    assert press(browser, "/batches/x/approve").status_code in {303, 404}
    assert "Welcome, Maria Stone" in browser.get("/account/password").text
    assert press(browser, "/account/password", old=first, new=NEW, again=NEW).status_code == 303
    assert browser.get("/").status_code == 200
    assert sign_in(desk.browser(), "maria", first).status_code == 403
    desk.signed("maria", NEW)


@pytest.mark.parametrize(
    ("old", "new", "again", "status", "words"),
    [
        (PASSWORD, NEW, NEW + "x", 400, "not typed twice alike"),
        (PASSWORD, "short", "short", 400, "12 to 128 characters"),
        (PASSWORD, "AlderLaneDental", "AlderLaneDental", 400, "easily guessed"),
        ("not the password", NEW, NEW, 403, "not your present password"),
        (PASSWORD, PASSWORD, PASSWORD, 400, "is the old one"),
    ],
)
def test_a_password_that_will_not_do_is_refused_with_the_reason_and_the_old_one_stays(
    desk: Desk, old: str, new: str, again: str, status: int, words: str
) -> None:
    answer = press(desk.signed("maria"), "/account/password", old=old, new=new, again=again)
    assert (answer.status_code, words in answer.text) == (status, True)
    desk.signed("maria")


def test_changing_the_password_signs_out_all_other_browsers_but_this_one(desk: Desk) -> None:
    here, there = desk.signed("maria"), desk.signed("maria")
    assert press(here, "/account/password", old=PASSWORD, new=NEW, again=NEW).status_code == 303
    assert [here.get("/").status_code, there.get("/").status_code] == [200, 303]


def test_guessing_the_present_password_has_to_wait(desk: Desk) -> None:
    browser = desk.signed("maria")
    for _ in range(5):
        press(browser, "/account/password", old="a guess", new=NEW, again=NEW)
    answer = press(browser, "/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_the_account_page_shows_where_one_is_signed_in_and_signs_out_everywhere(desk: Desk) -> None:
    tablet = "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1"
    here, there = desk.signed("maria"), desk.signed("maria", **{"User-Agent": tablet})
    desk.signed("wanda")
    page = here.get("/account").text
    assert "Firefox on Windows" in page
    assert "Safari on iPad" in page
    assert page.count("this one") == 1
    assert press(here, "/account/signout").headers["location"] == "/signin"
    assert [here.get("/").status_code, there.get("/").status_code] == [303, 303]
    assert sign_ins(desk.engine) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://desk.example.evil.example"},
        {"Origin": "https://desk.example:444"},
        {"Origin": "https://desk.example@evil.example"},
        {"Origin": "https://["},
        {"Referer": "https://evil.example/?https://desk.example/"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        # Every browser names the page that a form came from: a request that does not is none of a form of ours.
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "", "Referer": f"{ORIGIN}/account"},
        # Neither side can be read: two unknown hosts are not one and the same.
        {"Origin": "null", "Host": "desk.example:99999"},
        {"Origin": "https://[", "Host": "["},
        {"Origin": "null", "Host": ""},
    ],
)
def test_a_form_that_another_site_made_is_refused_even_with_cookie_and_token(
    desk: Desk, headers: dict[str, str]
) -> None:
    browser = desk.signed("maria")
    fields = {"csrf": csrf_token(browser.cookies[COOKIE])}
    assert browser.post("/signout", data=fields, headers=headers).status_code == 403
    assert sign_ins(desk.engine) == 1
    # Nobody is signed in by a foreign page either, into an account that is not theirs.
    login = desk.browser().post("/signin", data={"who": "maria", "password": PASSWORD}, headers=headers)
    assert (login.status_code, sign_ins(desk.engine)) == (403, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ORIGIN},
        {"Origin": "https://DESK.example:443"},
        {"Referer": f"{ORIGIN}/account"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_form_of_our_own_pages_passes_however_the_browser_says_so(desk: Desk, headers: dict[str, str]) -> None:
    browser = desk.signed("maria")
    fields = {"csrf": csrf_token(browser.cookies[COOKIE])}
    assert browser.post("/signout", data=fields, headers=headers).status_code == 303
    assert sign_ins(desk.engine) == 0


@pytest.mark.parametrize("token", ["", "0" * 64, "of another session", "ü"])
def test_a_form_without_the_token_of_its_session_is_refused(desk: Desk, token: str) -> None:
    browser = desk.signed("maria")
    given = csrf_token(desk.signed("maria").cookies[COOKIE]) if token == "of another session" else token
    answer = press(browser, "/signout", csrf=given)
    assert (answer.status_code, "Nothing was changed" in answer.text) == (403, True)
    assert browser.get("/").status_code == 200


def test_a_form_longer_than_any_of_ours_is_not_even_read(desk: Desk) -> None:
    browser = desk.browser()
    long = {"who": "maria", "password": "x" * (1024 * 1024)}
    assert browser.post("/signin", data=long, headers={"Origin": ORIGIN}).status_code == 413
    endless = browser.post("/signin", content=(b"who=maria" for _ in range(3)), headers={"Origin": ORIGIN})
    assert endless.status_code == 413


@pytest.mark.parametrize("role", list(ROLES.values()))
def test_a_role_that_is_too_low_gets_a_page_that_says_whom_to_ask(desk: Desk, role: str) -> None:
    from outreach.web.access import Admin, Approver, Viewer, Writer

    order = ("viewer", "writer", "approver", "admin")

    def make(needed: Any) -> Any:
        def show(signed: needed) -> dict[str, str]:
            return {"who": signed.staff_id}

        return show

    for name, needed in zip(order, (Viewer, Writer, Approver, Admin), strict=True):
        desk.app.add_api_route(f"/for-{name}", make(needed))
    who = next(who for who, their in ROLES.items() if their == role)
    browser = desk.signed(who)
    statuses = [browser.get(f"/for-{name}").status_code for name in order]
    allowed = order.index(role) + 1
    assert statuses == [200] * allowed + [403] * (4 - allowed)
    if allowed < 4:
        assert "Ask Ada Stone for that role" in browser.get("/for-admin").text
    # The role that counts is the one in the records, and not the one that was there at the sign-in.
    with writing(desk.engine) as session:
        session.get_one(Staff, who).role = "viewer"
    assert browser.get("/for-writer").status_code == 403


def test_the_pages_of_the_sign_in_can_be_used_without_a_script_and_name_their_fields(desk: Desk) -> None:
    for page in (desk.browser().get("/signin").text, desk.signed("maria").get("/account/password").text):
        assert page.count("<h1>") == 1
        assert "<script" not in page
        shown = re.findall(r'<input(?![^>]*(?:type="hidden"| hidden))[^>]*id="(\w+)"', page)
        assert shown
        assert {name for name in shown if f'<label for="{name}">' not in page} == set()


def waiting(desk: Desk) -> tuple[str, str]:
    """A batch and a message of it that wait."""
    from conftest import TODAY
    from outreach.approval.open_batches import open_batches
    from outreach.composing.run import compose_planned
    from planned import add_customer, plan

    add_customer(desk.engine, "c1")
    plan(desk.engine, "anniversary", "letter", "c1")
    compose_planned(desk.engine, desk.settings, TODAY, NOW)
    open_batches(desk.engine, desk.settings, TODAY, NOW)
    with reading(desk.engine) as session:
        return session.exec(select(Batch.batch_id)).one(), session.exec(select(Message.reference)).one()


def routes(desk: Desk) -> list[APIRoute]:
    """Every route of the app, those of its parts included."""
    return [route for route in desk.app.routes if isinstance(route, APIRoute)]


def fill(path: str, known: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: known.get(match[1], "c1"), path)


def contents(engine: Engine) -> list[str]:
    """All that the database holds, save for when somebody was last seen and pictures that are drawn when asked for."""
    with engine.connect() as connection:
        dump = connection.connection.driver_connection.iterdump()  # type: ignore[union-attr]
        return [line for line in dump if not line.startswith(('INSERT INTO "sign_ins"', 'INSERT INTO "thumbnails"'))]


def test_row_30_no_get_or_head_of_any_route_changes_anything(desk: Desk) -> None:
    batch_id, reference = waiting(desk)
    known = {"batch_id": batch_id, "reference": reference, "moment": "anniversary", "kind": "anniversary"}
    browser = desk.signed("ada")
    before = contents(desk.engine)
    paths = [fill(route.path, known) for route in routes(desk)]
    assert len(paths) > 15
    for path in paths:
        for method in ("GET", "HEAD"):
            status = browser.request(method, path).status_code
            assert status < 500, f"{method} {path}"
    assert contents(desk.engine) == before


def test_every_other_method_of_every_route_needs_our_own_pages_and_a_sign_in(desk: Desk) -> None:
    batch_id, reference = waiting(desk)
    public = ("/unsubscribe/", "/survey/", "/webhooks/", "/alarms")  # these prove themselves in ways of their own
    unsafe = [
        (method, fill(route.path, {"batch_id": batch_id, "reference": reference}))
        for route in routes(desk)
        for method in route.methods - {"GET", "HEAD"}
        if not route.path.startswith(public)
    ]
    assert len(unsafe) > 5
    signed = desk.signed("ada")
    before = contents(desk.engine)
    for method, path in unsafe:
        assert signed.request(method, path).status_code == 403, path
        if not path.startswith("/signin"):
            ours = {"Origin": ORIGIN}
            assert signed.request(method, path, headers=ours).status_code == 403, path
            stranger = desk.browser().request(method, path, headers=ours)
            assert (stranger.status_code, stranger.headers["location"][:7]) == (303, "/signin"), path
    assert contents(desk.engine) == before


def test_a_link_with_an_act_in_it_only_leads_to_the_sign_in_and_then_does_nothing(desk: Desk) -> None:
    batch_id, _ = waiting(desk)
    browser = desk.browser()
    link = f"/batches/{batch_id}/approve?by=maria&seal=x"
    sent = browser.get(link)
    answer = sign_in(browser, "maria", next=link)
    assert sent.status_code in {303, 404, 405}
    assert browser.get(answer.headers["location"]).status_code in {200, 404, 405}
    with reading(desk.engine) as session:
        assert session.exec(select(Batch.status)).one() == "waiting"


def test_the_clock_of_the_desk_is_the_only_one_that_counts(desk: Desk) -> None:
    desk.at = datetime.fromisoformat("2031-01-01T00:00:00+00:00")
    browser = desk.signed("maria")
    with reading(desk.engine) as session:
        assert session.exec(select(SignIn.at)).one() == desk.at
    assert browser.get("/").status_code == 200


def tries_until_a_wait(desk: Desk, names: list[str]) -> int:
    """How many tries of these names in turn are looked at before one has to wait; each from another address."""
    for number in range(40):
        browser = desk.browser(f"198.51.{number}.1")
        if sign_in(browser, names[number % len(names)], "not the password").status_code == 429:
            return number
    return 40


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        (["maria"], ["nobody"]),
        (["maria", " MARIA "], ["nobody", " NOBODY "]),
        # By the id and by the address of one and the same person, or of none.
        (["maria", "maria@practice.example"], ["nobody", "nobody@practice.example"]),
        (
            ["maria@practice.example", "Maria@Practice.example "],
            ["nobody@practice.example", "Nobody@Practice.example "],
        ),
    ],
)
def test_a_name_that_exists_counts_like_one_that_does_not(desk: Desk, known: list[str], unknown: list[str]) -> None:
    assert tries_until_a_wait(desk, known) == tries_until_a_wait(desk, unknown)


def test_whoever_gets_in_starts_afresh_by_each_of_their_names(desk: Desk) -> None:
    for number in range(4):
        sign_in(desk.browser(f"198.51.{number}.2"), "maria@practice.example", "not the password")
    desk.signed("maria", address="198.51.100.9")
    assert tries_until_a_wait(desk, ["maria@practice.example"]) == tries_until_a_wait(desk, ["nobody"])


WORDS = "Dear Ada,\n\n<b>P.S.</b> We have kept “your” chair by the window.\n"


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the forms of a page, apart from the one that signs out and the one that stops."""
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    areas = re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>\n([^<]*)</textarea>', page)
    return {name: html.unescape(value) for name, value in [*hidden, *areas]}


def end_sign_ins(desk: Desk) -> None:
    with writing(desk.engine) as session:
        session.execute(delete(SignIn))


def test_words_typed_before_a_sign_in_ended_are_there_again_and_nothing_is_saved_before_the_button(desk: Desk) -> None:
    browser = desk.signed("maria")
    end_sign_ins(desk)
    pressed = browser.post(
        "/messages/K7QF-2M9X-TB4D/edit", data={"csrf": "old", "digest": "d", "words": WORDS},
        headers={"Origin": ORIGIN, "Referer": f"{ORIGIN}/messages/K7QF-2M9X-TB4D/edit"},
    )  # fmt: skip
    assert 'action="/signin"' in pressed.text
    carried = fields_of(pressed.text)
    assert carried["next"] == "/messages/K7QF-2M9X-TB4D/edit"
    # A slip in the password loses nothing either.
    again = fields_of(press(browser, "/signin", who="maria", password="a slip", **carried).text)
    page = press(browser, "/signin", who="maria", password=PASSWORD, **again)
    assert (page.status_code, 'action="/messages/K7QF-2M9X-TB4D/edit"' in page.text) == (200, True)
    sent = fields_of(page.text)
    assert (sent["words"], sent["digest"]) == (WORDS.replace("\n", "\r\n") if "\r" in sent["words"] else WORDS, "d")
    assert sent["csrf"] == csrf_token(browser.cookies.get(COOKIE, domain="desk.example"))
    assert "<b>" not in page.text


def test_words_outlast_a_new_password_too(desk: Desk) -> None:
    browser = desk.signed("maria")
    with writing(desk.engine) as session:
        first = give_first_password(session, "maria", NOW)
    carried = fields_of(press(browser, "/messages/X/edit", words=WORDS, digest="d").text)
    choose = press(browser, "/signin", who="maria", password=first, **carried)
    new = "kettle orchard violin"
    sent = fields_of(choose.text)
    page = press(browser, "/account/password", old=first, new=new, again=new, kept=sent["kept"])
    assert fields_of(page.text)["words"] == WORDS


def test_a_form_from_before_the_last_sign_in_is_shown_again_with_its_words(desk: Desk) -> None:
    browser = desk.signed("maria")
    page = press(browser, "/messages/X/edit", csrf="of the session before", words=WORDS, digest="d")
    assert page.status_code == 403
    assert fields_of(page.text)["words"] == WORDS
    foreign = press(browser, "/messages/X/edit", "https://evil.example", words=WORDS, digest="d")
    assert (foreign.status_code, "chair" in foreign.text) == (403, False)


@pytest.mark.parametrize(
    "kept", ["", "x", "[]", "null", '["https://evil.example/", [["words", "a"]]]',
             '["//evil.example", [["words", "a"]]]', '["/signin", [["words", "a"]]]',
             '["/account/password", [["words", "a"]]]', '["/stop", [["name", ""]]]'],
)  # fmt: skip
def test_only_a_form_of_ours_with_words_in_it_is_carried_through(desk: Desk, kept: str) -> None:
    assert sign_in(desk.browser(), "maria", kept=kept, next="/people").headers["location"] == "/people"


def test_a_form_without_words_leads_through_the_sign_in_to_its_page(desk: Desk) -> None:
    answer = press(desk.browser(), "/stop")
    assert (answer.status_code, answer.headers["location"][:8]) == (303, "/signin?")
