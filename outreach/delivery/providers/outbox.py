"""Carries every channel to files: `<folder>/<date>/<reference>.pdf|eml|txt`, `calls.csv` and `texts.csv`.

A file holds byte for byte what was sealed. What a text or a call also needs, the number to use, stands in the lists.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from outreach.channels import CALL, CHANNELS, TEXT
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
from outreach.errors import WebhookRefused
from outreach.settings import Settings

LISTS: dict[str, tuple[str, ...]] = {
    CALL.name: ("reference", "name", "phone", "about", "script", "avoid", "direct_line"),
    TEXT.name: ("reference", "name", "phone"),
}


def open_provider(settings: Settings) -> "Outbox":
    return Outbox(settings.providers.outbox.folder or Path("outbox"))


class Outbox:
    name = "outbox"
    channels = frozenset(CHANNELS)
    key_life = FOR_EVER
    absent_after = timedelta(0)
    per_second = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, handover: Handover) -> str:
        """`<date>/<file>`, written and on the disk. A second hand-over of the same message changes nothing."""
        day = self.folder / handover.on.isoformat()
        reference = safe_name(handover.reference)
        path = day / self._file_of(handover.channel, reference)
        with failures_told(path), locked(day):
            # The record comes first: a number without its text is never listed, a text without its number never lost.
            if handover.channel in LISTS:
                write_record(day / f".{handover.channel}s", reference, _record_of(handover))
                mark_open(self.folder, handover.on, handover.channel)
            if handover.channel != CALL.name:
                write_once(path, handover.content)
        return path.relative_to(self.folder).as_posix()

    @staticmethod
    def _file_of(channel: str, reference: str) -> str:
        return f".calls/{reference}.json" if channel == CALL.name else f"{reference}.{CHANNELS[channel].file_ending}"

    def find(self, handover: Handover) -> list[str]:
        files = [self._file_of(channel, safe_name(handover.reference)) for channel in sorted(self.channels)]
        paths = [path for file in files for path in self.folder.glob(f"[!.]*/{file}")]
        return [path.relative_to(self.folder).as_posix() for path in sorted(paths)]

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        raise WebhookRefused(f"{self.name} writes files and sends no webhooks")

    def finish(self) -> list[str]:
        """Writes calls.csv and texts.csv of each day that got a new one."""
        return [written for mark in open_marks(self.folder) if (written := self._write_list(mark))]

    def _write_list(self, mark: Path) -> str | None:
        day, channel = self.folder / mark.parent.name, mark.name
        with locked(day):
            records = read_records(day / f".{channel}s")
            # A sender that died in between has left a number whose text was never written.
            if channel == TEXT.name:
                records = [record for record in records if (day / f"{record['reference']}.txt").exists()]
            rows = [[record.get(column, "") for column in LISTS[channel]] for record in records]
            if rows:
                replace(day / f"{channel}s.csv", as_csv(LISTS[channel], rows))
            mark.unlink(missing_ok=True)
        return f"{day.name}/{channel}s.csv" if rows else None


def _record_of(handover: Handover) -> dict[str, Any]:
    said = json.loads(handover.content) if handover.channel == CALL.name else {}
    return {**said, **handover.recipient, "reference": handover.reference}
