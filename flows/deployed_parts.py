"""Brings each piece on Prefect's server up to date with what the files declare, or keeps it as staff changed it.

One rule for every piece: what still stands as we last wrote it follows the files; what staff changed or deleted is
theirs. What we last wrote is remembered on the server itself, as hashes in a variable.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate

VARIABLE = "outreach_deployed"
Outcome = Literal["created", "updated", "removed", "kept", "unchanged", "left out"]
Value = Any


@dataclass(frozen=True)
class Piece:
    """One thing that staff may change."""

    name: str
    #: What the files say.
    declared: Value
    #: What stands on the server; None for nothing.
    read: Callable[[], Value | None]
    #: Makes it what the files say.
    write: Callable[[], None]
    #: Takes it away once the files do not declare it any more; a piece without this stays.
    remove: Callable[[], None] | None = None


@dataclass(frozen=True)
class Change:
    """What became of one piece, with a reason where that is not plain."""

    name: str
    outcome: Outcome
    why: str = ""


@dataclass
class Memory:
    """Two hashes of each piece as we last left it: of what was declared, and of what then stood on the server."""

    hashes: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, client: SyncPrefectClient) -> "Memory":
        variable = client.read_variable_by_name(VARIABLE)
        return cls(dict(variable.value) if variable and isinstance(variable.value, dict) else {})

    def save(self, client: SyncPrefectClient) -> None:
        if client.read_variable_by_name(VARIABLE):
            client.update_variable(VariableUpdate(name=VARIABLE, value=self.hashes))
        else:
            client.create_variable(VariableCreate(name=VARIABLE, value=self.hashes))

    def keep(self, piece: Piece) -> None:
        self.hashes[piece.name] = [_hash(piece.declared), _hash(piece.read())]


def settle(piece: Piece, memory: Memory, reset: bool = False) -> Change:
    """Writes the piece where it may be written, and says what became of it. With `reset` it always may."""
    stands, last_hashes = piece.read(), memory.hashes.get(piece.name)
    if stands is None and last_hashes and not reset:
        return Change(piece.name, "kept", "it was deleted on the server")
    # As after a deployment that broke off: what it wrote stands, and its memory was not saved.
    if stands == piece.declared and not last_hashes:
        memory.keep(piece)
        return Change(piece.name, "unchanged")
    if stands is not None and not reset:
        if last_hashes is None or _hash(stands) != last_hashes[1]:
            return Change(piece.name, "kept", "it was changed on the server")
        if _hash(piece.declared) == last_hashes[0]:
            return Change(piece.name, "unchanged")
    piece.write()
    memory.keep(piece)
    return Change(piece.name, "created" if stands is None else "updated")


def settle_gone(piece: Piece, memory: Memory) -> Change:
    """Takes away a piece that the files no longer declare, unless staff made it theirs."""
    stands, last_hashes = piece.read(), memory.hashes.pop(piece.name)
    if stands is None:
        return Change(piece.name, "unchanged")
    if _hash(stands) != last_hashes[1] or piece.remove is None:
        return Change(piece.name, "kept", "it was changed on the server, and is no longer in the files")
    piece.remove()
    return Change(piece.name, "removed", "it is no longer in the files")


def gone_from(names: Iterable[str], memory: Memory, prefix: str) -> list[str]:
    """The names under `prefix` that we once wrote and that are not among `names`."""
    declared = set(names)
    return [name for name in memory.hashes if name.startswith(prefix) and name not in declared]


def _hash(value: Value) -> str:
    # Cut short, because all of them are in one variable, and Prefect takes variables of 5,000 characters.
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:8]
