"""Types of columns that SQLite and PostgreSQL keep alike: an instant in UTC, and a word from a list."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. A naive one is refused: it would be somebody's local time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        value = value.astimezone(UTC)
        # SQLite compares datetimes as text, and "+00:00" on some rows only would break the order.
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def instant_field(**options: Any) -> Any:
    return Field(sa_type=Instant, **options)


def one_of(column: str, words: Collection[str]) -> CheckConstraint:
    """A CHECK that `column` holds one of `words` (or NULL)."""
    # In SQL a CHECK that comes out as NULL passes, so an empty column needs no words of its own.
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")
