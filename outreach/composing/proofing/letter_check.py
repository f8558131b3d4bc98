"""Final checks of a printed letter, with all that is known of whom it is for. Raises FailedCheck with the reason.

Both the check of the paper and the guard of the person stand here, so that no letter gets a seal past either.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from html import unescape

from outreach.composing.paper.addresses import Address
from outreach.composing.paper.vouchers import Voucher
from outreach.composing.proofing.page_check import ExpectedLetter, examine_letter
from outreach.composing.proofing.text_match import plain_words, squeeze
from outreach.composing.proofing.wrong_recipient import Bystander, Own, find_amounts, find_mix_up, person_of
from outreach.composing.template_data import Facts, greeting_name
from outreach.composing.templating.templates import Words
from outreach.errors import FailedCheck
from outreach.intake.names import greeting_of
from outreach.money import write_money
from outreach.settings import Settings

# The fields that hold amounts: what is owed, and what is given.
DEBT = ("amount", "bills", "more")
AMOUNTS = (*DEBT, "reward")
_FIELDS = re.compile(r"\{[{%#].*?[%#}]\}", re.DOTALL)


def require_sound(
    settings: Settings,
    provider: str,
    body: bytes,
    address: Address,
    own: Own,
    private: Set[str],
    others: Iterable[Bystander],
) -> int:
    """How many pages the printed `body` has. Raises FailedCheck with the first fault, in words that name nobody.

    `private` is what no outside may tell of the recipient, and `others` are people it could be mixed up with.
    """
    is_domestic = address.country == settings.business.country
    expected = ExpectedLetter(own.lines, frozenset(private), is_domestic, own.called)
    examined = examine_letter(body, provider, settings, expected)
    if examined.faults:
        first = examined.faults[0]
        more = f" (and {len(examined.faults) - 1} more: outreach check)" if len(examined.faults) > 1 else ""
        raise FailedCheck(f"the printed letter fails its check on page {first.page}: {first.says}{more}")
    if mixed_up := find_mix_up(examined.words, own, others):
        raise FailedCheck(f"the printed letter may be somebody else's: {mixed_up}")
    return len(examined.pages)


def own_of(
    settings: Settings,
    facts: Facts,
    words: Words,
    said: str,
    lines: tuple[str, ...],
    vouchers: Sequence[Voucher],
    people: tuple[Bystander, ...],
) -> Own:
    """What a letter of these facts must and may hold, where its template says `said` of them."""
    source, fields = words.sources["html"], facts.fields
    named = amounts_in(facts, settings)
    greets = "greeting" in source and plain_words(str(fields.get("greeting", ""))) in plain_words(said)
    called = [greeting_name(facts.recipient, "greeting")] if greets else []
    must = list(called)
    # A template need not state what is owed; one that does must show it as it was written.
    must += [amount for amount in amounts_in(facts, settings, DEBT) if squeeze(amount) in squeeze(said)]
    gifts = [write_money(voucher.amount, voucher.currency, facts.locale, short=True) for voucher in vouchers]
    literal = unescape(re.sub(r"<[^<>]*>", " ", _FIELDS.sub(" ", source)))
    fixed = [literal, *_always(settings, facts), str(fields.get("practitioner") or "")]
    may_name = (*named, *gifts, *find_amounts(literal))
    often = source.count("greeting")
    return Own(lines, people, tuple(must), may_name, " | ".join(fixed), tuple(called * often))


def own_of_edited(
    settings: Settings,
    facts: Facts,
    typed: str,
    lines: tuple[str, ...],
    vouchers: Sequence[Voucher],
    people: tuple[Bystander, ...],
) -> Own:
    """What a letter may hold whose words somebody typed: their amounts, and no other customer's name."""
    gifts = [write_money(voucher.amount, voucher.currency, facts.locale, short=True) for voucher in vouchers]
    called = tuple(filter(None, [greeting_of(facts.recipient)]))
    return Own(lines, people, (), (*gifts, *find_amounts(typed)), " | ".join(_always(settings, facts)), called)


def _always(settings: Settings, facts: Facts) -> list[str]:
    return [settings.business.name, *settings.business.address, facts.signatory.name]


def lines_of(address: Address) -> tuple[str, ...]:
    """The lines of an address as they are printed, the name first."""
    return (address.name, *address.lines)


def own_people(facts: Facts, about: Iterable[str], people: Mapping[str, Bystander]) -> tuple[Bystander, ...]:
    """Those whom a letter may name: its recipient, whom it is about, and the recipient's guardian."""
    ids = [*about, *filter(None, [facts.recipient.guardian_id])]
    return (person_of(facts.recipient), *(people[one] for one in ids if one in people))


def amounts_in(facts: Facts, settings: Settings, names: Sequence[str] = AMOUNTS) -> list[str]:
    """The amounts among the facts, as a letter writes them; `names` are the fields to look in."""
    other = str(facts.fields.get("currency") or currency_of(facts, settings))
    amounts: list[int] = []
    for value in map(facts.fields.get, names):
        if isinstance(value, int):
            amounts.append(value)
        elif isinstance(value, tuple):
            amounts += [each.amount for each in value]
    return [write_money(each, getattr(each, "currency", "") or other, facts.locale, short=True) for each in amounts]


def currency_of(facts: Facts, settings: Settings) -> str:
    """The currency in which the recipient is given something."""
    return facts.recipient.currency or settings.business.currency
