"""Makes up a dental practice for a day and a seed, and writes its nine CSV files in our own format.

The same day, seed and size give the same bytes. Among the plausible people is deliberate trouble, so that the demo
shows not only who is written to but also who is not.
"""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from outreach.channels import TEXT
from outreach.clock import add_business_days, anniversary_in
from outreach.demo.books import COLUMNS, Books, Row
from outreach.demo.sample_names import AREAS, FAMILY, FEES, GIVEN, NICKNAMES, PLACES, ROUTINE, STREETS, TREATMENTS

LEAST_CUSTOMERS = 200
YEAR = 365


@dataclass(frozen=True)
class PracticeSummary:
    """What was made up."""

    customer_ids: list[str]
    #: How many rows each table has.
    rows: dict[str, int]
    #: Each deliberate difficulty, and the customer, or the row, that has it.
    trouble: dict[str, str]


def write_practice(folder: Path, on: date, seed: int, customers: int = 320) -> PracticeSummary:
    """Writes the practice as of `on` into `folder`, over whatever files of these names are there.

    `customers` is at least 200, so that there are people for every story.
    """
    practice = _Practice(on, random.Random(seed))  # noqa: S311 — a play, not a secret
    practice.fill(max(customers, LEAST_CUSTOMERS))
    practice.books.write(folder)
    rows = practice.books.rows
    return PracticeSummary(
        customer_ids=[row["customer_id"] for row in rows["customers"]],
        rows={table: len(rows[table]) for table in COLUMNS},
        trouble=practice.trouble,
    )


class _Practice:
    """People are dealt out from the front: each story takes the next adults whom no other story has."""

    def __init__(self, on: date, chance: random.Random) -> None:
        self.on, self.random, self.books = on, chance, Books(chance)
        self.customers = self.books.rows["customers"]
        self.trouble: dict[str, str] = {}
        self.taken = 0

    def fill(self, size: int) -> None:
        while len(self.customers) < size:
            self._settle_household()
        # In this order, which belongs to the seed: all of them draw from one generator.
        for story in (self._anniversaries, self._checkins, self._late_payers, self._happy, self._wards):
            story()
        self._trouble_with_presents()
        self._trouble_with_money_and_care()
        for customer in self.customers:
            self._live(customer)
            self._consent(customer)
        self._unreadable_rows()

    # --- people

    def _settle_household(self) -> None:
        city, postal_code = self.random.choice(PLACES)
        home = {
            "address_line1": f"{self.random.randint(2, 240)} {self.random.choice(STREETS)}",
            "city": city, "region": "VT", "postal_code": postal_code, "country": "US",
            "household_id": f"H{len(self.customers):04}",
        }  # fmt: skip
        family = self.random.choice(FAMILY)
        if self.random.random() < 0.2:
            parent = self._join(family, home, (30, 55))
            self._join(family, home, (30, 55))
            for _ in range(self.random.choice((1, 2, 2))):
                self._join(family, home, (4, 14), guardian=parent)
        else:
            for _ in range(self.random.choice((1, 1, 1, 2))):
                self._join(family, home, (21, 84))

    def _join(self, family: str, home: Row, ages: tuple[int, int], guardian: Row | None = None) -> Row:
        number = len(self.customers)
        given = self.random.choice(GIVEN)
        born = self._ago(ages[0] * YEAR, ages[1] * YEAR)
        mail = f"{_plain(given)}.{_plain(family)}{number + 1}@mail.example"
        customer = {
            "customer_id": f"C{number + 1:04}",
            "given_name": given,
            "family_name": family,
            "preferred_name": NICKNAMES.get(given, "") if self.random.random() < 0.6 else "",
            "email": "" if guardian or self.random.random() < 0.12 else mail,
            # The numbers up to 0149 are the practice's own lines.
            "phone": "" if guardian else f"+1 {AREAS[number // 50 % len(AREAS)]} 555 {150 + number % 50:04}",
            "customer_since": self._quiet_since(120, min(9, ages[0]) * YEAR),
            "born_on": born,
            "guardian_id": guardian["customer_id"] if guardian else "",
            "currency": "USD",
            **home,
        }
        self.customers.append(customer)
        return customer

    def _quiet_since(self, least: int, most: int) -> date:
        """A first day whose anniversary is not near `on`: the stories decide who has one."""
        while True:
            since = self._ago(least, most)
            kept = (anniversary_in(since, self.on.year + more) for more in (-1, 0, 1))
            # More than the week that an anniversary may be late (`grace_days`) and the five business days that it is
            # early (`lead_days`).
            if not any(-12 <= (day - self.on).days <= 14 for day in kept):
                return since

    def _ago(self, least: int, most: int) -> date:
        return self.on - timedelta(days=self.random.randint(least, most))

    def _next_adults(self, number: int) -> list[Row]:
        adults: list[Row] = []
        while len(adults) < number:
            if not self.customers[self.taken]["guardian_id"]:
                adults.append(self.customers[self.taken])
            self.taken += 1
        return adults

    # --- stories

    def _anniversaries(self) -> None:
        """Days that are kept today, in the week before and in the week to come; each in a year of its own."""
        for number, customer in enumerate(self._next_adults(18)):
            day = add_business_days(self.on, number % 5 + 1) if number % 3 else self.on - timedelta(days=number % 4)
            customer["customer_since"] = anniversary_in(day, day.year - self.random.choice((1, 1, 2, 3, 3, 5, 8)))

    def _checkins(self) -> None:
        for number, customer in enumerate(self._next_adults(14)):
            self._treat(customer, TREATMENTS[number % len(TREATMENTS)], number)

    def _treat(self, customer: Row, name: str, number: int) -> None:
        """Two or three days ago, but never on a Sunday."""
        days = [self.on - timedelta(days=ago) for ago in (2, 3)]
        open_days = [day for day in days if day == _open_day(day)]
        day = open_days[number % len(open_days)]
        self.books.visit(customer, day, name)
        self.books.bill(customer, FEES[name], day, day + timedelta(days=30))

    def _late_payers(self) -> None:
        """From 3 to 29 days past due; two have paid after all, and one has paid half."""
        for number, customer in enumerate(self._next_adults(14)):
            amount = 8500 + 1750 * number
            invoice = self._owe(customer, amount, 3 + 2 * number)
            if number in {5, 7, 9}:
                self.books.pay(invoice, amount // 2 if number == 7 else amount, self._ago(0, 3))

    def _owe(self, customer: Row, amount: int, days_late: int, status: str = "open") -> str:
        due = self.on - timedelta(days=days_late)
        issued = _open_day(due - timedelta(days=30))
        self.books.visit(customer, issued, "Cleaning")
        return self.books.bill(customer, amount, issued, due, status)

    def _happy(self) -> None:
        for customer in self._next_adults(9):
            customer["customer_since"] = self._quiet_since(300, 5 * YEAR)
            last = _open_day(self._ago(10, 45))
            # What moments/referral_ask.py wants: two completed visits, and a score of 9 or more within 60 days.
            for day in (last - timedelta(days=189), last):
                self.books.visit(customer, day, "Cleaning")
            self.books.say(customer, "score", last + timedelta(days=2), score=self.random.choice((9, 10)))

    def _wards(self) -> None:
        """Two children of one guardian who were treated on the same day share one message."""
        wards: dict[str, list[Row]] = defaultdict(list)
        for customer in self.customers:
            if customer["guardian_id"]:
                wards[customer["guardian_id"]].append(customer)
        first, second = next(children for children in wards.values() if len(children) > 1)
        for child in (first, second):
            self._treat(child, "Filling", 0)
        self.trouble["two wards on one day"] = f"{first['customer_id']} and {second['customer_id']}"

    # --- trouble

    def _trouble_with_presents(self) -> None:
        """Seven whose anniversary comes, each on a day and year of its own: a date that many share looks imported."""
        died, silent, moved, grieving, unwritable, unaddressed, withdrawn = adults = self._next_adults(7)
        for number, customer in enumerate(adults):
            day = add_business_days(self.on, 1 + number % 4)
            customer["customer_since"] = anniversary_in(day, day.year - 2 - number)
        died["died_on"] = self._ago(200, 300)
        silent["email"] = ""
        self.books.consent(silent, "letter", "marketing", "withdrawn", self._ago(100, 190))
        self.books.flag(moved, "moved", self._ago(5, 30))
        self.books.flag(grieving, "bereaved", self._ago(5, 30))
        unwritable.update(given_name="美咲", family_name="佐藤", preferred_name="")
        unaddressed.update(postal_code="", email="")
        withdrawn["postal_code"] = ""
        self.books.consent(withdrawn, "email", "marketing", "granted", withdrawn["customer_since"])
        self.books.consent(withdrawn, "email", "marketing", "withdrawn", self._ago(20, 90))
        self._name_trouble("died", died)
        self._name_trouble("opted out of letters", silent)
        self._name_trouble("moved", moved)
        self._name_trouble("bereaved", grieving)
        self._name_trouble("name no pen can write", unwritable)
        self._name_trouble("no postal code or e-mail", unaddressed)
        self._name_trouble("withdrew consent to e-mail", withdrawn)

    def _trouble_with_money_and_care(self) -> None:
        disputing, hard_up, cross, orphan, owing = self._next_adults(5)
        self._owe(disputing, 42000, 15, "disputed")
        self._owe(hard_up, 31000, 16)
        self.books.flag(hard_up, "hardship", self._ago(5, 30))
        self._owe(cross, 12500, 14)
        # Older than a recovery looks back (`within_days`), so that it shows what an open complaint holds: the payment
        # note.
        self.books.say(cross, "complaint", self._ago(3, 5), status="open", text="Nobody called me back.")
        # Below `min_balance` of moments/late_payment.py, which is 1000.
        self._owe(owing, 600, 13)
        orphan.update(born_on=self._ago(9 * YEAR, 12 * YEAR), email="", phone="")
        orphan["customer_since"] = self._quiet_since(120, 4 * YEAR)
        self._treat(orphan, "Filling", 0)
        self._name_trouble("disputed invoice", disputing)
        self._name_trouble("hardship", hard_up)
        self._name_trouble("open complaint", cross)
        self._name_trouble("minor without guardian", orphan)
        self._name_trouble("balance too small", owing)

    def _name_trouble(self, name: str, customer: Row) -> None:
        self.trouble[name] = customer["customer_id"]

    def _unreadable_rows(self) -> None:
        """Two rows that intake must refuse, as real exports have them."""
        payment = {"payment_id": "P99998", "invoice_id": "I00001", "paid_on": "31/02/2026", "amount": "95.00"}
        self.books.rows["payments"].append(payment)
        visit = {"visit_id": "V99999", "customer_id": "C0001", "starts_at": "", "status": "completed"}
        self.books.rows["visits"].append(visit)
        self.trouble["rows that are refused"] = "payments P99998, visits V99999"

    # --- ordinary life

    def _live(self, customer: Row) -> None:
        """Visits over the last year, paid for; some booked; now and then a word or a friend who was told."""
        if "died_on" in customer:
            return
        for visit in range(self.random.randint(1, 3)):
            day = _open_day(self._ago(30 + 90 * visit, 110 + 90 * visit))
            if day >= customer["customer_since"]:
                self._attend(customer, day)
        if self.random.random() < 0.3:
            day = self.on + timedelta(days=self.random.randint(3, 80))
            self.books.visit(customer, _open_day(day), "Examination", "booked")
        scored_on = self._ago(10, 300)
        if self.random.random() < 0.2 and scored_on > customer["customer_since"]:
            self.books.say(customer, "score", scored_on, score=self.random.choice((5, 7, 8, 8, 8)))
        referred_on = self._ago(20, 500)
        if self.random.random() < 0.08 and referred_on > customer["customer_since"]:
            name = f"{self.random.choice(GIVEN)} {self.random.choice(FAMILY)}"
            self.books.refer(customer, name, referred_on)

    def _attend(self, customer: Row, day: date) -> None:
        status = self.random.choices(("completed", "cancelled", "no_show"), (92, 5, 3))[0]
        self.books.visit(customer, day, self.random.choice(ROUTINE), status)
        if status == "completed":
            amount = self.random.choice((9500, 12500, 18500))
            invoice = self.books.bill(customer, amount, day, day + timedelta(days=30))
            self.books.pay(invoice, amount, min(day + timedelta(days=self.random.randint(0, 33)), self.on))

    def _consent(self, customer: Row) -> None:
        """What they said on the registration form; a few thought better of it since."""
        granted = (("email", "service", 0.8), ("email", "marketing", 0.4), ("text", "service", 0.5))
        for channel, purpose, share in granted:
            if customer["phone" if channel == TEXT.name else "email"] and self.random.random() < share:
                self.books.consent(customer, channel, purpose, "granted", customer["customer_since"])
        if customer["email"] and self.random.random() < 0.03:
            self.books.consent(customer, "email", "marketing", "withdrawn", self._ago(20, 90))


def _open_day(day: date) -> date:
    """The day itself, or the Saturday before a Sunday."""
    return day - timedelta(days=day.weekday() == 6)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha()) or "someone"
