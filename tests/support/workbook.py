"""Writes a workbook of Excel's by hand, as the zip of XML that it is, with the kinds of cells that Excel knows."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

Cell = str | int | float | bool | date | timedelta | None
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# A plain cell, a day, an instant, and a time of day: 14, 22 and 21 are formats that Excel has of its own.
_STYLES = (0, 14, 22, 21)


def write_workbook(path: Path, **sheets: Sequence[Sequence[Cell]]) -> None:
    """Writes each sheet's rows; an empty row is none, so that the number of a row is its place in the list."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        names = list(sheets)
        archive.writestr("[Content_Types].xml", _content_types(len(names)))
        archive.writestr("_rels/.rels", _relations(f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"'))
        archive.writestr("xl/workbook.xml", _book(names))
        targets = [f'Type="{_OFFICE}/worksheet" Target="worksheets/{n}.xml"' for n in range(1, len(names) + 1)]
        targets.append(f'Type="{_OFFICE}/styles" Target="styles.xml"')
        archive.writestr("xl/_rels/workbook.xml.rels", _relations(*targets))
        archive.writestr("xl/styles.xml", _styles())
        for number, rows in enumerate(sheets.values(), start=1):
            archive.writestr(f"xl/worksheets/{number}.xml", _sheet(rows))


def _content_types(sheets: int) -> str:
    parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    parts += [(f"/xl/worksheets/{number}.xml", "worksheet") for number in range(1, sheets + 1)]
    overrides = "".join(f'<Override PartName="{name}" ContentType="{_KINDS}.{kind}+xml"/>' for name, kind in parts)
    relations = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<Types xmlns="{_TYPES}">{relations}{overrides}</Types>'


def _relations(*targets: str) -> str:
    each = "".join(f'<Relationship Id="r{number}" {target}/>' for number, target in enumerate(targets, start=1))
    return f'<Relationships xmlns="{_RELATIONS}">{each}</Relationships>'


def _book(names: Sequence[str]) -> str:
    each = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{each}</sheets></workbook>'


def _styles() -> str:
    each = "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in _STYLES)
    return f'<styleSheet xmlns="{_MAIN}"><cellXfs count="{len(_STYLES)}">{each}</cellXfs></styleSheet>'


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    written = (
        f'<row r="{number}">{"".join(_cell(at, number, cell) for at, cell in enumerate(row))}</row>'
        for number, row in enumerate(rows, start=1)
        if row
    )
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(written)}</sheetData></worksheet>'


def _cell(at: int, row: int, cell: Cell) -> str:
    place = f'r="{chr(ord("A") + at)}{row}"'
    match cell:
        case None:
            return ""
        case str() if cell.startswith("="):
            # A formula, with the result that it had when the workbook was saved.
            formula, _, result = cell[1:].partition(" gives ")
            return f'<c {place} t="str"><f>{escape(formula)}</f><v>{escape(result)}</v></c>'
        case str():
            return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
        case bool():
            return f'<c {place} t="b"><v>{int(cell)}</v></c>'
        case timedelta():
            return f'<c {place} s="3"><v>{cell / timedelta(days=1)}</v></c>'
        case date():
            style = 2 if isinstance(cell, datetime) else 1
            return f'<c {place} s="{style}"><v>{_day_number(cell)}</v></c>'
        case _:
            return f"<c {place}><v>{cell}</v></c>"


def _day_number(day: date) -> float:
    """Excel counts days from the last but one of 1899."""
    moment = day if isinstance(day, datetime) else datetime.combine(day, time())
    return (moment - datetime.combine(date(1899, 12, 30), time())) / timedelta(days=1)
