"""A day and a seed in; the nine CSV files of a dental practice that never was out, in our own format.

The same day, seed and size give the same bytes. Among the plausible people is deliberate trouble, so that the demo
shows not only who is written to but also who is not.
"""

import csv
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from outreach.clock import add_business_days
from outreach.demo.names import DENTISTS, FAMILY, FEES, GIVEN, NICKNAMES, PLACES, ROUTINE, STREETS, TREATMENTS

Row = dict[str, Any]
COLUMNS = {
    "customers": "customer_id given_name family_name preferred_name honorific email phone address_line1 address_line2 "
    "city region postal_code country language timezone customer_since born_on died_on household_id guardian_id "
    "currency",
    "treatments": "treatment_id customer_id visit_id name done_at promised_at practitioner practitioner_phone",
    "visits": "visit_id customer_id starts_at ends_at status cancelled_by",
    "invoices": "invoice_id customer_id payer_id issued_on due_on amount currency status",
    "payments": "payment_id invoice_id paid_on amount",
    "feedback": "feedback_id customer_id given_at kind score status text",
    "referrals": "referral_id customer_id referred_name referred_customer_id made_on status",
    "consents": "customer_id channel purpose state at basis expires_at source text",
    "flags": "customer_id kind from until source note",
}
LEAST_CUSTOMERS = 120
TEXT_CONSENT = "I agree to get texts about my visits from Alder Lane Dental. Reply STOP to stop."


@dataclass(frozen=True)
class PracticeSummary:
    """`trouble` names each deliberate difficulty and the customer, or the row, that has it."""

    customer_ids: list[str]
    rows: dict[str, int]
    trouble: dict[str, str]


def write_practice(folder: Path, on: date, seed: int, customers: int = 320) -> PracticeSummary:
    """Writes the practice as of `on` into `folder`, over whatever files of these names are there.

    `customers` is at least 120, so that there are people for every difficulty.
    """
    practice = _Practice(on, random.Random(seed), max(customers, LEAST_CUSTOMERS))  # noqa: S311 a play, not a secret
    practice.fill()
    folder.mkdir(parents=True, exist_ok=True)
    for table, columns in COLUMNS.items():
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns.split(), restval="")
            writer.writeheader()
            writer.writerows(practice.rows[table])
    return PracticeSummary(
        customer_ids=[row["customer_id"] for row in practice.rows["customers"]],
        rows={table: len(practice.rows[table]) for table in COLUMNS},
        trouble=practice.trouble,
    )


@dataclass
class _Practice:
    """The rows as they grow. People are dealt out from the front: each story takes the next ones nobody has taken."""

    on: date
    random: random.Random
    size: int
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    trouble: dict[str, str] = field(default_factory=dict)
    taken: int = 0

    def fill(self) -> None:
        while len(self.rows["customers"]) < self.size:
            self._settle_household()
        for story in (self._anniversaries, self._checkins, self._late_payers, self._happy, self._wards, self._trouble):
            story()
        for customer in self.rows["customers"]:
            self._live(customer)
            self._consent(customer)
        self._unreadable_rows()
        for table in ("visits", "treatments", "feedback"):
            self.rows[table].sort(key=lambda row: str(next(iter(row.values()))))

    # --- people

    def _settle_household(self) -> None:
        number = len(self.rows["customers"])
        household = f"H{number:04}"
        city, postal_code = self.random.choice(PLACES)
        home = {
            "address_line1": f"{self.random.randint(2, 240)} {self.random.choice(STREETS)}",
            "city": city, "region": "VT", "postal_code": postal_code, "country": "US", "household_id": household,
        }  # fmt: skip
        family = self.random.choice(FAMILY)
        adults = [self._join(family, home) for _ in range(self.random.choice((1, 1, 1, 2, 2)))]
        if len(adults) == 2 and self.random.random() < 0.5:
            for _ in range(self.random.choice((1, 2))):
                self._join(family, home, guardian=adults[0])

    def _join(self, family: str, home: Row, guardian: Row | None = None) -> Row:
        number = len(self.rows["customers"]) + 1
        given = self.random.choice(GIVEN)
        born = self._ago(365 * 4, 365 * 16) if guardian else self._ago(365 * 21, 365 * 84)
        customer = {
            "customer_id": f"C{number:04}",
            "given_name": given,
            "family_name": family,
            "preferred_name": NICKNAMES.get(given, "") if self.random.random() < 0.6 else "",
            "email": "" if guardian else f"{_plain(given)}.{_plain(family)}{number}@mail.example",
            "phone": "" if guardian else f"+1 802 555 {100 + number % 100:04}",
            "customer_since": self._quiet_since().isoformat(),
            "born_on": born.isoformat(),
            "guardian_id": guardian["customer_id"] if guardian else "",
            "currency": "USD",
            **home,
        }
        self.rows["customers"].append(customer)
        return customer

    def _quiet_since(self) -> date:
        """A first day whose anniversary is not near `on`: the stories decide who has one."""
        while True:
            since = self._ago(120, 365 * 9)
            days = (
                since.replace(year=2001, day=min(since.day, 28)) - self.on.replace(year=2001, day=min(self.on.day, 28))
            ).days
            if not -12 <= days <= 14:
                return since

    def _ago(self, least: int, most: int) -> date:
        return self.on - timedelta(days=self.random.randint(least, most))

    def _next_adults(self, number: int) -> list[Row]:
        """The next adults that no story has taken."""
        found: list[Row] = []
        while len(found) < number:
            customer = self.rows["customers"][self.taken]
            self.taken += 1
            if not customer["guardian_id"]:
                found.append(customer)
        return found

    # --- stories

    def _anniversaries(self) -> None:
        for number, customer in enumerate(self._next_adults(18)):
            day = add_business_days(self.on, number % 5 + 1) if number % 3 else self.on - timedelta(days=number % 4)
            years = self.random.choice((1, 1, 2, 3, 3, 5, 8))
            customer["customer_since"] = day.replace(year=day.year - years, day=min(day.day, 28)).isoformat()

    def _checkins(self) -> None:
        for number, customer in enumerate(self._next_adults(14)):
            self._treat(customer, TREATMENTS[number % len(TREATMENTS)], self.on - timedelta(days=2 + number % 2))

    def _late_payers(self) -> None:
        for number, customer in enumerate(self._next_adults(12)):
            self._bill(
                customer, 8500 + 1750 * number, due=self.on - timedelta(days=4 + 2 * number), paid=number % 3 == 0
            )

    def _happy(self) -> None:
        for customer in self._next_adults(9):
            day = self._ago(3, 40)
            for visit in (day - timedelta(days=self.random.randint(1, 20)), day - timedelta(days=190)):
                self._visit(customer, visit)
            self._score(customer, self.random.choice((9, 10)), day)

    def _wards(self) -> None:
        """Two children of one guardian who were treated on the same day share one message."""
        wards: dict[str, list[Row]] = defaultdict(list)
        for customer in self.rows["customers"]:
            if customer["guardian_id"]:
                wards[customer["guardian_id"]].append(customer)
        first, second = next(children for children in wards.values() if len(children) > 1)[:2]
        for child in (first, second):
            self._treat(child, "Filling", self.on - timedelta(days=2))
        self.trouble["two wards on one day"] = f"{first['customer_id']} and {second['customer_id']}"

    def _trouble(self) -> None:
        adults = self._next_adults(11)
        # Each on a day and year of its own: a start date that many share counts as an import's default.
        for number, customer in enumerate(adults[:6]):
            day = add_business_days(self.on, 1 + number % 4)
            customer["customer_since"] = day.replace(year=day.year - 2 - number, day=min(day.day, 28)).isoformat()
        dead, silent, moved, grieving, unwritable, unaddressed, disputing, hard_up, cross, orphan, owing = adults
        dead["died_on"] = self._ago(200, 300).isoformat()
        self.rows["consents"].append(self._said(silent, "letter", "marketing", "withdrawn"))
        self._flag(moved, "moved")
        self._flag(grieving, "bereaved")
        unwritable.update(given_name="美咲", family_name="佐藤", preferred_name="")
        unaddressed.update(postal_code="", email="")
        self._bill(disputing, 42000, due=self.on - timedelta(days=15), status="disputed")
        self._bill(hard_up, 31000, due=self.on - timedelta(days=16))
        self._flag(hard_up, "hardship")
        self._bill(cross, 12500, due=self.on - timedelta(days=14))
        self._say(cross, "complaint", self._ago(3, 5), status="open", text="Nobody called me back.")
        orphan.update(born_on=self._ago(365 * 8, 365 * 12).isoformat(), guardian_id="", email="", phone="")
        self._treat(orphan, "Filling", self.on - timedelta(days=2))
        self._bill(owing, 600, due=self.on - timedelta(days=13))
        stories = (
            "died,opted out of letters,moved,bereaved,name no pen can write,no postal code or e-mail,disputed invoice,"
            "hardship,open complaint,minor without guardian,balance too small"
        ).split(",")
        self.trouble |= {story: customer["customer_id"] for story, customer in zip(stories, adults, strict=True)}

    # --- ordinary life

    def _live(self, customer: Row) -> None:
        """Visits over the last year, most of them paid for; some booked; now and then a word."""
        if customer.get("died_on"):
            return
        for visit in range(self.random.randint(1, 3)):
            day = self._ago(30 + 90 * visit, 110 + 90 * visit)
            if day.isoformat() < customer["customer_since"]:
                continue
            status = self.random.choices(("completed", "cancelled", "no_show"), (92, 5, 3))[0]
            self._visit(customer, day, status)
            if status == "completed":
                self._bill(customer, self.random.choice((9500, 12500, 18500)), due=day + timedelta(days=14), paid=True)
        if self.random.random() < 0.3:
            self._visit(customer, self.on + timedelta(days=self.random.randint(3, 80)), "booked")
        if self.random.random() < 0.2:
            self._score(customer, self.random.choice((5, 7, 8, 8, 8)), self._ago(10, 300))
        if self.random.random() < 0.05:
            self._refer(customer)

    def _consent(self, customer: Row) -> None:
        if customer["guardian_id"]:
            return
        if customer["email"] and self.random.random() < 0.12:
            customer["email"] = ""
        granted = [("email", "service", 0.8), ("email", "marketing", 0.4), ("text", "service", 0.5)]
        for channel, purpose, share in granted:
            if self.random.random() < share:
                self.rows["consents"].append(self._said(customer, channel, purpose, "granted"))
        if self.random.random() < 0.03:
            self.rows["consents"].append(self._said(customer, "email", "marketing", "withdrawn"))

    def _said(self, customer: Row, channel: str, purpose: str, state: str) -> Row:
        # A withdrawal is always younger than the grant it takes back.
        when = self._ago(100, 190) if state == "withdrawn" else self._ago(200, 900)
        return {
            "customer_id": customer["customer_id"], "channel": channel, "purpose": purpose, "state": state,
            "at": _at(when, 10), "basis": "express", "source": "registration form",
            "text": TEXT_CONSENT if channel == "text" else "",
        }  # fmt: skip

    def _visit(self, customer: Row, day: date, status: str = "completed") -> str:
        visit_id = f"V{len(self.rows['visits']) + 1:05}"
        hour = self.random.randint(8, 16)
        by = self.random.choice(("us", "customer")) if status == "cancelled" else ""
        self.rows["visits"].append(
            {"visit_id": visit_id, "customer_id": customer["customer_id"], "starts_at": _at(day, hour),
             "ends_at": _at(day, hour + 1), "status": status, "cancelled_by": by}
        )  # fmt: skip
        if status == "completed":
            self._record(customer, visit_id, self.random.choice(ROUTINE), day, hour)
        return visit_id

    def _treat(self, customer: Row, name: str, day: date) -> None:
        visit_id = self._visit(customer, day)
        self._record(customer, visit_id, name, day, 15)
        self._bill(customer, FEES[name], due=day + timedelta(days=30))

    def _record(self, customer: Row, visit_id: str, name: str, day: date, hour: int) -> None:
        practitioner, phone = self.random.choice(DENTISTS)
        self.rows["treatments"].append(
            {"treatment_id": f"T{len(self.rows['treatments']) + 1:05}", "customer_id": customer["customer_id"],
             "visit_id": visit_id, "name": name, "done_at": _at(day, hour), "practitioner": practitioner,
             "practitioner_phone": phone}
        )  # fmt: skip

    def _bill(self, customer: Row, amount: int, due: date, paid: bool = False, status: str = "open") -> None:
        invoice_id = f"I{len(self.rows['invoices']) + 1:05}"
        payer = customer["guardian_id"]
        issued = due - timedelta(days=30)
        self.rows["invoices"].append(
            {"invoice_id": invoice_id, "customer_id": customer["customer_id"], "payer_id": payer,
             "issued_on": issued, "due_on": due, "amount": _money(amount), "currency": "USD", "status": status}
        )  # fmt: skip
        if paid:
            day = min(due + timedelta(days=self.random.randint(-20, 3)), self.on)
            self.rows["payments"].append(
                {"payment_id": f"P{len(self.rows['payments']) + 1:05}", "invoice_id": invoice_id,
                 "paid_on": max(day, issued), "amount": _money(amount)}
            )  # fmt: skip

    def _score(self, customer: Row, score: int, day: date) -> None:
        self._say(customer, "score", day, score=score)

    def _say(self, customer: Row, kind: str, day: date, **said: Any) -> None:
        row = {"feedback_id": f"F{len(self.rows['feedback']) + 1:05}", "customer_id": customer["customer_id"]}
        self.rows["feedback"].append({**row, "given_at": _at(day, 18), "kind": kind, **said})

    def _refer(self, customer: Row) -> None:
        name = f"{self.random.choice(GIVEN)} {self.random.choice(FAMILY)}"
        row = {"referral_id": f"R{len(self.rows['referrals']) + 1:04}", "customer_id": customer["customer_id"]}
        self.rows["referrals"].append({**row, "referred_name": name, "made_on": self._ago(20, 500), "status": "made"})

    def _flag(self, customer: Row, kind: str) -> None:
        self.rows["flags"].append(
            {"customer_id": customer["customer_id"], "kind": kind, "from": self._ago(5, 30), "source": "front desk"}
        )

    def _unreadable_rows(self) -> None:
        """Two rows that intake must refuse, as real exports have them."""
        self.rows["payments"].append(
            {"payment_id": "P99998", "invoice_id": "I00001", "paid_on": "31/02/2026", "amount": "95.00"}
        )
        self.rows["visits"].append(
            {"visit_id": "V99999", "customer_id": "C0001", "starts_at": "", "status": "completed"}
        )
        self.trouble["rows that are refused"] = "payments P99998, visits V99999"


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha()) or "someone"


def _at(day: date, hour: int) -> str:
    return datetime.combine(day, time(hour)).isoformat(timespec="minutes")


def _money(minor: int) -> str:
    return f"{minor / 100:.2f}"
