"""Keeps what a message's words state of a person as keyed hashes, and compares them with what would be said now.

Only hashes are kept: nobody can read a name or an amount back out of them.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import lru_cache

from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import named_in
from outreach.composing.templating.fields import BUSINESS

# Stated by the layout, or by a voucher, also where no template names them.
ALWAYS = ("signatory", "signatory_phone", "reward")
# What the amounts are written with.
WRITTEN_IN = ("currency",)
RECIPIENT, CONTACT = "recipient", "contact"
_LENGTH = 16
_WORDS = {
    "recipient": "name or address",
    "contact": "contact",
    "greeting": "name",
    "signatory": "signatory",
    "signatory_phone": "signatory's number",
    "reward": "gift",
    "due_on": "due day",
}


def names_stated(sources: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that the sources of a template state; what they say of the business itself is not among them."""
    return _names_stated(tuple(sorted(sources.values())))


@lru_cache(maxsize=500)
def _names_stated(sources: tuple[str, ...]) -> tuple[str, ...]:
    named = {name for source in sources for name in named_in(source)} - BUSINESS
    return tuple(sorted({*named, *ALWAYS, *WRITTEN_IN}))


def hash_facts(
    key: bytes, reference: str, names: tuple[str, ...], facts: Facts, recipient: str, channel: str
) -> dict[str, str]:
    """A keyed hash of each fact by its name: the fields, to whom the message goes, and the contact it goes to."""
    stated: dict[str, object] = {name: facts.fields[name] for name in names if name in facts.fields}
    stated |= {RECIPIENT: recipient, CONTACT: facts.contacts.get(channel)}
    return {name: _hash(key, reference, name, value) for name, value in stated.items()}


def write_facts(hashes: Mapping[str, str]) -> str:
    return json.dumps(hashes, sort_keys=True, separators=(",", ":"))


def find_changed(kept: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is stated otherwise by now, in words, the recipient first."""
    changed = [name for name in kept if kept[name] != now.get(name)]
    order = sorted(changed, key=lambda name: (name not in {RECIPIENT, CONTACT}, name))
    return [_WORDS.get(name, name.replace("_", " ")) for name in order]


def _hash(key: bytes, reference: str, name: str, value: object) -> str:
    # The reference goes in too, so that two messages that state the same do not show it.
    fact = json.dumps([reference, name, value], default=str, ensure_ascii=False, sort_keys=True)
    return hmac.new(key, fact.encode(), hashlib.sha256).hexdigest()[:_LENGTH]
