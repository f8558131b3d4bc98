"""Rows that were refused mark whose they are until they come in; and refusals stay small however many there are."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import func, select

from intake_data import import_folder, write
from outreach.database import reading, writing
from outreach.intake.cells.parsers import Style
from outreach.intake.headers import TABLES
from outreach.intake.reports import ImportReport
from outreach.intake.unread_rows import Unread, find_unread, payments_read_at, payments_unread_everywhere
from outreach.models import Merge, Refusal, UnreadRow
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
BILLS = ["invoice_id", "customer_id", "payer_id", "issued_on", "due_on", "amount"]
PAID = ["payment_id", "invoice_id", "paid_on", "amount"]
VISITS = ["visit_id", "customer_id", "starts_at"]


class Importer:
    """Imports one file at a time, and asks what is unread of everybody."""

    def __init__(self, engine: Engine, settings: Settings, folder: Path) -> None:
        self.engine, self.settings, self.folder = engine, settings, folder

    def take(self, name: str, *rows: list[str], now: datetime = NOW) -> ImportReport:
        for old in self.folder.glob("*.csv"):
            old.unlink()
        write(self.folder, name, *rows)
        return import_folder(self.engine, self.folder, self.settings, now)

    def unread(self, *ids: str) -> dict[str, list[tuple[str, str, str]]]:
        with reading(self.engine) as session:
            found = find_unread(session, ids or ("A", "B", "C", "P"))
        return {owner: [(row.table, row.row_id, row.column) for row in rows] for owner, rows in found.items()}

    def is_everyones(self) -> bool:
        with reading(self.engine) as session:
            return payments_unread_everywhere(session)

    def read_at(self) -> datetime | None:
        with reading(self.engine) as session:
            return payments_read_at(session, NOW + timedelta(days=30))


@pytest.fixture
def files(engine: Engine, settings: Settings, tmp_path: Path) -> Importer:
    (tmp_path / "data").mkdir()
    return Importer(engine, settings, tmp_path / "data")


def test_a_refused_row_marks_its_customer_until_it_comes_in(files: Importer) -> None:
    files.take("visits.csv", VISITS, ["v1", "A", "soon"], ["v2", "B", "2026-03-01"])
    assert files.unread() == {"A": [("visits", "v1", "starts_at")]}
    with reading(files.engine) as session:
        assert find_unread(session, ["A"]) == {"A": (Unread("visits", "v1", "starts_at", NOW),)}
        assert find_unread(session, []) == {}
    files.take("visits.csv", VISITS, ["v1", "A", "soon"], now=LATER)
    with reading(files.engine) as session:
        assert find_unread(session, ["A"])["A"][0].since == NOW, "since the first time"
    files.take("visits.csv", VISITS, ["v1", "A", "2026-03-02"], now=LATER)
    assert files.unread() == {}


def test_a_file_that_is_read_again_without_the_row_mends_it(files: Importer) -> None:
    files.take("visits.csv", VISITS, ["", "A", "2026-03-02"])
    assert files.unread() == {"A": [("visits", "", "visit_id")]}
    files.take("visits.csv", VISITS, ["v9", "B", "2026-03-02"])
    assert files.unread() == {}


def test_a_refused_payment_marks_the_customer_and_the_payer_of_its_invoice(files: Importer) -> None:
    files.take("invoices.csv", BILLS, ["k1", "A", "P", "2026-02-03", "2026-03-05", "1250.00"])
    files.take("payments.csv", PAID, ["p1", "k1", "2026-03-04", "1,250,00"])
    assert files.unread() == {who: [("payments", "p1|k1", "amount")] for who in ("A", "P")}
    assert not files.is_everyones()
    assert files.read_at() == NOW
    files.take("payments.csv", PAID, ["p1", "k1", "2026-03-04", "1250.00"])
    assert files.unread() == {}


def test_a_payment_torn_by_an_unquoted_comma_still_says_whose_it_is(files: Importer) -> None:
    files.take("invoices.csv", BILLS, ["k1", "A", "", "2026-02-03", "2026-03-05", "1250.00"],
               ["k2", "B", "", "2026-02-03", "2026-03-05", "1250.00"])  # fmt: skip
    files.take("payments.csv", PAID)
    (files.folder / "payments.csv").write_text(
        ",".join(PAID) + '\np1,k1,2026-03-04,1,250.00\np2,k2,2026-03-04,"1250.00\n', encoding="utf-8"
    )
    report = import_folder(files.engine, files.folder, files.settings, NOW)
    assert report.refused == 2
    assert files.unread() == {"A": [("payments", "p1|k1", "")], "B": [("payments", "p2|k2", "")]}


def test_a_refused_row_of_an_invoice_marks_whom_the_invoice_on_record_is_for(files: Importer) -> None:
    files.take("invoices.csv", BILLS, ["k1", "A", "P", "2026-02-03", "2026-03-05", "10"])
    files.take("invoices.csv", BILLS, ["k1", "", "", "2026-02-03", "2026-03-05", "10"])
    assert files.unread() == {who: [("invoices", "k1", "customer_id")] for who in ("A", "P")}


def test_a_row_whose_customer_cannot_be_read_marks_whose_it_is_on_record(files: Importer) -> None:
    files.take("visits.csv", VISITS, ["v1", "A", "2026-03-01"])
    files.take("visits.csv", VISITS, ["v1", "", "2026-03-02"])
    assert files.unread() == {"A": [("visits", "v1", "customer_id")]}


def test_payments_of_which_nobody_can_be_read_are_everyones_and_not_fresh(files: Importer) -> None:
    files.take("payments.csv", PAID, ["p1", "k1", "2026-03-04", "5"])
    assert files.read_at() == NOW
    files.take("payments.csv", PAID, ["p2", "", "2026-03-04", "5"], now=LATER)
    assert files.is_everyones()
    assert files.read_at() == NOW
    files.take("payments.csv", PAID, ["p2", "k1", "2026-03-04", "5"], now=LATER + timedelta(hours=1))
    assert not files.is_everyones()
    assert files.read_at() == LATER + timedelta(hours=1)


def test_a_known_payment_that_lost_its_invoice_is_still_the_one_on_record(files: Importer) -> None:
    files.take("invoices.csv", BILLS, ["k1", "A", "", "2026-02-03", "2026-03-05", "10"])
    files.take("payments.csv", PAID, ["p1", "k1", "2026-03-04", "5"])
    files.take("payments.csv", PAID, ["p1", "", "2026-03-04", "7"])
    assert not files.is_everyones()
    assert files.unread() == {"A": [("payments", "p1|", "invoice_id")]}


@pytest.mark.parametrize("content", ["payment_id,amount\np1,5\n", ""])
def test_a_file_of_payments_that_cannot_be_read_at_all_is_no_fresh_import(files: Importer, content: str) -> None:
    (files.folder / "payments.csv").write_text(content, encoding="utf-8")
    import_folder(files.engine, files.folder, files.settings, NOW)
    assert files.is_everyones()
    assert files.read_at() is None
    files.take("payments.csv", PAID, now=LATER)
    assert not files.is_everyones()
    assert files.read_at() == LATER


def test_of_two_rows_of_one_id_the_later_says_whether_it_is_unread(files: Importer) -> None:
    good, bad = ["v1", "A", "2026-03-01"], ["v1", "A", "soon"]
    files.take("visits.csv", VISITS, bad, good)
    assert files.unread() == {}
    files.take("visits.csv", VISITS, good, bad)
    assert files.unread() == {"A": [("visits", "v1", "starts_at")]}


def test_a_refused_withdrawal_is_not_mended_by_another_word_of_the_same_customer(files: Importer) -> None:
    head = ["customer_id", "channel", "purpose", "state", "at"]
    files.take("consents.csv", head, ["A", "email", "marketing", "withdrawn", "lately"])
    (files.folder / "consents.csv").unlink()
    # A file of another name, so that only the row itself can mend it.
    write(files.folder, "Consents.CSV", head, ["A", "call", "marketing", "granted", "2026-03-01"])
    import_folder(files.engine, files.folder, files.settings, NOW)
    assert list(files.unread()) == ["A"]
    write(files.folder, "Consents.CSV", head, ["A", "email", "marketing", "withdrawn", "2026-03-01"])
    import_folder(files.engine, files.folder, files.settings, NOW)
    assert files.unread() == {}


def test_a_row_of_a_number_that_was_merged_marks_the_person_kept(files: Importer) -> None:
    files.take("visits.csv", VISITS, ["v1", "B", "soon"])
    with writing(files.engine) as session:
        session.add(Merge(kept_id="A", merged_id="B", by="ann", at=NOW))
    assert files.unread("A") == {"A": [("visits", "v1", "starts_at")]}


def test_many_unread_rows_are_asked_for_by_whom_they_mark(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.chunks.IDS_AT_ONCE", 3)
    monkeypatch.setattr("outreach.intake.unread_rows.IDS_AT_ONCE", 3)
    files = Importer(sqlite_engine, settings, tmp_path)
    files.take("visits.csv", VISITS, *([f"v{number}", f"c{number}", "soon"] for number in range(8)))
    assert set(files.unread("c1", "c2", "c5", "c7", "c99")) == {"c1", "c2", "c5", "c7"}


def test_words_of_other_programs_for_the_states_of_an_invoice_are_ours() -> None:
    check = next(column.check for column in TABLES["invoices"].columns if column.name == "status")
    read = {word: check(word, Style("UTC", "USD")) for word in ("Paid", "Settled", "closed", "VOID", "Voided",
            "cancelled", "Canceled", "deleted", "Draft", "Written off", "in dispute", "unpaid")}  # fmt: skip
    assert list(read.values()) == [*["paid"] * 3, *["void"] * 5, "draft", "written_off", "disputed", "open"]


def test_refusals_are_counted_and_written_in_pages_and_only_the_first_are_listed(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    rows = ([f"v{number}", f"c{number}", "soon" if number % 5 else "2026-03-01"] for number in range(6000))
    write(tmp_path, "visits.csv", VISITS, *rows)
    report = import_folder(engine, tmp_path, settings, NOW)
    assert (report.read, report.accepted, report.refused) == (6000, 1200, 4800)
    assert len(report.refusals) == 1000
    assert [(each.file, each.column, each.rows) for each in report.reasons] == [("visits.csv", "starts_at", 4800)]
    assert any("4,800 refused" in remark for remark in report.remarks)
    with reading(engine) as session:
        assert session.exec(select(func.count()).select_from(Refusal)).one() == 4800
        assert session.exec(select(func.count()).select_from(UnreadRow)).one() == 4800
    import_folder(engine, tmp_path, settings, LATER)
    with reading(engine) as session:
        assert session.exec(select(func.count()).select_from(UnreadRow)).one() == 4800


def test_memory_does_not_grow_with_what_is_refused(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        write(tmp_path, "visits.csv", VISITS, *([f"v{number}", f"c{number}", "soon"] for number in range(rows)))
        tracemalloc.start()
        import_folder(sqlite_engine, tmp_path, settings, NOW)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    few = peak(4_000)
    assert peak(12_000) < few * 1.5


def test_an_import_that_was_interrupted_is_not_a_fresh_one(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    files = Importer(sqlite_engine, settings, tmp_path)
    monkeypatch.setattr("outreach.intake.record_buffer.store_rows", stop)
    with pytest.raises(KeyboardInterrupt):
        files.take("payments.csv", PAID, ["p1", "k1", "2026-03-04", "5"])
    assert files.read_at() is None
