"""What a template may name, by moment and channel, and a sample of each. docs/templates.md explains them one by one."""

from datetime import date

from outreach.channels import CALL, TEXT
from outreach.composing.templating.engine import Value
from outreach.moments import MOMENTS

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
# What outreach.toml says of us, and no customer's data.
OURS = BUSINESS | {name for name in COMMON if name.startswith("signatory")}
_DAY = date(2026, 3, 9)


def _sample(kind: str) -> dict[str, Value]:
    """The day and the key of an occasion, a reward where the moment has one, and what else its words may name."""
    definition = MOMENTS[kind]
    plain: dict[str, Value] = {definition.day_field: _DAY}
    if definition.occasion_field:
        plain[definition.occasion_field] = "7KQ2"
    if "reward" in definition.knobs.model_fields:
        plain["reward"] = 2000
    return plain | {field.name: field.sample for field in definition.fields}


OF_MOMENT: dict[str, dict[str, Value]] = {kind: _sample(kind) for kind in MOMENTS}
# One line each of what several moments have, for whoever writes a template at the desk; docs/templates.md says more.
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
    "reward": "the gift, in cents; use money; empty for none",
    "day": "the day it is about; use weekday or longdate",
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
PRIVATE = frozenset(field.name for definition in MOMENTS.values() for field in definition.fields if field.is_private)


def fields_for(kind: str, channel: str) -> dict[str, Value]:
    """The fields of a moment's templates with a sample value each; texts and calls have none that are private."""
    fields = COMMON | OF_MOMENT[kind]
    return public(fields) if channel in {TEXT.name, CALL.name} else fields


def explain_fields(kind: str, channel: str) -> list[tuple[str, str]]:
    """Each field of a moment's templates with its line, as the moment's file says it, or as it is for all."""
    definition = MOMENTS[kind]
    own = {definition.day_field: EXPLAINED["day"]} | {field.name: field.explained for field in definition.fields}
    return [(name, own.get(name) or EXPLAINED[name]) for name in fields_for(kind, channel)]


def public(fields: dict[str, Value]) -> dict[str, Value]:
    """The fields that may stand where anyone could read them."""
    return {name: value for name, value in fields.items() if name not in PRIVATE}
