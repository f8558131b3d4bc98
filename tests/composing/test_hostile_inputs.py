"""What is hostile, broken or merely awkward: refused in one line, within bounds, and without anybody's data."""

import io
import os
import smtplib
import socket
import sqlite3
import stat
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pyarrow
import pytest
from pyarrow import parquet
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject, NumberObject
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from asgi import new_browser
from conftest import NOW
from intake_data import import_folder
from mail_server import mail_server
from outreach import console
from outreach.clock import stopped_clock
from outreach.commands.main import main
from outreach.composing.handwriting.own_hand.scans import read_scans
from outreach.composing.proofing.page_check import check_letter
from outreach.composing.proofing.page_tree import require_bounded
from outreach.composing.recheck import recheck
from outreach.contacts import load_key
from outreach.database import open_database, reading, upgrade_database, writing
from outreach.database_errors import explain_database_error, find_trouble
from outreach.delivery.providers import files
from outreach.doctor import examination
from outreach.errors import ComposingError, DatabaseError, IntakeError, ScanUnreadable
from outreach.intake.goodwill_lists import read_list
from outreach.intake.mapping.files import read_mapping
from outreach.intake.sources.csv_files import open_source
from outreach.intake.sources.csv_rows import LONGEST_CELL, LONGEST_LINE, Row
from outreach.intake.sources.parquet_files import open_parquet
from outreach.models import Customer, Suppression
from outreach.settings import Settings, load_settings
from outreach.web import server
from outreach.web.app import create_app
from planned import add_customer, plan
from printed_letters import letter
from serving import Browser, serving
from smtp_provider import open_to, sealed

SAID = "Zephyrine Quackenbush, 9 Marmalade Row"


@pytest.fixture
def loose_umask() -> Iterator[None]:
    """As a worker has it that nobody told better."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# The database


def run_main(monkeypatch: pytest.MonkeyPatch, *words: str) -> str | int | None:
    monkeypatch.setattr(sys, "argv", ["outreach", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_row_that_the_database_refuses_is_told_without_a_word_of_it(engine: Engine) -> None:
    row = {"customer_id": "c1", "given_name": SAID}
    insert = text("INSERT INTO customers (customer_id, given_name) VALUES (:customer_id, :given_name)")
    with pytest.raises(DBAPIError) as refused, writing(engine) as session:
        session.connection().execute(insert, [row, row])
    assert SAID not in str(refused.value)
    line = explain_database_error(refused.value)
    assert "IntegrityError" in line
    assert "c1" not in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_bytes(b"this is a shopping list, and no database" * 100), "no SQLite database"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be opened"),
    ],
)
def test_a_file_that_is_no_database_is_one_line(
    damage: Callable[[Path], object], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outreach.db"
    path.touch()
    damage(path)
    said = str(run_main(monkeypatch, "status", "--database", f"sqlite:///{path}"))
    assert told in said
    assert len(said.splitlines()) == 1


def test_a_full_disk_is_one_line(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(_: object) -> None:
        with writing(sqlite_engine) as session:
            session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
            session.connection().execute(text("CREATE TABLE more AS SELECT randomblob(9999999) AS body"))

    monkeypatch.setattr("outreach.commands.status.count_messages", fill)
    said = str(run_main(monkeypatch, "status", "--database", str(sqlite_engine.url)))
    assert said.startswith("outreach: The disk of the database is full. Make room")
    assert len(said.splitlines()) == 1


def test_a_database_that_another_program_writes_is_told_as_busy(sqlite_engine: Engine) -> None:
    with closing(sqlite3.connect(sqlite_engine.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with sqlite_engine.connect().execution_options(reading=True) as ours:
            ours.exec_driver_sql("PRAGMA busy_timeout = 1")
            with pytest.raises(DBAPIError) as busy:
                ours.exec_driver_sql("DELETE FROM customers")
    assert "Another program" in (find_trouble(busy.value) or "")


def test_a_file_that_may_only_be_read_is_told(tmp_path: Path, sqlite_engine: Engine) -> None:
    url = f"sqlite:///file:{sqlite_engine.url.database}?mode=ro&uri=true"
    with pytest.raises(DBAPIError) as refused, writing(open_database(url)) as session:
        session.add(Customer(customer_id="c1"))
    assert "cannot be written" in (find_trouble(refused.value) or "")


def test_a_postgresql_that_ends_our_connection_or_is_not_there_is_told(postgres_url: str, tmp_path: Path) -> None:
    engine = open_database(postgres_url)
    with engine.connect() as ours:
        number = ours.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        time.sleep(0.2)
        with pytest.raises(DBAPIError) as ended:
            ours.execute(text("SELECT 1"))
    assert "ended the connection" in (find_trouble(ended.value) or "")
    with pytest.raises(DatabaseError, match="does not answer") as absent:
        upgrade_database(open_database(f"postgresql://nobody:hush@/none?host={tmp_path}"))
    assert "hush" not in str(absent.value)
    assert "\n" not in str(absent.value)


def test_the_desk_says_that_the_database_does_not_answer_and_logs_one_line(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(sqlite_engine, settings, stopped_clock(NOW))
    Path(sqlite_engine.url.database or "").write_bytes(b"overwritten by somebody else" * 1000)
    answer = new_browser(app, "https://desk.example").get("/signin", headers={"cookie": "__Host-session=x"})
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    [line] = [record.getMessage() for record in caplog.records if record.name == "outreach.web"]
    assert "no SQLite database" in line


def test_a_file_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch, sqlite_engine: Engine) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device", "letter.pdf")

    monkeypatch.setattr("outreach.commands.status.count_messages", fail)
    assert "The disk is full" in str(run_main(monkeypatch, "status", "--database", str(sqlite_engine.url)))


# The secret


@pytest.mark.parametrize("loss", ["gone", "another"])
def test_a_lost_secret_stops_before_anything_is_hashed_with_a_new_one(
    engine: Engine, settings: Settings, tmp_path: Path, loss: str
) -> None:
    path = tmp_path / "secret"
    own = settings.model_copy(update={"secret": None, "secret_file": path})
    load_key(engine, own)
    add_customer(engine)
    plan(engine, "anniversary", "letter", "c1")
    path.unlink()
    if loss == "another":
        path.write_text("another secret")
    for read in (lambda: load_key(engine, own), lambda: recheck_nothing(engine, own)):
        with pytest.raises(DatabaseError, match="1 messages can only be matched with the old one: restore the old"):
            read()
    assert path.exists() == (loss == "another")
    with reading(engine) as session:
        assert not session.exec(select(Suppression)).all()


def recheck_nothing(engine: Engine, settings: Settings) -> object:
    with reading(engine) as session:
        return recheck(session, settings, [], NOW.date(), NOW)


def test_a_secret_file_saved_by_notepad_is_the_same_secret(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    own = settings.model_copy(update={"secret": None, "secret_file": path})
    key = load_key(sqlite_engine, own)
    path.write_bytes(b"\xef\xbb\xbf" + key + b"\r\n")
    assert load_key(sqlite_engine, own) == key


@pytest.mark.parametrize("content", [b"pass-word\n", b"\xef\xbb\xbfpass-word\r\n", b"  pass-word"])
def test_a_password_file_may_have_a_mark_and_ends_of_lines(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_bytes(content)
    monkeypatch.setenv("OUTREACH_PROVIDERS__SMTP__PASSWORD_FILE", str(tmp_path / "password"))
    password = load_settings().providers.smtp.password
    assert password
    assert password.get_secret_value() == "pass-word"


# The mail server


class Asked(smtplib.SMTP):
    """A connection to a server that knows `ways` and one password, and notes what it was told."""

    def __init__(self, ways: str, password: str) -> None:
        self.esmtp_features = {"auth": ways}
        self.answers: dict[str, object] = {}
        self.password, self.said = password, list[str]()

    def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
        import base64

        self.said.append(cmd)
        if args == "CRAM-MD5":
            return 334, base64.b64encode(b"<riddle@x.example>")
        if args == "LOGIN":
            return 334, b"VXNlcm5hbWU6"
        last = base64.b64decode((args or cmd).rpartition(" ")[2])
        if args.startswith("PLAIN "):
            return (235 if last == f"\0office\0{self.password}".encode() else 535), b""
        if last == b"office":
            return 334, b"UGFzc3dvcmQ6"
        return (235 if last == self.password.encode() else 535), b""


@pytest.mark.parametrize("ways", [" PLAIN", " LOGIN", " LOGIN PLAIN", " CRAM-MD5 PLAIN XOAUTH2"])
def test_a_password_in_any_letters_signs_in_by_every_way_that_servers_name(ways: str) -> None:
    from outreach.delivery.providers.smtp_login import log_in

    log_in(Asked(ways, "Zähne-2026 🦷"), "office", "Zähne-2026 🦷")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        log_in(Asked(ways, "Zähne-2026 🦷"), "office", "Zahne")


def test_a_login_by_our_own_way_still_lets_a_message_out() -> None:
    with mail_server() as mail:
        open_to(mail).send(sealed())
    assert len(mail.taken) == 1


def test_a_mail_server_may_be_named_by_an_ipv6_address_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_PROVIDERS__SMTP__HOST", "[2001:db8::25]")
    assert load_settings().providers.smtp.host == "2001:db8::25"


# Requests and connections


def test_more_cookies_than_any_of_ours_are_refused_before_anything_reads_them(
    sqlite_engine: Engine, settings: Settings
) -> None:
    browser = new_browser(create_app(sqlite_engine, settings, stopped_clock(NOW)), "https://desk.example")
    began = time.monotonic()
    for cookie in ('a="' + "\\" * 60_000 + '"', "; ".join(f"c{number}=1" for number in range(2000))):
        for path in ("/signin", "/unsubscribe/x", "/webhooks/lob", "/nowhere", "/healthz"):
            answer = browser.get(path, headers={"cookie": cookie})
            assert answer.status_code == 431
            assert answer.headers["x-content-type-options"] == "nosniff"
    assert time.monotonic() - began < 20
    assert browser.get("/signin", headers={"cookie": "a=" + "x" * 4000}).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /heal",
        b"POST /signin HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_a_connection_that_nobody_uses_is_cut_off(
    sent: bytes, sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PATIENCE", {"for a request": 1.0, "for its body": 1.0, "for a reader": 1.0})
    monkeypatch.setattr(server, "LOOK_EVERY", 0.1)
    with (
        serving(sqlite_engine, settings) as client,
        socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as half,
    ):
        half.sendall(sent)
        assert_ends(half)
        assert client.get("/healthz").status_code == 200


def assert_ends(connection: socket.socket) -> None:
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        return


def test_a_client_that_reads_nothing_of_a_long_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = server.BoundedProtocol.__new__(server.BoundedProtocol)

    class Transport:
        aborted = False

        def get_write_buffer_size(self) -> int:
            return 1

        def abort(self) -> None:
            self.aborted = True

    class Loop:
        now = 0.0

        def time(self) -> float:
            return self.now

        def call_later(self, *_: object) -> None: ...

    transport, loop = Transport(), Loop()
    protocol.transport, protocol.loop, protocol.cycle = transport, loop, None  # type: ignore[assignment]
    protocol._waits, protocol._since = ("for a request", None), 0.0
    for second in range(62):
        loop.now = float(second)
        protocol._look_after()
        assert transport.aborted == (second > server.PATIENCE["for a reader"])


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("::1", "http://[::1]:8080"),
        ("[::1]", "http://[::1]:8080"),
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("fe80::1%eth0", "http://[fe80::1%25eth0]:8080"),
    ],
)
def test_an_ipv6_host_is_shown_as_an_address_that_can_be_opened(host: str, address: str) -> None:
    assert server.address_of(host, 8080) == address
    if "%" not in address:
        assert httpx.URL(address).port == 8080


def test_doctor_names_what_a_python_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, is_named in (((3, 11, 7), True), ((3, 12, 5), True), ((3, 12, 12), False), ((3, 14, 0), False)):
        monkeypatch.setattr(examination.sys, "version_info", (*version, "final", 0))
        assert ("CVE-2024-7592" in examination._python().mend) == is_named


# Files that are none, and files that would become far larger


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipes_and_devices_are_refused_as_input_without_being_opened(
    kind: str, tmp_path: Path, sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
        return path

    put("data/customers.csv"), put("data/visits.parquet")
    report = import_folder(sqlite_engine, tmp_path / "data", settings, NOW)
    assert [row.reason for row in report.refusals] == ["it cannot be read (It is a pipe or a device, and no file)"] * 2
    for read in (read_list, read_mapping):
        with pytest.raises(IntakeError, match="pipe or a device"):
            read(put(f"{read.__name__}.csv"))
    with pytest.raises(ScanUnreadable, match="pipe or a device"):
        read_scans([put("scan.pdf")])
    assert "pipe or a device" in str(run_main(monkeypatch, "check", str(put("letter.pdf"))))
    monkeypatch.setenv("OUTREACH_PROVIDERS__SMTP__PASSWORD_FILE", str(put("password")))
    assert "pipe or a device" in str(run_main(monkeypatch, "pen", "list"))


def long_values(path: Path) -> None:
    once = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 20_000, pyarrow.int32()), ["x" * 5_000_000])
    parquet.write_table(pyarrow.table({"customer_id": list(map(str, range(20_000))), "given_name": once}), path)


def one_long_page(path: Path) -> None:
    table = pyarrow.table({"customer_id": ["1"], "given_name": ["y" * 2_000_000]})
    parquet.write_table(table, path, compression="zstd", use_dictionary=False)


def more_rows_than_bytes(path: Path) -> None:
    table = pyarrow.table({"customer_id": pyarrow.array(["a"] * 5_000_000).dictionary_encode()})
    parquet.write_table(table, path, compression="zstd")


@pytest.mark.parametrize("bomb", [long_values, one_long_page, more_rows_than_bytes])
def test_a_parquet_file_that_would_become_far_larger_is_refused(
    bomb: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "customers.parquet"
    if bomb is one_long_page:  # as one of 64 MB is, which would take its time to make
        monkeypatch.setattr("outreach.intake.sources.parquet_files.LARGEST_PAGE", 1_000_000)
    bomb(path)
    before = pyarrow.default_memory_pool().max_memory()
    with pytest.raises(IntakeError, match="far larger"), open_parquet(path) as source:
        list(source.rows)
    assert pyarrow.default_memory_pool().max_memory() - before < 200_000_000


def test_columns_of_a_parquet_file_that_hold_lists_harm_nobody_and_ordinary_ones_are_read(tmp_path: Path) -> None:
    path = tmp_path / "customers.parquet"
    names = pyarrow.array(["Ann", None, "Ann"]).dictionary_encode()
    table = pyarrow.table({"customer_id": ["1", "2", "3"], "tags": [["a"], [], None], "given_name": names})
    for version in ("1.0", "2.0"):
        parquet.write_table(table, path, data_page_version=version)
        with open_parquet(path) as source:
            assert source.header == ["customer_id", "tags", "given_name"]
            cells = [row.cells for row in source.rows]
        assert cells == [["1", "[…]", "Ann"], ["2", "[…]", ""], ["3", "[…]", "Ann"]]


def read_csv(path: Path, content: str) -> list[Row]:
    path.write_text(content)
    with open_source(path) as source:
        return list(source.rows)


def test_a_line_that_does_not_end_costs_its_own_row_and_the_next_is_read(tmp_path: Path) -> None:
    rows = read_csv(tmp_path / "a.csv", f"id,note\n1,{'ab,' * LONGEST_LINE}\n2,fine\n")
    assert [(row.line, bool(row.problem)) for row in rows] == [(2, True), (3, False)]
    assert sum(map(len, rows[0].cells)) <= LONGEST_LINE
    assert rows[1].cells == ["2", "fine"]


def test_a_cell_longer_than_any_is_a_problem_of_its_row(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"id": ["1", "2"], "note": ["n" * (LONGEST_CELL + 1), "n"]}), tmp_path / "a")
    with open_parquet(tmp_path / "a") as source:
        rows = list(source.rows)
    assert [bool(row.problem) for row in rows] == [True, False]
    assert rows[0].cells == ["1", ""]


# Letters from elsewhere


def rebuilt(change: Callable[[PdfWriter], object]) -> bytes:
    writer, out = PdfWriter(PdfReader(io.BytesIO(letter()))), io.BytesIO()
    change(writer)
    writer.write(out)
    return out.getvalue()


def box(*sides: float) -> ArrayObject:
    return ArrayObject(map(FloatObject, sides))


def inherit(writer: PdfWriter) -> None:
    page = writer.pages[0]
    page["/Parent"].get_object()[NameObject("/MediaBox")] = page.pop("/MediaBox")  # type: ignore[index]


def inherit_turned(writer: PdfWriter) -> None:
    inherit(writer)
    writer.pages[0].pop("/Rotate", None)
    writer.pages[0]["/Parent"].get_object()[NameObject("/Rotate")] = NumberObject(90)  # type: ignore[index]


CHANGES: list[Callable[[PdfWriter], object]] = [
    lambda writer: writer.pages[0].rotate(90),
    lambda writer: writer.pages[0].rotate(180),
    inherit_turned,
    lambda writer: writer.pages[0].update({NameObject("/CropBox"): box(0, 0, 595.28, 841.89)}),
    lambda writer: writer.pages[0].update({NameObject("/UserUnit"): FloatObject(2)}),
    lambda writer: writer.pages[0].update({NameObject("/MediaBox"): box(0, 0, 1e6, 1e6)}),
    lambda writer: writer.pages[0].update({NameObject("/MediaBox"): box(0, 0, 1, 1e5)}),
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_a_page_that_is_turned_cut_or_of_no_size_is_a_fault_in_words(number: int, settings: Settings) -> None:
    faults = check_letter(rebuilt(CHANGES[number]), "outbox", settings)
    assert {fault.kind for fault in faults} == {"paper"}


def test_a_page_whose_size_stands_above_it_is_checked_as_any_other(settings: Settings) -> None:
    assert check_letter(rebuilt(inherit), "outbox", settings) == []


CIRCLE = b"""%PDF-1.7
1 0 obj
<</Type/Catalog/Pages 2 0 R>>
endobj
2 0 obj
<</Type/Pages/Kids[2 0 R 2 0 R]/Count 100000>>
endobj
trailer<</Size 3/Root 1 0 R>>
%%EOF
"""


@pytest.mark.parametrize("pdf", [CIRCLE, CIRCLE.replace(b"[2 0 R 2 0 R]", b"[9 0 R]"), CIRCLE[:60], b"%PDF-1.7"])
def test_pages_in_a_circle_or_nowhere_are_an_error_in_words(pdf: bytes, settings: Settings) -> None:
    with pytest.raises(ComposingError, match="print it anew"):
        check_letter(pdf, "outbox", settings)


def test_a_pdf_that_unpacks_to_far_more_than_a_letter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.composing.proofing.page_tree.MOST_UNPACKED", 2_000_000)
    packed = zlib.compress(bytes(20_000_000))
    for content in (packed, zlib.compress(packed)):
        with pytest.raises(ComposingError, match="unpacks"):
            require_bounded(b"%PDF-1.7\n1 0 obj\n<<>>\nstream\n" + content + b"\nendstream")
    require_bounded(letter())


# What is printed and shown


def test_names_that_are_marks_for_the_terminal_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["\\[/x]", "[/]", "[red]Bob", "\\\\[/x]", ":smile:", "[link=http://x]a", "\\"]
    console.print_table("[/] :smile:", ["\\[/]"], [[name] for name in names])
    console.say("[/] :smile: \x1b[31mred\x07")
    said = capsys.readouterr().out
    lines = [line.strip() for line in said.splitlines()]
    assert lines == ["[/] :smile:", "\\[/]", *names, "[/] :smile: \ufffd[31mred\ufffd"]


def test_a_page_of_a_message_without_words_opens(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    references = [plan(sqlite_engine, "anniversary", "letter", "c1"), plan(sqlite_engine, "checkin", "text", "c1")]
    with serving(sqlite_engine, settings) as client:
        nora = Browser(client, sqlite_engine, "nora", "approver")
        for reference in references:
            page = nora.get(f"/messages/{reference}")
            assert page.status_code == 200
            assert "It has no words yet." in page.text
            assert "/batches/None" not in page.text


# Whose eyes


def test_files_are_private_wherever_they_are_made(loose_umask: None, tmp_path: Path) -> None:
    day = tmp_path / "outbox" / "2026-03-10"
    with files.locked(day):
        files.write_record(day / ".texts", "A", {"name": SAID})
        files.mark_open(tmp_path / "outbox", NOW.date(), "text")
        files.write_once(day / "A.pdf", b"letter")
        files.replace(day / "texts.csv", b"list")
    upgrade_database(open_database(f"sqlite:///{tmp_path / 'outreach.db'}"))
    found = [path for path in tmp_path.rglob("*") if not path.name.startswith("outreach.db-")]
    assert len(found) >= 9
    for path in found:
        assert mode_of(path) == (0o700 if path.is_dir() else 0o600), path.name


def test_a_file_that_is_written_over_becomes_private(loose_umask: None, tmp_path: Path) -> None:
    from outreach.local_files import write_private

    (tmp_path / "proof.png").write_bytes(b"old and much longer")
    write_private(tmp_path / "proof.png", b"new")
    assert mode_of(tmp_path / "proof.png") == 0o600
    assert (tmp_path / "proof.png").read_bytes() == b"new"


def test_what_prefect_runs_writes_for_this_user_alone(loose_umask: None) -> None:
    import importlib

    import flows

    importlib.reload(flows)
    assert os.umask(0o077) == 0o077
