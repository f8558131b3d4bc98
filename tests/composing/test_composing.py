"""Composing end to end: planned messages become letters, e-mails, texts and calls, once, or say why they cannot."""

import hashlib
import json
import signal
from datetime import date, timedelta
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from budget import part_of
from conftest import NOW, TODAY
from outreach.composing.digests import message_digest
from outreach.composing.emails import read_unsubscribe_token
from outreach.composing.preview import preview_template
from outreach.composing.reports import ComposeReport
from outreach.composing.run import compose_planned
from outreach.contacts import load_key
from outreach.database import open_database, reading, writing
from outreach.models import Content, Decision, Flag, Invoice, Message, Payment, Treatment
from outreach.planning.knobs import overlay_knobs
from outreach.settings import Settings
from planned import (
    CHANNELS,
    FOUR,
    LONDON,
    add_customer,
    add_debt,
    compose,
    email_of,
    message_of,
    plain_words,
    plan,
    shipped,
    words_of,
    write_one,
)
from processes import PROCESSES


@pytest.mark.parametrize(("kind", "channel"), shipped())
def test_every_moment_has_words_for_its_channels(
    sqlite_engine: Engine, settings: Settings, kind: str, channel: str
) -> None:
    message, body = write_one(sqlite_engine, settings, kind, channel)
    written = plain_words(channel, body)
    assert "Maria" in written
    assert not [odd for odd in ("!", "{{", "None", "  ", " ,", " .", "Dear ,") if odd in written]
    assert (message.language, message.provider) == ("en", "outbox")
    assert message.size == (2 if (kind, channel) == ("survey", "text") else 1)
    assert message.content_sha256 == hashlib.sha256(body).hexdigest()
    assert message.digest == message_digest(message, message.content_sha256 or "")


def test_a_composed_message_says_what_it_costs_and_whom_it_goes_to(engine: Engine, settings: Settings) -> None:
    message, _ = write_one(engine, settings, "anniversary", "letter")
    gift = 2_000 * settings.rewards.redeemed_percent // 100
    assert (message.cost, message.reward_cost, message.size) == (105 + gift, gift, 1)
    assert message.recipient == (
        '{"city":"Winooski","country":"US","lines":["27 Orchard Terrace","Apartment 4B","Winooski, VT 05404"],'
        '"name":"Mrs. Maria Lopez","postal_code":"05404","region":"VT",'
        '"streets":["27 Orchard Terrace","Apartment 4B"]}'
    )
    for channel, expected in (("email", '"email":"maria@example.org"'), ("text", '"phone":"+18025552671"')):
        reference = plan(engine, "anniversary", channel, "c1")
        compose(engine, settings)
        assert expected in (message_of(engine, reference)[0].recipient or "")


def test_the_anniversary_counts_the_years_and_carries_the_gift(sqlite_engine: Engine, settings: Settings) -> None:
    _, body = write_one(sqlite_engine, settings, "anniversary", "letter")
    assert "It is three years since you first came to Alder Lane Dental" in words_of(body)
    assert "I have put $20 to your name" in words_of(body)


def test_without_a_reward_the_anniversary_speaks_of_none(sqlite_engine: Engine, settings: Settings) -> None:
    without = overlay_knobs(settings, "anniversary", {"reward": 0})
    _, body = write_one(sqlite_engine, without, "anniversary", "letter")
    assert "gift" not in words_of(body)


def test_one_year_is_one_year(sqlite_engine: Engine, settings: Settings) -> None:
    _, body = write_one(sqlite_engine, settings, "anniversary", "letter", customer_since=date(2025, 3, 10))
    assert "It is one year since" in words_of(body)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_checkin_gives_the_practitioners_own_number_and_names_no_treatment(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    _, body = write_one(sqlite_engine, settings, "checkin", channel)
    written = plain_words(channel, body).replace("\u00a0", " ")
    assert "Dr. Okafor" in written
    assert "+1 802 555 0143" in written
    assert "Sunday" in written
    assert "illing" not in written


def test_a_checkin_without_a_practitioner_gives_the_signatorys_number(
    sqlite_engine: Engine, settings: Settings
) -> None:
    add_customer(sqlite_engine)
    with writing(sqlite_engine) as session:
        treatment = session.get_one(Treatment, "t-c1")
        treatment.practitioner = treatment.practitioner_phone = None
    reference = plan(sqlite_engine, "checkin", "email", "c1")
    compose(sqlite_engine, settings)
    assert "You can reach me at +1 802 555 0142" in plain_words("email", message_of(sqlite_engine, reference)[1])


@pytest.mark.parametrize("channel", ["letter", "email"])
def test_the_late_payment_names_what_is_left_and_thanks_whoever_has_paid(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "late_payment", channel, "c1")
    with writing(sqlite_engine) as session:
        session.add(Payment(payment_id="p", invoice_id="i-c1", paid_on=TODAY, amount=6000))
    compose(sqlite_engine, settings)
    written = plain_words(channel, message_of(sqlite_engine, reference)[1])
    assert "There is $125.50 still open that was due on February 20" in written
    assert "If your payment has crossed with this note, thank you" in written
    assert "a plan" in written
    assert "Nora Whitcomb" in written


def owing(engine: Engine, *bills: tuple[int, date, str], **values: object) -> None:
    """Somebody like Maria who is late with these bills: amount in minor units, due day, currency."""
    add_customer(engine, **values)
    with writing(engine) as session:
        for number, (amount, due_on, currency) in enumerate(bills):
            session.add(
                Invoice(invoice_id=f"b{number}", customer_id="c1", issued_on=date(2026, 1, 20), due_on=due_on,
                        amount=amount, currency=currency)
            )  # fmt: skip


def said_of_bills(engine: Engine, settings: Settings, channel: str) -> str:
    reference = plan(engine, "late_payment", channel, "c1")
    with writing(engine) as session:
        # They owe their own bills, and not the one that the plan gave them.
        session.delete(session.get_one(Invoice, "i-c1"))
    compose(engine, settings)
    message, body = message_of(engine, reference)
    assert message.status == "composed", message.status_reason
    return plain_words(channel, body).replace("\u00a0", " ").replace("\n", " ")


@pytest.mark.parametrize("channel", ["letter", "email"])
def test_each_late_bill_is_named_with_its_own_day_and_no_sum_is_said_of_one_day(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    owing(sqlite_engine, (90000, date(2026, 3, 5), "USD"), (10000, date(2026, 2, 20), "USD"))
    said = said_of_bills(sqlite_engine, settings, channel)
    assert "$100 that was due on February 20 and $900 that was due on March 5. That is $1,000 in all." in said
    assert "$1,000 still open" not in said


@pytest.mark.parametrize("channel", ["letter", "email"])
def test_bills_in_two_currencies_are_named_each_in_its_own_and_get_no_sum(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    owing(sqlite_engine, (12345, date(2026, 2, 20), "KWD"), (5000, date(2026, 3, 5), "JPY"))
    said = said_of_bills(sqlite_engine, settings, channel)
    assert "KWD 12.345 that was due on February 20 and ¥5,000 that was due on March 5. If your payment" in said
    assert "in all" not in said


def test_of_many_bills_four_are_named_and_the_rest_counted_and_the_letter_stays_on_its_page(
    sqlite_engine: Engine, settings: Settings
) -> None:
    owing(sqlite_engine, *((1000 + number, date(2026, 2, 10 + number), "USD") for number in range(15)))
    said = said_of_bills(sqlite_engine, settings, "letter")
    assert "$10.03 that was due on February 13, and eleven more of $110.99 together. That is $151.05 in all." in said
    assert said.count("that was due on") == 4
    with reading(sqlite_engine) as session:
        assert session.exec(select(Message)).one().size == 1


def test_a_credit_note_comes_off_the_bill_that_the_words_name(sqlite_engine: Engine, settings: Settings) -> None:
    owing(sqlite_engine, (12000, date(2026, 2, 20), "USD"), (-2000, date(2026, 2, 21), "USD"))
    assert "There is $100 still open that was due on February 20." in said_of_bills(sqlite_engine, settings, "letter")


@pytest.mark.parametrize("channel", ["email", "text", "call"])
def test_what_anyone_could_read_says_nothing_of_money_owed(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    _, body = write_one(sqlite_engine, settings, "late_payment", channel)
    seen = {
        "email": lambda: str(email_of(body)["Subject"]),
        "text": body.decode,
        "call": lambda: json.loads(body)["about"],
    }[channel]()
    assert not any(word in seen.lower() for word in ("$", "pay", "owe", "due", "debt", "overdue", "balance", "invoice"))


def test_the_payer_reads_only_of_what_is_theirs_to_pay(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    add_customer(sqlite_engine, "payer", given_name="Ada")
    with writing(sqlite_engine) as session:
        session.add(
            Invoice(
                invoice_id="i-2", customer_id="c1", payer_id="payer", issued_on=date(2026, 1, 20),
                due_on=date(2026, 2, 22), amount=4000,
            )
        )  # fmt: skip
    reference = plan(sqlite_engine, "late_payment", "email", "c1", to="payer")
    compose(sqlite_engine, settings)
    written = plain_words("email", message_of(sqlite_engine, reference)[1])
    assert "There is $40 still open that was due on February 22" in written
    assert "Maria" not in written


def test_a_letter_about_what_was_paid_meanwhile_is_withdrawn(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "late_payment", "letter", "c1")
    with writing(sqlite_engine) as session:
        session.add(Payment(payment_id="p", invoice_id="i-c1", paid_on=TODAY, amount=18550))
    assert compose(sqlite_engine, settings).withdrawn == {("late_payment", "letter"): 1}
    assert message_of(sqlite_engine, reference)[0].status_reason == "nothing of theirs is late any more"


def test_two_wards_share_one_letter_that_names_both(engine: Engine, settings: Settings) -> None:
    add_customer(engine)
    for ward, name in (("k1", "Mia"), ("k2", "Theo")):
        add_customer(engine, ward, given_name=name, guardian_id="c1", honorific=None, customer_since=date(2021, 3, 10))
    reference = plan(engine, "anniversary", "letter", "k1", "k2", to="c1")
    compose(engine, settings)
    written = words_of(message_of(engine, reference)[1])
    assert "Dear Maria," in written
    assert "It is five years since Mia and Theo first came" in written
    assert "$20 to each of their names" in written
    assert "Mrs. Maria Lopez" in written


def test_wards_who_came_in_different_years_share_words_without_a_number(
    sqlite_engine: Engine, settings: Settings
) -> None:
    add_customer(sqlite_engine)
    for ward, name, year in (("k1", "Mia", 2021), ("k2", "Theo", 2022)):
        add_customer(sqlite_engine, ward, given_name=name, guardian_id="c1", customer_since=date(year, 3, 10))
    reference = plan(sqlite_engine, "anniversary", "email", "k1", "k2", to="c1")
    compose(sqlite_engine, settings)
    assert "the time of year when Mia and Theo first came" in plain_words(
        "email", message_of(sqlite_engine, reference)[1]
    )


def test_a_message_that_cannot_be_written_is_withdrawn_and_its_moments_go_by_another_channel(
    engine: Engine, settings: Settings
) -> None:
    add_customer(engine)
    for ward in ("k1", "k2"):
        add_customer(engine, ward, given_name=None, honorific=None, guardian_id="c1")
    reference = plan(engine, "checkin", "letter", "k1", "k2", to="c1")
    report = compose(engine, settings)
    assert report.withdrawn == {("checkin", "letter"): 1}
    message, _ = message_of(engine, reference)
    assert message.status == "withdrawn"
    assert "“wards”" in (message.status_reason or "")
    with reading(engine) as session:
        last = session.exec(select(Decision).where(Decision.sequence == 2)).all()
        # At once, for nobody has tried the other channels yet; and what the data lack can be mended.
        said = [(d.outcome, d.next_on, d.rule, d.reference) for d in last]
        assert said == [("not_yet", TODAY, "composing", reference)] * 2
        assert all(d.reason == message.status_reason for d in last)


@pytest.mark.parametrize(
    ("values", "channel", "says"),
    [
        ({"given_name": None, "honorific": None}, "letter", "“greeting”"),
        ({"city": None}, "letter", "cannot be reached by letter"),
        ({"email": None}, "email", "cannot be reached by email"),
        ({"given_name": "Maria\nBcc: somebody"}, "email", "line break"),
        ({"given_name": "美玲"}, "letter", "no face we have can print 2 characters (CJK) of its address"),
        ({"address_line1": "x" * 120}, "letter", "window of the envelope"),
        ({"country": "Atlantis"}, "letter", "“country”"),
        ({"given_name": "Łucja " * 12}, "text", "segments in UCS-2"),
    ],
)
def test_what_the_data_lack_is_said_in_plain_words_without_repeating_them(
    sqlite_engine: Engine, settings: Settings, values: dict[str, Any], channel: str, says: str
) -> None:
    add_customer(sqlite_engine, **values)
    reference = plan(sqlite_engine, "anniversary", channel, "c1")
    compose(sqlite_engine, settings)
    message, _ = message_of(sqlite_engine, reference)
    assert message.status == "withdrawn"
    assert says in (message.status_reason or "")
    assert not any(str(value) in (message.status_reason or "") for value in values.values() if value)


def test_a_contact_that_changed_since_planning_is_not_written_to(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "anniversary", "email", "c1", contact_hash="another's")
    compose(sqlite_engine, settings)
    assert "contact has changed" in (message_of(sqlite_engine, reference)[0].status_reason or "")


def test_a_confidential_address_takes_the_place_of_the_one_on_record(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    with writing(sqlite_engine) as session:
        session.add(
            Flag(customer_id="c1", kind="confidential", from_on=date(2026, 1, 1), note="email: safe@example.org")
        )
    reference = plan(sqlite_engine, "checkin", "email", "c1")
    compose(sqlite_engine, settings)
    message, body = message_of(sqlite_engine, reference)
    assert "safe@example.org" in str(email_of(body)["To"])
    assert "maria@" not in (message.recipient or "") + body.decode()


def test_only_planned_messages_of_the_day_and_before_are_written(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    later = plan(sqlite_engine, "anniversary", "email", "c1", run_on=TODAY + timedelta(1))
    done = plan(sqlite_engine, "checkin", "email", "c1", status="approved")
    assert compose(sqlite_engine, settings) == ComposeReport()
    assert message_of(sqlite_engine, later)[0].status == "planned"
    assert message_of(sqlite_engine, done)[0].content_sha256 is None


def test_a_limited_run_writes_so_many_and_leaves_the_rest_planned(sqlite_engine: Engine, settings: Settings) -> None:
    for number in range(3):
        add_customer(sqlite_engine, f"c{number}")
        plan(sqlite_engine, "anniversary", "email", f"c{number}")
    heard: list[tuple[int, int]] = []

    def write(limit: int | None) -> tuple[int, int]:
        report = compose_planned(
            sqlite_engine, settings, TODAY, NOW, limit=limit, progress=lambda *at: heard.append(at)
        )
        return report.composed.total(), report.left

    assert [write(0), write(2), write(None), write(2)] == [(0, 3), (2, 1), (1, 0), (0, 0)]
    assert heard == [(2, 2), (1, 1)]


def test_an_email_is_text_and_html_from_the_business_with_one_click_unsubscribe(
    sqlite_engine: Engine, settings: Settings
) -> None:
    message, body = write_one(sqlite_engine, settings, "anniversary", "email")
    parsed = email_of(body)
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert parsed["From"] == "Alder Lane Dental <hello@alderlane.example>"
    assert parsed["To"] == '"Mrs. Maria Lopez" <maria@example.org>'
    assert parsed["Date"] is None  # true only when it leaves: it is written then, outside the seal
    assert parsed["Message-ID"] == f"<{message.reference}@alderlane.example>"
    assert parsed["X-Outreach-Reference"] == message.reference
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(parsed["List-Unsubscribe"])[1:-1]
    key = load_key(sqlite_engine, settings)
    assert link.startswith("https://outreach.invalid/unsubscribe/")
    assert read_unsubscribe_token(key, link.rpartition("/")[2]) == message.reference
    for kind in ("plain", "html"):
        part = parsed.get_body((kind,))
        assert part is not None
        assert link in part.get_content()
        assert "14 Alder Lane, Burlington, VT 05401" in part.get_content()
        assert "Nora Whitcomb" in part.get_content()
    assert b"\r\n" in body
    assert max(len(line) for line in body.split(b"\r\n\r\n", 1)[1].split(b"\r\n")) <= 78


def test_a_name_with_letters_of_any_script_comes_out_of_the_email_whole(
    sqlite_engine: Engine, settings: Settings
) -> None:
    _, body = write_one(sqlite_engine, settings, "checkin", "email", given_name="Şebnem 美玲", family_name="Łącka")
    assert body.isascii()
    assert email_of(body)["To"].addresses[0].display_name == "Mrs. Şebnem 美玲 Łącka"
    assert "Dear Şebnem 美玲," in plain_words("email", body)


def test_a_text_costs_its_segments_and_fits_one_for_an_ordinary_name(sqlite_engine: Engine, settings: Settings) -> None:
    for kind, _ in shipped("text"):
        add_customer(sqlite_engine, kind, given_name="Łucja" if kind == "checkin" else "Maria")
        plan(sqlite_engine, kind, "text", kind)
    compose(sqlite_engine, settings)
    with reading(sqlite_engine) as session:
        for message in session.exec(select(Message)):
            expected = 2 if message.kind in {"checkin", "survey"} else 1  # a link takes half of one
            assert (message.status, message.size, message.cost - message.reward_cost) == (
                "composed",
                expected,
                expected,
            )
            words = session.get_one(Content, message.content_sha256).body.decode()
            assert words.startswith("Alder Lane Dental: ")
            assert words.endswith("Reply STOP to stop")


def test_a_call_line_says_what_to_say_and_what_not_to(sqlite_engine: Engine, settings: Settings) -> None:
    _, body = write_one(sqlite_engine, settings, "checkin", "call")
    call = json.loads(body)
    assert call["about"] == "How Maria is doing since Sunday"
    assert call["script"].startswith("Hello, is that Maria?")
    assert "Do not say what was done" in call["avoid"]
    assert call["direct_line"] == "+1 802 555 0143"
    assert body == json.dumps(call, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def compose_beside(url: str, settings: Settings, tell: Any) -> None:
    compose_planned(open_database(url), settings, TODAY, NOW, tell.send)


def rows_of(engine: Engine) -> list[Any]:
    with reading(engine) as session:
        messages = [message.model_dump() for message in session.exec(select(Message).order_by(Message.reference))]
        decisions = session.exec(select(Decision).order_by(Decision.moment_id, Decision.sequence)).all()
        contents = session.exec(select(Content.sha256).order_by(Content.sha256)).all()
        return [messages, [decision.model_dump() for decision in decisions], list(contents)]


def fill(engine: Engine) -> None:
    """Forty messages of every moment and channel, some of which cannot be written."""
    for number in range(10):
        add_customer(engine, f"c{number}", **({} if number % 5 else {"given_name": None, "honorific": None}))
        for channel, kind in zip(CHANNELS, FOUR, strict=True):
            plan(engine, kind, channel, f"c{number}")


@pytest.mark.usefixtures("printed_once")
def test_four_at_once_and_a_kill_midway_leave_the_rows_that_one_run_leaves(
    engine: Engine, undisturbed_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"secret": None, "secret_file": tmp_path / "secret"})
    alone = undisturbed_engine
    for each in (alone, engine):
        fill(each)
    compose(alone, own)
    url, pipes = engine.url.render_as_string(hide_password=False), [PROCESSES.Pipe(duplex=False) for _ in range(4)]
    started = [PROCESSES.Process(target=compose_beside, args=(url, own, tell)) for _, tell in pipes]
    for process in started:
        process.start()
    first = started[[hear for hear, _ in pipes].index(wait([hear for hear, _ in pipes], 120)[0])]
    first.kill()
    for process in started:
        process.join(120)
    assert [process.exitcode for process in started if process is not first] == [0, 0, 0]
    assert first.exitcode == -signal.SIGKILL
    compose(engine, own)
    assert rows_of(engine) == rows_of(alone)
    statuses = [message["status"] for message in rows_of(engine)[0]]
    assert statuses.count("composed") == 32
    assert statuses.count("withdrawn") == 8


@pytest.mark.longer
def test_the_same_letter_is_the_same_bytes_whatever_was_written_before_it(
    sqlite_engine: Engine, settings: Settings
) -> None:
    add_customer(sqlite_engine)
    add_customer(sqlite_engine, "c2", given_name="Zoë", **LONDON)
    for customer_id in ("c1", "c2"):
        add_debt(sqlite_engine, customer_id)
    names = part_of([f"letters/{kind}.en.html" for kind, _ in shipped("letter")], 4)
    there = {(n, c): preview_template(sqlite_engine, settings, n, c, TODAY) for n in names for c in ("c1", "c2")}
    back = {
        (n, c): preview_template(sqlite_engine, settings, n, c, TODAY) for n in reversed(names) for c in ("c2", "c1")
    }
    assert there == back
