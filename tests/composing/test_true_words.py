"""Weeks of a practice whose facts change between approval and sending: what leaves is true when it leaves.

What was sent is read back from its bytes, and compared with the tables by arithmetic of this test's own.
"""

import email.policy
import random
import re
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from budget import part_of
from conftest import TODAY
from outreach.approval.approving import approve_batch
from outreach.clock import stopped_clock
from outreach.database import reading, writing
from outreach.day import prepare_day
from outreach.delivery.sender import deliver_due
from outreach.models import Batch, Consent, Content, Customer, Import, Invoice, Message, Payment, Treatment, Visit
from outreach.settings import Settings
from planning_rows import ADDRESS, at, customer
from waiting import hire

DAYS, PEOPLE = 24, 14
NAMES = ("Maria", "Theo", "Ada", "Nora", "Samuel")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
MONEY = re.compile(r"\$([\d,]+(?:\.\d\d)?)")


def tuned(settings: Settings) -> Settings:
    off = {kind: {"enabled": False} for kind in ("survey", "surprise", "thank_you", "win_back", "referral_ask")}
    on = {
        "late_payment": {"channels": ["email"], "first_touch_days": 3, "again_days": 5},
        "checkin": {"treatments": ["Filling"], "channels": ["email"]},
        "anniversary": {"channels": ["email"], "reward": 0, "shared_since_percent": 100},
        "welcome": {"channels": ["email"]},
    }
    pacing = settings.pacing.model_copy(update={"quiet_days": 2})
    return settings.model_copy(update={"moments": off | on, "daily_cap": 5000, "pacing": pacing})


class Practice:
    """A few people, whose bills, treatments and names change as the seed has it."""

    def __init__(self, engine: Engine, settings: Settings, seed: int) -> None:
        self.engine, self.settings, self.chance = engine, tuned(settings), random.Random(seed)
        hire(engine, "jon", "admin")
        with writing(engine) as session:
            for number in range(PEOPLE):
                self._add_person(session, f"c{number}")

    def _add_person(self, session: Session, who: str) -> None:
        since = (TODAY + timedelta(self.chance.randrange(DAYS))).replace(year=self.chance.randrange(2019, 2024))
        name = self.chance.choice(NAMES)
        session.add(customer(who, given_name=name, email=f"{who}@home.example", customer_since=since, **ADDRESS))
        for purpose in ("service", "marketing"):
            session.add(
                Consent(customer_id=who, channel="email", purpose=purpose, state="granted", at=at(date(2024, 1, 1)))
            )
        for number, ago in enumerate((40, 200)):
            day = TODAY - timedelta(ago)
            session.add(
                Visit(
                    visit_id=f"v-{who}-{number}", customer_id=who, starts_at=at(day), starts_on=day, status="completed"
                )
            )
        for number in range(self.chance.randrange(3)):
            due = TODAY + timedelta(self.chance.randrange(-12, DAYS - 6))
            amount, issued = self.chance.randrange(20_00, 400_00), due - timedelta(20)
            session.add(
                Invoice(invoice_id=f"i-{who}-{number}", customer_id=who, issued_on=issued, due_on=due, amount=amount)
            )
        for number in range(self.chance.randrange(3)):
            done = TODAY + timedelta(self.chance.randrange(DAYS - 3))
            session.add(
                Treatment(
                    treatment_id=f"t-{who}-{number}", customer_id=who, name="Filling", done_at=at(done), done_on=done
                )
            )

    def change(self, on: date) -> None:
        """What comes in between approval and sending: payments, corrections of bills, days, names and addresses."""
        with writing(self.engine) as session:
            for invoice in session.exec(select(Invoice).order_by(Invoice.invoice_id)):
                left = invoice.amount - _paid(session, invoice)
                # Never more than is left: what comes off other bills is for test_receivables.py.
                if left > 1 and invoice.due_on < on and self.chance.random() < 0.15:
                    paid = left if self.chance.random() < 0.3 else self.chance.randrange(1, left)
                    id_ = f"p-{invoice.invoice_id}-{on}"
                    session.add(Payment(payment_id=id_, invoice_id=invoice.invoice_id, paid_on=on, amount=paid))
                if self.chance.random() < 0.03:
                    invoice.amount += 1_00
            for treatment in session.exec(select(Treatment).order_by(Treatment.treatment_id)):
                if self.chance.random() < 0.06:
                    treatment.done_on += timedelta(1)
                    treatment.done_at += timedelta(1)
            for person in session.exec(select(Customer).order_by(Customer.customer_id)):
                if self.chance.random() < 0.05:
                    person.given_name = self.chance.choice(NAMES)
                if self.chance.random() < 0.05:
                    person.email = f"{person.customer_id}-{on:%d}@home.example"
                if self.chance.random() < 0.04 and person.customer_since:
                    person.customer_since -= timedelta(365)

    def live(self, on: date) -> list[Message]:
        """Prepares and approves the day, lets facts change, and delivers; what left."""
        morning = datetime(on.year, on.month, on.day, 14, tzinfo=UTC)
        with writing(self.engine) as session:
            session.add(Import(at=morning, file="payments.csv", table_name="payments", read=0, accepted=0, refused=0))
        prepare_day(self.engine, self.settings, on, stopped_clock(morning), lambda _: None)
        with reading(self.engine) as session:
            waiting = session.exec(select(Batch.batch_id).where(Batch.status == "waiting")).all()
        for batch_id in waiting:
            approve_batch(self.engine, self.settings, batch_id, "jon", morning, "command line")
        self.change(on)
        before = self._left()
        deliver_due(self.engine, self.settings, stopped_clock(morning + timedelta(hours=4)), "sender")
        return [message for reference, message in self._left().items() if reference not in before]

    def _left(self) -> dict[str, Message]:
        with reading(self.engine) as session:
            left = session.exec(select(Message).where(col(Message.status).in_(("accepted", "delivered"))))
            return {message.reference: message for message in left}


def _paid(session: Session, invoice: Invoice) -> int:
    return sum(session.exec(select(Payment.amount).where(Payment.invoice_id == invoice.invoice_id)))


def untruths(session: Session, message: Message, on: date) -> list[str]:
    """What the bytes of a message state that the tables do not."""
    person, content = session.get_one(Customer, message.customer_id), session.get_one(Content, message.content_sha256)
    mail = message_from_bytes(content.body or b"", policy=email.policy.default)
    body = mail.get_body(("plain",))
    words = " ".join(str(body.get_content()).split()) if body else ""
    wrong = [] if person.email and person.email in str(mail["To"]) else [f"to {mail['To']}, and not {person.email}"]
    if f"Dear {person.given_name}," not in words:
        wrong.append(f"not to {person.given_name}")
    check = {"late_payment": _debt, "anniversary": _years, "checkin": _weekday}.get(message.kind)
    return wrong + (check(session, message, words, on) if check else [])


def _debt(session: Session, message: Message, words: str, on: date) -> list[str]:
    owed = {}
    for invoice in session.exec(select(Invoice).where(Invoice.customer_id == message.customer_id)):
        left = invoice.amount - _paid(session, invoice)
        if left > 0 and 1 <= (on - invoice.due_on).days <= 30:
            owed[invoice.invoice_id] = left
    said = [round(float(amount.replace(",", "")) * 100) for amount in MONEY.findall(words)]
    true = {*owed.values(), sum(owed.values())}
    return [f"{amount} is not among {true}" for amount in said if amount not in true] + ([] if said else ["no amount"])


def _years(session: Session, message: Message, words: str, on: date) -> list[str]:
    since = session.get_one(Customer, message.customer_id).customer_since
    (said,) = re.findall(r"It is (\w+) years? since", words)
    years = NUMBERS.index(said) + 1 if said in NUMBERS else int(said)
    is_near = since is not None and abs((since.replace(year=since.year + years) - on).days) <= 10
    return [] if is_near else [f"{said} years since {since}"]


def _weekday(session: Session, message: Message, words: str, on: date) -> list[str]:
    (said,) = re.findall(r"with us on (\w+)\.", words)
    done = session.exec(select(Treatment.done_on).where(Treatment.customer_id == message.customer_id)).all()
    days = {f"{day:%A}" for day in done if 0 <= (on - day).days <= 4}
    return [] if said in days else [f"treated on {said}, and not {days}"]


@pytest.mark.longer
@pytest.mark.parametrize("seed", part_of((1, 2, 3), 3))
def test_whatever_changes_after_approval_what_leaves_is_true_when_it_leaves(
    sqlite_engine: Engine, settings: Settings, seed: int
) -> None:
    practice, left = Practice(sqlite_engine, settings, seed), 0
    wrong = []
    for ahead in range(DAYS):
        on = TODAY + timedelta(ahead)
        sent = practice.live(on)
        left += len(sent)
        with reading(sqlite_engine) as session:
            wrong += [(message.kind, on, fault) for message in sent for fault in untruths(session, message, on)]
    assert wrong == []
    with reading(sqlite_engine) as session:
        held = [m.status_reason for m in session.exec(select(Message).where(Message.status == "withdrawn"))]
    # Otherwise nothing was tried.
    assert left >= 10
    assert len(held) >= 3
