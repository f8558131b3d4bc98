"""Writes and lists files as providers need them: whole or not there after a crash, and never over another's.

They are listed in order. Every change happens under a lock on its folder, so a killed writer leaves at most a hidden
part that a retry replaces.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from outreach.composing.csv_cells import quote_cell
from outreach.errors import NotSent, OutcomeUnknown, Refused
from outreach.local_files import PRIVATE_FILE, locked_file, make_private_folder

OPEN = ".open"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Makes the folder if need be, and holds it against every other thread and process."""
    make_private_folder(folder)
    with locked_file(folder, os.O_RDONLY):
        yield


@contextmanager
def failures_told(path: Path) -> Iterator[None]:
    """Turns an operating system's error into NotSent, or OutcomeUnknown where the file `path` stands all the same."""
    try:
        yield
    except OSError as error:
        what = f"{path.parent} cannot be written: {error.strerror}. Make room or mend the folder, and deliver again"
        raise (OutcomeUnknown if path.exists() else NotSent)(what) from error


def write_once(path: Path, content: bytes) -> None:
    """The file holds exactly `content` when this returns. Raises Refused when another content is already there."""
    if path.exists():
        if path.read_bytes() != content:
            raise Refused(f"{path.name} is already there with other content; move it away to see what it is")
        return
    replace(path, content)


def replace(path: Path, content: bytes) -> None:
    """Puts the file there whole, and on the disk, in one step."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # left by a killed writer, it may be open to others
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    # The folder too: without this a power cut may lose the new name, though the file's content is on the disk.
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def safe_name(name: str) -> str:
    """`name`, if it can only be the name of one file; raises Refused for anything that could lead elsewhere."""
    if not name or name.startswith(".") or Path(name).name != name:
        raise Refused(f"“{name}” cannot be the name of a file")
    return name


def mark_open(root: Path, day: date, name: str) -> None:
    """Remembers that a day's list has grown; call it under the lock of the list's folder."""
    folder = root / OPEN / day.isoformat()
    make_private_folder(folder)
    (folder / name).touch(mode=PRIVATE_FILE)


def open_marks(root: Path) -> list[Path]:
    """The marks of the lists that have grown since they were last written: `<root>/.open/<date>/<name>`."""
    return sorted((root / OPEN).glob("*/*"))


def write_record(folder: Path, reference: str, record: dict[str, Any]) -> None:
    make_private_folder(folder)
    write_once(folder / f"{reference}.json", json.dumps(record, ensure_ascii=False, sort_keys=True).encode())


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records of a folder, by reference."""
    # Names with a dot are the parts of killed writers.
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("[!.]*.json"))]


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV that a spreadsheet shows as text: accents kept, and no cell taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([quote_cell(str(cell)) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
