"""Reads files that people name, and makes files and folders that this user alone may read.

A pipe, a device or a socket is never opened as an input: opening one may wait for ever, and reading one never end.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

PRIVATE_FILE, PRIVATE_FOLDER, PRIVATE_UMASK = 0o600, 0o700, 0o077
MOST_BYTES = 100 * 1024 * 1024


def require_regular(path: Path, most: int | None = None) -> None:
    """Raises OSError where the path is no ordinary file, or one of more than `most` bytes; opens nothing."""
    about = path.stat()
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "It is a pipe or a device, and no file", str(path))
    if most is not None and about.st_size > most:
        raise OSError(errno.EFBIG, f"It has more than {most // 1024**2} MB", str(path))


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of an ordinary file. Raises OSError for anything else, and for more than `most` bytes."""
    require_regular(path, most)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:  # it grew, or its file system does not tell sizes, as /proc
        raise OSError(errno.EFBIG, f"It has more than {most // 1024**2} MB", str(path))
    return content


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The words of a text file in UTF-8, without a byte-order mark, and with every line ended by one line feed.

    Raises OSError as `read_regular` does, and UnicodeDecodeError for another encoding.
    """
    return read_regular(path, most).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def make_private_folder(path: Path) -> None:
    """Makes the folder, and those above it that are missing, for this user alone; one that is there stays as it is."""
    if not path.is_dir():
        if path.parent != path:
            make_private_folder(path.parent)
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that this user alone may read, as one that is overwritten becomes, too."""
    # By a descriptor, so that at no moment anybody else may open it.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(file, "wb") as out:
        if stat.S_ISREG(os.fstat(file).st_mode):
            os.fchmod(file, PRIVATE_FILE)
        out.write(content)


def open_private(path: Path) -> TextIO:
    """A new text file in UTF-8 that this user alone may read. Raises OSError where something of the name is there."""
    return os.fdopen(_make_private(path), "w", encoding="utf-8", newline="")


def open_private_bytes(path: Path) -> BinaryIO:
    """The same for bytes."""
    return os.fdopen(_make_private(path), "wb")


def _make_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)


def explain_file_error(error: OSError) -> str:
    """One line for a person on a file that could not be read or written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk is full. Make room on it, then run this again: what was not finished is done then"
    reason = error.strerror or type(error).__name__
    if not error.filename:
        return f"The machine refused it: {reason}. Mend that, then run this again"
    return f"{os.fsdecode(error.filename)} cannot be used ({reason}). Mend that, or name another, then run this again"


@contextmanager
def locked_file(path: Path, flags: int) -> Iterator[int]:
    """The private file or folder, opened with `flags`, while nobody else has it so. Raises OSError."""
    file = os.open(path, flags, PRIVATE_FILE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
