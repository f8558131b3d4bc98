"""Makes a mapping of what a person says of each column of their files, and of what a draft proposes to them.

It writes the text that a draft would, and so can say nothing that a draft cannot.
"""

import json
import re
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outreach.errors import MappingRefused
from outreach.intake.headers import TABLES
from outreach.intake.mapping.consent_columns import KINDS_OF_CONSENT
from outreach.intake.mapping.draft import complete_table, find_tables, known_by_header, write_file
from outreach.intake.mapping.draft_parts import MARK, DraftTable, SheetSample
from outreach.intake.mapping.files import MAPPING_ENDING, Mapping, list_saved, read_mapping
from outreach.intake.mapping.header_words import WORDS
from outreach.intake.mapping.visit_states import write_held
from outreach.local_files import make_private_folder, write_private

SAMPLES = 3


@dataclass(frozen=True)
class ColumnChoice:
    """One column of a file, as a person is asked about it."""

    name: str
    #: The first values that differ.
    samples: list[str]
    #: “table.column” of ours, or empty for none.
    proposed: str
    #: What the draft is not sure of; empty where it is.
    unsure: str = ""


@dataclass(frozen=True)
class SheetChoices:
    """One file whose columns are to be matched."""

    name: str
    columns: list[ColumnChoice]
    #: A date such as 3/4 may be in March or in April.
    is_order_open: bool


def list_targets() -> dict[str, list[str]]:
    """What a column may be: for each table that a draft knows, the names of ours."""
    # A draft also knows columns that become several of ours, such as a whole name.
    known = {
        into: list(dict.fromkeys([*(column.name for column in TABLES[into].columns), *words]))
        for into, words in WORDS.items()
    }
    return known | {"consents": list(KINDS_OF_CONSENT)}


def propose_choices(sheet: SheetSample, country: str) -> SheetChoices:
    """Each column with what the draft takes it for."""
    tables = find_tables(sheet)
    doubts = _doubts_of(sheet, tables, country) if tables else {}
    proposed: dict[str, ColumnChoice] = {}
    for table in tables:
        for ours, theirs in table.columns.items():
            target = f"{table.into}.{ours}"
            # Of a column that is used twice, as an address is that stands for a number, the first use is asked about.
            first = proposed.get(theirs, ColumnChoice(theirs, [], target))
            proposed[theirs] = replace(first, unsure=first.unsure or _doubt_of(sheet, table, target, doubts, country))
    columns = [
        replace(proposed.get(name, ColumnChoice(name, [], "")), samples=_samples(sheet, name))
        for name in dict.fromkeys(sheet.header)
        if name.strip()
    ]
    return SheetChoices(sheet.name, columns, "dates" in doubts)


def _doubt_of(sheet: SheetSample, table: DraftTable, target: str, doubts: dict[str, str], country: str) -> str:
    if table.into != "consents":
        return doubts.get(target, "")
    # Each column of consent has a table of its own, whose doubt stands at what is made of the column.
    is_owner = target == "consents.customer_id"
    return "" if is_owner else _doubts_of(sheet, [table], country).get("consents.state", "")


def _doubts_of(sheet: SheetSample, tables: Sequence[DraftTable], country: str) -> dict[str, str]:
    """What the draft marks as unsure, by “table.column”; the order of days and months by “dates”."""
    doubts: dict[str, str] = {}
    into = ""
    for line in write_file(sheet, tables, country, known_by_header(sheet)).splitlines():
        into = _table_in(line) or into
        name, _, doubt = line.partition(MARK)
        if doubt and (ours := name.partition(" = ")[0].strip()):
            doubts["dates" if ours == "dates" else f"{into}.{ours}"] = doubt
        elif doubt:
            doubts[f"{into}.customer_id"] = doubt
    return doubts


def _table_in(line: str) -> str:
    return line.removeprefix('into = "').rstrip('"') if line.startswith("into = ") else ""


def _samples(sheet: SheetSample, column: str) -> list[str]:
    return list(dict.fromkeys(sheet.values(column)))[:SAMPLES]


def write_mapping(title: str, sheets: Sequence[SheetSample], chosen: Sequence[dict[str, str]], order: str) -> str:
    """The text of a mapping in which each sheet's columns are what `chosen` says: “table.column” by the name of theirs.

    `order` is a country that writes 3/4 as these files do. Raises MappingRefused where a table lacks what its rows
    cannot do without, where one of ours is chosen twice, or nothing is chosen at all.
    """
    parts = [
        write_file(sheet, tables, order, known_by_header(sheet))
        for sheet, columns in zip(sheets, chosen, strict=True)
        if (tables := _tables_of(columns, sheet))
    ]
    if not parts:
        raise MappingRefused("Nothing is chosen yet: say of at least one column what it is")
    text = "\n".join([f"title = {json.dumps(title, ensure_ascii=False)}", *parts]) + "\n"
    _require_complete(text)
    return _without_marks(text)


def _without_marks(text: str) -> str:
    """The mapping without the doubts of a draft: whoever chose the columns has looked at them."""
    # No doubt has a quotation mark, and every name before one ends with it.
    return re.sub(rf'(?m)^{MARK}.*\n| {MARK}[^"\n]*$', "", text)


def _tables_of(columns: dict[str, str], sheet: SheetSample) -> list[DraftTable]:
    """What the columns of one file feed, customers first."""
    own: dict[str, dict[str, str]] = {}
    # One table for each column: a file may have a yes for e-mail and another for texts.
    consents: list[dict[str, str]] = []
    for theirs, target in columns.items():
        into, _, ours = target.partition(".")
        if ours not in list_targets().get(into, ()):
            raise MappingRefused(f"“{target}” is no column of ours; choose one of the list")
        if into == "consents":
            consents.append({ours: theirs})
            continue
        if ours in own.setdefault(into, {}):
            raise MappingRefused(
                f"“{own[into][ours]}” and “{theirs}” are both said to be the same; leave one of them out"
            )
        own[into][ours] = theirs
    people = own.get("customers", {})
    visit = own.get("visits", {})
    if "treatments" in own:
        own["treatments"] = _of_visit(visit) | own["treatments"]
    tables = [complete_table(into, own[into], people) for into in WORDS if into in own]
    for table in tables:
        table.words += write_held(visit, sheet) if table.into == "treatments" else []
    owner = next((table.columns["customer_id"] for table in tables if "customer_id" in table.columns), None)
    whose = {"customer_id": owner} if owner else {}
    return [*tables, *(DraftTable("consents", {**whose, **each}) for each in consents)]


def _of_visit(visit: Dict[str, str]) -> dict[str, str]:
    """What a treatment takes from the visit of its row: a list of appointments has no number of what was done."""
    sources = {"treatment_id": "visit_id", "visit_id": "visit_id", "customer_id": "customer_id", "done_at": "starts_at"}
    return {ours: visit[theirs] for ours, theirs in sources.items() if theirs in visit}


def _require_complete(text: str) -> None:
    into = ""
    for line in text.splitlines():
        into = _table_in(line) or into
        if ' = "?" #' in line:
            ours = line.partition(" = ")[0].replace("_", " ")
            raise MappingRefused(f"Of {into} the column with the {ours} is missing: no row can do without it")


def save_mapping(folder: Path, title: str, text: str) -> Path:
    """Keeps the mapping in the folder under its title, in place of an earlier one of the same columns.

    Raises MappingRefused where it does not fit, where its title is another's, or where files with these columns are
    known under another title already: nobody could tell by which they are meant to be read.
    """
    stem = re.sub(r"[^\w-]+", "-", title.casefold()).strip("-_")[:60]
    if not stem:
        raise MappingRefused("Give it a name with letters or digits, by which you will know it again")
    make_private_folder(folder)
    path, new = folder / f"{stem}{MAPPING_ENDING}", folder / f".{stem}.new"
    write_private(new, text.encode())
    try:
        _require_free(folder, path.name, title, _headers_of(read_mapping(new)))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return path


def _require_free(folder: Path, name: str, title: str, headers: set[frozenset[str]]) -> None:
    for other, mapping in list_saved(folder).items():
        is_alike = _headers_of(mapping) == headers
        if other == name and not is_alike:
            raise MappingRefused(f"Other files are called “{title}” already; give these another name")
        if other != name and is_alike:
            raise MappingRefused(
                f"Files with these columns are known as “{mapping.title}” already; use that name again"
            )


def _headers_of(mapping: Mapping) -> set[frozenset[str]]:
    return {frozenset(part.header_has) for part in mapping.file}


def find_title(folder: Path, sheets: Sequence[SheetSample]) -> str:
    """What files with these columns are called already; empty where nobody has matched them yet."""
    headers = {frozenset(name for name in sheet.header if name.strip()) for sheet in sheets}
    return next((each.title for each in list_saved(folder).values() if _headers_of(each) == headers), "")
