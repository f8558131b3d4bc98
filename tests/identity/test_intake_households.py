"""Who lives with whom: found by address, below the data; said by the customer, above both. On both databases."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from doubled import add_person, add_sent, add_staff
from intake_data import import_folder
from outreach.database import reading, writing
from outreach.errors import NotAllowed, NotFound, NotWaiting
from outreach.identity.households import detect_households
from outreach.models import AuditEntry, Customer, Flag, Message
from outreach.planning.contact_cards import load_people
from outreach.settings import Settings
from outreach.tracking.household_statements import record_household, take_household_back
from outreach.tracking.merges import merge_people, unmerge_people

HOME = {"address_line1": "27 Orchard Terrace", "postal_code": "05404", "country": "US"}


def people(engine: Engine, **customers: dict[str, Any]) -> None:
    with writing(engine) as session:
        for customer_id, values in customers.items():
            add_person(session, customer_id, **values)


def households(engine: Engine, settings: Settings) -> dict[str, str | None]:
    detect_households(engine, settings, NOW)
    return known(engine)


def known(engine: Engine) -> dict[str, str | None]:
    with reading(engine) as session:
        return {one.customer_id: one.household for one in session.exec(select(Customer))}


def test_people_at_one_address_are_one_household_however_it_is_written(engine: Engine, settings: Settings) -> None:
    people(
        engine,
        a=HOME,
        b=HOME | {"address_line1": "27, orchard  terrace.", "postal_code": "05404", "country": None},
        c=HOME | {"address_line1": "29 Orchard Terrace"},
        d=HOME | {"postal_code": "05401"},
        e=HOME | {"country": "CA"},
        f={"address_line1": "27 Orchard Terrace"},
    )
    found = households(engine, settings)
    assert found["a"] == found["b"] is not None
    assert [found[who] for who in "cdef"] == [None] * 4


def test_a_flat_of_its_own_is_a_household_of_its_own(engine: Engine, settings: Settings) -> None:
    people(
        engine,
        a=HOME | {"address_line2": "Apt 4"},
        b=HOME | {"address_line2": "Apt 5"},
        c=HOME | {"address_line1": "27 Orchard Terrace Apt. 4"},
        d=HOME,
    )
    found = households(engine, settings)
    assert found["a"] == found["c"] is not None
    assert (found["b"], found["d"]) == (None, None)


@pytest.mark.parametrize(("number", "together"), [(8, True), (9, False)])
def test_more_than_eight_at_one_address_are_an_institution(
    engine: Engine, settings: Settings, number: int, together: bool
) -> None:
    people(engine, **{f"c{place}": HOME for place in range(number)})
    assert (None not in households(engine, settings).values()) is together


@pytest.mark.parametrize("kind", ["separated", "confidential", "moved", "wrong_person"])
def test_whoever_must_not_be_taken_for_one_of_a_household_is_not(engine: Engine, settings: Settings, kind: str) -> None:
    people(engine, a=HOME, b=HOME, c=HOME)
    with writing(engine) as session:
        session.add(Flag(customer_id="b", kind=kind, from_on=TODAY))
    found = households(engine, settings)
    assert (found["b"], found["a"] == found["c"] is not None) == (None, True)


def test_the_data_stands_above_the_address(engine: Engine, settings: Settings) -> None:
    people(engine, a=HOME | {"household_id": "h1"}, b=HOME, c=HOME | {"household_id": "h1"})
    assert households(engine, settings) == {"a": "h1", "b": "h1", "c": "h1"}
    people(engine, d=HOME | {"household_id": "h2"})
    assert households(engine, settings) == {"a": "h1", "b": None, "c": "h1", "d": "h2"}


def test_an_import_finds_households_and_changes_nothing_when_it_is_repeated(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    rows = "customer_id,address_line1,postal_code,household_id\na,1 Elm,05401,\nb,1 Elm,05401,\nc,2 Elm,05401,\n"
    (tmp_path / "customers.csv").write_text(rows)
    import_folder(engine, tmp_path, settings, NOW)
    first = known(engine)
    assert first["a"] == first["b"] is not None
    import_folder(engine, tmp_path, settings, NOW)
    assert known(engine) == first
    assert detect_households(engine, settings, NOW) == 0
    (tmp_path / "customers.csv").write_text(rows.replace("b,1 Elm", "b,3 Elm"))
    import_folder(engine, tmp_path, settings, NOW)
    assert set(known(engine).values()) == {None}


def test_what_a_customer_says_stands_above_data_and_address_until_it_is_taken_back(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    add_staff(engine)
    rows = (
        "customer_id,address_line1,postal_code,household_id\na,1 Elm,05401,\nb,1 Elm,05401,\nc,2 Elm,05401,h\nd,,,h\n"
    )
    (tmp_path / "customers.csv").write_text(rows)
    import_folder(engine, tmp_path, settings, NOW)
    before = known(engine)
    record_household(engine, "a", None, "nora", NOW)
    record_household(engine, "d", None, "nora", NOW)
    record_household(engine, "B", "c", "nora", NOW)
    import_folder(engine, tmp_path, settings, NOW)
    assert known(engine) == {"a": None, "b": "h", "c": "h", "d": None}
    for who in ("a", "b", "d"):
        take_household_back(engine, who, "nora", NOW)
    assert known(engine) == before
    with reading(engine) as session:
        details = [(one.act, one.subject, one.detail) for one in session.exec(select(AuditEntry))]
    assert ("household recorded", "b", "c") in details
    with pytest.raises(NotWaiting):
        take_household_back(engine, "a", "nora", NOW)


def test_two_with_no_household_of_their_own_can_be_one_and_a_circle_is_one_too(
    sqlite_engine: Engine, settings: Settings
) -> None:
    add_staff(sqlite_engine)
    people(sqlite_engine, a={}, b={}, c={}, d={})
    record_household(sqlite_engine, "a", "b", "nora", NOW)
    assert known(sqlite_engine)["a"] == known(sqlite_engine)["b"] is not None
    record_household(sqlite_engine, "b", "c", "nora", NOW)
    record_household(sqlite_engine, "c", "a", "nora", NOW)
    found = known(sqlite_engine)
    assert len({found[who] for who in "abc"}) == 1
    assert found["d"] is None


@pytest.mark.parametrize(
    ("who", "other", "by", "error"),
    [("a", "nobody", "nora", NotFound), ("nobody", None, "nora", NotFound), ("a", "a", "nora", NotFound),
     ("a", None, "vic", NotAllowed)],
)  # fmt: skip
def test_a_word_needs_two_customers_and_a_writer(
    sqlite_engine: Engine, who: str, other: str | None, by: str, error: type[Exception]
) -> None:
    add_staff(sqlite_engine)
    people(sqlite_engine, a={})
    with pytest.raises(error):
        record_household(sqlite_engine, who, other, by, NOW)


def test_planning_paces_marketing_over_the_household_that_counts(engine: Engine, settings: Settings) -> None:
    add_staff(engine)
    people(engine, a=HOME, b=HOME, dead=HOME | {"died_on": TODAY - timedelta(days=9)})
    with writing(engine) as session:
        reference = add_sent(session, "b", "anniversary", TODAY - timedelta(days=3))
        session.get_one(Message, reference).purpose = "marketing"

    def touched() -> tuple[list[date], bool]:
        with reading(engine) as session:
            person = load_people(session, settings, b"key", TODAY, ["a"])["a"]
            return person.household_touches, person.mourning_until is not None

    assert touched() == ([], False)
    detect_households(engine, settings, NOW)
    assert touched() == ([TODAY - timedelta(days=3)], True)
    record_household(engine, "a", None, "nora", NOW)
    assert touched() == ([], False)


def test_a_word_follows_the_person_through_a_merge_and_back(engine: Engine, settings: Settings) -> None:
    add_staff(engine)
    people(engine, a=HOME, b=HOME, twin={}, c={"household_id": "h"})
    record_household(engine, "twin", "c", "nora", NOW)
    merge_people(engine, settings, "a", "twin", "nora", NOW)
    assert known(engine)["a"] == "h"
    assert households(engine, settings)["a"] == "h"
    unmerge_people(engine, "twin", "nora", NOW)
    assert (known(engine)["twin"], known(engine)["a"] == known(engine)["b"] is not None) == ("h", True)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_ids=st.lists(st.sampled_from([None, "h1", "h2"]), min_size=5, max_size=5),
    words=st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([None, *"abcde"])), max_size=6),
)
def test_the_last_word_of_each_holds_whatever_was_said_before(
    sqlite_engine: Engine, settings: Settings, given_ids: list[str | None], words: list[tuple[str, str | None]]
) -> None:
    with writing(sqlite_engine) as session:
        for table in ("household_words", "customers", "audit", "staff"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
    add_staff(sqlite_engine)
    people(sqlite_engine, **{who: {"household_id": id_} for who, id_ in zip("abcde", given_ids, strict=True)})
    last: dict[str, str | None] = {}
    for minute, (who, other) in enumerate(words):
        if who != other:
            record_household(sqlite_engine, who, other, "nora", NOW + timedelta(minutes=minute))
            last[who] = other
    found = known(sqlite_engine)
    for who, other in last.items():
        if other is None and who not in last.values():
            assert found[who] is None
        elif other is not None:
            assert found[who] == found[other] is not None
    silent = set("abcde") - last.keys() - {other for other in last.values() if other}
    assert all(found[who] == id_ for who, id_ in zip("abcde", given_ids, strict=True) if who in silent)
