"""Files to import, for the tests of intake: written to a folder, imported, and read back from the database."""

import csv
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import SQLModel, select

from outreach.database import reading
from outreach.intake.file_import import Tell
from outreach.intake.mapping.files import Mapping
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources.origins import Folder
from outreach.settings import Settings

Take = Callable[..., ImportReport]


def import_folder(
    engine: Engine,
    folder: Path,
    settings: Settings,
    now: datetime,
    mapping: Mapping | None = None,
    tell: Tell = lambda _line: None,
) -> ImportReport:
    """Takes in the files of a folder, in our own format or by the mapping."""
    return import_data(engine, Folder(folder), settings, now, mapping, tell)


def write(folder: Path, name: str, *rows: Iterable[str], encoding: str = "utf-8") -> None:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)


def stored(engine: Engine, table: type[SQLModel]) -> list[Any]:
    with reading(engine) as session:
        return list(session.exec(select(table).order_by(*table.__table__.primary_key)).all())  # type: ignore[attr-defined]


def only(engine: Engine, table: type[SQLModel]) -> Any:
    (row,) = stored(engine, table)
    return row


def refusal_of(report: ImportReport) -> tuple[int, str, str]:
    (refusal,) = report.refusals
    return refusal.line, refusal.column, refusal.reason
