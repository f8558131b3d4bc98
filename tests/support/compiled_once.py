"""A cache of compiled statements that the engines of all tests in a process share."""

from collections.abc import Iterator, MutableMapping
from typing import Any

Key = tuple[Any, ...]


class CompiledOnce(MutableMapping[Key, Any]):
    """SQLAlchemy's `compiled_cache`. Its keys name the engine's own dialect object; here, the kind of database.

    Every engine of one kind is opened alike here, so what one of them compiled is right for the others.
    """

    def __init__(self) -> None:
        self._compiled: dict[Key, Any] = {}

    def __getitem__(self, key: Key) -> Any:
        return self._compiled[_by_kind(key)]

    def __setitem__(self, key: Key, compiled: Any) -> None:
        self._compiled[_by_kind(key)] = compiled

    def __delitem__(self, key: Key) -> None:
        del self._compiled[_by_kind(key)]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._compiled)

    def __len__(self) -> int:
        return len(self._compiled)


def _by_kind(key: Key) -> Key:
    dialect, *statement = key
    return (dialect.name, *statement)
