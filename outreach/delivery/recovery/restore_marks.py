"""Reads and writes the marks that a machine keeps of the databases it sends from, and says where they lie.

A mark is written after what it counts has committed and before a byte leaves. It never goes back.
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from outreach.errors import DatabaseError, MarkNotWritten
from outreach.local_files import locked_file, make_private_folder
from outreach.settings import Settings

MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Mark:
    """How far a database had come when this machine last sent from it."""

    #: The database's own, drawn once at random.
    name: str
    #: It grows with every group of attempts that the database opens.
    generation: int
    #: The run that opened the last group; empty in marks that an earlier version wrote.
    run: str = ""
    #: When this machine wrote the mark; None in marks that an earlier version wrote.
    at: datetime | None = None


def mark_file(settings: Settings, name: str) -> Path:
    """Where this machine keeps its mark of the database called `name`. Raises DatabaseError where it has no place."""
    if settings.delivery.generation_file:
        return settings.delivery.generation_file
    return _state_folder() / f"{name}.generation"


def old_mark_file(settings: Settings) -> Path:
    """Where an earlier version of the program kept it by default: beside the database."""
    return Path("outreach.generation")


def _state_folder() -> Path:
    """What programs remember between runs lies here (XDG base directories): nobody backs it up with a project."""
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        home = given if given.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise DatabaseError("This user has no home directory; set delivery.generation_file in outreach.toml") from error
    return home / "outreach"


def remember(path: Path, mark: Mark, answered: Mark | None = None) -> None:
    """Writes a mark that is further than the one there, or takes the place of `answered`.

    Raises MarkNotWritten where it cannot be: then nothing may leave.
    """
    try:
        make_private_folder(path.parent)
        # Read and written under one lock: two senders on one machine must not overwrite each other's further mark.
        with locked_file(path, os.O_RDWR | os.O_CREAT) as file:
            marks = _parse(os.pread(file, MOST_BYTES, 0))
            there = _mark_in(marks, mark.name)
            if there is None or there.generation < mark.generation or there == answered:
                _write(file, marks | {mark.name: _as_json(mark)})
    except OSError as error:
        raise MarkNotWritten(
            f"The mark {path} cannot be written ({error.strerror}); make room, mend the folder, or set "
            "delivery.generation_file. Nothing was sent"
        ) from error


def _write(file: int, marks: dict[str, Any]) -> None:
    # One write over the old text. A torn one is read as no mark at all, and then nothing is sent.
    text = json.dumps(marks).encode()
    written = os.pwrite(file, text, 0)
    if written < len(text):
        raise OSError(28, "no space left")
    os.ftruncate(file, len(text))
    os.fsync(file)


def _as_json(mark: Mark) -> dict[str, Any]:
    return {"generation": mark.generation, "run": mark.run, "at": mark.at.isoformat() if mark.at else None}


def _parse(text: bytes) -> dict[str, Any]:
    try:
        # What stood there before may have been longer, and whoever wrote over it killed before it was cut off.
        marks, _ = json.JSONDecoder().raw_decode(text.decode() or "{}")
    except ValueError:
        return {}
    return marks if isinstance(marks, dict) else {}


def _mark_in(marks: dict[str, Any], name: str) -> Mark | None:
    entry = marks.get(name)
    # An earlier version wrote the number alone.
    entry = {"generation": entry} if isinstance(entry, int) else entry
    if not isinstance(entry, dict) or not isinstance(entry.get("generation"), int):
        return None
    at = entry.get("at")
    try:
        instant = datetime.fromisoformat(at) if isinstance(at, str) else None
    except ValueError:
        instant = None
    return Mark(name, entry["generation"], str(entry.get("run") or ""), instant)


def read_mark(path: Path, name: str) -> Mark | None:
    """How far the database called `name` had come when this machine last sent from it; None when it never did.

    Raises DatabaseError where the file is there and cannot be read.
    """
    try:
        return _mark_in(_parse(path.read_bytes()), name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatabaseError(
            f"The mark {path} cannot be read ({error.strerror}); mend the file or its folder"
        ) from error
