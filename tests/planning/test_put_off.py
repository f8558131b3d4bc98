"""Recipients whose own servers say “not now”: nobody else waits for them, and they do not wait for ever."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import delete, select

from approved import add_approved, days
from budget import postgresql_in_drill, trials
from conftest import NOW, TODAY
from handovers import handover_of
from mail_server import MailServer, mail_server, smtp_settings
from outreach.clock import stopped_clock
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.delivery import outbox
from outreach.delivery.open_attempts import Opened
from outreach.delivery.providers.smtp import Smtp
from outreach.delivery.record_results import FIRST_WAIT, LONGEST_WAIT, MOST_PUT_OFF, answer_of, ending_of
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.errors import NotNow, NotSent
from outreach.learning.counts import count_messages
from outreach.learning.deferrals import find_put_off
from outreach.models import Attempt, Message, Suppression
from outreach.settings import Settings

US = "hello@alderlane.example"
OK, LATER, NEVER = "250 2.1.5 ok", "4", "5"
# What a server may say of one recipient, and whether it takes the message in the end.
ANSWERS = (
    ("", ""),
    ("RCPT", "450 4.2.0 greylisted"), ("RCPT", "452 4.2.2 mailbox full"), ("RCPT", "451 4.7.1 come back"),
    ("RCPT", "421 4.3.2 busy"), ("RCPT", "550 5.1.1 no such user"), ("RCPT", "550 5.7.1 relay access denied"),
    ("RCPT", "552 5.2.2 mailbox full"), ("RCPT", "550 no"),
    (".", "451 4.7.0 greylisted after all"), (".", "452 4.2.2 over quota"), (".", "550 5.7.1 looks like spam"),
    (".", "554 5.6.0 no"),
)  # fmt: skip


def address_of(number: int) -> str:
    return f"p{number}@mail.example"


def content_to(number: int) -> bytes:
    return f"From: {US}\r\nTo: {address_of(number)}\r\nSubject: {number}\r\n\r\nGood morning.\r\n".encode()


def add_emails(engine: Engine, count: int, **changes: Any) -> None:
    """Approved e-mails to p0, p1 …, who stand in the queue in this order."""
    with writing(engine) as session:
        for number in range(count):
            to = {"name": f"Ada {number}", "email": address_of(number)}
            add_approved(
                session, f"A{number:03}", "email", to=to, content=content_to(number), provider="smtp", **changes
            )


def deliver(engine: Engine, settings: Settings, server: MailServer, at: datetime = NOW, **more: Any) -> DeliverReport:
    fast = smtp_settings(server, per_second=None, health=True)
    providers = settings.providers.model_copy(update={"smtp": fast})
    settings = settings.model_copy(update={"providers": providers})
    return deliver_due(engine, settings, stopped_clock(at), "sender", providers={"smtp": Smtp(fast, US)}, **more)


def reached(server: MailServer) -> list[str]:
    return [to for taken in server.taken for to in taken.recipients]


def message_of(engine: Engine, reference: str = "A000") -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


@pytest.fixture(scope="module")
def one_database(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('put-off') / 'put-off.db'}")
    upgrade_database(engine)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


@trials(5)
@given(answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=14))
def test_whatever_servers_say_of_some_recipients_everybody_whose_server_takes_it_has_it_after_two_runs(
    one_database: Engine, settings: Settings, answers: list[tuple[str, str]]
) -> None:
    _forget_all(one_database)
    add_emails(one_database, len(answers))
    faults = {f"{step} {address_of(number)}": said for number, (step, said) in enumerate(answers) if step}
    with mail_server(faults) as server:
        deliver(one_database, settings, server)
        deliver(one_database, settings, server, NOW + timedelta(minutes=1))
        would = [address_of(number) for number, (step, _) in enumerate(answers) if not step]
        # What it answers after the final dot it had in its hands, and refused.
        given = [to for to in reached(server) if f". {to}" not in faults]
    assert sorted(given) == sorted(would)
    with reading(one_database) as session:
        ended = dict(session.exec(select(Message.reference, Message.status)).all())
    expected = {f"A{number:03}": _status_after(said) for number, (_, said) in enumerate(answers)}
    assert ended == expected


def _status_after(said: str) -> str:
    if not said:
        return "accepted"
    return "approved" if said.startswith("4") or "relay" in said else "failed"


def _forget_all(engine: Engine) -> None:
    with writing(engine) as session:
        for table in (Attempt, Message, Suppression):
            session.connection().execute(delete(table))


def test_many_full_mailboxes_at_the_head_of_the_queue_hold_nobody_back(engine: Engine, settings: Settings) -> None:
    add_emails(engine, 12)
    with mail_server({f"RCPT {address_of(number)}": "452 4.2.2 mailbox full" for number in range(8)}) as server:
        report = deliver(engine, settings, server)
    assert reached(server) == [address_of(number) for number in range(8, 12)]
    assert (report.again, report.resting, report.retrying) == (8, (), {"smtp": 8})


@postgresql_in_drill
def test_a_greeting_a_login_or_a_sender_that_is_refused_still_rests_the_provider(
    engine: Engine, settings: Settings
) -> None:
    add_emails(engine, 8)
    with mail_server({"MAIL": "451 4.3.0 later"}) as server:
        report = deliver(engine, settings, server)
    assert (report.resting, server.commands.count("MAIL")) == (("smtp",), 5)


@postgresql_in_drill
def test_whoever_was_put_off_waits_in_growing_steps_behind_the_others_and_ends_in_words(
    engine: Engine, settings: Settings
) -> None:
    add_emails(engine, 1, useful_until=TODAY + days(60))
    at, tries = NOW, []
    with mail_server({"RCPT": "450 4.2.0 greylisted"}) as server:
        while message_of(engine).status == "approved":
            deliver(engine, settings, server, at)
            tries.append(at)
            at = message_of(engine).not_before or at
            assert len(tries) <= MOST_PUT_OFF
    message = message_of(engine)
    waits = [after - before for before, after in itertools.pairwise(tries)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_WAIT, LONGEST_WAIT)
    assert timedelta(hours=90) < tries[-1] - NOW < days(5)
    assert (message.status, len(tries)) == ("failed", MOST_PUT_OFF)
    assert message.status_reason == (
        "it was tried 12 times in all, and nothing more is tried: the mail server does not take mail for this address "
        "now (450 4.2.0)"
    )
    with reading(engine) as session:
        assert session.exec(select(Suppression)).all() == []


@postgresql_in_drill
def test_with_one_run_a_day_it_is_tried_each_day(engine: Engine, settings: Settings) -> None:
    add_emails(engine, 1, useful_until=TODAY + days(60))
    with mail_server({"RCPT": "450 4.2.0 greylisted"}) as server:
        for day in range(3):
            deliver(engine, settings, server, NOW + days(day))
        server.faults.clear()
        deliver(engine, settings, server, NOW + days(3))
    assert (server.commands.count("RCPT"), message_of(engine).status) == (4, "accepted")


def test_under_a_limit_new_messages_go_before_those_that_were_put_off(engine: Engine, settings: Settings) -> None:
    add_emails(engine, 6)
    faults = {f"RCPT {address_of(number)}": "450 4.2.0 greylisted" for number in range(2)}
    with mail_server(faults) as server:
        deliver(engine, settings, server, limit=2)
        assert reached(server) == []
        deliver(engine, settings, server, NOW + timedelta(hours=3), limit=2)
    assert reached(server) == [address_of(2), address_of(3)]


def test_what_was_put_off_until_it_was_of_no_use_says_so(engine: Engine, settings: Settings) -> None:
    add_emails(engine, 1, useful_until=TODAY)
    with mail_server({"RCPT": "450 4.2.0 greylisted"}) as server:
        deliver(engine, settings, server)
        deliver(engine, settings, server, NOW + days(1))
    message = message_of(engine)
    assert message.status == "expired"
    assert "not sent while it was useful: the mail server does not take mail" in (message.status_reason or "")
    with reading(engine) as session:
        assert count_messages(session).funnel["approved"] == 1


def test_status_says_which_servers_say_not_now_and_names_none_that_only_one_person_uses(
    engine: Engine, settings: Settings
) -> None:
    add_emails(engine, 3)
    with writing(engine) as session:
        to = {"name": "Ada", "email": "ada@ada-marsh.example"}
        content = content_to(0).replace(address_of(0).encode(), b"ada@ada-marsh.example")
        add_approved(session, "B", "email", to=to, content=content, provider="smtp")
    with mail_server({"RCPT": "450 4.2.0 greylisted"}) as server:
        deliver(engine, settings, server)
    with reading(engine) as session:
        many, one = find_put_off(session)
    assert (many.server, many.number, many.next_at) == ("mail.example", 3, NOW + FIRST_WAIT)
    assert many.sentence == (
        "3 messages wait at mail.example (smtp): the mail server does not take mail for this address now (450 4.2.0); "
        "tried again from 2026-03-10 15:15 UTC on"
    )
    assert "ada" not in one.sentence
    assert one.number == 1


# --- what it comes to ---


def _opened(tries: int = 1) -> Opened:
    claim = outbox.Claim("A", "smtp", "sender", 1, NOW)
    return Opened(claim, 1, tries, handover_of("A", "email"))


@given(asked=st.none() | st.timedeltas(min_value=timedelta(0)), put_off=st.integers(0, MOST_PUT_OFF - 2))
def test_no_wait_is_longer_than_the_longest_whatever_a_server_asks_for(asked: timedelta | None, put_off: int) -> None:
    for error in (NotNow("no", asked), NotSent("no", asked)):
        ending = ending_of(answer_of(_opened(), error=error), is_keyed=False, put_off=put_off)
        assert ending.status == "approved"
        assert ending.after is None or timedelta(0) <= ending.after <= LONGEST_WAIT
    assert days(1) > LONGEST_WAIT


def test_a_second_try_under_a_key_is_never_failed_by_a_not_now(engine: Engine) -> None:
    ending = ending_of(answer_of(_opened(tries=2), error=NotNow("no")), is_keyed=True, put_off=MOST_PUT_OFF)
    assert (ending.status, ending.outcome) == ("approved", None)
