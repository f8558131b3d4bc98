"""Whom staff name after an event: from files as people have them, and from queries that can only read."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import SQLModel, select
from typer.testing import CliRunner

from conftest import NOW, TODAY
from outreach.approval.staff import add_staff
from outreach.commands.main import app
from outreach.database import reading, writing
from outreach.errors import IntakeError, NotAllowed, NotFound, OutreachError, SourceUnreadable
from outreach.intake.goodwill_lists import GoodwillReport, List, read_list, trim_event
from outreach.intake.queries import require_select, select_ids
from outreach.intake.query_rights import READABLE
from outreach.models import AuditEntry, Customer, Goodwill, Staff
from outreach.settings import Settings
from outreach.tracking.goodwill_events import list_events, name_by_query, name_hit

EVENT = "water main break 12 May"


@pytest.fixture
def practice(engine: Engine) -> Engine:
    with writing(engine) as session:
        for id_ in ("C1", "C2", "7"):
            session.add(Customer(customer_id=id_, given_name="Maria"))
        session.add(Customer(customer_id="C3", died_on=TODAY))
        for who, role in (("nora", "approver"), ("ada", "admin"), ("wanda", "writer")):
            add_staff(session, who, who, role, NOW)
            session.flush()
    return engine


def listed(tmp_path: Path, text: str) -> List:
    path = tmp_path / "hit.csv"
    path.write_text(text, encoding="utf-8")
    return read_list(path)


def name(engine: Engine, settings: Settings, found: List, event: str = EVENT, by: str = "nora") -> GoodwillReport:
    return name_hit(engine, settings, found, event, by, NOW)


def named(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return sorted((row.event, row.customer_id) for row in session.exec(select(Goodwill)))


def test_the_customers_of_a_column_are_named_and_ids_of_nobody_are_refused_with_their_line(
    practice: Engine, settings: Settings, tmp_path: Path
) -> None:
    report = name(practice, settings, listed(tmp_path, "street;customer_id\nElm;C1\nElm; C2 \nOak;C99\nOak;\n"))
    assert (report.read, report.named, report.known, report.refused) == (4, 2, 0, 2)
    assert [(row.line, row.column, row.reason) for row in report.refusals] == [
        (4, "customer_id", "no customer has this id"),
        (5, "customer_id", "there is no id on this line"),
    ]
    assert named(practice) == [(EVENT, "C1"), (EVENT, "C2")]
    with reading(practice) as session:
        row = session.get_one(Goodwill, (EVENT, "C1"))
        assert (row.named_on, row.by) == (TODAY, "nora")


def test_the_same_list_again_changes_nothing_and_one_id_twice_is_named_once(
    practice: Engine, settings: Settings, tmp_path: Path
) -> None:
    found = listed(tmp_path, "customer_id\nC1\nC1\nC2\n")
    first = name(practice, settings, found)
    later = name_hit(practice, settings, found, f"  {EVENT} ", "ada", NOW + timedelta(days=3))
    assert (first.named, first.known) == (2, 1)
    assert (later.read, later.named, later.known) == (3, 0, 3)
    with reading(practice) as session:
        assert {(row.named_on, row.by) for row in session.exec(select(Goodwill))} == {(TODAY, "nora")}
        assert len(session.exec(select(AuditEntry).where(AuditEntry.act == "goodwill named")).all()) == 1


@pytest.mark.parametrize(
    ("text", "heading", "names"),
    [("C1\nC2\n", None, 2), ("Patient\nC1\nC2\n", 1, 2), ("7\n", None, 1), ("\ufeffC1,Maria\nC2,Otto\n", None, 2)],
)
def test_without_the_column_the_first_one_is_taken_and_its_heading_is_said(
    practice: Engine, settings: Settings, tmp_path: Path, text: str, heading: int | None, names: int
) -> None:
    report = name(practice, settings, listed(tmp_path, text))
    assert (report.heading, report.named, report.refused) == (heading, names, 0)
    assert report.read == names


def test_a_row_that_cannot_be_read_is_refused_and_the_next_one_is_not(
    practice: Engine, settings: Settings, tmp_path: Path
) -> None:
    report = name(practice, settings, listed(tmp_path, f'customer_id,note\n"C1,x\nC2,y\n{"9" * 300},z\n'))
    assert report.named == 1
    assert [row.line for row in report.refusals] == [2, 4]


def test_who_is_dead_is_named_all_the_same_because_planning_decides(
    practice: Engine, settings: Settings, tmp_path: Path
) -> None:
    assert name(practice, settings, listed(tmp_path, "customer_id\nC3\n")).named == 1


@pytest.mark.parametrize("text", ["", "customer_id,Customer_ID\nC1,C2\n"])
def test_a_file_in_which_the_ids_cannot_be_known_is_not_read(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceUnreadable):
        listed(tmp_path, text)


@pytest.mark.parametrize("event", ["", "   ", "x" * 121, "two\nlines", "a\u202eb"])
def test_an_event_without_a_fit_name_is_refused(
    practice: Engine, settings: Settings, tmp_path: Path, event: str
) -> None:
    with pytest.raises(IntakeError, match="Name the event"):
        name(practice, settings, listed(tmp_path, "C1\n"), event)
    assert named(practice) == []


@given(st.text())
def test_a_trimmed_event_is_its_own_name_or_none(event: str) -> None:
    try:
        once = trim_event(event)
    except IntakeError:
        return
    assert trim_event(once) == trim_event(f"\n {once}\t") == once


@pytest.mark.parametrize(("by", "refusal"), [("wanda", NotAllowed), ("nobody", NotFound)])
def test_only_approvers_name_anybody(
    practice: Engine, settings: Settings, tmp_path: Path, by: str, refusal: type[OutreachError]
) -> None:
    with pytest.raises(refusal):
        name(practice, settings, listed(tmp_path, "C1\n"), by=by)
    assert named(practice) == []


def test_a_query_of_an_admins_names_those_it_yields(practice: Engine, settings: Settings) -> None:
    query = (
        "-- the Marias\nWITH hit AS (SELECT * FROM customers) SELECT customer_id FROM hit WHERE given_name LIKE 'M%';"
    )
    report = name_by_query(practice, settings, query, EVENT, "ada", NOW)
    assert (report.named, report.refused) == (3, 0)
    with reading(practice) as session:
        assert [(seen.event, seen.count) for seen in list_events(session)] == [(EVENT, 3)]


def test_a_query_may_hold_a_colon_and_ids_of_nobody_are_refused(practice: Engine, settings: Settings) -> None:
    query = "SELECT customer_id FROM customers WHERE customer_id = 'C1' UNION ALL SELECT 'a:b %s %(x)s' AS customer_id"
    report = name_by_query(practice, settings, query, EVENT, "ada", NOW)
    assert (report.named, report.refused) == (1, 1)


def test_only_an_admin_may_ask_the_tables(practice: Engine, settings: Settings) -> None:
    with pytest.raises(NotAllowed):
        name_by_query(practice, settings, "SELECT customer_id FROM customers", EVENT, "nora", NOW)


HARMFUL = [
    "DELETE FROM customers",
    "SELECT customer_id FROM customers; DELETE FROM customers",
    "SELECT 'x' AS customer_id) AS a; DELETE FROM customers; --",
    "SELECT customer_id FROM customers) AS named; COMMIT; DELETE FROM customers; SELECT customer_id FROM (SELECT 1",
    "WITH gone AS (DELETE FROM customers RETURNING customer_id) SELECT customer_id FROM gone",
    "SELECT password_hash AS customer_id FROM staff",
    "SELECT password_hash AS customer_id, '--' FROM staff",
    "SELECT token_hash AS customer_id FROM \"sign_ins\"",
    "SELECT sql AS customer_id FROM sqlite_master",
    "SELECT pg_read_file('/etc/passwd') AS customer_id",
    "SELECT given_name FROM customers",
    "PRAGMA writable_schema = 1",
    "SELECT",
    "",
    "SELECT '\0' AS customer_id",
    "SELECT 1 AS customer_id" + " " * 10_000 + "-- long",
    "SELECT customer_id INTO copied FROM customers",
    "ATTACH 'other.db' AS other",
]  # fmt: skip


@pytest.mark.parametrize("query", HARMFUL)
def test_a_query_that_is_no_one_select_of_our_tables_is_refused_and_changes_nothing(
    practice: Engine, query: str
) -> None:
    with pytest.raises(IntakeError):
        select_ids(practice, query)
    with reading(practice) as session:
        assert len(session.exec(select(Customer)).all()) == 4
        assert len(session.exec(select(Staff)).all()) == 3


# What lets somebody in, in spellings that no list of words finds, and ways to ask for it through something else.
SPELLINGS = [
    "SELECT staff_id AS customer_id FROM staff",
    'SELECT staff_id AS customer_id FROM "sta""ff"',
    'SELECT password_hash AS customer_id FROM U&"\\0073taff"',
    'SELECT password_hash AS customer_id FROM U&"!0073taff" UESCAPE \'!\'',
    'SELECT token_hash AS customer_id FROM U&"sign\\005Fins"',
    'SELECT key_fingerprint AS customer_id FROM U&"!0069nstallation" UESCAPE \'!\'',
    "SELECT password_hash AS customer_id FROM [staff]",
    "SELECT password_hash AS customer_id FROM `STAFF`",
    "SELECT password_hash AS customer_id FROM main/**/.staff",
    "SELECT count(*) AS customer_id FROM staff",
    "SELECT c.customer_id FROM customers c, staff",
    "SELECT customer_id FROM customers WHERE EXISTS (SELECT 1 FROM staff WHERE password_hash LIKE 'a%')",
    "WITH a AS (SELECT * FROM staff) SELECT password_hash AS customer_id FROM a",
    "WITH customers AS (SELECT password_hash AS customer_id FROM staff) SELECT customer_id FROM customers",
    "SELECT actor AS customer_id FROM audit",
    "SELECT body AS customer_id FROM webhooks",
    "SELECT name AS customer_id FROM pragma_table_info('staff')",
    "SELECT name AS customer_id FROM sqlite_schema",
    "SELECT customer_id FROM customers) AS a UNION SELECT password_hash FROM (SELECT password_hash FROM staff",
    "SELECT query_to_xml('select * from sta'||'ff', true, false, '')::text AS customer_id",
    "SELECT database_to_xml(true, false, '')::text AS customer_id",
    "SELECT table_to_xml(('st'||'aff')::regclass, true, false, '')::text AS customer_id",
    "SELECT cursor_to_xml('a', 1, true, false, '')::text AS customer_id",
    "SELECT word AS customer_id FROM ts_stat('select to_tsvector(password_hash) from sta' || 'ff')",
    "SELECT set_config('transaction_read_only', 'off', true) AS customer_id",
    "SELECT rolpassword AS customer_id FROM pg_authid",
    'SELECT usename AS customer_id FROM U&"pg\\005Fuser"',
    "SELECT table_name AS customer_id FROM information_schema.tables",
    "TABLE staff",
    "SELECT load_extension('x') AS customer_id",
]  # fmt: skip


@pytest.mark.parametrize("query", SPELLINGS)
def test_a_query_cannot_read_accounts_however_it_is_spelled(practice: Engine, query: str) -> None:
    with pytest.raises(IntakeError) as refused:
        select_ids(practice, query)
    assert "argon2" not in str(refused.value)


ORDINARY = [
    "SELECT customer_id FROM customers WHERE given_name = 'Maria' AND customer_id <> '7'",
    "SELECT customer_id FROM customers WHERE lower(given_name) LIKE 'mar%' AND customer_id IN ('C1', 'C2')",
    "WITH staff AS (SELECT customer_id FROM customers WHERE given_name <> 'staff' AND customer_id > 'A') "
    "SELECT customer_id FROM staff",
    "SELECT customer_id FROM customers c WHERE given_name = 'Maria' AND customer_id > 'A' AND NOT EXISTS "
    "(SELECT 1 FROM messages m WHERE m.recipient_id = c.customer_id)",
    "SELECT customer_id FROM (SELECT customer_id, count(*) OVER () AS n, row_number() OVER (ORDER BY customer_id) AS r "
    "FROM customers WHERE given_name = 'Maria') AS x WHERE n = 3 AND r > 1",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
    "SELECT 'C' || i AS customer_id FROM n WHERE i < 3",
    "SELECT customer_id FROM customers WHERE given_name = 'Maria' AND customer_id <> '7' AND "
    "(SELECT count(*) FROM visits) = 0 AND coalesce(died_on, CURRENT_DATE) <= CURRENT_DATE",
]  # fmt: skip


@pytest.mark.parametrize("query", ORDINARY)
def test_an_ordinary_query_is_answered_whatever_words_it_uses(practice: Engine, query: str) -> None:
    assert sorted(str(id_) for id_ in select_ids(practice, query)) == ["C1", "C2"]


def test_postgresql_answers_with_the_clock_and_its_casts(practice: Engine) -> None:
    if practice.dialect.name != "postgresql":
        pytest.skip("these functions are PostgreSQL's")
    query = (
        "SELECT customer_id FROM customers WHERE given_name = 'Maria' AND customer_id <> '7' AND "
        "date_trunc('day', now())::date - 30 < CURRENT_DATE AND to_char(now(), 'YYYY') > '2000' AND "
        "now() - interval '1 day' < CURRENT_DATE + 1 AND concat(given_name, 1) = 'Maria1'"
    )
    assert sorted(str(id_) for id_ in select_ids(practice, query)) == ["C1", "C2"]


def test_every_table_is_either_a_customers_or_closed_to_queries() -> None:
    tables = set(SQLModel.metadata.tables)
    assert {"staff", "sign_ins", "failures", "installation", "audit", "webhooks"} <= tables - READABLE
    assert READABLE - tables <= {"dates"}  # a table that is to come


def test_a_connection_that_was_asked_can_write_again(practice: Engine) -> None:
    assert sorted(str(id_) for id_ in select_ids(practice, "SELECT customer_id FROM customers")) == [
        "7", "C1", "C2", "C3",
    ]  # fmt: skip
    with writing(practice) as session:
        session.add(Customer(customer_id="C9"))


@given(st.text(max_size=200))
@limits(deadline=None)
def test_whatever_is_taken_for_a_query_has_nothing_around_it(query: str) -> None:
    for tried in (query, f"SELECT {query}"):
        try:
            kept = require_select(tried)
        except IntakeError:
            continue
        assert kept.strip() == kept


def run(database: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--database", f"sqlite:///{database}", "--now", NOW.isoformat()])
    return result.exit_code, result.output


def test_the_command_names_them_lists_bad_rows_and_ends_with_two(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    with writing(sqlite_engine) as session:
        session.add(Customer(customer_id="C1"))
        add_staff(session, "ada", "Ada", "admin", NOW)
    database, file = tmp_path / "outreach.db", tmp_path / "hit.csv"
    file.write_text("customer_id\nC1\nC2\n")
    words = ["goodwill", "--file", str(file), "--event", EVENT, "--by", "ada"]
    status, said = run(database, *words)
    assert status == 2
    assert "2 read, 1 named now, 0 named before, 1 refused" in said
    assert "no customer has this id" in said
    file.write_text("C1\n")
    assert run(database, *words)[0] == 0
    query = ["goodwill", "--query", "SELECT customer_id FROM customers", "--event", "storm", "--by", "ada", "--json"]
    status, said = run(database, *query)
    assert (status, json.loads(said)["named"]) == (0, 1)
    assert named(sqlite_engine) == [("storm", "C1"), (EVENT, "C1")]
    assert run(database, "goodwill", "--event", EVENT, "--by", "ada")[0] == 1
