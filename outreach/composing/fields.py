"""What a template may name, by moment and channel, and a sample of each. docs/templates.md explains them one by one."""

from datetime import date

from outreach.composing.bills import Bill, Rest
from outreach.composing.environment import Value
from outreach.moments import MOMENTS
from outreach.money import Amount

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
# What the words say of the business itself, and of nobody else.
BUSINESS = frozenset(name for name in COMMON if name.startswith("business"))
_DAY = date(2026, 3, 9)
_SINCE = date(2023, 3, 10)
_SAMPLES: dict[str, dict[str, Value]] = {
    "anniversary": {"years": 3, "since": _SINCE},
    "checkin": {"treatment": "Filling", "practitioner": "Dr. Okafor", "practitioner_phone": "+1 802 555 0143"},
    "first_hundred": {"days": "30", "years": 0, "since": date(2026, 2, 8)},
    "goodwill": {"event": "water main break on March 2"},
    "late_payment": {
        "amount": Amount(16050, "USD"),
        "bills": (Bill(Amount(12550, "USD"), _DAY, "USD"), Bill(Amount(3000, "USD"), date(2026, 3, 12), "USD")),
        "more": (Rest(1, Amount(500, "USD"), "USD"),),
        "several_bills": True,
    },
    "recovery": {"trouble": "complaint"},
    "survey": {"survey_url": "https://alderlane.example/survey/7KQ2"},
    "thank_you": {"years": 12, "since": date(2014, 3, 10)},
}


def _sample(kind: str) -> dict[str, Value]:
    """The day and the key of an occasion, a reward where the moment has one, and what else its words may name."""
    definition = MOMENTS[kind]
    plain: dict[str, Value] = {definition.day_field: _DAY}
    if definition.occasion_field:
        plain[definition.occasion_field] = "7KQ2"
    if "reward" in definition.knobs.model_fields:
        plain["reward"] = 2000
    return plain | _SAMPLES.get(kind, {})


OF_MOMENT: dict[str, dict[str, Value]] = {kind: _sample(kind) for kind in MOMENTS}
# One line each, for whoever writes a template at the desk; docs/templates.md says more.
EXPLAINED: dict[str, str] = {
    "greeting": "the name to greet them by, as “Maria” or “Mrs. Lopez”",
    "wards": "the children or wards the message is about; empty for anybody else",
    "several_wards": "true where there are two wards or more; for an if",
    "business": "our name",
    "business_phone": "our telephone number",
    "business_email": "our e-mail address",
    "business_website": "our website, where we have one",
    "signatory": "who signs",
    "signatory_role": "their role, where they have one",
    "signatory_phone": "their direct line, or our number",
    "years": "how many years they have been with us, as 3",
    "since": "the day they came to us; use longdate",
    "reward": "the gift, in cents; use money; empty for none",
    "treated_on": "the day of the treatment; use weekday or longdate",
    "treatment": "what was done; never in a text, a subject or a call",
    "practitioner": "who treated them, where we know",
    "practitioner_phone": "their direct line, where there is one",
    "day": "the day it is about; use weekday or longdate",
    "days": "how many days they have been with us: 30, 60 or 90",
    "trouble": "what went wrong: complaint, low_score, cancelled or late; for an if",
    "trouble_on": "the day it went wrong; use weekday or longdate",
    "event": "what hit them, as staff named it",
    "last_seen": "the day we last saw them; use longdate",
    "reviewed_on": "the day of their review; use longdate",
    "asked_on": "the day they asked; use weekday or longdate",
    "visited_on": "the day of their visit; use weekday or longdate",
    "survey_url": "the page with the one question",
    "amount": "what is late altogether, in cents; use money; empty in two currencies; never in a text, subject or call",
    "due_on": "the day the oldest bill was due; use monthday; never in a text, a subject or a call",
    "several_bills": "true where two bills are late or more; for an if; never in a text, a subject or a call",
    "bills": "the late bills, the oldest first, at most four: {% for bill in bills %}, with bill.amount and "
    "bill.due_on; never in a text, a subject or a call",
    "more": "the late bills beyond these: {% for rest in more %}, with rest.count and rest.amount; mostly empty; "
    "never in a text, a subject or a call",
}
EXPLAINED_FILTERS: dict[str, str] = {
    "money": "{{ reward | money }}: $20",
    "longdate": "{{ since | longdate }}: March 10, 2023",
    "monthday": "{{ since | monthday }}: March 10",
    "weekday": "{{ treated_on | weekday }}: Tuesday",
    "in_words": "{{ years | in_words }}: three",
    "upper": "{{ greeting | upper }}: MARIA",
    "capitalize": "{{ practitioner | capitalize }}: begins with a capital letter",
}
# Anyone can read a subject line or a lock screen, and a call sheet lies on a desk.
PRIVATE = frozenset({"treatment", "amount", "due_on", "bills", "more", "several_bills"})


def fields_for(kind: str, channel: str) -> dict[str, Value]:
    """The fields of a moment's templates with a sample value each; texts and calls have none that are private."""
    fields = COMMON | OF_MOMENT[kind]
    return public(fields) if channel in {"text", "call"} else fields


def public(fields: dict[str, Value]) -> dict[str, Value]:
    """The fields that may stand where anyone could read them."""
    return {name: value for name, value in fields.items() if name not in PRIVATE}
