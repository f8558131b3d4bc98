"""Unpacks one file of a zip, or what a gzip holds, for as long as it is read. It keeps nothing.

A few kilobytes can become a hundred gigabytes; what grows beyond any export of customers is refused while it grows.
"""

import gzip
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from outreach.errors import SourceUnreadable
from outreach.local_files import require_regular

CHUNK = 1 << 20
LARGEST = 8 << 30
# Text of customers shrinks to a tenth or so; what shrinks to a thousandth says the same thing over and over.
GROWS, ALLOWED = 300, 64 << 20
MOST_MEMBERS = 1000
BETWEEN = "/"


def list_members(path: Path) -> list[str]:
    """The names of the files in a zip, but for hidden ones. Raises SourceUnreadable where it is none."""
    with _open_zip(path) as archive:
        if len(archive.infolist()) > MOST_MEMBERS:
            raise SourceUnreadable(f"{path.name} holds more than {MOST_MEMBERS:,} files; unpack what is wanted of it")
        names = [member.filename for member in archive.infolist() if not member.is_dir()]
    # Macs add a second file to each, in a folder of this name.
    return sorted(name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))


@contextmanager
def unpack_member(path: Path, member: str) -> Iterator[Path]:
    """A file of a zip, unpacked beside nothing else. Raises SourceUnreadable for what cannot be, or grows too large."""
    with _open_zip(path) as archive, tempfile.TemporaryDirectory() as folder:
        try:
            with archive.open(member) as packed:
                size = archive.getinfo(member).compress_size
                unpacked = _copy(packed, Path(folder) / PurePosixPath(member).name, size)
        except (KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            # RuntimeError is what a member with a password raises.
            raise SourceUnreadable("it cannot be unpacked; unpack it by hand, and import the folder") from error
        # Outside, so that what goes wrong with whoever reads it is not taken for a fault of the archive.
        yield unpacked


@contextmanager
def unpack_gzip(path: Path) -> Iterator[Path]:
    """What a gzip holds, unpacked. Raises SourceUnreadable for what cannot be, or grows too large."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            require_regular(path)
            with gzip.open(path) as packed:
                unpacked = _copy(packed, Path(folder) / path.stem, path.stat().st_size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SourceUnreadable("it cannot be unpacked (it is no whole gzip file)") from error
        except OSError as error:
            raise SourceUnreadable(f"it cannot be read ({error.strerror})") from error
        yield unpacked


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        require_regular(path)
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise SourceUnreadable(f"{path.name} is no whole zip file") from error
    except OSError as error:
        raise SourceUnreadable(f"{path.name} cannot be read ({error.strerror})") from error


def _copy(packed: IO[bytes] | gzip.GzipFile, target: Path, packed_size: int) -> Path:
    most = min(LARGEST, GROWS * packed_size + ALLOWED, shutil.disk_usage(target.parent).free // 2)
    written = 0
    with target.open("wb") as handle:
        while chunk := packed.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise SourceUnreadable("it would become far larger than any file of customers; unpack it by hand")
            handle.write(chunk)
    return target
