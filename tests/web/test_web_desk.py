"""Batches and messages on the desk, asked as a browser asks: what is shown, what is refused, and how it is answered."""

import hashlib
import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import pdf_saying
from conftest import NOW, TODAY
from outreach.approval.edits import edit_message
from outreach.approval.open_batches import open_batches
from outreach.composing.paper.sizes import US_LETTER
from outreach.composing.paper.windows import zones_for
from outreach.composing.run import compose_planned
from outreach.composing.store.contents import LETTER, content_row
from outreach.database import insert_new, reading, writing
from outreach.models import Batch, Content, Customer, Hand, Message, ReadingPlace
from outreach.settings import Settings
from planned import add_customer, know_contacts, plan
from prepared import prepare_few, prepared
from serving import Browser, serving

BATCH = "2026-03-10-anniversary-letter"
FIRST, SECOND, THIRD = (f"ANNI-LETTER-C{number}" for number in range(3))
NAUGHTY = "<img src=x onerror=alert(1)>"


practice = prepared(prepare_few(3))


@pytest.fixture
def client(practice: Engine, settings: Settings) -> Iterator[httpx.Client]:
    with serving(practice, settings) as client:
        yield client


@pytest.fixture
def nora(client: httpx.Client, practice: Engine) -> Browser:
    return Browser(client, practice, "nora", "approver")


@pytest.fixture
def ben(client: httpx.Client, practice: Engine) -> Browser:
    return Browser(client, practice, "ben", "approver")


def batch(engine: Engine, batch_id: str = BATCH) -> Batch:
    with reading(engine) as session:
        return session.get_one(Batch, batch_id)


def on_screen(engine: Engine, batch_id: str = BATCH) -> dict[str, str]:
    """What the button of the page that is open now would send."""
    shown = batch(engine, batch_id)
    return {"seal": shown.seal, "count": str(shown.count), "cost": str(shown.cost)}


def test_a_batch_says_who_put_what_in_and_refuses_them(practice: Engine, nora: Browser, ben: Browser) -> None:
    with writing(practice) as session:
        made = session.get_one(Message, FIRST).provenance_id
        session.add(Hand(provenance_id=made, by="nora", part="event", name=f"storm {NAUGHTY}"))
        session.add(Hand(provenance_id=made, by="will", part="words", name="letters/anniversary.en.html", version=1))
    page = ben.get(f"/batches/{BATCH}").text
    assert 'nora: <span dir="auto">event (storm &lt;img' in page
    assert 'will: <span dir="auto">words (letters/anniversary.en.html)' in page
    assert NAUGHTY not in page
    refused = nora.post(f"/batches/{BATCH}/approve", **on_screen(practice))
    assert refused.status_code == 403
    assert ben.post(f"/batches/{BATCH}/approve", **on_screen(practice)).status_code == 303


def test_row_20_whoever_edited_a_letter_cannot_approve_it(
    practice: Engine, settings: Settings, nora: Browser, ben: Browser
) -> None:
    own = edit_message(practice, settings, FIRST, "Dear Maria,\n\nthank you.", "nora", NOW).batch_id
    refused = nora.post(f"/batches/{own}/approve", **on_screen(practice, own))
    assert refused.status_code == 403
    assert "somebody else must approve it" in refused.text
    assert batch(practice, own).status == "waiting"
    assert ben.post(f"/batches/{own}/approve", **on_screen(practice, own)).status_code == 303
    assert batch(practice, own).decided_by == "ben"


@pytest.mark.parametrize("role", ["viewer", "writer"])
def test_row_20_a_role_too_low_is_told_whom_to_ask(client: httpx.Client, practice: Engine, role: str) -> None:
    low = Browser(client, practice, role, role)
    for path in (f"/batches/{BATCH}/approve", f"/batches/{BATCH}/reject", f"/messages/{FIRST}/reject", "/stop"):
        assert low.post(path, reason="no", **on_screen(practice)).status_code == 403
    assert "Approve" not in low.get(f"/batches/{BATCH}").text
    assert batch(practice).status == "waiting"


@pytest.mark.parametrize("field", ["seal", "count", "cost"])
def test_row_21_what_an_older_page_showed_approves_nothing(practice: Engine, nora: Browser, field: str) -> None:
    older = on_screen(practice) | {field: "1" * 64 if field == "seal" else "1"}
    refused = nora.post(f"/batches/{BATCH}/approve", **older)
    assert refused.status_code == 409
    assert "It has changed since you looked" in refused.text
    assert batch(practice).status == "waiting"


def test_row_21_an_edit_since_the_page_was_opened_approves_nothing(
    practice: Engine, settings: Settings, nora: Browser
) -> None:
    shown = on_screen(practice)
    edit_message(practice, settings, FIRST, "Dear Maria,\n\nthank you.", "nora", NOW)
    refused = nora.post(f"/batches/{BATCH}/approve", **shown)
    assert refused.status_code == 409
    assert FIRST in refused.text
    assert batch(practice).status == "waiting"


def test_a_withdrawal_since_then_is_shown_as_fewer_and_takes_one_more_tap(practice: Engine, nora: Browser) -> None:
    shown = on_screen(practice)
    with writing(practice) as session:
        session.get_one(Customer, "c0").died_on = TODAY
    fewer = nora.post(f"/batches/{BATCH}/approve", **shown)
    assert fewer.status_code == 409
    assert "Now 2." in fewer.text
    assert batch(practice).status == "waiting"
    assert f'name="seal" value="{batch(practice).seal}"' in fewer.text
    assert nora.post(f"/batches/{BATCH}/approve", **on_screen(practice)).status_code == 303


def test_row_22_a_double_click_and_two_approvers_at_once_make_one_approval(
    practice: Engine, nora: Browser, ben: Browser
) -> None:
    shown = on_screen(practice)
    answers: list[httpx.Response] = []
    clicks = [
        threading.Thread(target=lambda who=who: answers.append(who.post(f"/batches/{BATCH}/approve", **shown)))
        for who in (nora, nora, ben, ben)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert all("approved already, by" in answer.text for answer in answers if answer.status_code == 409)


def test_a_batch_shows_thumbnails_only_to_who_is_signed_in(
    client: httpx.Client, practice: Engine, nora: Browser
) -> None:
    with reading(practice) as session:
        sha256 = session.get_one(Message, FIRST).content_sha256
    path = f"/thumbnails/{sha256}.png"
    assert path in nora.get(f"/batches/{BATCH}").text
    assert nora.get(path).content.startswith(b"\x89PNG")
    assert client.get(path).status_code == 303
    assert nora.get("/thumbnails/nothing.png").status_code == 404


def test_a_page_of_a_letter_is_drawn_and_one_that_is_not_there_is_not(nora: Browser) -> None:
    assert nora.get(f"/messages/{FIRST}/pages/1.png").content.startswith(b"\x89PNG")
    assert nora.get(f"/messages/{FIRST}/pages/2.png").status_code == 404
    assert nora.get(f"/messages/{FIRST}/letter.pdf").content.startswith(b"%PDF")
    assert nora.get("/messages/CHEC-EMAIL-C1/letter.pdf").status_code == 404


def test_a_name_is_written_as_text_wherever_it_stands(practice: Engine, nora: Browser) -> None:
    with writing(practice) as session:
        session.get_one(Customer, "c0").given_name = NAUGHTY
    for path in (f"/batches/{BATCH}", f"/messages/{FIRST}", "/people?q=img", "/people/c0"):
        page = nora.get(path).text
        assert "&lt;img" in page
        assert NAUGHTY not in page


def test_an_email_is_shown_without_any_attribute_of_its_own(nora: Browser) -> None:
    page = nora.get("/messages/CHEC-EMAIL-C1").text
    assert "Dr. Okafor" in page
    assert "style=" not in page
    assert 'href="http' not in page, "a click on the desk must not unsubscribe anybody"


def test_the_place_is_kept_by_person_and_batch(practice: Engine, nora: Browser, ben: Browser) -> None:
    assert nora.post(f"/batches/{BATCH}/place", reference=SECOND).status_code == 204
    assert f'href="/messages/{SECOND}">Go on where you were' in nora.get(f"/batches/{BATCH}").text
    assert "Go on where you were" not in ben.get(f"/batches/{BATCH}").text
    with reading(practice) as session:
        assert [place.reference for place in session.exec(select(ReadingPlace))] == [SECOND]


def test_words_that_are_refused_name_the_line_and_stay_as_they_were_typed(practice: Engine, nora: Browser) -> None:
    typed = "Dear Maria,\n\nhello {{ amount }}\n\nWarmly,"
    with reading(practice) as session:
        digest = session.get_one(Message, FIRST).digest or ""
    answer = nora.post(f"/messages/{FIRST}/edit", words=typed, digest=digest)
    assert answer.status_code == 400
    assert "line 3" in answer.text
    assert "hello {{ amount }}" in answer.text
    with reading(practice) as session:
        assert session.get_one(Message, FIRST).digest == digest


def test_the_preview_answers_a_script_with_the_true_page(nora: Browser) -> None:
    asked = {"csrf": nora.csrf, "words": "Dear Maria,\n\nthank you.", "digest": "of no matter here"}
    headers = nora.headers | {"Accept": "application/json"}
    said = nora.client.post(f"/messages/{FIRST}/try", data=asked, headers=headers).json()
    assert "problem" not in said, said
    assert said["picture"].startswith("data:image/png;base64,")
    refused = nora.client.post(f"/messages/{FIRST}/try", data=asked | {"words": "{% if x %}"}, headers=headers).json()
    assert "line 1" in refused["problem"]


def test_an_approval_is_undone_in_time_and_not_later(practice: Engine, settings: Settings, nora: Browser) -> None:
    nora.post(f"/batches/{BATCH}/approve", **on_screen(practice))
    assert "3 wait again" in nora.press(f"/batches/{BATCH}/undo").text
    assert batch(practice).status == "waiting"
    assert nora.post(f"/batches/{BATCH}/undo").status_code == 409


def test_what_is_not_there_is_a_page_that_says_so(nora: Browser) -> None:
    for path in ("/batches/none", "/messages/NONE-NONE-NONE", "/messages/NONE-NONE-NONE/edit"):
        answer = nora.get(path)
        assert answer.status_code == 404
        assert "There is no" in answer.text


def test_a_batch_that_is_decided_says_by_whom_and_offers_no_button(
    practice: Engine, nora: Browser, ben: Browser
) -> None:
    ben.post(f"/batches/{BATCH}/reject", reason="told in person")
    page = nora.get(f"/batches/{BATCH}").text
    assert "rejected, by ben" in page
    assert "/approve" not in page


def test_a_name_written_from_right_to_left_stands_in_its_own_direction(practice: Engine, nora: Browser) -> None:
    with writing(practice) as session:
        customer = session.get_one(Customer, "c0")
        customer.given_name, customer.family_name = "ליאה", "כהן"
    assert '<span class="to" dir="auto">ליאה כהן</span>' in nora.get(f"/batches/{BATCH}").text
    assert '<h1 dir="auto">ליאה כהן</h1>' in nora.get(f"/messages/{FIRST}").text
    assert "<bdi>ליאה כהן</bdi>" in nora.get("/people?q=ליאה").text


def test_a_letter_of_two_pages_shows_both(practice: Engine, nora: Browser) -> None:
    body = pdf_saying("Good morning", pages=2)
    sha256 = hashlib.sha256(body).hexdigest()
    with writing(practice) as session:
        insert_new(session, Content, [content_row(sha256, LETTER, body)])
        session.get_one(Message, FIRST).content_sha256 = sha256
    page = nora.get(f"/messages/{FIRST}").text
    assert page.count("<svg") == 2
    assert page.count('class="window"') == 1
    assert nora.get(f"/messages/{FIRST}/pages/2.png").status_code == 200


@pytest.mark.parametrize("number", ["9" * 30, str(2**63), "-1", "0"])
def test_a_number_too_large_for_a_database_is_answered_calmly(engine: Engine, settings: Settings, number: str) -> None:
    with serving(engine, settings) as client:
        nora = Browser(client, engine, "nora", "admin")
        for path in ("/batches/none?page={}", "/follow?page={}", "/people?q=a&page={}", "/do-not-contact?page={}"):
            assert nora.get(path.format(number)).status_code < 500
        for path, field in (("/batches/none/approve", "count"), ("/incidents", "incident_id")):
            assert nora.post(path, seal="x", cost="1", **{field: number}).status_code < 500


def test_a_character_that_no_database_keeps_is_refused_and_changes_nothing(engine: Engine, settings: Settings) -> None:
    add_customer(engine, "c0")
    plan(engine, "anniversary", "letter", "c0")
    compose_planned(engine, settings, TODAY, NOW)
    know_contacts(engine)
    open_batches(engine, settings, TODAY, NOW)
    with serving(engine, settings) as client:
        nora = Browser(client, engine, "nora", "admin")
        assert nora.post(f"/messages/{FIRST}/hold", reason="a\0b").status_code == 400
        assert nora.post(f"/messages/{FIRST}/edit", words="Dear\0 Maria,", digest="x").status_code in {400, 409}
        assert nora.get("/people?q=a%00b").status_code in {200, 400}
    with reading(engine) as session:
        assert "\0" not in (session.get_one(Message, FIRST).status_reason or "")


def test_a_batch_that_is_on_hold_altogether_says_so_and_offers_no_approval(practice: Engine, nora: Browser) -> None:
    nora.post(f"/messages/{FIRST}/hold", reason="ask the doctor first")
    with reading(practice) as session:
        apart = session.get_one(Message, FIRST).batch_id
    page = nora.get(f"/batches/{apart}").text
    assert "1 letter on hold" in page
    assert "All of it is on hold" in page
    assert "<button>Approve" not in page
    assert "1 letter on hold" in nora.get("/").text


def test_what_is_approved_for_a_later_day_is_said_to_leave_on_that_day(practice: Engine, nora: Browser) -> None:
    with writing(practice) as session:
        session.get_one(Batch, BATCH).run_on = TODAY + timedelta(days=1)
    answer = nora.post(f"/batches/{BATCH}/approve", **on_screen(practice))
    assert answer.status_code == 303
    assert 'It leaves on <time datetime="2026-03-11">' in nora.get(answer.headers["location"]).text


def test_the_envelopes_window_is_drawn_where_the_envelope_has_it(nora: Browser) -> None:
    page = nora.get(f"/messages/{FIRST}").text
    drawn = re.search(r'class="window" x="([0-9.]+)" y="([0-9.]+)" width="([0-9.]+)"', page)
    assert drawn
    window = zones_for("outbox", US_LETTER).window
    assert window
    assert [float(each) for each in drawn.groups()] == pytest.approx([window.left, window.top, window.width], abs=0.1)
