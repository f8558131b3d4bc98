"""Writes the number of days between two dates as SQL for either database."""

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class count_days(FunctionElement[int]):  # noqa: N801 - it reads as a function of SQL
    """`count_days(first, last)`: how many days `last` comes after `first`; NULL where either is."""

    type = Integer()
    # Without it SQLAlchemy compiles every statement that has it anew
    # (https://docs.sqlalchemy.org/en/20/core/compiler.html).
    inherit_cache = True


@compiles(count_days, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    # SQLite keeps dates as texts, which have no difference; PostgreSQL's dates have one, in days.
    return f"CAST(julianday({last}) - julianday({first}) AS INTEGER)"


@compiles(count_days, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({last} - {first})"
