"""Finds the columns of a file that say who agreed to hear from the business, or refused, and writes them for a draft.

A refusal is never made a yes: “No” under “Do not contact” says only that nobody refused.
"""

import re
from collections.abc import Collection

from outreach.channels import CHANNELS
from outreach.intake.mapping.draft_parts import MARK, MISSING, DraftTable, SheetSample, fold_header, list_names, quote
from outreach.intake.mapping.header_words import (
    CHANNELS_BY_WORD,
    PHRASES_OF_CONSENT,
    PHRASES_OF_REFUSAL,
    WORDS_OF_CONSENT,
    WORDS_OF_MARKETING,
    WORDS_OF_SERVICE,
)
from outreach.intake.mapping.yes_no import is_yes_no, spell_yes_no, write_list

#: What a yes in such a column may mean.
KINDS_OF_CONSENT = ("agreed", "refused")
# A call is a greater intrusion: nobody who agreed to marketing agreed to it without the word.
_PLAIN = ["letter", "email", "text"]
_WITHDRAWN = '{ constant = "withdrawn" }'


def is_about_consent(column: str) -> bool:
    """Whether a column's name is one under which a wish to hear, or not to hear, may stand."""
    name = fold_header(column)
    return bool(WORDS_OF_CONSENT & set(name.split())) or _has(name, (*PHRASES_OF_CONSENT, *PHRASES_OF_REFUSAL))


def find_consents(sheet: SheetSample, owner: str, used: Collection[str]) -> list[DraftTable]:
    """A table for each column of yes and no that says it; `owner` is the column with the number of the customer."""
    columns = [name for name in dict.fromkeys(sheet.header) if name.strip() and name not in used]
    return [
        DraftTable("consents", {"customer_id": owner, _kind_of(name): name})
        for name in columns
        if is_about_consent(name) and is_yes_no(sheet.values(name)) and not _is_service(name)
    ]


def _kind_of(column: str) -> str:
    return "refused" if _has(fold_header(column), PHRASES_OF_REFUSAL) else "agreed"


def _is_service(column: str) -> bool:
    """A yes to reminders is none to marketing; only a person can say what it is worth."""
    return bool(WORDS_OF_SERVICE & set(fold_header(column).split()))


def _has(name: str, phrases: Collection[str]) -> bool:
    return any(re.search(rf"\b{phrase}\b", name) for phrase in phrases)


def write_consents(table: DraftTable, sheet: SheetSample) -> list[str]:
    """The lines of one table of consents."""
    is_refused = "refused" in table.columns
    column = table.columns["refused" if is_refused else "agreed"]
    yes, no = spell_yes_no(sheet.values(column))
    channels = _channels_of(column, is_refused)
    owner = table.columns.get("customer_id")
    return [
        f"only = {{ column = {quote(column)}, is = {write_list(yes if is_refused else [*yes, *no])} }}",
        f"for_each = {{ channel = {write_list(channels)}, purpose = {write_list(_purposes_of(column, is_refused))} }}",
        "[file.table.columns]",
        f"customer_id = {quote(owner) if owner else MISSING}",
        f"state = {_WITHDRAWN if is_refused else _write_state(column, yes, no)} {MARK}"
        f"taken for {_say(channels)}; see that people were asked about just that",
        'at = { constant = "today" }',
        f"source = {{ constant = {quote(list_names([sheet.name])[:80])} }}",
    ]


def _write_state(column: str, yes: list[str], no: list[str]) -> str:
    states = dict.fromkeys(yes, "granted") | dict.fromkeys(no, "withdrawn")
    words = ", ".join(f"{quote(word)} = {quote(state)}" for word, state in states.items())
    return f"{{ column = {quote(column)}, values = {{ {words} }} }}"


def _purposes_of(column: str, is_refused: bool) -> list[str]:
    """Who refuses without a word of marketing wants no message at all."""
    is_marketing = not is_refused or WORDS_OF_MARKETING & set(fold_header(column).split())
    return ["marketing"] if is_marketing else ["service", "marketing"]


def _say(channels: list[str]) -> str:
    return " and ".join([", ".join(channels[:-1]), channels[-1]] if len(channels) > 1 else channels)


def _channels_of(column: str, is_refused: bool) -> list[str]:
    """Those that the name says; without any, all of them for a refusal of contact, and a few for marketing."""
    # “E-mail” is no mail.
    words = fold_header(column).replace("e mail", "email").split()
    named = {CHANNELS_BY_WORD[word] for word in words if word in CHANNELS_BY_WORD}
    return [name for name in CHANNELS if name in named] or (list(CHANNELS) if is_refused else list(_PLAIN))
