"""What a template may name, by moment and channel, and a sample of each. docs/templates.md explains them one by one."""

from datetime import date

from outreach.composing.environment import Value

COMMON: dict[str, Value] = {
    "greeting": "Maria",
    "wards": "Mia and Theo",
    "several_wards": True,
    "business": "Alder Lane",
    "business_phone": "+1 802 555 0140",
    "business_email": "hello@alderlane.example",
    "business_website": "alderlane.example",
    "signatory": "Nora Whitcomb",
    "signatory_role": "front desk",
    "signatory_phone": "+1 802 555 0142",
}
OF_MOMENT: dict[str, dict[str, Value]] = {
    "anniversary": {"years": 3, "since": date(2023, 3, 10), "reward": 2000},
    "checkin": {
        "treated_on": date(2026, 3, 10),
        "treatment": "Filling",
        "practitioner": "Dr. Okafor",
        "practitioner_phone": "+1 802 555 0143",
    },
    "late_payment": {"amount": 12550, "due_on": date(2026, 2, 27)},
    "referral_ask": {},
}
# Anyone can read a subject line or a lock screen, and a call sheet lies on a desk.
PRIVATE = frozenset({"treatment", "amount", "due_on"})


def fields_for(kind: str, channel: str) -> dict[str, Value]:
    """The fields of a moment's templates with a sample value each; texts and calls have none that are private."""
    fields = COMMON | OF_MOMENT[kind]
    return public(fields) if channel in {"text", "call"} else fields


def public(fields: dict[str, Value]) -> dict[str, Value]:
    """The fields that may stand where anyone could read them."""
    return {name: value for name, value in fields.items() if name not in PRIVATE}
