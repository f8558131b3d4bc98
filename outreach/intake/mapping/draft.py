"""Proposes a mapping for files that no preset knows, from their headers and what stands below them.

It is a proposal: what it is unsure of is marked, and nothing is imported by it.
"""

import glob
import json
from collections.abc import Collection, Mapping, Sequence

from outreach.intake.mapping.consent_columns import find_consents, is_about_consent
from outreach.intake.mapping.draft_formats import DAY_FIRST, MONTH_FIRST, find_decimal, find_formats, is_amount
from outreach.intake.mapping.draft_parts import UNSURE, DraftTable, SheetSample, fold_header, list_names, quote
from outreach.intake.mapping.draft_tables import write_table
from outreach.intake.mapping.header_words import (
    BEGINNINGS_OF_AMOUNTS,
    DAYS_OF_VISITS,
    OTHER_AMOUNTS,
    OWNERS_OF_COLUMNS,
    TELLING,
    WORDS,
)
from outreach.intake.mapping.yes_no import is_yes_no

_EITHER_ORDER = f" # {UNSURE}: 3/4 may be in March or in April; so your country writes it"
# Formats in which day and month may have been written the other way round.
_EITHER = ("MM/", "DD/")
_DATE_COLUMNS = frozenset({"customer_since", "born_on", "died_on", "issued_on", "due_on", "paid_on", "starts_at",
                           "done_at", "ended_at", "promised_at"})  # fmt: skip
_ID_OF = {"customers": "customer_id", "visits": "visit_id"}
_DAY_OF = {"visits": "starts_at"}
_NAMES = {"customer_id", "whole_name", "given_name", "family_name"}
_AMOUNT_COLUMNS = frozenset({"amount", "paid", "unpaid"})


def draft_mapping(sheets: Sequence[SheetSample], country: str) -> str:
    """The text of a mapping file for these files; `country` decides between 3/4 as a day in March or in April."""
    tables = _drop_names_told_better([find_tables(sheet) for sheet in sheets])
    parts = [_draft_file(sheet, found, country) for sheet, found in zip(sheets, tables, strict=True)]
    head = [
        "# A draft: what is marked UNSURE wants a look. docs/mappings.md tells what a mapping may say, and",
        "# outreach import FOLDER --mapping THIS-FILE --look shows what would come of it.",
    ]
    return "\n".join([*head, *parts]) + "\n"


def _drop_names_told_better(found: list[list[DraftTable]]) -> list[list[DraftTable]]:
    """The tables of each file, without customers of whom another file, by the same id, says more than the name."""
    fullest: dict[str, int] = {}
    for table in (table for tables in found for table in tables if table.into == "customers"):
        own = table.columns.get("customer_id", "")
        fullest[own] = max(fullest.get(own, 0), len(table.columns))

    def is_wanted(table: DraftTable, tables: list[DraftTable]) -> bool:
        if table.into != "customers" or len(tables) == 1 or table.columns.keys() - _NAMES:
            return True
        return len(table.columns) == fullest[table.columns.get("customer_id", "")]

    return [[table for table in tables if is_wanted(table, tables)] for tables in found]


def _draft_file(sheet: SheetSample, tables: Sequence[DraftTable], country: str) -> str:
    if not tables:
        left_out = f"{list_names([sheet.name])} was left out: no column of it is known here"
        return f"\n# {left_out}. It has {list_names(sheet.header)}"
    known = [f"name = {quote(glob.escape(sheet.name))}"]
    if sheet.has_titles:
        names = ", ".join(quote(name) for name in list(filter(None, sheet.header))[:4])
        known.append(f"header_has = [{names}]")
    return write_file(sheet, tables, country, known)


def known_by_header(sheet: SheetSample) -> list[str]:
    """The lines by which a mapping knows a file whatever it is called: by all columns that it names."""
    names = dict.fromkeys(name for name in sheet.header if name.strip())
    return [f"header_has = [{', '.join(quote(name) for name in names)}]"]


def write_file(sheet: SheetSample, tables: Sequence[DraftTable], country: str, known: Sequence[str]) -> str:
    """The part of a mapping for one file that feeds these tables; `known` are the lines by which it is known."""
    used = {column for table in tables for column in table.columns.values()}
    formats, is_unsure = _formats_of(sheet, tables, country)
    decimal = find_decimal(_values_of(sheet, tables, _AMOUNT_COLUMNS))
    lines = ["", "[[file]]", *known]
    if decimal != ".":
        lines.append(f"decimal = {json.dumps(decimal)}")
    if formats:
        lines.append(f"dates = {json.dumps(formats)}" + (_EITHER_ORDER if is_unsure else ""))
    for table in tables:
        lines += write_table(table, sheet)
    left = [name for name in sheet.header if name and name not in used]
    if said := [name for name in left if is_about_consent(name)]:
        what = "say who wants to hear nothing; a table of consents takes it (docs/mappings.md)"
        lines += ["", f"# {UNSURE}: {list_names(said)} may {what}"]
    return "\n".join([*lines, f"# Not used: {list_names(left)}"] if left else lines)


def _values_of(sheet: SheetSample, tables: Sequence[DraftTable], ours: frozenset[str]) -> list[str]:
    named = {table.columns[name] for table in tables for name in table.columns if name in ours}
    return [value for column in named for value in sheet.values(column)]


def _formats_of(sheet: SheetSample, tables: Sequence[DraftTable], country: str) -> tuple[list[str], bool]:
    named = {table.columns[name] for table in tables for name in table.columns if name in _DATE_COLUMNS}
    columns = [sheet.values(column) for column in sheet.header if column in named]
    found = [find_formats(values, country) for values in columns]
    # What one column leaves open, another of the file may say: one program writes all of them.
    orders = {written.startswith("M") for written, is_open in found if not is_open and written.startswith(_EITHER)}
    if len(orders) == 1:
        found = [find_formats(values, MONTH_FIRST if True in orders else DAY_FIRST) for values in columns]
    formats = list(dict.fromkeys(written for written, _ in found if written))
    return formats, not orders and any(is_open for _, is_open in found)


def find_tables(sheet: SheetSample) -> list[DraftTable]:
    """Of a file of sums and days, what its rows are; and the customers, where it also has their names."""
    known = {into: _match(sheet, words) for into, words in WORDS.items()}
    people = known.pop("customers")
    kinds = [into for into, found in known.items() if _tells(into, found)]
    found = [complete_table(into, known[into], people) for into in kinds[:1]]
    if any(name in people for name in ("given_name", "family_name", "whole_name", "email")):
        found.insert(0, complete_table("customers", people, people))
    for table in found:
        table.words += _words_of_repeats(table, sheet) or _words_of_totals(table, sheet)
    owner = next((table.columns["customer_id"] for table in found if "customer_id" in table.columns), None)
    used = {column for table in found for column in table.columns.values()}
    return [*found, *(find_consents(sheet, owner, used) if owner else ())]


def _words_of_repeats(table: DraftTable, sheet: SheetSample) -> list[str]:
    """Where an id comes again, such as an order's for each of its lines: one record of all, and its day stands once."""
    numbers = sheet.values(table.columns[name]) if (name := _ID_OF.get(table.into, "")) in table.columns else []
    if len(numbers) == len(set(numbers)):
        return []
    day = table.columns.get(_DAY_OF.get(table.into, ""))
    has_gaps = day is not None and 0 < len(sheet.values(day)) < len(sheet.rows)
    only = [f"only = {{ column = {quote(day or '')}, is_empty = false }}"] if has_gaps else []
    return ["one_row_per_id = true", *only]


def _words_of_totals(table: DraftTable, sheet: SheetSample) -> list[str]:
    """A sheet with a title ends with totals, more often than not: a row without a name is no customer's."""
    names = [table.columns[name] for name in ("whole_name", "family_name", "given_name") if name in table.columns]
    if table.into != "customers" or not sheet.has_titles or not names or table.columns.get("customer_id") == names[0]:
        return []
    return [f"only = {{ column = {quote(names[0])}, is_empty = false }}"]


def _tells(into: str, found: dict[str, str]) -> bool:
    """Whether the columns are what only this table's files have."""
    if all(each in found for each in TELLING[into]):
        return True
    return into == "visits" and fold_header(found.get("starts_at", "")) in DAYS_OF_VISITS


def _match(sheet: SheetSample, words: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Their column for each of ours: the one whose name is listed first, each of theirs once."""
    named = _by_short_names({fold_header(name): name for name in reversed(sheet.header) if name.strip()})
    found: dict[str, str] = {}
    for ours, names in words.items():
        for name in names:
            if name in named and named[name] not in found.values() and _may_hold(ours, sheet.values(named[name])):
                found[ours] = named[name]
                break
        if ours == "amount" and ours not in found and (column := _find_amount(sheet, set(found.values()))):
            found[ours] = column
    return found


def _find_amount(sheet: SheetSample, used: Collection[str]) -> str | None:
    """A column of amounts whose name only begins as one does: programs write after it in what, or with which tax."""
    return next((name for name in sheet.header if name not in used and _begins_amount(name)
                 and _are_amounts(sheet.values(name))), None)  # fmt: skip


def _begins_amount(name: str) -> bool:
    first, *words = fold_header(name).split() or [""]
    # What an amount includes says nothing against it: “Total (inc tax)”.
    within = next((at for at, word in enumerate(words) if word.startswith(("inc", "with"))), len(words))
    return first in BEGINNINGS_OF_AMOUNTS and not OTHER_AMOUNTS & set(words[:within])


def _are_amounts(values: Sequence[str]) -> bool:
    return sum(any(is_amount(value, mark) for mark in ".,") for value in values) * 2 > len(values)


def _by_short_names(named: dict[str, str]) -> dict[str, str]:
    """The columns also by their names without whose they are, where no column has that name already."""
    short: dict[str, str] = {}
    # The first column of two stands: they are here from the last to the first.
    for name, column in named.items():
        rest = name
        while rest.partition(" ")[0] in OWNERS_OF_COLUMNS and " " in rest:
            rest = rest.partition(" ")[2]
            short[rest] = column
    return short | named


def _may_hold(ours: str, values: Sequence[str]) -> bool:
    """Whether the values can be meant: “Deceased” is often a yes or no, and no day; “Arrived” may be either."""
    if not values or ours not in {"died_on", "arrived", "missed"}:
        return True
    has_digits = [any(letter.isdigit() for letter in value) for value in values]
    return any(has_digits) if ours == "died_on" else is_yes_no(values) or all(has_digits)


def complete_table(into: str, own: Mapping[str, str], people: Mapping[str, str]) -> DraftTable:
    """The table with a column that says whose each row is, where `people`, the columns of customers, have one."""
    found = DraftTable(into, dict(own))
    if into != "customers" and "customer_id" not in found.columns and (owner := _owner(people)):
        found.columns["customer_id"] = owner
    if into == "customers" and "customer_id" not in found.columns and (owner := _owner(people)):
        found.columns["customer_id"] = owner
        found.remarks.append(f"{UNSURE}: the file has no number of a customer; {owner} stands for it")
    return found


def _owner(people: Mapping[str, str]) -> str | None:
    return next((people[name] for name in ("customer_id", "email", "whole_name") if name in people), None)
