"""What an import counts on both databases: rows that are new, changed, the same or repeated; and snapshots."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from intake_data import stored
from mapped import TheirFiles
from outreach.intake.record_buffer import AT_ONCE
from outreach.intake.repeats import SHOWN, Repeats
from outreach.intake.reports import FileCount, ImportReport
from outreach.models import Consent, Customer
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


@pytest.fixture
def theirs(tmp_path: Path, engine: Engine, settings: Settings) -> TheirFiles:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return TheirFiles(folder, engine, settings, NOW)


def count_of(report: ImportReport) -> FileCount:
    (count,) = report.files
    return count


def counts_of(report: ImportReport) -> tuple[int, int, int, int]:
    count = count_of(report)
    return count.new, count.changed, count.same, count.repeated


# Rows


def test_rows_are_new_then_the_same_then_changed(theirs: TheirFiles) -> None:
    theirs.put("customers.csv", "customer_id,given_name,born_on", "c1,Ann,1980-01-02", "c2,Bo,")
    assert counts_of(theirs.take()) == (2, 0, 0, 0)
    assert counts_of(theirs.take()) == (0, 0, 2, 0)
    theirs.put("customers.csv", "customer_id,given_name,born_on", "c1,Anna,1980-01-02", "c2,Bo,", "c3,Cy,")
    assert counts_of(theirs.take()) == (1, 1, 1, 0)
    theirs.put("customers.csv", "customer_id,given_name,born_on", "c1,Anna,", "c2,,", "c3,Cy,")
    assert counts_of(theirs.take()) == (0, 2, 1, 0), "what is taken out changes a row as well"


def test_a_column_that_the_file_has_no_more_changes_nothing(theirs: TheirFiles) -> None:
    theirs.put("customers.csv", "customer_id,given_name", "c1,Ann")
    theirs.take()
    theirs.put("customers.csv", "customer_id", "c1")
    assert counts_of(theirs.take()) == (0, 0, 1, 0)


def test_rows_of_one_id_are_counted_once_and_the_last_of_them_stands(theirs: TheirFiles) -> None:
    theirs.put("customers.csv", "customer_id,given_name", "c1,Ann", "c2,Bo", "c1,Anna", "c1,Annie")
    report = theirs.take()
    assert counts_of(report) == (2, 0, 0, 2)
    assert (count_of(report).read, count_of(report).repeated_lines) == (4, (4, 5))
    assert [row.given_name for row in stored(theirs.engine, Customer)] == ["Annie", "Bo"]
    remark = "customers.csv → customers: 2 rows have an id that stood in the file before; the last of them counts"
    assert f"{remark} (see line 4, 5)" in report.remarks


def test_rows_of_one_id_that_lie_far_apart_are_repeated_too(theirs: TheirFiles) -> None:
    rows = [f"c{number},Ann" for number in range(AT_ONCE)]
    theirs.put("customers.csv", "customer_id,given_name", *rows, "c0,Anna", "c7,Ann")
    report = theirs.take()
    count = count_of(report)
    assert (count.new, count.repeated, count.repeated_lines) == (AT_ONCE, 2, (AT_ONCE + 2, AT_ONCE + 3))
    assert (count.changed, count.same) == (1, 1), "what was stored already is compared again"


def test_a_key_of_two_columns_is_one_id(theirs: TheirFiles) -> None:
    header = "payment_id,invoice_id,paid_on,amount"
    theirs.put("payments.csv", header, "p1,i1,2026-01-01,5", "p1,i2,2026-01-01,5", "p1,i1,2026-01-01,6")
    assert counts_of(theirs.take()) == (2, 0, 0, 1)
    theirs.put("payments.csv", header, "p1,i1,2026-01-01,6", "p1,i2,2026-01-01,7")
    assert counts_of(theirs.take()) == (0, 1, 1, 0)


def test_what_is_refused_is_neither_new_nor_changed(theirs: TheirFiles) -> None:
    theirs.put("customers.csv", "customer_id,country", "c1,Narnia", "c2,US")
    report = theirs.take()
    assert (counts_of(report), report.refused) == ((1, 0, 0, 0), 1)


def test_of_very_many_repeated_rows_the_first_lines_are_named_in_order() -> None:
    repeats = Repeats()
    lines = range(2, 1002)
    repeats.add(((f"c{line % 7}",) for line in lines), lines)
    assert repeats.find() == (1000 - 7, list(range(9, 9 + SHOWN)))


# Consents: an export says how things stand on its day, and not since when

SNAPSHOT = """
[[file]]
name = "people.csv"
[[file.table]]
into = "consents"
only = { column = "Mail", is_empty = false }
[file.table.columns]
customer_id = "No"
channel = { constant = "email" }
purpose = { constant = "marketing" }
state = { column = "Mail", values = { yes = "granted", no = "withdrawn" } }
at = { constant = "today" }
"""


def take_snapshot(theirs: TheirFiles, days: int, *rows: str) -> tuple[int, int, int, int]:
    """Imports the export of so many days after the first."""
    theirs.put("people.csv", "No,Mail", *rows)
    return counts_of(theirs.take(SNAPSHOT, NOW + timedelta(days=days)))


def words_of(theirs: TheirFiles) -> list[tuple[str, str, int]]:
    """Whose word it is, what it says, and on which day it came."""
    consents = sorted(stored(theirs.engine, Consent), key=lambda each: (each.customer_id, each.at))
    return [(each.customer_id, each.state, each.at.day) for each in consents]


def test_an_export_that_says_the_same_again_is_no_new_word(theirs: TheirFiles) -> None:
    assert take_snapshot(theirs, 0, "c1,yes", "c2,no", "c3,") == (2, 0, 0, 0)
    first = words_of(theirs)
    assert [(id_, state) for id_, state, _ in first] == [("c1", "granted"), ("c2", "withdrawn")]
    assert take_snapshot(theirs, 7, "c1,yes", "c2,no", "c3,") == (0, 0, 2, 0)
    assert words_of(theirs) == first


def test_an_export_that_says_something_else_is_a_word_of_its_day(theirs: TheirFiles) -> None:
    take_snapshot(theirs, 0, "c1,yes", "c2,no")
    assert take_snapshot(theirs, 7, "c1,no", "c2,no", "c3,yes") == (2, 0, 1, 0)
    assert [(id_, state) for id_, state, _ in words_of(theirs)] == [
        ("c1", "granted"), ("c1", "withdrawn"), ("c2", "withdrawn"), ("c3", "granted")]  # fmt: skip
    (first, last) = (day for id_, _, day in words_of(theirs) if id_ == "c1")
    assert last - first == 7
    assert take_snapshot(theirs, 14, "c1,yes") == (1, 0, 0, 0)
    assert [state for id_, state, _ in words_of(theirs) if id_ == "c1"] == ["granted", "withdrawn", "granted"]


def test_a_yes_that_an_export_goes_on_saying_does_not_stand_against_a_no_said_elsewhere(theirs: TheirFiles) -> None:
    take_snapshot(theirs, 0, "c1,yes", "c2,no")
    (theirs.folder / "people.csv").unlink()
    header = "customer_id,channel,purpose,state,at,source"
    elsewhere = ["c1,email,marketing,withdrawn,2026-03-12,by telephone", "c2,email,marketing,granted,2026-03-12,a form"]
    theirs.put("consents.csv", header, *elsewhere)
    theirs.take()
    (theirs.folder / "consents.csv").unlink()
    assert take_snapshot(theirs, 7, "c1,yes", "c2,no") == (1, 0, 1, 0)
    words = [(id_, state) for id_, state, _ in words_of(theirs)]
    assert [state for id_, state in words if id_ == "c1"] == ["granted", "withdrawn"]
    assert [state for id_, state in words if id_ == "c2"] == ["withdrawn", "granted", "withdrawn"]


def test_a_word_with_a_day_of_its_own_is_kept_with_it_however_often_it_comes(theirs: TheirFiles) -> None:
    header = "customer_id,channel,purpose,state,at"
    said = [f"c1,email,marketing,granted,2026-01-0{day}" for day in (1, 2)]
    theirs.put("consents.csv", header, *said)
    assert counts_of(theirs.take()) == (2, 0, 0, 0), "that they said it twice is known"
    assert counts_of(theirs.take()) == (0, 0, 2, 0)
