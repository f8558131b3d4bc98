"""A working folder of the command: settings, and a small practice of four people in CSV files."""

import csv
from pathlib import Path
from typing import Any

SETTINGS = """
[business]
name = "Alder Lane Dental"
kind = "health"
timezone = "America/New_York"
address = ["14 Alder Lane", "Burlington, VT 05401"]
phone = "+1 802 555 0140"
email = "hello@alderlane.example"
website = "alderlane.example"

[[business.signatories]]
name = "Nora Whitcomb"
role = "front desk"
direct_line = "+1 802 555 0142"
consent_on = 2025-01-01

[moments.checkin]
treatments = ["Filling"]
"""


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_practice(folder: Path) -> None:
    """A present, a check-in, a late payer, an opt-out."""
    (folder / "outreach.toml").write_text(SETTINGS)
    address = {"address_line1": "8 Elm Street", "city": "Burlington", "region": "VT", "postal_code": "05401"}
    names = [("c1", "Ann", "2023-03-12"), ("c2", "Ben", ""), ("c3", "Eve", ""), ("c4", "Max", "2023-03-12")]
    customers = [
        {"customer_id": c, "given_name": g, "family_name": "Lee", "email": f"{c}@home.example", "country": "US",
         "phone": "+18025550101", "customer_since": s, "currency": "USD", **address}
        for c, g, s in names
    ]  # fmt: skip
    data = folder / "data"
    write(data, "customers.csv", customers)
    visit = {"visit_id": "v1", "customer_id": "c1", "starts_at": "2026-02-01T10:00", "status": "completed"}
    write(data, "visits.csv", [visit, {**visit, "visit_id": "v4", "customer_id": "c4"}])
    treatment = {
        "treatment_id": "t1", "customer_id": "c2", "name": "Filling", "done_at": "2026-03-08T11:00",
        "practitioner": "Dr. Samuel Okafor", "practitioner_phone": "+1 802 555 0143",
    }  # fmt: skip
    write(data, "treatments.csv", [treatment])
    invoice = {"invoice_id": "i3", "customer_id": "c3", "issued_on": "2026-01-25", "due_on": "2026-02-24"}
    write(data, "invoices.csv", [{**invoice, "amount": "120.00", "currency": "USD"}])
    write(data, "payments.csv", [{"payment_id": "p3", "invoice_id": "i3", "paid_on": "2026-03-01", "amount": "20.00"}])
    consent = {"customer_id": "c2", "channel": "email", "purpose": "service", "state": "granted", "at": "2025-01-01"}
    refusal = {
        "customer_id": "c4",
        "channel": "letter",
        "purpose": "marketing",
        "state": "withdrawn",
        "at": "2025-01-01",
    }
    write(data, "consents.csv", [consent, refusal])
