"""Keeps bytes under their SHA-256, and gives the very same bytes back or says why not.

It is a folder, or whatever else fsspec can open. What is whole is never written again, and nothing is ever removed. It
does not know which bytes belong here.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from outreach.errors import ContentLost, SettingsError, StorageError
from outreach.local_files import make_private_folder
from outreach.settings import secret_of
from outreach.settings.storage import StorageSettings

# By this file a storage is told from a disk that is not mounted, and from somebody else's bucket.
LABEL = "README.txt"
LABEL_WORDS = (
    b"Outreach keeps its letters here. Each file is one letter, named by its SHA-256, and holds personal data.\n"
    b"Back it up together with the database, and change, rename or remove nothing.\n"
)
AT_ONCE = 16
Item = TypeVar("Item")
Result = TypeVar("Result")


def open_storage(settings: StorageSettings) -> "Storage":
    """The storage that the settings name; nothing is read or written yet.

    Raises SettingsError for an address or options that cannot be used.
    """
    if not settings.url:
        return Storage(None, "")
    try:
        options = json.loads(secret_of(settings.options) or "{}")
        files, root = url_to_fs(settings.url, **options)
    # An option that it does not know is a TypeError, and a package of its own may raise anything.
    except Exception as error:
        raise SettingsError(
            f"storage.url cannot be opened ({type(error).__name__}). Write a folder or an address such as "
            "s3://bucket/prefix, which needs pip install 'outreach[s3]'; storage.options is JSON, an object"
        ) from error
    return Storage(files, root.rstrip("/"))


class Storage:
    """Where letters are kept; without a url it keeps nothing (`is_set`).

    One that does not answer is not asked again: `fault` says why, and everything fails at once with it. `is_bare` is
    one that answers and has never had a letter of ours.
    """

    def __init__(self, files: Any, root: str) -> None:
        self.files, self.root = files, root
        self.fault: StorageError | None = None
        self.is_bare = False
        if files is None:
            self.fault = StorageError("Letters were put into a storage, and storage.url is empty: set it again")

    @property
    def is_set(self) -> bool:
        return self.files is not None

    def put_all(self, bodies: Mapping[str, bytes]) -> dict[str, StorageError]:
        """Keeps each body under its SHA-256, safe from a crash once this returns; what failed is in the result."""
        failed = zip(bodies, _together(lambda sha256: self._put(sha256, bodies[sha256]), bodies), strict=True)
        return {sha256: error for sha256, error in failed if error}

    def get_all(self, hashes: Iterable[str]) -> dict[str, bytes | StorageError]:
        """The bytes under each SHA-256, hashed anew; ContentLost for what is gone or changed, or why not now."""
        wanted = sorted(set(hashes))
        return dict(zip(wanted, _together(self._get, wanted), strict=True))

    def is_there(self) -> bool:
        """Whether it answers and is one of ours; otherwise `fault` says why not."""
        try:
            self.files.cat_file(self._path(LABEL))
        except Exception as error:
            self.is_bare = isinstance(error, FileNotFoundError)
            self.fault = _no_answer(error)
            if self.is_bare:
                self.fault = StorageError(
                    "Nothing of ours is at storage.url. Is its disk mounted, and is it the right folder or bucket?"
                )
            return False
        return True

    def begin(self) -> None:
        """Makes it ours: puts the label there and reads it back. `fault` says whether that failed."""
        self.fault, self.is_bare = None, False
        try:
            self._write(self._path(LABEL), LABEL_WORDS)
            if self.files.cat_file(self._path(LABEL)) != LABEL_WORDS:
                self.fault = StorageError("What is written at storage.url does not come back as it was")
        except Exception as error:
            self.fault = _no_answer(error)

    def _path(self, name: str) -> str:
        folder = "" if name == LABEL else f"{name[:2]}/"
        return f"{self.root}/{folder}{name}"

    def _put(self, sha256: str, body: bytes) -> StorageError | None:
        if self.fault:
            return self.fault
        path = self._path(sha256)
        try:
            # A torn or changed one is written anew: whatever is right under this name is these very bytes.
            if not (self.files.exists(path) and _hash(self.files.cat_file(path)) == sha256):
                self._write(path, body)
        except Exception as error:
            self.fault = _no_answer(error)
        return self.fault

    def _get(self, sha256: str) -> bytes | StorageError:
        if self.fault:
            return self.fault
        try:
            body: bytes = self.files.cat_file(self._path(sha256))
        except Exception as error:
            return self._why_not(sha256, error)
        if _hash(body) != sha256:
            return _lost(sha256, "not what it was")
        return body

    def _why_not(self, sha256: str, error: Exception) -> StorageError:
        """What a failed read means: everything is out of reach, or this one letter is gone, or cannot be read now."""
        if not self.is_there():
            return self.fault or _no_answer(error)
        if isinstance(error, FileNotFoundError):
            return _lost(sha256, "gone")
        return StorageError(f"{_name(sha256)} in the storage cannot be read ({type(error).__name__})")

    def _write(self, path: str, body: bytes) -> None:
        if isinstance(self.files, LocalFileSystem):
            _write_file(Path(self.root), Path(path), body)
        else:
            self.files.pipe_file(path, body)


def _write_file(root: Path, path: Path, body: bytes) -> None:
    """Whole or not at all, whoever else writes it and whenever the power fails; readable by its owner only."""
    # The name of a new folder is on the disk only once the folder above it is synced; that of a renamed file likewise.
    for folder in (root, path.parent):
        if not folder.exists():
            make_private_folder(folder)
            _settle(folder.parent)
    file, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        Path(part).replace(path)
    # Whatever ends the process in an orderly way, no hidden part stays behind.
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Makes sure that the names in a folder are on the disk."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _together(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What `work` makes of each item, several at a time: a network is slow, and so is waiting for a disk."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _lost(sha256: str, what: str) -> ContentLost:
    return ContentLost(
        f"Its letter in the storage is {what}: bring {_name(sha256)} back from a backup. A message that is blocked for "
        "it has to be written again"
    )


def _no_answer(error: Exception) -> StorageError:
    """Names the kind of error only: the text of one that is not ours may hold a key."""
    return StorageError(
        f"The storage of letters does not work ({type(error).__name__}): see storage.url and its options"
    )
