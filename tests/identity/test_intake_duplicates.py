"""Who may be one person, what a confirmed merge does to their data on both databases, and the way back."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import SQLModel, col, select

from budget import postgresql_in_drill, trials
from conftest import NOW, TODAY
from doubled import DAY, FACTS, add_decided, add_history, add_person, add_sent, add_staff, picture
from intake_data import import_folder
from outreach.approval.audit import find_break
from outreach.database import reading, writing
from outreach.errors import ApprovalError, NotAllowed, NotFound, NotWaiting
from outreach.identity.aliases import COPIED, POINTING
from outreach.identity.customer_ids import read_customer_id
from outreach.identity.duplicates import find_duplicates, list_doubles
from outreach.intake.goodwill_lists import GoodwillEntry, List, keep_named
from outreach.models import (
    AuditEntry,
    Consent,
    Customer,
    Decision,
    Double,
    Flag,
    Goodwill,
    Invoice,
    Merge,
    Message,
    Moment,
    Repointed,
    SetAside,
    Visit,
)
from outreach.planning.contact_cards import load_people
from outreach.planning.run import plan_day
from outreach.settings import Settings
from outreach.stable_ids import moment_id
from outreach.tracking.merges import merge_people, say_two_people, unmerge_people

MARIA: dict[str, Any] = {
    "given_name": "María", "family_name": "López", "email": "Maria@Example.org", "phone": "(802) 555-2671",
    "born_on": date(1980, 5, 1), "address_line1": "27 Orchard Terrace", "postal_code": "05404", "country": "US",
}  # fmt: skip
LATER = NOW + timedelta(hours=1)


def people(engine: Engine, **customers: dict[str, Any]) -> None:
    with writing(engine) as session:
        for customer_id, values in customers.items():
            add_person(session, customer_id, **values)


def proposals(engine: Engine, settings: Settings) -> dict[tuple[str, str], Double]:
    find_duplicates(engine, settings, NOW)
    with reading(engine) as session:
        return {(one.first_id, one.second_id): one for one in list_doubles(session, 1, 100)[0]}


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        ({"email": "maria@example.ORG "}, "the same name and e-mail address"),
        ({"phone": "+1 802 555 2671"}, "the same name and telephone number"),
        ({"born_on": date(1980, 5, 1)}, "the same name and birth date"),
        ({"address_line1": "27, Orchard Terrace.", "postal_code": "05404"}, "the same name and address"),
    ],
)
def test_two_of_one_name_who_share_one_thing_more_are_proposed_with_the_reason(
    engine: Engine, settings: Settings, kept: dict[str, Any], reason: str
) -> None:
    people(engine, a=MARIA, b={"given_name": "MARIA", "family_name": "Lopez", **kept})
    assert [one.reasons for one in proposals(engine, settings).values()] == [reason]
    with reading(engine) as session:
        assert len(session.exec(select(Customer)).all()) == 2


def test_nothing_against_it_leaves_no_doubt_and_all_reasons_are_named(engine: Engine, settings: Settings) -> None:
    people(engine, a=MARIA, b=MARIA)
    (one,) = proposals(engine, settings).values()
    assert one.doubt is None
    assert one.reasons.count(";") == 3


@pytest.mark.parametrize(
    "other",
    [
        {"given_name": "Marta"},  # a twin
        {"family_name": "López Jr"},
        {"born_on": date(2004, 5, 1)},  # Jr and Sr without the letters
        {"given_name": "Ben", "born_on": date(2018, 1, 1)},  # a child with the parent's e-mail
        {"guardian_id": "a"},
        {"given_name": "Otto"},  # a couple, separated or not
    ],
)
def test_two_who_are_two_are_not_proposed(sqlite_engine: Engine, settings: Settings, other: dict[str, Any]) -> None:
    people(sqlite_engine, a=MARIA, b=MARIA | other)
    assert proposals(sqlite_engine, settings) == {}


@pytest.mark.parametrize(
    ("other", "flag", "doubt"),
    [
        ({"born_on": None}, None, "Jr and Sr"),
        ({"born_on": date(1980, 1, 5)}, None, "birth dates differ"),
        ({"guardian_id": "g"}, None, "guardian"),
        ({"died_on": DAY}, None, "has died"),
        ({}, "separated", "separation"),
        ({}, "confidential", "in confidence"),
        ({"email": "m@b.example", "phone": "+1 802 555 2672", "address_line1": "1 Elm Street"}, None, "agrees"),
    ],
)
def test_what_speaks_against_it_is_said(
    sqlite_engine: Engine, settings: Settings, other: dict[str, Any], flag: str | None, doubt: str
) -> None:
    people(sqlite_engine, a=MARIA, b=MARIA | other)
    if flag:
        with writing(sqlite_engine) as session:
            session.add(Flag(customer_id="b", kind=flag, from_on=DAY))
    (one,) = proposals(sqlite_engine, settings).values()
    assert doubt in (one.doubt or "")


def test_a_default_that_many_share_proposes_nobody_and_is_counted(sqlite_engine: Engine, settings: Settings) -> None:
    anybody = {"given_name": "Test", "family_name": "Person", "email": "none@example.org"}
    people(sqlite_engine, **{f"c{number}": anybody for number in range(40)})
    report = find_duplicates(sqlite_engine, settings, NOW)
    assert (report.open, dict(report.defaults)) == (0, {"email": 1})


def test_two_people_are_never_proposed_again(engine: Engine, settings: Settings) -> None:
    add_staff(engine)
    people(engine, a=MARIA, b=MARIA)
    assert proposals(engine, settings)
    say_two_people(engine, "b", "a", "nora", NOW)
    assert proposals(engine, settings) == {}
    assert find_duplicates(engine, settings, LATER).decided == 1
    with pytest.raises(NotFound):
        say_two_people(engine, "a", "c", "nora", NOW)


def test_a_merge_needs_a_writer_and_two_who_can_be_one(sqlite_engine: Engine, settings: Settings) -> None:
    add_staff(sqlite_engine)
    people(sqlite_engine, a=MARIA, b=MARIA, ward=MARIA | {"guardian_id": "a"})
    for kept, other, by, error in (
        ("a", "b", "vic", NotAllowed),
        ("a", "a", "nora", ApprovalError),
        ("a", "ward", "nora", ApprovalError),
        ("a", "nobody", "nora", NotFound),
    ):
        with pytest.raises(error):
            merge_people(sqlite_engine, settings, kept, other, by, NOW)
    merge_people(sqlite_engine, settings, "a", "b", "nora", NOW)
    with pytest.raises(NotWaiting, match="merged into “a” already"):
        merge_people(sqlite_engine, settings, "ward", "b", "nora", NOW)


def history(engine: Engine) -> None:
    add_staff(engine)
    with writing(engine) as session:
        add_person(session, "a", **MARIA | {"customer_since": date(2024, 3, 1), "email": None})
        add_person(session, "b", **MARIA | {"customer_since": date(2020, 3, 1), "household_id": "h1"})
        add_person(session, "ward", guardian_id="b", born_on=date(2020, 1, 1))
        add_history(session, "a", 1)
        add_history(session, "b", 1)
        add_history(session, "b", 2)


def test_all_that_one_number_has_lands_on_the_other_and_comes_back(engine: Engine, settings: Settings) -> None:
    history(engine)
    before = picture(engine)
    merge_people(engine, settings, "a", "b", "nora", NOW)
    with reading(engine) as session:
        for model, columns in POINTING.items():
            for name in columns:
                assert session.exec(select(model).where(getattr(model, name) == "b")).all() == [], (model, name)
        assert len(session.exec(select(Visit).where(Visit.customer_id == "a")).all()) == 3
        assert len(session.exec(select(Message).where(Message.recipient_id == "a")).all()) == 3
        assert {flag.from_on.day for flag in session.exec(select(Flag).where(Flag.customer_id == "a"))} == {1, 2}
        kept = session.get_one(Customer, "a")
        assert (kept.customer_since, kept.email, kept.household) == (date(2020, 3, 1), "Maria@Example.org", "h1")
        assert session.get(Customer, "b") is None
        assert session.get_one(Customer, "ward").guardian_id == "a"
        assert read_customer_id(session, "b") == "a"
        entry = session.exec(select(AuditEntry)).one()
        assert (entry.act, entry.subject, entry.detail) == ("people merged", "a", "b")
    unmerge_people(engine, "b", "nora", LATER)
    assert picture(engine) == before
    with reading(engine) as session:
        assert session.exec(select(SetAside)).all() == []
        assert session.exec(select(Repointed)).all() == []
        assert session.exec(select(Merge)).one().undone_by == "nora"
        assert session.exec(select(Double)).one().status == "two"
        assert find_break(session) is None


def test_every_column_that_names_a_customer_is_known_to_merges() -> None:
    known = {(model.__table__.name, name) for model, names in POINTING.items() for name in names}  # type: ignore[attr-defined]
    known |= {(model.__table__.name, "customer_id") for model in COPIED}  # type: ignore[attr-defined]
    known |= {
        ("messages", "customer_id"),
        ("messages", "recipient_id"),
        ("moments", "customer_id"),
        ("rewards", "customer_id"),
    }
    # A person's own row is combined, and a word about a household is read by the number that is kept.
    known |= {("customers", "customer_id"), ("set_aside", "customer_id"), ("household_words", "customer_id")}
    # What could not be read is never pointed elsewhere: who is asked for is looked up under each of their numbers.
    known |= {("unread_rows", "customer_id"), ("unread_rows", "payer_id")}
    naming = {"customer_id", "recipient_id", "payer_id", "guardian_id", "referred_customer_id"}
    columns = {(table.name, column.name) for table in SQLModel.metadata.tables.values() for column in table.columns}
    assert {pair for pair in columns if pair[1] in naming} == known


@pytest.mark.parametrize(("withdrawn", "granted"), [("a", "b"), ("b", "a")])
def test_a_withdrawal_under_either_number_stands_until_they_say_otherwise_after_the_merge(
    engine: Engine, settings: Settings, withdrawn: str, granted: str
) -> None:
    add_staff(engine)
    people(engine, a=MARIA, b=MARIA)
    about = {"channel": "email", "purpose": "marketing"}
    with writing(engine) as session:
        session.add(Consent(customer_id=withdrawn, at=NOW - timedelta(days=9), state="withdrawn", **about))
        session.add(Consent(customer_id=granted, at=NOW - timedelta(days=1), state="granted", **about))
    merge_people(engine, settings, "a", "b", "nora", NOW)

    def word() -> str:
        with reading(engine) as session:
            return load_people(session, settings, b"key", TODAY, ["a"])["a"].consents["email", "marketing"].state

    assert word() == "withdrawn"
    with writing(engine) as session:
        session.add(Consent(customer_id="a", at=LATER, state="granted", **about))
    assert word() == "granted"


def folder(path: Path, **files: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text)
    return path


FILES = {
    "customers": "customer_id,given_name,family_name,email,customer_since,guardian_id\n"
    "a,Maria,Lopez,,2024-03-01,\nb,Maria,Lopez,maria@example.org,2020-03-01,\nward,Ben,Lopez,,,b\n",
    "visits": "visit_id,customer_id,starts_at,status\nv1,a,2026-02-01,completed\nv2,b,2026-02-02,completed\n",
    "invoices": "invoice_id,customer_id,payer_id,issued_on,due_on,amount,currency\n"
    "i1,ward,b,2026-02-01,2026-02-09,9,USD\n",
    "consents": "customer_id,channel,purpose,state,at\nb,email,marketing,withdrawn,2026-01-01\n",
    "flags": "customer_id,kind,from,until\nb,hardship,2026-01-01,2026-12-01\n",
}


def test_later_imports_land_on_the_kept_number_and_the_way_back_knows_them(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    add_staff(engine)
    import_folder(engine, folder(tmp_path / "data", **FILES), settings, NOW)
    merge_people(engine, settings, "a", "b", "nora", NOW)
    merged = picture(engine)
    assert import_folder(engine, tmp_path / "data", settings, NOW).refused == 0
    assert picture(engine) == merged
    more = FILES | {
        "visits": FILES["visits"] + "v3,b,2026-03-03,completed\n",
        "consents": FILES["consents"] + "b,text,service,granted,2026-02-01\n",
        "flags": "customer_id,kind,from,until\nb,hardship,2026-01-01,2026-06-01\nb,moved,2026-02-01,\n",
        "customers": FILES["customers"].replace("maria@", "lopez@"),
    }
    import_folder(engine, folder(tmp_path / "data", **more), settings, NOW)
    with reading(engine) as session:
        assert {visit.customer_id for visit in session.exec(select(Visit))} == {"a"}
        assert session.get_one(Invoice, "i1").payer_id == "a"
        assert session.get_one(Customer, "ward").guardian_id == "a"
        assert session.get_one(Customer, "a").email == "lopez@example.org"
        assert session.get(Customer, "b") is None
        assert session.get_one(Flag, ("a", "hardship", date(2026, 1, 1))).until_on == date(2026, 6, 1)
        assert session.get(Flag, ("a", "moved", date(2026, 2, 1)))
        assert len(session.exec(select(Consent).where(Consent.customer_id == "a")).all()) == 2
    unmerge_people(engine, "b", "nora", LATER)
    with reading(engine) as session:
        assert session.exec(select(Visit.visit_id).where(Visit.customer_id == "b").order_by(Visit.visit_id)).all() == [
            "v2",
            "v3",
        ]
        assert session.get_one(Customer, "b").email == "lopez@example.org"
        assert session.get_one(Customer, "a").email is None
        assert session.get_one(Customer, "ward").guardian_id == "b"
        assert session.exec(select(Consent).where(Consent.customer_id == "a")).all() == []
    same = picture(engine)
    import_folder(engine, tmp_path / "data", settings, NOW)
    assert picture(engine) == same


def test_a_visit_that_the_data_moves_to_the_kept_number_stays_there(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    add_staff(sqlite_engine)
    import_folder(sqlite_engine, folder(tmp_path / "data", **FILES), settings, NOW)
    merge_people(sqlite_engine, settings, "a", "b", "nora", NOW)
    corrected = FILES["visits"].replace("v2,b", "v2,a")
    import_folder(sqlite_engine, folder(tmp_path / "data", visits=corrected), settings, NOW)
    unmerge_people(sqlite_engine, "b", "nora", LATER)
    with reading(sqlite_engine) as session:
        assert session.get_one(Visit, "v2").customer_id == "a"


def test_merges_in_a_row_are_taken_back_from_the_last(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    history(engine)
    people(engine, c=MARIA)
    before = picture(engine)
    merge_people(engine, settings, "a", "b", "nora", NOW)
    between = picture(engine)
    merge_people(engine, settings, "c", "a", "nora", LATER)
    with reading(engine) as session:
        assert len(session.exec(select(Visit).where(Visit.customer_id == "c")).all()) == 3
        assert session.get_one(Customer, "c").household_id == "h1"
        assert read_customer_id(session, "b") == "c"
    more = folder(tmp_path / "data", visits="visit_id,customer_id,starts_at\nnew,b,2026-02-02\n")
    import_folder(engine, more, settings, NOW)
    with pytest.raises(NotWaiting, match="take that back first"):
        unmerge_people(engine, "b", "nora", LATER)
    unmerge_people(engine, "a", "nora", LATER)
    with writing(engine) as session:
        assert session.get_one(Visit, "new").customer_id == "a"
        session.connection().execute(delete(Visit).where(col(Visit.visit_id) == "new"))
    assert picture(engine) == between
    unmerge_people(engine, "b", "nora", LATER)
    assert picture(engine) == before


def test_an_occasion_that_was_written_to_under_one_number_is_not_written_to_under_the_other(
    engine: Engine, settings: Settings
) -> None:
    add_staff(engine)
    people(engine, a=MARIA, b=MARIA)
    with writing(engine) as session:
        add_sent(session, "b", "anniversary", DAY)
        add_decided(session, "a", "anniversary", DAY, "not_yet")
    before = picture(engine)
    merge_people(engine, settings, "a", "b", "nora", NOW)
    with reading(engine) as session:
        last = session.exec(
            select(Decision)
            .where(Decision.moment_id == moment_id("anniversary", "a", DAY.isoformat()))
            .order_by(col(Decision.sequence).desc())
        ).first()
        assert last is not None
        assert (last.outcome, last.rule) == ("never", "merged")
    unmerge_people(engine, "b", "nora", LATER)
    assert picture(engine) == before


@postgresql_in_drill
def test_what_was_sent_under_one_number_counts_as_a_touch_and_planning_goes_on(
    engine: Engine, every_moment: Settings
) -> None:
    add_staff(engine)
    where = {"city": "Winooski", "region": "VT"}
    people(engine, a=MARIA | where | {"customer_since": date(2020, 3, 17)}, b=MARIA | where)
    with writing(engine) as session:
        add_sent(session, "b", "goodwill", TODAY - timedelta(days=2))
    merge_people(engine, every_moment, "a", "b", "nora", NOW)
    for day in range(3):
        plan_day(engine, every_moment, TODAY + timedelta(days=day), NOW)
    with reading(engine) as session:
        moments = session.exec(select(Moment)).all()
        assert {moment.customer_id for moment in moments} == {"a"}
        anniversary = next(moment for moment in moments if moment.kind == "anniversary")
        first = session.get_one(Decision, (anniversary.moment_id, 1))
        assert (first.outcome, first.rule) == ("not_yet", "quiet_days")


def test_a_list_of_whom_an_event_hit_may_name_any_number_of_theirs(engine: Engine, settings: Settings) -> None:
    add_staff(engine)
    people(engine, a=MARIA, b=MARIA)
    merge_people(engine, settings, "a", "b", "nora", NOW)
    with writing(engine) as session:
        report = keep_named(
            session,
            List("hit.csv", [GoodwillEntry(1, "b"), GoodwillEntry(2, "a"), GoodwillEntry(3, "c")]),
            "storm",
            "x",
            TODAY,
        )
        assert (report.named, report.known, report.refused) == (1, 1, 1)
        assert session.exec(select(Goodwill.customer_id)).all() == ["a"]


def test_of_two_open_messages_the_one_to_the_number_that_goes_is_withdrawn(engine: Engine, settings: Settings) -> None:
    add_staff(engine)
    home = {"address_line1": "27 Orchard Terrace", "city": "Winooski", "region": "VT", "postal_code": "05404"}
    people(engine, a=MARIA | home, b=MARIA | home)
    with writing(engine) as session:
        stays = add_sent(session, "a", "goodwill", TODAY, "planned")
        goes = add_sent(session, "b", "checkin", TODAY, "planned")
        moment = session.get_one(Moment, session.get_one(Message, stays).moment_id)
        session.add(Goodwill(event=moment.occasion, customer_id="a", named_on=moment.occasion_on))
    moments = {kind: knobs for kind, knobs in settings.moments.items() if kind != "goodwill"}
    report = merge_people(engine, settings.model_copy(update={"moments": moments}), "a", "b", "nora", NOW)
    with reading(engine) as session:
        assert (session.get_one(Message, stays).status, session.get_one(Message, goes).status) == (
            "planned",
            "withdrawn",
        )
    assert report.pulled.withdrawn == 1


def test_what_they_withdraw_while_they_are_one_stands_for_both_afterwards(engine: Engine, settings: Settings) -> None:
    add_staff(engine)
    people(engine, a=MARIA, b=MARIA)
    merge_people(engine, settings, "a", "b", "nora", NOW)
    about = {"channel": "letter", "purpose": "marketing"}
    with writing(engine) as session:
        session.add(Consent(customer_id="a", at=LATER, state="withdrawn", **about))
        session.get_one(Customer, "a").died_on = TODAY
    unmerge_people(engine, "b", "nora", LATER + timedelta(hours=1))
    with reading(engine) as session:
        assert {row.customer_id for row in session.exec(select(Consent))} == {"a", "b"}
        assert {row.died_on for row in session.exec(select(Customer))} == {TODAY}


STATES = st.sampled_from(["granted", "withdrawn"])
DAYS = st.dates(date(2025, 1, 1), date(2026, 3, 1))
ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["visit", "consent", "flag", "sent", "owed"]), DAYS, STATES),
    max_size=12,
    unique_by=lambda row: row[:3],
)
PAIRS = st.lists(st.permutations("abcd").map(lambda order: order[:2]), max_size=3)


@postgresql_in_drill
# Each example writes to a database: to make a failing one smaller would take minutes.
@trials(6, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(rows=ROWS, pairs=PAIRS, guardian=st.sampled_from([None, "a", "b"]), back=st.randoms(use_true_random=False))
def test_whatever_is_merged_no_row_is_lost_and_the_way_back_restores_all(
    engine: Engine, settings: Settings, rows: list[Any], pairs: list[Any], guardian: str | None, back: Random
) -> None:
    empty(engine)
    add_staff(engine)
    with writing(engine) as session:
        for number, customer_id in enumerate("abcd"):
            add_person(session, customer_id, customer_since=date(2020, 1, 1 + number), given_name="M")
        add_person(session, "ward", guardian_id=guardian)
        for number, row in enumerate(rows):
            add_row(session, number, *row)
    before, done = picture(engine), []
    for kept, merged in pairs:
        try:
            merge_people(engine, settings, kept, merged, "nora", NOW + timedelta(minutes=len(done)))
        except (NotFound, NotWaiting):
            continue
        done.append(merged)
        after = picture(engine)
        for table in ("visits", "invoices", "messages", "moments", "decisions"):
            assert len(after[table]) >= len(before[table]), table
        held = {(row["customer_id"], row["kind"], row["from_on"]) for row in after["flags"]}
        assert {(row["customer_id"], row["kind"], row["from_on"]) for row in before["flags"]} <= held
    while done:
        merged = back.choice(done)
        try:
            unmerge_people(engine, merged, "nora", LATER)
        except NotWaiting:  # the number it was merged into has been merged since
            continue
        done.remove(merged)
    assert picture(engine) == before


def add_row(session: Any, number: int, customer_id: str, what: str, day: date, state: str) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if what == "visit":
        session.add(Visit(visit_id=f"v{number}", customer_id=customer_id, starts_at=at, starts_on=day))
    elif what == "owed":
        session.add(Invoice(invoice_id=f"i{number}", customer_id="ward", payer_id=customer_id, issued_on=day,
                            due_on=day, amount=1))  # fmt: skip
    elif what == "consent":
        session.add(Consent(customer_id=customer_id, channel="letter", purpose="service", at=at, state=state))
    elif what == "flag":
        until = day if state == "granted" else None
        session.add(Flag(customer_id=customer_id, kind="hardship", from_on=day, until_on=until))
    else:
        add_sent(session, customer_id, "checkin", day)


def empty(engine: Engine) -> None:
    with writing(engine) as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.connection().execute(table.delete())


def test_a_number_typed_in_another_case_is_found_where_just_one_fits(engine: Engine) -> None:
    people(engine, C0012={}, c7={}, C7={})
    with reading(engine) as session:
        assert read_customer_id(session, " c0012 ") == "C0012"
        assert read_customer_id(session, "c7") == "c7"
        for wrong in ("c99", "nobody"):
            with pytest.raises(NotFound):
                read_customer_id(session, wrong)
    people(engine, ab={}, AB={})
    with reading(engine) as session, pytest.raises(NotFound, match="any of"):
        read_customer_id(session, "Ab")


def test_the_pictures_of_these_tests_show_every_table_that_a_merge_moves() -> None:
    assert {*POINTING, *COPIED} <= set(FACTS)
