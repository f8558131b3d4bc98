"""Proposes a mapping for files that no preset knows, from their headers and what stands below them.

It is a proposal: what it is unsure of is marked, and nothing is imported by it.
"""

import glob
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outreach.intake.headers import TABLES
from outreach.intake.mapping.draft_formats import DAY_FIRST, MONTH_FIRST, find_decimal, find_formats
from outreach.intake.mapping.header_words import DAYS_OF_VISITS, OWNERS_OF_COLUMNS, TELLING, WORDS, WORDS_OF_CONSENT

UNSURE = "UNSURE"
_EITHER_ORDER = f" # {UNSURE}: 3/4 may be in March or in April; so your country writes it"
# Formats in which day and month may have been written the other way round.
_EITHER = ("MM/", "DD/")
_DATE_COLUMNS = frozenset({"customer_since", "born_on", "died_on", "issued_on", "due_on", "paid_on", "starts_at",
                           "done_at", "ended_at", "promised_at"})  # fmt: skip
_ID_OF = {"customers": "customer_id", "visits": "visit_id"}
_DAY_OF = {"visits": "starts_at"}
_AMOUNT_COLUMNS = frozenset({"amount", "paid", "unpaid"})


@dataclass(frozen=True)
class SheetSample:
    """The beginning of one file: its columns, and the first rows below them."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: Whether lines stand above the header.
    has_titles: bool = False

    def values(self, column: str) -> list[str]:
        at = list(self.header).index(column)
        return [row[at].strip() for row in self.rows if at < len(row) and row[at].strip()]


@dataclass
class DraftTable:
    """One table that a file seems to feed, or that somebody says it feeds."""

    into: str
    #: Their column for each of ours.
    columns: dict[str, str]
    remarks: list[str] = field(default_factory=list)
    #: What is said of its rows as a whole.
    words: list[str] = field(default_factory=list)


def draft_mapping(sheets: Sequence[SheetSample], country: str) -> str:
    """The text of a mapping file for these files; `country` decides between 3/4 as a day in March or in April."""
    parts = [part for sheet in sheets if (part := _draft_file(sheet, country))]
    head = [
        "# A draft: what is marked UNSURE wants a look. docs/mappings.md tells what a mapping may say, and",
        "# outreach import FOLDER --mapping THIS-FILE --look shows what would come of it.",
    ]
    return "\n".join([*head, *parts]) + "\n"


def _draft_file(sheet: SheetSample, country: str) -> str:
    tables = find_tables(sheet)
    if not tables:
        return f"\n# {_list([sheet.name])} was left out: no column of it is known here. It has {_list(sheet.header)}"
    known = [f"name = {_quote(glob.escape(sheet.name))}"]
    if sheet.has_titles:
        names = ", ".join(_quote(name) for name in list(filter(None, sheet.header))[:4])
        known.append(f"header_has = [{names}]")
    return write_file(sheet, tables, country, known)


def known_by_header(sheet: SheetSample) -> list[str]:
    """The lines by which a mapping knows a file whatever it is called: by all columns that it names."""
    names = dict.fromkeys(name for name in sheet.header if name.strip())
    return [f"header_has = [{', '.join(_quote(name) for name in names)}]"]


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
        lines += _write_table(table)
    left = [name for name in sheet.header if name and name not in used]
    if said := [name for name in left if WORDS_OF_CONSENT & set(fold_header(name).split())]:
        what = "say who wants to hear nothing; a table of consents takes it (docs/mappings.md)"
        lines += ["", f"# {UNSURE}: {_list(said)} may {what}"]
    return "\n".join([*lines, f"# Not used: {_list(left)}"] if left else lines)


def _list(names: Sequence[str]) -> str:
    """The names on one line, as a comment must stand; in a workbook one may have several, or control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in ", ".join(names))


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


def fold_header(name: str) -> str:
    """A column's name in small letters without accents, with one space for all that is no letter or digit."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    folded = " ".join(re.findall(r"\w+", bare.replace("_", " ")))
    return folded if folded != name.casefold() else " ".join(re.findall(r"\w+", apart.casefold().replace("_", " ")))


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
    return found


def _words_of_repeats(table: DraftTable, sheet: SheetSample) -> list[str]:
    """Where an id comes again, such as an order's for each of its lines: one record of all, and its day stands once."""
    numbers = sheet.values(table.columns[name]) if (name := _ID_OF.get(table.into, "")) in table.columns else []
    if len(numbers) == len(set(numbers)):
        return []
    day = table.columns.get(_DAY_OF.get(table.into, ""))
    has_gaps = day is not None and 0 < len(sheet.values(day)) < len(sheet.rows)
    only = [f"only = {{ column = {_quote(day or '')}, is_empty = false }}"] if has_gaps else []
    return ["one_row_per_id = true", *only]


def _words_of_totals(table: DraftTable, sheet: SheetSample) -> list[str]:
    """A sheet with a title ends with totals, more often than not: a row without a name is no customer's."""
    names = [table.columns[name] for name in ("whole_name", "family_name", "given_name") if name in table.columns]
    if table.into != "customers" or not sheet.has_titles or not names or table.columns.get("customer_id") == names[0]:
        return []
    return [f"only = {{ column = {_quote(names[0])}, is_empty = false }}"]


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
    return found


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
    """Whether the values can be meant: “Deceased” is often a yes or no, and no day."""
    return ours != "died_on" or not values or any(letter.isdigit() for value in values for letter in value)


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


def _write_table(table: DraftTable) -> list[str]:
    lines = ["", "[[file.table]]", f'into = "{table.into}"']
    by_name = table.into == "customers" and table.columns.get("customer_id") == table.columns.get("whole_name")
    lines += table.words or (["one_row_per_id = true"] if by_name else [])
    lines += [f"# {_list([remark])}" for remark in table.remarks]
    lines.append("[file.table.columns]")
    lines += _WRITERS.get(table.into, _write_columns)(table)
    return [*lines, *(_write_payments(table) if table.into == "invoices" else ())]


def _write_columns(table: DraftTable) -> list[str]:
    """A line for each column of ours that is found, and a question for one that is missing and must not be."""
    columns, lines = table.columns, []
    for column in TABLES[table.into].columns:
        if column.name in columns:
            lines.append(f"{column.name} = {_quote(columns[column.name])}")
        elif column.required:
            lines.append(f'{column.name} = "?" # {UNSURE}: no column seems to hold it, and a row cannot do without it')
    return lines


def _write_customers(table: DraftTable) -> list[str]:
    lines = _write_columns(table)
    whole = table.columns.get("whole_name")
    if whole and "family_name" not in table.columns:
        lines.append(f'given_name = {{ column = {_quote(whole)}, name_part = "given" }}')
        lines.append(f'family_name = {{ column = {_quote(whole)}, name_part = "family" }}')
    return [_make_optional(line) for line in lines]


def _make_optional(line: str) -> str:
    name, _, column = line.partition(" = ")
    # One odd birthday, or a country that nobody knows, must not cost the customer.
    return f"{name} = {{ column = {column}, optional = true }}" if name in {"born_on", "country"} else line


def _write_invoices(table: DraftTable) -> list[str]:
    columns = dict(table.columns)
    status = columns.pop("status", None)
    lines = _write_columns(DraftTable(table.into, columns))
    if "invoice_id" not in columns and "customer_id" in columns and "issued_on" in columns:
        lines = _put_id(lines, "invoice_id", [columns["customer_id"], columns["issued_on"]], "an invoice")
    if "issued_on" not in columns and "due_on" in columns:
        lines = [line for line in lines if not line.startswith("issued_on")]
        lines.append(f"issued_on = {_quote(columns['due_on'])} # {UNSURE}: the file does not say when it was written")
    return [*lines, _write_status(status)] if status else lines


def _write_visits(table: DraftTable) -> list[str]:
    columns = dict(table.columns)
    status = columns.pop("status", None)
    lines = _write_columns(DraftTable(table.into, columns))
    if "visit_id" not in columns and "customer_id" in columns:
        lines = _put_id(lines, "visit_id", [columns["customer_id"], columns["starts_at"]], "a visit")
    return [*lines, _write_status(status)] if status else lines


def _put_id(lines: list[str], ours: str, columns: Sequence[str], what: str) -> list[str]:
    """The lines with an id that is made of these columns, in the place of the question which one holds it."""
    parts = ", ".join(_quote(name) for name in columns)
    own = f"{ours} = {{ columns = [{parts}] }} # {UNSURE}: the file has no number of {what}"
    return [own, *(line for line in lines if not line.startswith(ours))]


def _write_status(column: str) -> str:
    return f"status = {_quote(column)} # {UNSURE}: see which words the file has; docs/data.md lists ours"


def _write_payments(table: DraftTable) -> list[str]:
    """What was paid of each invoice, where the file of invoices says it beside them."""
    columns = table.columns
    paid, unpaid, number = columns.get("paid"), columns.get("unpaid"), columns.get("invoice_id")
    day = columns.get("paid_on") or columns.get("issued_on") or columns.get("due_on")
    if not (number and day and (paid or unpaid)):
        return []
    amount, only = _quote(paid or ""), f"{{ column = {_quote(paid or '')}, above = 0 }}"
    if not paid:
        total = _quote(columns["amount"])
        amount = f"{{ column = {total}, less = {_quote(unpaid or '')} }}"
        only = f"{{ column = {total}, above_column = {_quote(unpaid or '')} }}"
    when = "" if "paid_on" in columns else f" # {UNSURE}: the file does not say when it was paid"
    owner = [f"customer_id = {_quote(columns['customer_id'])}"] if "customer_id" in columns else []
    return [
        "", "[[file.table]]", 'into = "payments"', f"only = {only}", "[file.table.columns]",
        f"payment_id = {_quote(number)}", f"invoice_id = {_quote(number)}", *owner, f"paid_on = {_quote(day)}{when}",
        f"amount = {amount}",
    ]  # fmt: skip


_WRITERS = {"customers": _write_customers, "invoices": _write_invoices, "visits": _write_visits}


def _quote(name: str) -> str:
    # TOML's basic strings are written as JSON's are, but for one control character.
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
