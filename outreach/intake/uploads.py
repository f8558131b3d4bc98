"""Keeps what people give to the desk to import, each in a private folder of its own, until it is imported or a day old.

The files hold people's data: nobody but this user may read them, and no path is ever made of what a browser says but
the last part of a file's name.
"""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from outreach.errors import IntakeError, NotFound
from outreach.intake.sources.origins import Folder, Origin
from outreach.intake.sources.places import FILE_ENDINGS
from outreach.local_files import explain_file_error, make_private_folder, open_private_bytes, write_private

KEPT_FOR = timedelta(days=1)
MOST_KEPT, MOST_FILES = 50, 200
LONGEST_NAME = 100
_KEY = re.compile("[0-9a-f]{32}")
_NOTE, _CLAIM, _FILES = "note.json", "claim", "files"


class UploadNote(BaseModel):
    """What is known of an upload from the beginning, and how it shall be read."""

    by: str
    at: datetime
    #: The saved source that was chosen instead of files.
    source: str = ""
    names: list[str] = []
    #: How it is read: a preset, or a mapping of the folder `mappings`; recognised where both are empty.
    preset: str = ""
    mapping: str = ""
    #: That of its files of text, where somebody had to say it.
    encoding: str = ""


@dataclass(frozen=True)
class Upload:
    """One upload on its way from a look to an import."""

    folder: Path

    @property
    def key(self) -> str:
        return self.folder.name

    @property
    def note(self) -> UploadNote:
        return UploadNote.model_validate_json((self.folder / _NOTE).read_text(encoding="utf-8"))

    @property
    def shown(self) -> str:
        """What it is called."""
        note = self.note
        if note.source or not note.names:
            return note.source
        more = f" and {len(note.names) - 3} more" if len(note.names) > 3 else ""
        return ", ".join(note.names[:3]) + more

    @property
    def origin(self) -> Origin:
        """The files that were given."""
        return Folder(self.folder / _FILES, self.note.encoding or None)

    @property
    def refused(self) -> Path:
        """Where refused rows are written, by `RefusedFile`."""
        return self.folder / "refused" / "refused.csv"

    @property
    def refused_files(self) -> list[Path]:
        return sorted(self.refused.parent.glob("*.csv"))

    def change(self, **values: object) -> None:
        """Writes down more of it."""
        self.write(_NOTE, self.note.model_copy(update=values).model_dump_json())

    def write(self, name: str, text: str) -> None:
        """Leaves a result in the folder; whoever reads it meanwhile sees the one before or the new one, whole."""
        new = self.folder / f".{name}"
        write_private(new, text.encode())
        new.replace(self.folder / name)

    def read(self, name: str) -> str | None:
        """A result; None where there is none yet."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def forget(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def clear_refused(self) -> None:
        shutil.rmtree(self.refused.parent, ignore_errors=True)
        make_private_folder(self.refused.parent)

    def claim(self) -> bool:
        """Whether this call is the first that wants to import it; two presses of a button import once."""
        try:
            open_private_bytes(self.folder / _CLAIM).close()
        except FileExistsError:
            return False
        return True

    @property
    def is_claimed(self) -> bool:
        return (self.folder / _CLAIM).exists()

    def give_back(self) -> None:
        """Lets it be imported again, after an import that broke off."""
        self.forget(_CLAIM)

    def drop_files(self) -> None:
        """Deletes the files themselves; what came of them stays until the upload is a day old."""
        shutil.rmtree(self.folder / _FILES, ignore_errors=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def add_upload(
    folder: Path, key: str, by: str, at: datetime, files: Iterable[tuple[str, BinaryIO]] = (), source: str = ""
) -> Upload:
    """Keeps the files, or the name of a saved source, in a new folder below `folder`; `key` is drawn at random.

    Raises IntakeError where there is nothing, or what nobody can read, among them.
    """
    files = list(files)
    names = _names_of(files)
    if not (names or source):
        raise IntakeError("Choose at least one file, or one of the saved sources")
    if len(list_uploads(folder)) >= MOST_KEPT:
        raise IntakeError("Too much waits to be imported. Import some of it, or put it away, and try again")
    upload = Upload(folder / key)
    try:
        make_private_folder(upload.folder / _FILES)
        for name, (_, content) in zip(names, files, strict=True):
            with open_private_bytes(upload.folder / _FILES / name) as file:
                shutil.copyfileobj(content, file)
        upload.write(_NOTE, UploadNote(by=by, at=at, source=source, names=names).model_dump_json())
    except OSError as error:
        upload.remove()
        raise IntakeError(explain_file_error(error)) from error
    return upload


def _names_of(files: list[tuple[str, BinaryIO]]) -> list[str]:
    """A name for each file, by which it can be recognised and which differs from the others'."""
    if len(files) > MOST_FILES:
        raise IntakeError(f"That are more than {MOST_FILES} files; put them into one zip")
    names: list[str] = []
    for given, _ in files:
        name = clean_name(given)
        if not name.casefold().endswith(tuple(FILE_ENDINGS)):
            known = ", ".join(sorted(FILE_ENDINGS))
            raise IntakeError(f"“{name}” is of a kind that cannot be read here. These can: {known}")
        stem, dot, ending = name.partition(".")
        taken = {each.casefold() for each in names}
        tries = (name, *(f"{stem}-{number}{dot}{ending}" for number in range(2, MOST_FILES + 2)))
        names.append(next(each for each in tries if each.casefold() not in taken))
    return names


def clean_name(given: str) -> str:
    """The last part of a name that a browser gives, without what no file should be called."""
    last = re.split(r"[/\\]", given)[-1]
    shown = "".join(letter if letter.isprintable() else "_" for letter in last).strip().lstrip(".")
    stem, dot, ending = shown.partition(".")
    return f"{stem[: LONGEST_NAME - len(ending)]}{dot}{ending}"[-LONGEST_NAME:] or "file"


def find_upload(folder: Path, key: str) -> Upload:
    """The upload of this key; raises NotFound where it was never there, was put away, or is gone after its day."""
    upload = Upload(folder / key) if _KEY.fullmatch(key) else None
    if upload is None or not (upload.folder / _NOTE).is_file():
        raise NotFound("That is not kept any more: files stay until they are imported or a day old. Choose them again")
    return upload


def list_uploads(folder: Path) -> list[Upload]:
    """All that are kept, the newest first."""
    kept = [Upload(path) for path in folder.glob("*") if _KEY.fullmatch(path.name) and (path / _NOTE).is_file()]
    return sorted(kept, key=lambda upload: upload.note.at, reverse=True)


def remove_old(folder: Path, now: datetime, busy: Iterable[str] = ()) -> None:
    """Deletes what is a day old, whether it was imported or not; never what somebody is at work on."""
    for path in folder.glob("*"):
        if _KEY.fullmatch(path.name) and path.name not in busy and _is_old(Upload(path), now):
            Upload(path).remove()


def _is_old(upload: Upload, now: datetime) -> bool:
    # Without a note its files never came in whole.
    has_note = (upload.folder / _NOTE).is_file()
    at = upload.note.at if has_note else datetime.fromtimestamp(upload.folder.stat().st_mtime, now.tzinfo)
    return at < now - KEPT_FOR
