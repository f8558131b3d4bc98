"""Finds files and folders with people's data or secrets in them that others on this machine can read or change."""

import stat
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import Engine

from outreach.database import reading
from outreach.delivery.recovery.restore_marks import mark_file
from outreach.models import Installation
from outreach.settings import ProviderSettings, Settings

# Bits of the group and of everybody else.
OTHERS = 0o077
# Files that SQLite makes beside its database hold the same rows.
BESIDE_SQLITE = ("", "-wal", "-shm", "-journal")


def find_open_files(engine: Engine, settings: Settings) -> str:
    """A line for each that somebody besides its owner may use, with the command that mends it; else nothing."""
    return "\n".join(line for path in _private_paths(engine, settings) if (line := _fault_of(path)))


def _fault_of(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError:
        # What is not there yet is made private when it is made.
        return ""
    if not mode & OTHERS:
        return ""
    right = 700 if stat.S_ISDIR(mode) else 600
    return f"{path} can be used by others (mode {stat.S_IMODE(mode):03o}): chmod {right} {path}"


def _private_paths(engine: Engine, settings: Settings) -> Iterator[Path]:
    """The database, the secrets, the mark, the storage where it is a folder, and the folders of messages."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        yield from (Path(engine.url.database + ending) for ending in BESIDE_SQLITE)
    yield settings.secret_file
    with reading(engine) as session:
        installation = session.get(Installation, 1)
    if installation and installation.name:
        yield mark_file(settings, installation.name)
    yield from dict.fromkeys(_files_of_secrets(settings))
    if settings.storage.url and "://" not in settings.storage.url:
        yield Path(settings.storage.url)
    yield from (Path(folder) for part in _file_providers(settings) if (folder := part.folder))


def _files_of_secrets(part: BaseModel) -> Iterator[Path]:
    """Every `…_file` that a secret is read from, in whichever part of the settings it stands."""
    secrets = getattr(part, "SECRETS", ())
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from _files_of_secrets(value)
        elif name.removesuffix("_file") in secrets and isinstance(value, Path):
            yield value


def _file_providers(settings: Settings) -> tuple[ProviderSettings, ...]:
    return settings.providers.outbox, settings.providers.printroom
