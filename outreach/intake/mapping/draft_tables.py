"""Writes the tables of a draft: a line for each column, and a mark wherever the file leaves something open."""

from collections.abc import Sequence

from outreach.intake.headers import TABLES
from outreach.intake.mapping.consent_columns import write_consents
from outreach.intake.mapping.draft_parts import MISSING, UNSURE, DraftTable, SheetSample, fold_header, list_names, quote
from outreach.intake.mapping.header_words import WORDS_OF_RECORDS
from outreach.intake.mapping.visit_states import write_status, write_visit_status

_RECORDED = (
    f" # {UNSURE}: often the day on which the record was made, and not the day they first came; leave it out then"
)


def write_table(table: DraftTable, sheet: SheetSample) -> list[str]:
    """The lines of one table of the draft; of invoices also those of what was paid of them."""
    lines = ["", "[[file.table]]", f'into = "{table.into}"']
    by_name = table.into == "customers" and table.columns.get("customer_id") == table.columns.get("whole_name")
    lines += table.words or (["one_row_per_id = true"] if by_name else [])
    lines += [f"# {list_names([remark])}" for remark in table.remarks]
    if table.into == "consents":
        return [*lines, *write_consents(table, sheet)]
    lines.append("[file.table.columns]")
    lines += _write_visits(table, sheet) if table.into == "visits" else _WRITERS.get(table.into, _write_columns)(table)
    return [*lines, *(_write_payments(table) if table.into == "invoices" else ())]


def _write_columns(table: DraftTable) -> list[str]:
    """A line for each column of ours that is found, and a question for one that is missing and must not be."""
    columns, lines = table.columns, []
    for column in TABLES[table.into].columns:
        if column.name in columns:
            lines.append(f"{column.name} = {quote(columns[column.name])}")
        elif column.required:
            lines.append(f"{column.name} = {MISSING}")
    return lines


def _write_customers(table: DraftTable) -> list[str]:
    lines = _write_columns(table)
    whole = table.columns.get("whole_name")
    if whole and "family_name" not in table.columns:
        lines.append(f'given_name = {{ column = {quote(whole)}, name_part = "given" }}')
        lines.append(f'family_name = {{ column = {quote(whole)}, name_part = "family" }}')
    return [_make_optional(line) + _doubt_beginning(line, table) for line in lines]


def _make_optional(line: str) -> str:
    name, _, column = line.partition(" = ")
    # One odd birthday, or a country that nobody knows, must not cost the customer.
    return f"{name} = {{ column = {column}, optional = true }}" if name in {"born_on", "country"} else line


def _doubt_beginning(line: str, table: DraftTable) -> str:
    since = fold_header(table.columns.get("customer_since", "")).split()
    return _RECORDED if line.startswith("customer_since = ") and WORDS_OF_RECORDS & set(since) else ""


def _write_invoices(table: DraftTable) -> list[str]:
    columns = dict(table.columns)
    status = columns.pop("status", None)
    lines = _write_columns(DraftTable(table.into, columns))
    if "invoice_id" not in columns and "customer_id" in columns and "issued_on" in columns:
        lines = _put_id(lines, "invoice_id", [columns["customer_id"], columns["issued_on"]], "an invoice")
    if "issued_on" not in columns and "due_on" in columns:
        lines = [line for line in lines if not line.startswith("issued_on")]
        lines.append(f"issued_on = {quote(columns['due_on'])} # {UNSURE}: the file does not say when it was written")
    return [*lines, write_status(status)] if status else lines


def _write_visits(table: DraftTable, sheet: SheetSample) -> list[str]:
    columns = dict(table.columns)
    columns.pop("status", None)
    lines = _write_columns(DraftTable(table.into, columns))
    if "visit_id" not in columns and "customer_id" in columns:
        lines = _put_id(lines, "visit_id", [columns["customer_id"], columns["starts_at"]], "a visit")
    return [*lines, *write_visit_status(table.columns, sheet)]


def _write_treatments(table: DraftTable) -> list[str]:
    columns, lines = table.columns, _write_columns(table)
    if "treatment_id" not in columns and "customer_id" in columns and "done_at" in columns:
        return _put_id(lines, "treatment_id", [columns["customer_id"], columns["done_at"]], "a treatment")
    return lines


def _put_id(lines: list[str], ours: str, columns: Sequence[str], what: str) -> list[str]:
    """The lines with an id that is made of these columns, in the place of the question which one holds it."""
    parts = ", ".join(quote(name) for name in columns)
    own = f"{ours} = {{ columns = [{parts}] }} # {UNSURE}: the file has no number of {what}"
    return [own, *(line for line in lines if not line.startswith(ours))]


def _write_payments(table: DraftTable) -> list[str]:
    """What was paid of each invoice, where the file of invoices says it beside them."""
    columns = table.columns
    paid, unpaid, number = columns.get("paid"), columns.get("unpaid"), columns.get("invoice_id")
    day = columns.get("paid_on") or columns.get("issued_on") or columns.get("due_on")
    if not (number and day and (paid or unpaid)):
        return []
    amount, only = quote(paid or ""), f"{{ column = {quote(paid or '')}, above = 0 }}"
    if not paid:
        total = quote(columns["amount"])
        amount = f"{{ column = {total}, less = {quote(unpaid or '')} }}"
        only = f"{{ column = {total}, above_column = {quote(unpaid or '')} }}"
    when = "" if "paid_on" in columns else f" # {UNSURE}: the file does not say when it was paid"
    owner = [f"customer_id = {quote(columns['customer_id'])}"] if "customer_id" in columns else []
    return [
        "", "[[file.table]]", 'into = "payments"', f"only = {only}", "[file.table.columns]",
        f"payment_id = {quote(number)}", f"invoice_id = {quote(number)}", *owner, f"paid_on = {quote(day)}{when}",
        f"amount = {amount}",
    ]  # fmt: skip


_WRITERS = {"customers": _write_customers, "invoices": _write_invoices, "treatments": _write_treatments}
