"""How much of a large proof `make test` runs: a part of it, and `make drill` the whole.

A test marked `longer` runs in both. `make drill` sets LONG_TESTS for it.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

IS_LONG = "LONG_TESTS" in os.environ
TIMES = 10
Row = TypeVar("Row")


def limits(few: int, **more: Any) -> hypothesis_settings:
    """Hypothesis' settings: `few` examples, or ten times as many; without a deadline, since a database is in each."""
    examples = few * (TIMES if IS_LONG else 1)
    options = {"deadline": None, "suppress_health_check": list(HealthCheck)} | more
    return hypothesis_settings(max_examples=examples, **options)


def trials(few: int, **more: Any) -> Callable[[Any], Any]:
    """Decorates a property that is tried with `few` examples, and in `make drill` with ten times as many."""
    return lambda test: pytest.mark.longer(limits(few, **more)(test))


def part_of(rows: Sequence[Row], every: int) -> Sequence[Row]:
    """Each `every`th of the rows, or all of them in `make drill`."""
    return rows if IS_LONG else rows[::every]


#: For a test whose subject is not the database: PostgreSQL has its turn in `make drill`.
postgresql_in_drill = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.drill)], indirect=True
)
