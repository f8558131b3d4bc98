"""Files as people really send them: every encoding, separator and fault, to the end, each row accounted for."""

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from intake_data import import_folder, stored, write
from outreach.errors import SourceUnreadable
from outreach.intake.cells.mended_text import mend_text
from outreach.intake.mapping.files import Mapping, read_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.sources.csv_files import Layout, open_source
from outreach.intake.sources.csv_rows import Row
from outreach.intake.sources.encodings import detect_encoding
from outreach.invisible_characters import drop_invisible
from outreach.models import Customer, Feedback
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
HEADER = ["id", "name", "note"]


def read_all(path: Path, encoding: str | None = None, separator: str | None = None) -> tuple[list[str], list[Row]]:
    with open_source(path, Layout(encoding, separator)) as source:
        return source.header, list(source.rows)


def read_good(path: Path, encoding: str | None = None, separator: str | None = None) -> list[list[str]]:
    header, rows = read_all(path, encoding, separator)
    assert not [row for row in rows if row.problem]
    return [header, *(row.cells for row in rows)]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def make(content: bytes) -> Path:
        (tmp_path / "file.csv").write_bytes(content)
        return tmp_path / "file.csv"

    return make


# Reading

LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff")
CELLS = st.text(LETTERS | st.sampled_from("\r\n\t;,|\"'"), max_size=12)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS).filter(lambda row: any(cell.strip() for cell in row)), max_size=6)
FOUND_OUT = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]
STATED = ["cp1252", "cp1254", "cp1256", "latin-1", "utf-16-le", "utf-16-be", "cp1251", "gb18030"]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS, st.sampled_from(FOUND_OUT + STATED), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"]))
def test_whatever_rows_are_written_are_read_back(
    tmp_path: Path, rows: list[tuple[str, str, str]], encoding: str, separator: str, end: str
) -> None:
    kept = [[cell.encode(encoding, "ignore").decode(encoding) for cell in row] for row in rows]
    kept = [row for row in kept if any(cell.strip() for cell in row)]
    path = tmp_path / "file.csv"
    with path.open("w", newline="", encoding=encoding) as handle:
        writer = csv.writer(handle, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
        writer.writerows([HEADER, *kept])
    assert read_good(path, None if encoding in FOUND_OUT else encoding) == [HEADER, *kept]


def as_csv(people: list[str]) -> str:
    return "customer_id,given_name\n" + "".join(f'{number},"{name}"\n' for number, name in enumerate(people))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_name_of_every_script_comes_back_in_unicode(
    encoding: str, names: dict[str, list[str]], file: Callable[[bytes], Path]
) -> None:
    for people in names.values():
        some = people[:40]
        assert [row[1] for row in read_good(file(as_csv(some).encode(encoding)))[1:]] == some


@pytest.fixture(scope="module")
def names(shared: Path) -> dict[str, list[str]]:
    """Names by locale."""
    found = defaultdict(list)
    for line in (shared / "data" / "names" / "faker_name_lists.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        found[entry["locale"]].append(entry["name"])
    return found


@pytest.mark.parametrize(
    ("locale", "page"),
    [("tr_TR", "cp1254"), ("is_IS", "cp1252"), ("es_MX", "cp1252"), ("pt_BR", "cp1252"), ("ar_AA", "cp1256"),
     ("ar_SA", "cp1256"), ("ar_PS", "cp1256"), ("ar_DZ", "cp1256"), ("ru_RU", "cp1251"), ("el_GR", "cp1253"),
     ("he_IL", "cp1255")],
)  # fmt: skip
def test_a_windows_page_is_told_from_its_letters(
    locale: str, page: str, names: dict[str, list[str]], file: Callable[[bytes], Path]
) -> None:
    people = [name for name in names[locale] if name == name.encode(page, "ignore").decode(page)]
    step = max(1, len(people) // 60)
    for start in range(step):
        some = people[start::step]
        assert [row[1] for row in read_good(file(as_csv(some).encode(page)))[1:]] == some


@pytest.mark.parametrize(("locale", "page"), [("zh_CN", "gbk"), ("zh_TW", "big5"), ("ko_KR", "euc-kr")])
def test_letters_of_another_page_are_refused_and_not_mangled(
    locale: str, page: str, names: dict[str, list[str]], file: Callable[[bytes], Path]
) -> None:
    some = [name for name in names[locale] if name == name.encode(page, "ignore").decode(page)][:60]
    path = file(as_csv(some).encode(page))
    with pytest.raises(SourceUnreadable, match="save it as CSV UTF-8, or name its encoding"):
        detect_encoding(path)
    assert [row[1] for row in read_good(path, page)[1:]] == some


def test_a_few_bytes_that_are_not_utf_8_cost_their_own_rows_only(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    lines = ["customer_id,given_name", *(f"c{number},Zoë" for number in range(9))]
    (tmp_path / "customers.csv").write_bytes("\n".join(lines).encode() + "\nc9,Zoë\n".encode("cp1252"))
    report = take(sqlite_engine, settings, tmp_path)
    assert [(refusal.line, refusal.column) for refusal in report.refusals] == [(11, "given_name")]
    assert {row.given_name for row in stored(sqlite_engine, Customer)} == {"Zoë"}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a;b\n1;2\n", [["a", "b"], ["1", "2"]]),
        (b"sep=|\r\na|b\r\n1,5|2\r\n", [["a", "b"], ["1,5", "2"]]),
        (b"a,b\r1,2\r\r3,4", [["a", "b"], ["1", "2"], ["3", "4"]]),
        (b"\n\n\na,b\n1,2\n,\n   \n3,4\n", [["a", "b"], ["1", "2"], ["3", "4"]]),
        (b'name;"born, at"\n"Doe; Jane";"x, y, z"\n', [["name", "born, at"], ["Doe; Jane", "x, y, z"]]),
        (b'\xef\xbb\xbf"a","b"\n1,2\n', [["a", "b"], ["1", "2"]]),
        ("\ufeffa\tb\n1\t2\n".encode("utf-16-be"), [["a", "b"], ["1", "2"]]),
        (b"a\n1\n2\n", [["a"], ["1"], ["2"]]),
    ],
)
def test_separators_line_ends_and_blank_lines_are_found_out(
    content: bytes, rows: list[list[str]], file: Callable[[bytes], Path]
) -> None:
    assert read_good(file(content)) == rows


def test_each_row_knows_the_line_it_starts_on(file: Callable[[bytes], Path]) -> None:
    _, rows = read_all(file(b'a,b\n1,"x\ny\r\nz"\n\n2,3\n'))
    assert [row.line for row in rows] == [2, 6]


def test_a_row_too_short_or_too_long_is_a_problem_of_its_own(file: Callable[[bytes], Path]) -> None:
    _, rows = read_all(file(b"a,b,c\n1,2\n1,2,3\n1,2,3,4\n"))
    assert [(row.line, row.problem) for row in rows] == [
        (2, "the row has 2 cells, and the header names 3 columns"), (3, ""),
        (4, "the row has 4 cells, and the header names 3 columns")]  # fmt: skip


@pytest.mark.parametrize("middle", [b'2,"never closed\n', b'2,"closed" and more\n', b'2,"' + b"x" * 200_000 + b'"\n'])
def test_a_quote_that_goes_wrong_costs_its_own_row_only(middle: bytes, file: Callable[[bytes], Path]) -> None:
    after = b"".join(b'%d,"fine"\n' % number for number in range(3, 3000))
    _, rows = read_all(file(b'a,b\n1,"fine"\n' + middle + after))
    assert [row.line for row in rows if row.problem] == [3]
    assert [row.cells[0] for row in rows if not row.problem] == ["1", *(str(number) for number in range(3, 3000))]
    assert [row.line for row in rows] == list(range(2, 3001))


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # Of one moment for ever: the bytes name the test, and two processes must name it alike.
        entry = zipfile.ZipInfo("sheet.xml", (2026, 1, 1, 0, 0, 0))
        archive.writestr(entry, bytes(range(256)) * 400, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty"),
        (b"\n\n  \n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (bytes(range(32)) * 8, "not a text file"),
        (b"\0\1\2\3" * 99, "not a text file"),
        (zipped(), "not a text file|not UTF-8"),
        (b'"never closed\n1,2\n', "its first line must name the columns, but a quote"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, told: str, file: Callable[[bytes], Path]) -> None:
    with pytest.raises(SourceUnreadable, match=told):
        read_all(file(content))


def test_a_stated_encoding_that_is_wrong_is_unreadable_or_marks_its_rows(file: Callable[[bytes], Path]) -> None:
    with pytest.raises(SourceUnreadable, match="not written in the encoding"):
        read_all(file(b"a,b\n1,2\n"), "utf-16")
    _, rows = read_all(file("a,b\n1,ö\n2,o\n".encode("cp1252")), "utf-8")
    assert [row.cells for row in rows] == [["1", "\udcff"], ["2", "o"]]


# Importing: whatever the file, the import ends and every row is accounted for


def take(engine: Engine, settings: Settings, folder: Path, mapping: Mapping | None = None) -> ImportReport:
    report = import_folder(engine, folder, settings, NOW, mapping)
    for count in report.files:
        assert count.read == count.accepted + count.refused
    assert len(report.refusals) == report.refused
    assert all(refusal.line >= 1 and refusal.reason for refusal in report.refusals)
    return report


@pytest.mark.parametrize(
    ("content", "column", "told"),
    [
        (b"1,2,3\n4,5,6\n", "customer_id", "no such column"),
        (b"customer_id,Customer_Id\nc1,c2\n", "customer_id", "twice"),
        (b"", "", "empty"),
        (b"PK\x03\x04\x00\x00\x00\x00", "", "not a text file"),
    ],
)
def test_a_file_at_fault_as_a_whole_is_one_refusal_and_the_others_come_in(
    engine: Engine, settings: Settings, tmp_path: Path, content: bytes, column: str, told: str
) -> None:
    folder = tmp_path / "data"
    write(folder, "flags.csv", ["customer_id", "kind", "from"], ["c1", "moved", "2026-01-01"])
    (folder / "customers.csv").write_bytes(content)
    report = take(engine, settings, folder)
    (refusal,) = report.refusals
    assert (refusal.file, refusal.line, refusal.column) == ("customers.csv", 1, column)
    assert told in refusal.reason
    assert [(count.table, count.accepted) for count in report.files] == [("customers", 0), ("flags", 1)]
    assert report.ignored == {}, "the first line of such a file may hold a customer's data"


def test_a_folder_in_the_place_of_a_file_is_a_refusal(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "customers.csv").mkdir()
    (refusal,) = take(sqlite_engine, settings, tmp_path).refusals
    assert refusal.reason == "it cannot be read (Is a directory)"


def test_a_duplicate_of_a_column_nobody_uses_does_no_harm(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path, "customers.csv", ["customer_id", "x", "x", "", ""], ["c1", "1", "2", "3", "4"])
    assert take(sqlite_engine, settings, tmp_path).accepted == 1


def test_names_of_columns_and_files_are_fit_to_be_shown(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "customers.csv").write_bytes("customer_id,schö\x1b[2Jn,é".encode() + b"\xff\nc1,,\n")
    (folder / "a\nb.csv").touch()
    ignored = take(sqlite_engine, settings, folder).ignored
    assert ignored == {"a\ufffdb.csv": [], "customers.csv": ["schö\ufffd[2Jn", "é\ufffd"]}


def torture(shared: Path) -> list[Path]:
    return sorted((shared / "data" / "csv_torture").rglob("*.csv"))


def first_columns(path: Path, folder: Path) -> Mapping:
    """A mapping that takes a file's first columns, whatever their names, for a customer's id and names."""
    try:
        with open_source(path) as source:
            header = source.header
    except SourceUnreadable:
        header = ["id"]
    ours = ["customer_id", "given_name", "family_name"]
    lines = [f"{name} = {json.dumps(theirs)}" for name, theirs in zip(ours, header, strict=False)]
    words = f'[[file]]\nname = "{path.name}"\n[[file.table]]\ninto = "customers"\n[file.table.columns]\n'
    (folder / "mapping.toml").write_text(words + "\n".join(lines), encoding="utf-8")
    return read_mapping(folder / "mapping.toml")


def test_every_tortured_file_imports_to_the_end(
    shared: Path, sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    paths = torture(shared)
    assert len(paths) > 40
    for number, path in enumerate(paths):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / path.name).write_bytes(path.read_bytes())
        take(sqlite_engine, settings, folder, first_columns(path, tmp_path))
        (folder / path.name).rename(folder / "customers.csv")
        assert take(sqlite_engine, settings, folder).accepted == 0, "none of them has a customer_id"


def test_a_file_with_every_kind_of_bad_row_says_what_is_wrong_with_each(
    shared: Path, sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    told = {}
    for path in (shared / "data" / "csv_torture" / "csvkit").glob("*.csv"):
        folder = tmp_path / path.stem
        folder.mkdir()
        (folder / path.name).write_bytes(path.read_bytes())
        report = take(sqlite_engine, settings, folder, first_columns(path, tmp_path))
        told[path.stem] = [(refusal.line, refusal.column, refusal.reason) for refusal in report.refusals]
    assert [line for line, _, _ in told["bad"]] == [2, 3]
    assert [line for line, _, _ in told["bad_skip_lines"]] == [5, 6]
    assert [line for line, _, _ in told["join_a_short"]] == [2, 3]
    assert told["null_byte"] == [(2, "customer_id", "a line break or another control character stands inside the text")]
    assert told["empty"] == [(1, "", "it is empty; its first line must name the columns")]
    assert not any(told[name] for name in ("dummy", "sniff_limit", "test_skip_lines", "test_utf16_big", "test_latin1"))


def test_the_rows_of_csv_spectrum_are_those_of_its_own_json(shared: Path) -> None:
    folder = shared / "data" / "csv_torture" / "csv-spectrum"
    paths = sorted(folder.glob("*.csv"))
    assert len(paths) == 12
    for path in paths:
        expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if path.stem == "location_coordinates":
            # Its JSON is one object, whose telephone number is not the one that its CSV has.
            expected = [{**expected, "Contact Phone Number": "2095257564"}]
        header, *rows = read_good(path)
        assert [dict(zip(header, row, strict=True)) for row in rows] == expected


@pytest.mark.parametrize(
    ("name", "encoding", "locale"),
    [
        ("ar_utf16bom_tab.csv", "utf-16", "ar"),
        ("de_cp1252_semicolon.csv", "cp1252", None),
        ("fa_cp1256_semicolon_crlf.csv", "cp1256", "fa_IR"),
        ("tr_cp1254.csv", "cp1254", "tr_TR"),
    ],
)
def test_transcoded_names_come_back_letter_for_letter(
    name: str, encoding: str, locale: str | None, shared: Path, names: dict[str, list[str]],
    sqlite_engine: Engine, settings: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    path = shared / "data" / "csv_torture" / "transcoded" / name
    written = path.read_bytes().decode(encoding)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(path.read_bytes())
    (tmp_path / "mapping.toml").write_text(TRANSCODED, encoding="utf-8")
    report = take(sqlite_engine, settings, tmp_path / "in", read_mapping(tmp_path / "mapping.toml"))
    separator = next(sign for sign in "\t;," if sign in written.splitlines()[0])
    expected = {row[0]: row for row in list(csv.reader(io.StringIO(written, newline=""), delimiter=separator))[1:]}
    kept = {row.customer_id: row for row in stored(sqlite_engine, Customer)}
    notes = {row.customer_id: row.text for row in stored(sqlite_engine, Feedback)}
    assert kept.keys() | {number for number in expected if number not in kept} == expected.keys()
    assert len(expected) == 40
    assert len(kept) >= 30
    for number, row in kept.items():
        assert [row.given_name, row.family_name] == expected[number][1:3]
        assert row.customer_since is not None
    for number, note in notes.items():
        assert note == expected[number][4].replace("\ufeff", "")
    assert len(notes) == 40
    if locale:
        known = {person for place, people in names.items() if place.startswith(locale) for person in people}
        # The public list is half of the one they were taken from.
        assert len({row.given_name for row in kept.values()} & known) > 10
    assert {refusal.column for refusal in report.refusals} <= {"customer_since"}


TRANSCODED = """
[[file]]
name = "*.csv"
dates = ["DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YY", "Mon DD, YYYY", "excel"]

[[file.table]]
into = "customers"
[file.table.columns]
customer_id = "id"
given_name = "first"
family_name = "last"
customer_since = "since"

[[file.table]]
into = "feedback"
[file.table.columns]
feedback_id = "id"
customer_id = "id"
given_at = { constant = "2026-01-01" }
kind = { constant = "review" }
text = "note"
"""


def test_naughty_strings_are_kept_as_they_are_or_refused(
    shared: Path, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    folder = shared / "data" / "naughty_strings"
    texts = [json.loads(line)["s"] for line in (folder / "blns.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in (folder / "mojibake_ftfy.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        texts += [entry["original"], entry["fixed"]]
    numbered = {f"{number:04}": text for number, text in enumerate(texts)}
    write(tmp_path / "data", "customers.csv", ["customer_id", "given_name"], *numbered.items())
    write(tmp_path / "data", "feedback.csv", ["feedback_id", "customer_id", "given_at", "kind", "text"],
          *([number, number, "2026-01-01", "review", text] for number, text in numbered.items()))  # fmt: skip
    report = take(engine, settings, tmp_path / "data")
    assert report.accepted > 1.9 * len(texts)
    assert {refusal.column for refusal in report.refusals} <= {"given_name", "text"}
    # What had been encoded twice is mended; a text that only looks odd stays.
    kept = {number: mend_text(text.replace("\ufeff", ""))[0].strip(" \t") for number, text in numbered.items()}
    for row in stored(engine, Customer):
        # Names lose the letters that nobody sees; what somebody wrote to us keeps them.
        assert row.given_name is None or row.given_name == drop_invisible(kept[row.customer_id])
    for row in stored(engine, Feedback):
        assert row.text is None or row.text == kept[row.feedback_id]


def test_injected_headers_are_refused_and_other_attacks_are_only_text(
    shared: Path, sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    folder = shared / "data" / "injection"
    texts = sorted({text for path in folder.rglob("*.jsonl") for text in strings_in(path)})
    assert len(texts) > 1000
    write(tmp_path / "data", "customers.csv", ["customer_id", "given_name"],
          *([f"{number:05}", text] for number, text in enumerate(texts)))  # fmt: skip
    report = take(sqlite_engine, settings, tmp_path / "data")
    assert report.accepted > 0.8 * len(texts)
    kept = [row.given_name for row in stored(sqlite_engine, Customer) if row.given_name]
    assert not any("\r" in name or "\n" in name for name in kept)


def strings_in(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield from (value for value in json.loads(line).values() if isinstance(value, str))
