"""A statement that is put together once for all days finds on each day what one that is made for that day finds."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlmodel import Session

from outreach.models import Customer
from outreach.moments import MOMENTS, find_moments
from outreach.moments.open_day import OpenDay
from outreach.settings import Settings
from simulated_people import People

# Ends of months and of the year, a leap day and the days beside it, and changes of the clock; in no order.
DAYS = [date(2026, 6, 30), *(date(2028, 2, 28) + timedelta(days=ahead) for ahead in range(3)), date(2026, 3, 8)]
DAYS += [
    date(2026, month, day) for month, day in ((2, 28), (3, 1), (4, 15), (7, 14), (9, 2), (11, 1), (12, 31), (1, 1))
]
KNOBS = {"win_back": {"rhythm": "learned"}, "thank_you": {"by": "value"}}


@pytest.mark.parametrize("knobs", [{}, KNOBS], ids=["as they are", "learned and by value"])
def test_a_statement_for_all_days_finds_what_one_for_that_day_finds(
    engine: Engine, settings: Settings, knobs: dict[str, dict[str, str]]
) -> None:
    business = settings.business.model_copy(update={"kind": "other"})
    settings = settings.model_copy(update={"moments": knobs, "business": business})
    found_at_all = set()
    with Session(engine) as session:
        session.add_all(row for rows in People(7, 30).known.values() for row in rows)
        session.flush()
        for kind in MOMENTS:
            for day in DAYS:
                rows = session.execute(MOMENTS[kind].select_found(settings, day))
                found = find_moments(session, settings, day, [kind])
                assert sorted(map(tuple, rows)) == [(one.customer_id, one.occasion, one.occasion_on) for one in found]
                found_at_all |= {(kind, day) for _ in found}
    assert len({kind for kind, _ in found_at_all}) > 8, "too few moments were found to show anything"
    assert len({day for _, day in found_at_all}) == len(DAYS)


def test_what_an_open_day_does_not_know_nobody_is_told_wrongly() -> None:
    for name in ("year", "month", "day", "weekday", "isoformat"):
        assert not hasattr(OpenDay(), name), name


def test_an_open_day_and_those_that_are_reached_from_it_are_told_together() -> None:
    on = OpenDay()
    select(Customer).where(
        Customer.died_on > on, Customer.customer_since <= on - timedelta(days=30) + timedelta(days=1)
    )  # type: ignore[arg-type, operator]
    values = on.values_on(date(2026, 3, 1))
    assert sorted(values.values()) == [date(2026, 1, 31), date(2026, 3, 1)]
