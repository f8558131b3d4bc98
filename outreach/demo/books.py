"""Writes a sample practice's nine CSV files, with one method for each thing that happens there.

Ids count upwards in the order of writing, so that the same story gives the same files.
"""

import csv
import random
from collections import defaultdict
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from outreach.channels import TEXT
from outreach.demo.sample_names import DENTISTS
from outreach.local_files import make_private_folder

Row = dict[str, Any]
COLUMNS = {
    "customers": "customer_id given_name family_name preferred_name honorific email phone address_line1 address_line2 "
    "city region postal_code country language timezone customer_since born_on died_on household_id guardian_id "
    "currency",
    "treatments": "treatment_id customer_id visit_id name done_at promised_at practitioner practitioner_phone",
    "visits": "visit_id customer_id starts_at ended_at status cancelled_by",
    "invoices": "invoice_id customer_id payer_id issued_on due_on amount currency status",
    "payments": "payment_id invoice_id paid_on amount",
    "feedback": "feedback_id customer_id given_at kind score status text",
    "referrals": "referral_id customer_id referred_name referred_customer_id made_on status",
    "consents": "customer_id channel purpose state at basis expires_at source text",
    "flags": "customer_id kind from until source note",
}
TEXT_CONSENT = "I agree to get texts about my visits from Alder Lane Dental. Reply STOP to stop."


class Books:
    """The rows by table. `random` decides what no story cares about: the hour, the dentist, who cancelled."""

    def __init__(self, chance: random.Random) -> None:
        self.random = chance
        self.rows: dict[str, list[Row]] = defaultdict(list)

    def visit(self, customer: Row, day: date, name: str, status: str = "completed") -> None:
        """A visit for the treatment `name`, which is done only where the visit was completed."""
        visit_id, hour = self._number("V", "visits"), self.random.randint(8, 16)
        row = {
            "visit_id": visit_id,
            "customer_id": customer["customer_id"],
            "status": status,
            "starts_at": _at(day, hour),
        }
        if status == "cancelled":
            row["cancelled_by"] = self.random.choice(("us", "customer"))
        if status == "completed":
            row["ended_at"] = _at(day, hour + 1)
            self._treat(customer, visit_id, name, _at(day, hour))
        self.rows["visits"].append(row)

    def _treat(self, customer: Row, visit_id: str, name: str, done_at: str) -> None:
        practitioner, phone = self.random.choice(DENTISTS)
        self.rows["treatments"].append(
            {"treatment_id": self._number("T", "treatments"), "customer_id": customer["customer_id"],
             "visit_id": visit_id, "name": name, "done_at": done_at, "practitioner": practitioner,
             "practitioner_phone": phone}
        )  # fmt: skip

    def bill(self, customer: Row, amount: int, issued: date, due: date, status: str = "open") -> str:
        """An invoice over `amount` cents, paid by the guardian where there is one; its id."""
        invoice_id = self._number("I", "invoices")
        self.rows["invoices"].append(
            {"invoice_id": invoice_id, "customer_id": customer["customer_id"], "payer_id": customer["guardian_id"],
             "issued_on": issued, "due_on": due, "amount": _money(amount), "currency": "USD", "status": status}
        )  # fmt: skip
        return invoice_id

    def pay(self, invoice_id: str, amount: int, day: date) -> None:
        row = {"payment_id": self._number("P", "payments"), "invoice_id": invoice_id}
        self.rows["payments"].append({**row, "paid_on": day, "amount": _money(amount)})

    def say(self, customer: Row, kind: str, day: date, **said: Any) -> None:
        """A score or a complaint; `said` has its score, status and text."""
        row = {"feedback_id": self._number("F", "feedback"), "customer_id": customer["customer_id"]}
        self.rows["feedback"].append({**row, "given_at": _at(day, 18), "kind": kind, **said})

    def refer(self, customer: Row, name: str, day: date) -> None:
        row = {"referral_id": self._number("R", "referrals"), "customer_id": customer["customer_id"]}
        self.rows["referrals"].append({**row, "referred_name": name, "made_on": day, "status": "made"})

    def consent(self, customer: Row, channel: str, purpose: str, state: str, day: date) -> None:
        text = TEXT_CONSENT if channel == TEXT.name else ""
        self.rows["consents"].append(
            {"customer_id": customer["customer_id"], "channel": channel, "purpose": purpose, "state": state,
             "at": _at(day, 10), "basis": "express", "source": "registration form", "text": text}
        )  # fmt: skip

    def flag(self, customer: Row, kind: str, day: date) -> None:
        row = {"customer_id": customer["customer_id"], "kind": kind, "from": day, "source": "front desk"}
        self.rows["flags"].append(row)

    def write(self, folder: Path) -> None:
        make_private_folder(folder)
        for table, columns in COLUMNS.items():
            # With no line ends of Python's own, as its csv module asks for.
            with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns.split(), restval="")
                writer.writeheader()
                writer.writerows(self.rows[table])

    def _number(self, letter: str, table: str) -> str:
        return f"{letter}{len(self.rows[table]) + 1:05}"


def _at(day: date, hour: int) -> str:
    return datetime.combine(day, time(hour)).isoformat(timespec="minutes")


def _money(minor: int) -> str:
    return f"{minor / 100:.2f}"
