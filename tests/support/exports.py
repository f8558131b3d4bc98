"""The made-up exports of twelve systems in ../shared/data/exports, and how far an import of one is a right one.

Each comparison gives its differences from the `expected.json` beside the export, as sentences. None is what is hoped
for. The words `accepted`, `either` and the like are explained in the README.md of that folder.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from outreach.channels import CALL, EMAIL, LETTER
from outreach.contacts import deliverable_email
from outreach.database import reading
from outreach.intake.headers import TABLES
from outreach.intake.mapping.files import read_preset
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources.places import open_origin
from outreach.models import Consent, Customer, Invoice, Payment
from outreach.moments import find_moments
from outreach.moments.balances import WRITTEN_OFF, owed
from outreach.moments.relationship import with_us_since
from outreach.planning.contact_cards import contacts_of
from outreach.planning.receivables import late_bills, read_receivables
from outreach.settings import Business, Settings

SYSTEMS = (
    "civicrm", "google_contacts", "hubspot", "odoo", "open_dental", "quickbooks", "salesforce", "shopify", "square",
    "stripe", "woocommerce", "xero",
)  # fmt: skip
# Where expected.json has another name for a table of ours.
_OUR_TABLES = {"contributions": "visits"}
# What each state in expected.json lets the customer have said of a channel.
_SAID = {
    "granted": ({"granted"}, {"granted", "withdrawn"}),
    "withdrawn": ({"withdrawn"},),
    "unsaid": (set(),),
    "not_granted": (set(), {"withdrawn"}),
}


@dataclass(frozen=True)
class Export:
    """What one system wrote, and what a right import makes of it."""

    folder: Path

    @property
    def system(self) -> str:
        return self.folder.name

    @property
    def source(self) -> str:
        """What is named on the command line: the folder, or the file of a database that stands in it."""
        databases = sorted(self.folder.glob("*.db"))
        return str(databases[0] if databases else self.folder)

    @cached_property
    def expected(self) -> dict[str, Any]:
        written: dict[str, Any] = json.loads((self.folder / "expected.json").read_text(encoding="utf-8"))
        return written

    @property
    def settings(self) -> Settings:
        return Settings(secret="a secret for tests only", business=Business(**self.expected["business"]))

    @property
    def exported_at(self) -> datetime:
        return datetime.fromisoformat(f"{self.expected['export_day']}T18:00:00+00:00")

    def take_into(self, engine: Engine, source: str | None = None) -> ImportReport:
        """Imports it as `--as` with the system's name does; from `source`, where it was put somewhere else."""
        origin, mapping = open_origin(source or self.source), read_preset(self.system)
        return import_data(engine, origin, self.settings, self.exported_at, mapping)


# Counts and refusals


def compare_counts(export: Export, session: Session) -> list[str]:
    """How many rows each table has, where `either` rows may be there or not."""
    return [
        f"{name}: {count} rows, and not {least} to {most}"
        for name, table in export.expected["tables"].items()
        for count, least, most in [(_count(session, name), *_bounds(export, name, table))]
        if not least <= count <= most
    ]


def _count(session: Session, name: str) -> int:
    model = TABLES[_OUR_TABLES.get(name, name)].model
    return session.exec(select(func.count()).select_from(model)).one()


def _bounds(export: Export, name: str, table: dict[str, Any]) -> tuple[int, int]:
    # One customer may stand in the export twice.
    least = export.expected["distinct_customers"] if name == "customers" else table["accepted"]
    return least, table["accepted"] + len(table["either"])


def compare_refusals(export: Export, report: ImportReport) -> list[str]:
    """Which lines were refused."""
    tables = export.expected["tables"].values()
    wanted, allowed = (
        {(row["file"], row["line"]) for table in tables for kind in kinds for row in table[kind] if row.get("line")}
        for kinds in (("refused",), ("refused", "either"))
    )
    # A workbook says what the CSV file beside it says, in other lines; expected.json tells of the latter's.
    refused = {(row.file, row.line) for row in report.refusals if not row.file.endswith(".xlsx")}
    missed = [f"{file}, line {line}: not refused" for file, line in sorted(wanted - refused)]
    return missed + [f"{file}, line {line}: refused" for file, line in sorted(refused - allowed)]


# Customers


def compare_everybody(export: Export, session: Session) -> list[str]:
    """The id, the name and the e-mail address of every customer."""
    wanted = export.expected["who"]
    kept = {customer.customer_id: customer for customer in session.exec(select(Customer))}
    either = {row["row"] for row in export.expected["tables"]["customers"]["either"]}
    differences = [f"{id_} is missing" for id_ in sorted(wanted.keys() - kept.keys())]
    differences += [f"{id_} should not be there" for id_ in sorted(kept.keys() - wanted.keys() - either)]
    for id_ in sorted(wanted.keys() & kept.keys()):
        differences += _compare_name_and_email(kept[id_], wanted[id_])
    return differences


def _compare_name_and_email(customer: Customer, wanted: dict[str, Any]) -> Iterator[str]:
    name = " ".join(part for part in (customer.given_name, customer.family_name) if part)
    yield from _differ(customer, "name", name, wanted["name"])
    if wanted["email"] is not None:
        yield from _differ(customer, "email", _fold(customer.email), _fold(wanted["email"]))
    elif customer.email and deliverable_email(customer.email):
        yield f"{customer.customer_id}: no e-mail address was expected"


def compare_ten_people(export: Export, session: Session) -> list[str]:
    """Ten customers in full."""
    differences = []
    for id_, wanted in export.expected["people"].items():
        customer = session.get(Customer, id_)
        if customer is None:
            differences.append(f"{id_} is missing")
            continue
        differences += _compare_name_parts(customer, wanted)
        differences += _compare_address(customer, wanted, export.settings.business.country)
        differences += _compare_days(session, customer, wanted)
        differences += _compare_reach(session, customer, wanted, export.settings)
    return differences


def _compare_name_parts(customer: Customer, wanted: dict[str, Any]) -> Iterator[str]:
    if wanted["is_company"]:
        yield from _differ(customer, "given name", customer.given_name, None)
        return
    yield from _differ(customer, "given name", customer.given_name or "", wanted["given_name"] or "")
    yield from _differ(customer, "family name", customer.family_name or "", wanted["family_name"] or "")


def _compare_address(customer: Customer, wanted: dict[str, Any], home: str) -> Iterator[str]:
    streets = [line for line in (customer.address_line1, customer.address_line2) if line]
    yield from _differ(customer, "street", _fold_lines(streets), _fold_lines(wanted["address_lines"]))
    yield from _differ(customer, "city", _fold(customer.city), _fold(wanted["city"]))
    yield from _differ(customer, "postal code", _fold(customer.postal_code), _fold(wanted["postal_code"]))
    regions = [_fold(region) for region in (wanted["region"], *wanted["region_also"])]
    if _fold(customer.region) not in regions:
        yield from _differ(customer, "region", customer.region, regions)
    # No country is the business's own.
    yield from _differ(customer, "country", customer.country or home, wanted["country"] or home)


def _compare_days(session: Session, customer: Customer, wanted: dict[str, Any]) -> Iterator[str]:
    since = customer.customer_since or _derived_since(session, customer, wanted)
    days = {"customer_since": since, "born_on": customer.born_on}
    # Of a death without a day the import's own day is kept.
    if wanted["died_on"]:
        days["died_on"] = customer.died_on
    for name, day in days.items():
        yield from _differ(customer, name, day and day.isoformat(), wanted[name])
    yield from _differ(customer, "dead", customer.died_on is not None, wanted["dead"])


def _derived_since(session: Session, customer: Customer, wanted: dict[str, Any]) -> date | None:
    # An open invoice is no beginning where expected.json says that the files tell of none.
    if wanted["customer_since"] is None:
        return None
    return session.exec(select(with_us_since()).where(Customer.customer_id == customer.customer_id)).one()


def _compare_reach(session: Session, customer: Customer, wanted: dict[str, Any], settings: Settings) -> Iterator[str]:
    contacts = contacts_of(customer, None, settings)
    said = _read_consents(session, customer.customer_id)
    yield from _differ(customer, "mailable", LETTER.name in contacts, wanted["mailable"])
    yield from _differ(customer, "phone", contacts.get(CALL.name), wanted["phone"])
    withdrawn = wanted["consents"]["email"] == "not_granted" and "withdrawn" in said["email"]
    yield from _differ(customer, "email usable", EMAIL.name in contacts and not withdrawn, wanted["email_usable"])
    for channel, state in wanted["consents"].items():
        if said[channel] not in _SAID[state]:
            yield from _differ(customer, f"consent to {channel}", sorted(said[channel]), state)


def _read_consents(session: Session, customer_id: str) -> defaultdict[str, set[str]]:
    said: defaultdict[str, set[str]] = defaultdict(set)
    for consent in session.exec(select(Consent).where(Consent.customer_id == customer_id)):
        said[consent.channel].add(consent.state)
    return said


def _differ(customer: Customer, what: str, value: object, wanted: object) -> Iterator[str]:
    if value != wanted:
        yield f"{customer.customer_id}, {what}: {value!r}, and not {wanted!r}"


def _fold(text: str | None) -> str:
    return (text or "").casefold()


def _fold_lines(lines: list[str]) -> str:
    return " ".join(" ".join(lines).casefold().replace(",", " ").split())


# Money and moments


def find_balances(session: Session, on: date) -> dict[str, str]:
    """What each customer owes on a day, with its cents, and with a minus where we owe them; nobody who owes nothing.

    Money of theirs that belongs to no invoice comes off, and what was written off is left out.
    """
    balances: defaultdict[str, int] = defaultdict(int)
    for customer_id, status, unpaid in session.exec(select(Invoice.customer_id, Invoice.status, owed(on))):
        balances[customer_id] += 0 if status == WRITTEN_OFF else unpaid
    of_nobody = select(Payment).where(Payment.invoice_id == "", col(Payment.paid_on) <= on)
    for payment in session.exec(of_nobody):
        balances[payment.customer_id or ""] -= payment.amount
    return {id_: str(Decimal(balance).scaleb(-2)) for id_, balance in sorted(balances.items()) if balance}


def compare_balances(export: Export, session: Session) -> list[str]:
    """What each customer owes on the day that expected.json names."""
    wanted = export.expected["balances"]
    known = set(session.exec(select(Customer.customer_id)))
    balances = find_balances(session, date.fromisoformat(wanted["on"]))
    kept = {id_: balance for id_, balance in balances.items() if id_ in known}
    return [
        f"{id_} owes {kept.get(id_, 'nothing')}, and not {wanted['owed'].get(id_, 'nothing')}"
        for id_ in sorted(kept.keys() | wanted["owed"].keys())
        if kept.get(id_) != wanted["owed"].get(id_)
    ]


def compare_moments(export: Export, session: Session) -> list[str]:
    """Who has which moment on the five days."""
    return [
        f"{day}, {kind}: {found}, and not {sorted(wanted)}"
        for day, kinds in export.expected["moments"].items()
        for kind, wanted in kinds.items()
        if (found := _find_ids(export, session, date.fromisoformat(day), kind)) != sorted(wanted)
    ]


def _find_ids(export: Export, session: Session, day: date, kind: str) -> list[str]:
    settings = export.settings
    found = {moment.customer_id for moment in find_moments(session, settings, day, [kind])}
    if kind != "late_payment":
        return sorted(found)
    # Once credits are counted, some of their bills are paid.
    receivables = read_receivables(session, day, sorted(found), settings.business.currency)
    late = {bill.invoice.customer_id for bill in late_bills(receivables.open_invoices(), settings, day)}
    return sorted(found & late)


COMPARISONS = {
    "counts": compare_counts,
    "everybody": compare_everybody,
    "ten people": compare_ten_people,
    "balances": compare_balances,
    "moments": compare_moments,
}


def compare(export: Export, engine: Engine) -> list[str]:
    """All that is on record after an import of the export."""
    with reading(engine) as session:
        return [difference for each in COMPARISONS.values() for difference in each(export, session)]
