"""Prints letters in the house: one sorted PDF a batch and a manifest, to print, fold and post by hand.

Each letter stands in `<folder>/<date>/<batch>/<reference>.pdf`; `<batch>.pdf` and `manifest.csv` are made of them.
"""

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from outreach.channels import LETTER
from outreach.delivery.providers.files import (
    as_csv,
    failures_told,
    locked,
    mark_open,
    open_marks,
    read_records,
    replace,
    safe_name,
    write_once,
    write_record,
)
from outreach.delivery.providers.protocol import FOR_EVER, Handover, Report, WebhookRequest
from outreach.errors import Refused, WebhookRefused
from outreach.settings import Settings

RECORDS = ".letters"
MANIFEST = ("position", "reference", "name", "address", "postal_code", "country", "pages")


def open_provider(settings: Settings) -> "Printroom":
    return Printroom(settings.providers.printroom.folder or Path("printroom"))


class Printroom:
    name = "printroom"
    channels = frozenset({LETTER.name})
    key_life = FOR_EVER
    absent_after = timedelta(0)
    per_second = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, handover: Handover) -> str:
        """`<date>/<batch>/<reference>.pdf`, written and on the disk, and due to be merged by `finish`."""
        record = {**handover.recipient, "reference": handover.reference, "pages": _count_pages(handover)}
        batch = self.folder / handover.on.isoformat() / safe_name(handover.batch_id)
        path = batch / f"{safe_name(handover.reference)}.pdf"
        with failures_told(path), locked(batch):
            # In this order: a killed sender leaves a record without its letter, which the lists pass over, and never a
            # letter that no list knows.
            write_record(batch / RECORDS, handover.reference, record)
            mark_open(self.folder, handover.on, handover.batch_id)
            write_once(path, handover.content)
        return path.relative_to(self.folder).as_posix()

    def find(self, handover: Handover) -> list[str]:
        paths = self.folder.glob(f"[!.]*/*/{safe_name(handover.reference)}.pdf")
        return [path.relative_to(self.folder).as_posix() for path in sorted(paths)]

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        raise WebhookRefused(f"{self.name} writes files and sends no webhooks")

    def finish(self) -> list[str]:
        """Writes the merged PDF and the manifest of each batch that got a new letter."""
        return [written for mark in open_marks(self.folder) if (written := self._merge(mark))]

    def _merge(self, mark: Path) -> str | None:
        batch = self.folder / date.fromisoformat(mark.parent.name).isoformat() / mark.name
        with locked(batch):
            letters = sorted(read_records(batch / RECORDS), key=_postal_order)
            letters = [letter for letter in letters if (batch / f"{letter['reference']}.pdf").exists()]
            if letters:
                replace(batch / f"{batch.name}.pdf", _merged(batch, letters))
                replace(batch / "manifest.csv", as_csv(MANIFEST, _manifest(letters)))
            # Only now: a run that dies before it leaves the mark, and the next one makes the lists anew.
            mark.unlink(missing_ok=True)
        return f"{mark.parent.name}/{batch.name}/{batch.name}.pdf" if letters else None


def _count_pages(handover: Handover) -> int:
    try:
        return len(PdfReader(io.BytesIO(handover.content)).pages)
    except PyPdfError as error:
        raise Refused(f"{handover.reference} is not a PDF that can be printed; compose it anew") from error


def _postal_order(letter: dict[str, Any]) -> tuple[str, str, str, str]:
    return letter["country"], letter["postal_code"], letter["name"], letter["reference"]


def _merged(batch: Path, letters: list[dict[str, Any]]) -> bytes:
    """The letters one after another as one PDF; the same letters make the same bytes."""
    writer, merged = PdfWriter(), io.BytesIO()
    for letter in letters:
        writer.append(batch / f"{letter['reference']}.pdf", import_outline=False)
    writer.write(merged)
    return merged.getvalue()


def _manifest(letters: list[dict[str, Any]]) -> list[list[object]]:
    rows = enumerate(letters, start=1)
    return [[position, *(_cell(letter, column) for column in MANIFEST[1:])] for position, letter in rows]


def _cell(letter: dict[str, Any], column: str) -> object:
    return ", ".join(letter["lines"]) if column == "address" else letter[column]
