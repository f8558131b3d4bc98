"""Random people for a simulated year: what becomes known of each on which day. A seed gives the same year again."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from outreach.models import Consent, Customer, Feedback, Flag, Goodwill, Invoice, Payment, Treatment, Visit

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
FLAGS = ("bereaved", "hardship", "moved", "separated", "legal", "dismissed", "do_not_mail", "confidential")
Rows = list[SQLModel]
Year = dict[date, Rows]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 16, tzinfo=UTC)


class People:
    """A population, told day by day; `lone` are those with one plain reason to be written to, by its kind."""

    def __init__(self, seed: int, size: int) -> None:
        self.random = random.Random(seed)
        self.known: Year = defaultdict(list)
        self.lone: dict[str, str] = {}
        for number in range(size):
            self._add_anybody(f"p{number:03}")
        for kind, add in LONE.items():
            add(self, f"lone-{kind}")
            self.lone[f"lone-{kind}"] = kind

    def day(self, first: date = FIRST, last: date = LAST) -> date:
        return first + timedelta(days=self.random.randrange((last - first).days + 1))

    def add(self, on: date, *rows: SQLModel) -> None:
        """Known from `on`; what lies before the year is known on its first day."""
        self.known[max(on, FIRST)].extend(rows)

    def add_customer(self, who: str, **values: Any) -> None:
        # Digits are no name, and nobody is greeted by them.
        name = "Ann" + "".join("abcdefghij"[int(digit)] for digit in who if digit.isdigit())
        plain: dict[str, Any] = {
            "given_name": name, "family_name": "Lee", "address_line1": f"{who} Elm Street", "city": "Burlington",
            "region": "VT", "postal_code": "05401", "country": "US",
        }  # fmt: skip
        self.add(FIRST, Customer(customer_id=who, **plain | values))

    def add_visit(self, who: str, day: date, status: str = "completed", **values: Any) -> None:
        self.add(day, Visit(visit_id=f"v-{who}-{day}", customer_id=who, starts_at=noon(day), starts_on=day,
                            status=status, **values))  # fmt: skip

    def add_treatment(self, who: str, day: date, name: str = "Filling") -> None:
        self.add(day, Treatment(treatment_id=f"t-{who}-{day}", customer_id=who, name=name, done_at=noon(day),
                                done_on=day))  # fmt: skip

    def add_invoice(self, who: str, issued: date, due: date, paid: date | None = None, **values: Any) -> None:
        name = f"i-{who}-{issued}"
        self.add(
            issued, Invoice(invoice_id=name, customer_id=who, issued_on=issued, due_on=due, amount=9_000, **values)
        )
        if paid:
            self.add(paid, Payment(payment_id=name, invoice_id=name, paid_on=paid, amount=9_000))

    def add_feedback(self, who: str, day: date, kind: str, **values: Any) -> None:
        self.add(day, Feedback(feedback_id=f"f-{who}-{day}-{kind}", customer_id=who, given_at=noon(day), given_on=day,
                               kind=kind, **values))  # fmt: skip

    def _add_anybody(self, who: str) -> None:
        chance = self.random.random
        wards = [name for name in ("kid1", "kid2") if chance() < 0.2]
        household = f"h{self.random.randrange(6)}" if chance() < 0.5 else None
        self.add_customer(
            who,
            email=f"{who}@home.example" if chance() < 0.7 else None,
            phone=f"+1802555{self.random.randrange(100, 200):04}" if chance() < 0.6 else None,
            customer_since=self.day(date(2012, 1, 1), LAST) if chance() < 0.8 else None,
            born_on=self.day(date(1940, 1, 1), date(2012, 1, 1)) if chance() < 0.6 else None,
            died_on=self.day() if chance() < 0.15 else None,
            household_id=household,
        )
        for ward in wards:
            born = self.day(date(2007, 1, 1), date(2020, 1, 1))
            self.add_customer(f"{who}-{ward}", born_on=born, guardian_id=who, household_id=household)
            self._live(f"{who}-{ward}")
        self._live(who)

    def _live(self, who: str) -> None:
        """Whatever befalls somebody in a year, and before it."""
        draw, chance = self.random.randrange, self.random.random
        for _ in range(draw(5)):
            self.add_visit(who, self.day(date(2025, 1, 1)), self.random.choice(("completed", "no_show", "cancelled")),
                           cancelled_by=self.random.choice(("us", "customer", None)))  # fmt: skip
        for _ in range(draw(4)):
            self.add_treatment(who, self.day(), self.random.choice(("Filling", "Whitening", "HIV test")))
        for _ in range(draw(4)):
            issued = self.day(date(2025, 10, 1))
            due = issued + timedelta(days=30)
            paid = due + timedelta(days=draw(-20, 60)) if chance() < 0.7 else None
            self.add_invoice(who, issued, due, paid, status=self.random.choice((None, "open", "disputed", "plan")))
        for _ in range(draw(3)):
            kind = self.random.choice(("score", "complaint", "review", "enquiry"))
            status = self.random.choice((None, "open", "answered"))
            self.add_feedback(who, self.day(), kind, score=draw(11), status=status)
        for _ in range(draw(3)):
            self._consent(who)
        if chance() < 0.15:
            start = self.day()
            until = start + timedelta(days=draw(10, 90)) if chance() < 0.5 else None
            self.add(start, Flag(customer_id=who, kind=self.random.choice(FLAGS), from_on=start, until_on=until))
        if chance() < 0.2:
            day = self.day()
            self.add(day, Goodwill(event="storm", customer_id=who, named_on=day, by="nora"))

    def _consent(self, who: str) -> None:
        day, chance = self.day(), self.random.choice
        self.add(day, Consent(
            customer_id=who, channel=chance(("letter", "email", "text", "call")),
            purpose=chance(("service", "marketing")),
            at=noon(day) - timedelta(hours=8), state=chance(("granted", "granted", "withdrawn")),
            expires_at=noon(day) + timedelta(days=60) if self.random.random() < 0.3 else None, text="yes, please",
        ))  # fmt: skip


def _anniversary(people: People, who: str) -> None:
    day = people.day(date(2026, 2, 1), date(2026, 11, 30))
    people.add_customer(who, customer_since=day.replace(year=2025, day=min(day.day, 28)))
    people.add_visit(who, day - timedelta(days=200), "completed")


def _checkin(people: People, who: str) -> None:
    people.add_customer(who, phone="+18025550999")
    people.add_treatment(who, people.day(date(2026, 2, 1), date(2026, 11, 30)))


def _late_payment(people: People, who: str) -> None:
    people.add_customer(who)
    issued = people.day(date(2026, 2, 1), date(2026, 9, 30))
    people.add_invoice(who, issued, issued + timedelta(days=30))


def _welcome(people: People, who: str) -> None:
    people.add_customer(who, customer_since=people.day(date(2026, 2, 1), date(2026, 11, 30)))


def _goodwill(people: People, who: str) -> None:
    people.add_customer(who)
    day = people.day(date(2026, 2, 1), date(2026, 11, 30))
    people.add(day, Goodwill(event="flood", customer_id=who, named_on=day, by="nora"))


def _recovery(people: People, who: str) -> None:
    people.add_customer(who, phone="+18025550998")
    people.add_feedback(who, people.day(date(2026, 2, 1), date(2026, 11, 30)), "complaint", status="open")


def _review_reply(people: People, who: str) -> None:
    people.add_customer(who)
    people.add_feedback(who, people.day(date(2026, 2, 1), date(2026, 11, 30)), "review", score=2)


# Each has one reason to be written to, and nothing that stands against it.
LONE: dict[str, Callable[[People, str], None]] = {
    "anniversary": _anniversary,
    "checkin": _checkin,
    "late_payment": _late_payment,
    "welcome": _welcome,
    "goodwill": _goodwill,
    "recovery": _recovery,
    "review_reply": _review_reply,
}
