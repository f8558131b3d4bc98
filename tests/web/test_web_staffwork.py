"""What staff enter at the desk, and the survey's public page: who may, what follows at once, and what a GET leaves."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved
from conftest import NOW, TODAY
from outreach.clock import steady_seconds, stopped_clock
from outreach.composing.survey_links import survey_token
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.day import prepare_day
from outreach.models import Batch, Customer, Feedback, Goodwill, Message
from outreach.settings import Settings
from outreach.web import feedback
from planned import MARIA
from serving import Browser, serving

ODD = "C/1 ü?#"
REFERENCE = "K7QF-2M9X-TB4D"
EVENT = "water main break 12 May"


@pytest.fixture
def client(sqlite_engine: Engine, every_moment: Settings) -> Iterator[httpx.Client]:
    with writing(sqlite_engine) as session:
        session.add(Customer(customer_id=ODD, **{**MARIA, "customer_since": TODAY - timedelta(days=400)}))
        session.add(Customer(customer_id="C2", given_name="<b>Otto</b>", family_name="Grau"))
        session.flush()
        add_approved(
            session, REFERENCE, kind="survey", channel="email", status="accepted", provider_id="p1", customer_id="C2"
        )
    with serving(sqlite_engine, every_moment) as client:
        yield client


@pytest.fixture
def nora(client: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(client, sqlite_engine, "nora", "approver")


@pytest.fixture
def token(sqlite_engine: Engine, every_moment: Settings) -> str:
    return survey_token(load_key(sqlite_engine, every_moment), REFERENCE, "C2")


def rows(engine: Engine) -> list[Feedback]:
    with reading(engine) as session:
        return list(session.exec(select(Feedback).order_by(Feedback.feedback_id)))


def recoveries(engine: Engine) -> list[Message]:
    with reading(engine) as session:
        return list(session.exec(select(Message).where(Message.kind == "recovery")))


def wait_for_batches(engine: Engine) -> list[Message]:
    """The recoveries, once what the desk does after its answer is done."""
    ends = steady_seconds() + 30
    while steady_seconds() < ends:
        found = recoveries(engine)
        if found and all(message.batch_id for message in found):
            return found
        time.sleep(0.05)
    raise AssertionError("no recovery came into a batch")


@pytest.mark.parametrize(("kind", "score"), [("complaint", {}), ("score", {"score": 6}), ("score", {"score": 0})])
def test_a_complaint_or_a_low_score_opens_a_recovery_the_same_day(
    nora: Browser, sqlite_engine: Engine, kind: str, score: dict[str, Any]
) -> None:
    page = nora.press("/feedback", customer_id=ODD, kind=kind, text="An hour late.", **score).text
    assert "Written down. " in page
    assert "A recovery is planned, and stands with today&#39;s batches in a moment." in page
    assert "An hour late." in page
    prepared = wait_for_batches(sqlite_engine)
    assert {(m.customer_id, m.run_on, m.status) for m in prepared} == {(ODD, TODAY, "composed")}
    with reading(sqlite_engine) as session:
        batches = session.exec(select(Batch).where(Batch.kind == "recovery")).all()
    assert {(batch.run_on, batch.status) for batch in batches} == {(TODAY, "waiting")}


def test_only_recovery_is_planned_by_it_and_a_second_press_plans_nothing_more(
    nora: Browser, sqlite_engine: Engine
) -> None:
    for _ in range(2):
        page = nora.press("/feedback", customer_id=ODD, kind="complaint", text="Late.").text
    assert "nothing was written twice" in page
    with reading(sqlite_engine) as session:
        kinds = {m.kind for m in session.exec(select(Message)) if m.run_on == TODAY and m.reference != REFERENCE}
        assert kinds == {"recovery"}
        assert len(session.exec(select(Message).where(Message.kind == "recovery", Message.step == 1)).all()) == 1


@pytest.mark.parametrize(("kind", "score"), [("score", {"score": 7}), ("review", {"score": 1}), ("enquiry", {})])
def test_what_asks_for_no_recovery_opens_none(
    nora: Browser, sqlite_engine: Engine, kind: str, score: dict[str, Any]
) -> None:
    assert "recovery is planned" not in nora.press("/feedback", customer_id=ODD, kind=kind, text="x", **score).text
    assert recoveries(sqlite_engine) == []
    assert [row.kind for row in rows(sqlite_engine)] == [kind]


def test_where_a_recovery_must_not_go_the_desk_says_why(nora: Browser, sqlite_engine: Engine) -> None:
    nora.press("/news", customer_id=ODD, what="wrong_person")
    page = nora.press("/feedback", customer_id=ODD, kind="complaint", text="Late.").text
    assert "No recovery goes out now:" in page
    assert "Call them yourself." in page


def test_what_cannot_be_written_now_is_left_to_the_next_run(
    nora: Browser, sqlite_engine: Engine, every_moment: Settings, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    tried = Event()

    def fail(*_: Any, **__: Any) -> None:
        tried.set()
        raise RuntimeError("Maria Lopez")

    with monkeypatch.context() as patched:
        patched.setattr(feedback, "prepare_day", fail)
        nora.press("/feedback", customer_id=ODD, kind="complaint", text="Late.")
        assert tried.wait(30)
    assert {message.status for message in recoveries(sqlite_engine)} == {"planned"}
    assert "Lopez" not in caplog.text
    prepare_day(sqlite_engine, every_moment, TODAY, stopped_clock(NOW), lambda _: None)
    assert {message.status for message in recoveries(sqlite_engine)} == {"composed"}


def test_what_cannot_be_planned_is_still_written_down(sqlite_engine: Engine, every_moment: Settings) -> None:
    with writing(sqlite_engine) as session:
        session.add(Customer(customer_id="C1", **{**MARIA, "customer_since": TODAY}))
    nameless = every_moment.model_copy(
        update={"business": every_moment.business.model_copy(update={"signatories": []})}
    )
    with serving(sqlite_engine, nameless) as client:
        nora = Browser(client, sqlite_engine, "nora", "approver")
        page = nora.press("/feedback", customer_id="C1", kind="complaint", text="Late.")
    assert page.status_code == 200
    assert "Written down." in page.text
    assert len(rows(sqlite_engine)) == 1


def test_one_tap_answers_or_closes_and_another_opens_it_again(nora: Browser, sqlite_engine: Engine) -> None:
    nora.press("/feedback", customer_id=ODD, kind="enquiry", text="Do you open on Saturdays?")
    feedback_id = rows(sqlite_engine)[0].feedback_id
    for status, shown in (("answered", "Open again"), ("open", "Close without an answer"), ("closed", "Open again")):
        page = nora.press("/feedback/status", feedback_id=feedback_id, status=status, of_person="true").text
        assert f"It is {status}." in page
        assert shown in page
        assert rows(sqlite_engine)[0].status == status
    assert nora.post("/feedback/status", feedback_id=feedback_id, status="closed").status_code == 409


@pytest.mark.parametrize("role", ["viewer", "writer"])
def test_only_approvers_write_down_answer_match_and_name(
    client: httpx.Client, sqlite_engine: Engine, nora: Browser, role: str
) -> None:
    nora.press("/feedback", kind="review", score=1, text="Bad.")
    feedback_id, browser = rows(sqlite_engine)[0].feedback_id, Browser(client, sqlite_engine, "vic", role)
    for path in ("/feedback", "/people/C2", "/goodwill"):
        page = browser.get(path)
        assert page.status_code == 200
        assert not re.search(r'action="/(feedback|goodwill)', page.text.replace('action="/feedback#', ""))
    statuses = [
        browser.post("/feedback", kind="complaint", customer_id="C2").status_code,
        browser.post("/feedback/status", feedback_id=feedback_id, status="closed").status_code,
        browser.post("/feedback/match", feedback_id=feedback_id, customer_id="C2").status_code,
        browser.post("/goodwill", event=EVENT, ids="C2").status_code,
        browser.post("/goodwill/query", event=EVENT, query="SELECT customer_id FROM customers").status_code,
    ]
    assert statuses == [403] * 5
    assert [(row.status, row.customer_id) for row in rows(sqlite_engine)] == [("open", None)]


def test_a_form_from_elsewhere_writes_nothing(nora: Browser, sqlite_engine: Engine) -> None:
    foreign = {"Origin": "https://elsewhere.example", "Cookie": nora.headers["Cookie"]}
    fields = {"csrf": nora.csrf, "customer_id": ODD, "kind": "complaint"}
    assert nora.client.post("/feedback", data=fields, headers=foreign).status_code == 403
    assert nora.post("/goodwill", csrf="wrong", event=EVENT, ids="C2").status_code == 403
    assert rows(sqlite_engine) == []


def test_an_enquiry_says_who_asked_and_how_long_they_wait_red_after_its_hours(
    nora: Browser, sqlite_engine: Engine
) -> None:
    with writing(sqlite_engine) as session:
        for id_, minutes in (("E1", 241), ("E2", 30)):
            given = {"given_at": NOW - timedelta(minutes=minutes), "given_on": TODAY}
            session.add(Feedback(feedback_id=id_, customer_id=ODD, kind="enquiry", text=f"<i>{id_}</i>", **given))
    page = nora.get("/feedback").text
    assert "2 enquiries wait" in page
    assert '<span class="tag late">waits for 4 hours</span>' in page
    assert '<span class="tag">waits for 30 minutes</span>' in page
    assert "Maria Lopez" in page
    assert "&lt;i&gt;E1&lt;/i&gt;" in page


def test_a_bad_review_has_a_draft_without_a_customers_data_and_is_matched_by_search(
    nora: Browser, sqlite_engine: Engine
) -> None:
    page = nora.press("/feedback", kind="review", score=2, text="Never again. Maria L.").text
    assert "We do not know who wrote it." in page
    assert "we cannot say here whether somebody is with us" in page
    assert "Lopez" not in page
    feedback_id = rows(sqlite_engine)[0].feedback_id
    found = nora.get(f"/feedback?match={feedback_id}&q=lopez").text
    assert "It is <bdi>Maria Lopez</bdi>" in found
    assert "Nobody is found" in nora.get(f"/feedback?match={feedback_id}&q=nobody").text
    matched = nora.press("/feedback/match", feedback_id=feedback_id, customer_id=ODD).text
    assert "the next run plans a letter to them" in matched
    assert "Maria Lopez" in matched
    draft = re.search(r"readonly[^>]*>(.*?)</textarea>", matched, re.DOTALL)
    assert draft
    assert "Lopez" not in draft[1]
    assert "We do not know who wrote it." in nora.press("/feedback/match", feedback_id=feedback_id).text


def test_a_good_review_needs_no_draft(nora: Browser) -> None:
    assert "A public answer to copy" not in nora.press("/feedback", kind="review", score=4, text="Fine.").text


def test_names_of_a_list_are_taken_and_the_page_says_how_many_are_customers(
    nora: Browser, sqlite_engine: Engine
) -> None:
    page = nora.post("/goodwill", event=f" {EVENT} ", ids=f"customer_id\n{ODD}\nC2\nC9\n")
    assert page.status_code == 200
    assert "3 lines, 2 of them customers: 2 named now, 0 named before." in page.text
    assert "Line 4: no customer has this id" in page.text
    again = nora.post("/goodwill", event=EVENT, ids=ODD)
    assert "1 line, 1 of them customers: 0 named now, 1 named before." in again.text
    with reading(sqlite_engine) as session:
        assert {(row.event, row.by) for row in session.exec(select(Goodwill))} == {(EVENT, "nora")}
    assert f"<bdi>{EVENT}</bdi></th>" in nora.get("/goodwill").text


def test_a_file_is_uploaded_in_whatever_encoding(nora: Browser, sqlite_engine: Engine) -> None:
    content = f"Straße;customer_id\nElm;{ODD}\n".encode("cp1252")
    answer = nora.client.post(
        "/goodwill",
        data={"csrf": nora.csrf, "event": EVENT, "ids": ""},
        files={"file": ("hit.csv", content, "text/csv")},
        headers=nora.headers,
    )
    assert "1 of them customers: 1 named now" in answer.text
    assert "hit.csv" not in answer.text


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"event": " ", "ids": "C2"}, "Name the event"), ({"event": EVENT, "ids": " "}, "Choose a file, or paste")],
)
def test_a_list_that_cannot_be_taken_is_said_above_what_was_typed(
    nora: Browser, sqlite_engine: Engine, fields: dict[str, str], says: str
) -> None:
    answer = nora.post("/goodwill", **fields)
    assert (answer.status_code, says in answer.text) == (400, True)
    with reading(sqlite_engine) as session:
        assert session.exec(select(Goodwill)).all() == []


def test_an_admin_may_ask_the_tables_and_an_approver_may_not(
    client: httpx.Client, nora: Browser, sqlite_engine: Engine
) -> None:
    ada, query = Browser(client, sqlite_engine, "ada", "admin"), "SELECT customer_id FROM customers"
    assert nora.post("/goodwill/query", event=EVENT, query=query).status_code == 403
    assert "/goodwill/query" not in nora.get("/goodwill").text
    assert "2 of them customers" in ada.post("/goodwill/query", event=EVENT, query=query).text
    refused = ada.post("/goodwill/query", event=EVENT, query="DELETE FROM customers")
    assert (refused.status_code, "DELETE FROM customers" in refused.text) == (400, True)


def test_looking_at_a_survey_changes_nothing_and_tells_good_links_from_bad_ones_by_nothing(
    client: httpx.Client, sqlite_engine: Engine, token: str
) -> None:
    pages = {client.get(f"/survey/{one}").text for one in (token, "X.0", "%00")}
    assert len(pages) == 1
    assert {client.head(f"/survey/{one}").status_code for one in (token, "X.0")} == {200}
    assert pages.pop().count('name="score"') == 11
    assert rows(sqlite_engine) == []


def test_one_tap_answers_the_survey_and_nobody_is_named(
    client: httpx.Client, sqlite_engine: Engine, token: str
) -> None:
    answer = client.post(f"/survey/{token}", data={"score": "3"})
    assert (answer.status_code, "Your answer is 3." in answer.text) == (200, True)
    assert "Otto" not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    words = client.post(f"/survey/{token}/words", data={"words": "The wait."})
    assert "And thank you for your words." in words.text
    assert [(row.score, row.text, row.source) for row in rows(sqlite_engine)] == [(3, "The wait.", "survey")]


@pytest.mark.parametrize("path", ["/survey/X.0", f"/survey/{REFERENCE}.{'0' * 32}", "/survey/%00", "/survey/é.1"])
def test_a_link_that_is_not_ours_answers_nothing(client: httpx.Client, sqlite_engine: Engine, path: str) -> None:
    assert client.post(path, data={"score": "3"}).status_code == 404
    assert client.post(f"{path}/words", data={"words": "x"}).status_code == 404
    assert rows(sqlite_engine) == []


@pytest.mark.parametrize("score", ["", "11", "-1", "three", "99999999999999999999"])
def test_no_other_number_is_an_answer(client: httpx.Client, sqlite_engine: Engine, token: str, score: str) -> None:
    assert client.post(f"/survey/{token}", data={"score": score}).status_code in {400, 422}
    assert rows(sqlite_engine) == []


def test_what_came_too_late_says_how_to_reach_a_person(sqlite_engine: Engine, client: httpx.Client, token: str) -> None:
    client.post(f"/survey/{token}", data={"score": "3"})
    with writing(sqlite_engine) as session:
        session.exec(select(Feedback)).one().given_at = NOW - timedelta(days=2)
    answer = client.post(f"/survey/{token}", data={"score": "9"})
    assert (answer.status_code, "This question is closed" in answer.text) == (410, True)
    assert "To reach a person" in answer.text
    assert [row.score for row in rows(sqlite_engine)] == [3]
