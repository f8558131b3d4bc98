"""What a moment's file says of itself for the rooms after it: the words of its knobs, its fields, its preview's day."""

from datetime import date

import pytest
from sqlalchemy import Engine

from conftest import TODAY
from outreach.composing.moment_data import PARTICULARS
from outreach.composing.templating.fields import OF_MOMENT, PRIVATE
from outreach.database import reading
from outreach.models import Customer
from outreach.moments import MOMENTS
from outreach.settings import MomentKnobs
from outreach.web.knob_forms import label_of
from planned import add_customer, add_debt


@pytest.mark.parametrize("kind", MOMENTS)
def test_every_knob_has_a_title_and_says_what_it_means_for_this_moment(kind: str) -> None:
    knobs = MOMENTS[kind].knobs
    own = [name for name in knobs.model_fields if name not in MomentKnobs.model_fields]
    said = {name: label_of(knobs, name) for name in knobs.model_fields}
    assert all(title and explained for title, explained in said.values())
    assert [name for name in own if not knobs.model_fields[name].title] == []
    titles = [title for title, _ in said.values()]
    assert sorted(titles) == sorted(set(titles))


def test_silence_means_the_opposite_for_a_present_and_for_whoever_is_missed() -> None:
    titles = {kind: label_of(MOMENTS[kind].knobs, "silent_days")[0] for kind in ("anniversary", "win_back", "surprise")}
    assert titles == {
        "anniversary": "No gift after so many silent days",
        "win_back": "Missed after so many silent days",
        "surprise": "Seen within days",
    }


@pytest.mark.parametrize("kind", MOMENTS)
def test_the_particulars_that_a_moment_names_are_there_and_its_fields_are_its_templates_fields(kind: str) -> None:
    definition = MOMENTS[kind]
    assert definition.particulars in {"", *PARTICULARS}
    assert {field.name for field in definition.fields} <= set(OF_MOMENT[kind])
    assert all(field.explained for field in definition.fields)


def test_what_nobody_may_overhear_is_private_by_its_moments_file() -> None:
    assert {"treatment", "amount", "due_on", "bills", "more", "several_bills"} == PRIVATE


def test_a_preview_takes_the_day_that_their_data_suggest(sqlite_engine: Engine) -> None:
    add_customer(sqlite_engine, "c1", customer_since=date(2023, 2, 28))
    add_customer(sqlite_engine, "c2", customer_since=None)
    add_debt(sqlite_engine, "c1")
    with reading(sqlite_engine) as session:
        days = {
            (kind, who): MOMENTS[kind].likely_day(session, session.get_one(Customer, who), TODAY)
            for kind in ("anniversary", "checkin", "late_payment", "survey")
            for who in ("c1", "c2")
        }
    assert days["anniversary", "c1"] == date(2026, 2, 28)
    assert days["anniversary", "c2"] is None
    assert days["checkin", "c1"] == date(2026, 3, 8)
    assert days["late_payment", "c1"] == date(2026, 2, 20)
    assert days["survey", "c1"] is None
