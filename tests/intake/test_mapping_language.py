"""The mapping language, word by word: what one of our columns becomes of one row of theirs."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mapped import OneColumn
from outreach.errors import MappingRefused
from outreach.intake.cells.unfit import Unfit
from outreach.intake.mapping.conditions import Condition
from outreach.settings import Settings

TODAY = date(2026, 3, 10)
NOT_A_DATE = "this is not a date that exists"


@pytest.fixture
def column(tmp_path: Path, settings: Settings) -> OneColumn:
    """Of a business in New York that counts in dollars."""
    return OneColumn(tmp_path, settings.business, TODAY)


# Where a text comes from, and what is done with it

STREET = {"S": "1 Elm Row\r\n\r\nUnit 4,\nBack door"}
TEXTS: dict[str, tuple[str, dict[str, str], str | None]] = {
    "a column": ('"A"', {"A": "Ann"}, "Ann"),
    "a column whose name is in other letters": ('"first NAME"', {" First Name": "Ann"}, "Ann"),
    "an empty cell": ('"A"', {"A": "  "}, None),
    "several columns": ('{ columns = ["A", "B"] }', {"A": "Ann", "B": "Lee"}, "Ann Lee"),
    "several columns, joined": ('{ columns = ["A", "B"], join = "-" }', {"A": "7", "B": "9"}, "7-9"),
    "of several columns the full ones": ('{ columns = ["A", "B", "C"], join = ", " }',
                                         {"A": "7", "B": "", "C": "9"}, "7, 9"),
    "a constant": ('{ constant = "Ann" }', {}, "Ann"),
    "the first way": ('{ first_of = ["A", "B"] }', {"A": "Ann", "B": "Lee"}, "Ann"),
    "the first way that yields anything": ('{ first_of = ["A", { constant = "X" }, "B"] }', {"A": "", "B": "Lee"}, "X"),
    "of no way": ('{ first_of = ["A", "B"] }', {"A": "", "B": ""}, None),
    "ways within a way": ('{ first_of = ["A", { first_of = ["B", "C"] }] }', {"A": "", "B": "", "C": "Di"}, "Di"),
    "only where a condition holds": ('{ column = "A", only = { column = "T", is = "x" } }', {"A": "Ann", "T": "x"},
                                     "Ann"),
    "only where a condition holds that does not": ('{ column = "A", only = { column = "T", is = "x" } }',
                                                   {"A": "Ann", "T": "y"}, None),
    "only where all conditions hold": ('{ column = "A", only = [{ column = "T", is = "x" }, '
                                       '{ column = "A", is_not = "Ann" }] }', {"A": "Ann", "T": "x"}, None),
    "the first line": ('{ column = "S", line = 1 }', STREET, "1 Elm Row"),
    "the second line that is not empty": ('{ column = "S", line = 2 }', STREET, "Unit 4"),
    "the last line": ('{ column = "S", line = -1 }', STREET, "Back door"),
    "all lines from the second on": ('{ column = "S", line = "2-" }', STREET, "Unit 4, Back door"),
    "a line that there is not": ('{ column = "S", line = 4 }', STREET, None),
    "a line of several columns": ('{ columns = ["A", "S"], join = "\\n", line = "2-" }', {"A": "c/o Lee"} | STREET,
                                  "1 Elm Row, Unit 4, Back door"),
    "a part by its number": ('{ column = "A", split = " ::: ", part = 2 }', {"A": "x ::: y ::: z"}, "y"),
    "the last part": ('{ column = "A", split = ":", part = -1 }', {"A": "Parent:Child"}, "Child"),
    "all parts from the second on": ('{ column = "A", split = ",", part = "2-" }', {"A": "x, y,, z"}, "y, z"),
    "a part that there is not": ('{ column = "A", split = ",", part = 3 }', {"A": "x,y"}, None),
    "the town of a layout": ('{ column = "A", split = "City, ST ZIP", part = "City" }',
                             {"A": "Salt Lake City, UT 84101"}, "Salt Lake City"),
    "the state of a layout": ('{ column = "A", split = "City, ST ZIP", part = "ST" }',
                              {"A": "Salt Lake City,  UT 84101-0001"}, "UT"),
    "the code of a layout": ('{ column = "A", split = "City, ST ZIP", part = "ZIP" }',
                             {"A": "Salt Lake City, UT 84101-0001"}, "84101-0001"),
    "a code with a gap": ('{ column = "A", split = "City, ST ZIP", part = "ZIP" }', {"A": "Victoria, BC V8W 1P6"},
                          "V8W 1P6"),
    "a layout without commas": ('{ column = "A", split = "City ST ZIP", part = "City" }',
                                {"A": "Salt Lake City UT 84101"}, "Salt Lake City"),
    "a name laid out": ('{ column = "A", split = "Last, First", part = "First" }', {"A": "van Dunn, Cora Ann"},
                        "Cora Ann"),
    "a layout of an empty cell": ('{ column = "A", split = "Last, First", part = "First" }', {"A": ""}, None),
    "the given name of a whole one": ('{ column = "A", name_part = "given" }', {"A": "Cora van Dunn"}, "Cora"),
    "the family name of a whole one": ('{ column = "A", name_part = "family" }', {"A": "Cora van Dunn"}, "van Dunn"),
    "the given name behind a comma": ('{ column = "A", name_part = "given" }', {"A": "van Dunn, Cora"}, "Cora"),
    "the given name of a company": ('{ column = "A", name_part = "given" }', {"A": "Dunn Roofing, LLC"}, None),
    "the family name of a company": ('{ column = "A", name_part = "family" }', {"A": "Dunn Roofing, LLC"},
                                     "Dunn Roofing, LLC"),
    "the given name of several": ('{ column = "A", name_part = "given" }', {"A": "Kiln & Daughters"}, None),
    "the family name of one word": ('{ column = "A", name_part = "family" }', {"A": "Plato"}, "Plato"),
    "without what is stripped": ('{ column = "A", strip = "\'*" }', {"A": "'* Ann's*"}, "Ann's"),
    "nothing but what is stripped": ('{ column = "A", strip = "-" }', {"A": "---"}, None),
    "without digits": ('{ column = "A", strip_digits = true }', {"A": "Ann123"}, "Ann"),
    "in small letters": ('{ column = "A", fold = true }', {"A": "Ann@Home.Example"}, "ann@home.example"),
    "with something before it": ('{ column = "A", prefix = "PO Box " }', {"A": "12"}, "PO Box 12"),
    "nothing before an empty cell": ('{ column = "A", prefix = "PO Box " }', {"A": ""}, None),
    "a telephone number as one": ('{ column = "A", as_phone = true }', {"A": "(802) 555-0142"}, "+18025550142"),
    "what is no telephone number": ('{ column = "A", as_phone = true }', {"A": "ask Ann"}, None),
    "in our words": ('{ column = "A", values = { x = "one", y = "two" } }', {"A": "y"}, "two"),
    "otherwise": ('{ column = "A", values = { x = "one" }, otherwise = "other" }', {"A": "z"}, "other"),
    "otherwise nothing": ('{ column = "A", values = { x = "one" }, otherwise = "" }', {"A": "z"}, None),
    "our word for an empty cell": ('{ column = "A", values = { "" = "none" } }', {"A": ""}, "none"),
    "an empty cell that no word stands for": ('{ column = "A", values = { x = "one" } }', {"A": ""}, None),
    "parted, then put into our words, then marked": (
        '{ column = "A", split = "/", part = 2, fold = true, values = { x = "one" }, prefix = "no. " }', {"A": "a/ X"},
        "no. one"),
}  # fmt: skip


@pytest.mark.parametrize("what", TEXTS)
def test_a_text_is_taken_as_the_mapping_says(column: OneColumn, what: str) -> None:
    origin, row, text = TEXTS[what]
    assert column.read("customers.given_name", origin, row) == text


@pytest.mark.parametrize(
    ("origin", "row", "reason"),
    [
        (
            '{ column = "A", split = "City, ST ZIP", part = "ST" }',
            {"A": "Burlington"},
            "not written like “City, ST ZIP”",
        ),
        (
            '{ column = "A", split = "Last, First", part = "Last" }',
            {"A": "Cora Dunn"},
            "not written like “Last, First”",
        ),
        ('{ column = "A", values = { x = "one" } }', {"A": "z"}, "the mapping's list of values does not have this one"),
        ('"A"', {"A": "1 Elm Row\nUnit 4"}, "a line break or another control character"),
    ],
)
def test_a_text_that_cannot_be_taken_so_refuses_its_row_and_is_not_repeated(
    column: OneColumn, origin: str, row: dict[str, str], reason: str
) -> None:
    with pytest.raises(Unfit, match=reason) as refused:
        column.read("customers.given_name", origin, row)
    assert row["A"] not in str(refused.value)


def test_what_stands_in_an_empty_cell_is_told_to_the_file(column: OneColumn) -> None:
    file = 'empty = ["NULL", "-"]\nstrip = "\'"'
    read = [column.read("customers.given_name", '"A"', {"A": cell}, file) for cell in ("NULL", "-", "'-", "'Ann", "N")]
    assert read == [None, None, None, "Ann", "N"]


# Of several ways


def test_of_several_ways_one_that_does_not_fit_is_passed_by(column: OneColumn) -> None:
    origin = '{ first_of = ["A", "B"] }'
    assert column.read("visits.starts_at", origin, {"A": "soon", "B": "2020-01-02"}).date() == date(2020, 1, 2)


@pytest.mark.parametrize("second", ["2020-02-31", ""])
def test_where_no_way_fits_the_first_reason_is_told(column: OneColumn, second: str) -> None:
    with pytest.raises(Unfit, match=NOT_A_DATE):
        column.read("visits.starts_at", '{ first_of = ["A", "B"] }', {"A": "soon", "B": second})


# Dates

DAYS: dict[str, tuple[str, dict[str, str], str, str | None]] = {
    "as ISO": ('"A"', {"A": "2026-01-05"}, "", "2026-01-05"),
    "as the file writes them": ('"A"', {"A": "5.1.2026"}, 'dates = "D.M.YYYY"', "2026-01-05"),
    "as the column writes them": ('{ column = "A", dates = "MM/DD/YYYY" }', {"A": "01/05/2026"},
                                  'dates = "DD/MM/YYYY"', "2026-01-05"),
    "with the month's name": ('"A"', {"A": "5 January 2026"}, 'dates = "D Month YYYY"', "2026-01-05"),
    "in either of two styles, the one": ('"A"', {"A": "3/15/2024 2:30 PM"},
                                         'dates = ["M/D/YYYY h:mm AM", "YYYYMMDD"]', "2024-03-15"),
    "in either of two styles, the other": ('"A"', {"A": "20240315"}, 'dates = ["M/D/YYYY h:mm AM", "YYYYMMDD"]',
                                           "2024-03-15"),
    "of the day of the import": ('{ constant = "today" }', {}, "", "2026-03-10"),
    "of an instant, as it fell here": ('"A"', {"A": "2026-01-05T03:00:00Z"}, "", "2026-01-04"),
    "of an instant in the file's zone": ('"A"', {"A": "2026-01-05 03:00:00"}, 'zone = "UTC"', "2026-01-04"),
    "of an instant in the column's zone": ('{ column = "A", zone = "Asia/Tokyo" }', {"A": "2026-01-05 13:00:00"},
                                           'zone = "UTC"', "2026-01-04"),
    "of an instant whose column says UTC": ('"Created (UTC)"', {"Created (UTC)": "2026-01-05 03:00"}, "", "2026-01-04"),
    "of a column that says UTC, whatever the file's zone": (
        '"Created (utc)"', {"Created (UTC)": "2026-01-05 03:00"}, 'zone = "Asia/Tokyo"', "2026-01-04"),
    "of a column that says UTC, told otherwise": (
        '{ column = "Created (UTC)", zone = "America/New_York" }', {"Created (UTC)": "2026-01-05 03:00"}, "",
        "2026-01-05"),
    "of midnight, which is how programs write a day": ('"Due (UTC)"', {"Due (UTC)": "2026-01-05 00:00:00"}, "",
                                                       "2026-01-05"),
    "without a zone, in the business's own": ('"A"', {"A": "2026-01-05 23:59"}, "", "2026-01-05"),
    "some days later": ('{ column = "A", add_days = 30 }', {"A": "2026-01-05"}, "", "2026-02-04"),
    "some days before": ('{ column = "A", add_days = -5 }', {"A": "2026-01-05"}, "", "2025-12-31"),
    "as many days later as a column says": ('{ column = "A", add_days = "T" }', {"A": "2026-01-05", "T": "Net 30"}, "",
                                            "2026-02-04"),
    "no days later where the column says none": ('{ column = "A", add_days = "T" }',
                                                 {"A": "2026-01-05", "T": "Due on receipt"}, "", "2026-01-05"),
    "a month later": ('{ column = "A", add_months = 1 }', {"A": "2026-01-05"}, "", "2026-02-05"),
    "a month after a month's end": ('{ column = "A", add_months = 1 }', {"A": "2026-01-31"}, "", "2026-02-28"),
    "a month after a month's end in a leap year": ('{ column = "A", add_months = 1 }', {"A": "2024-01-31"}, "",
                                                   "2024-02-29"),
    "a month before a month's end": ('{ column = "A", add_months = -1 }', {"A": "2026-03-31"}, "", "2026-02-28"),
    "a year before one that lies ahead": ('{ column = "A", add_months = -12 }', {"A": "1.12.26"}, 'dates = "D.M.YY"',
                                          "2025-12-01"),
    "days later than today, when nobody has come to us yet": ('{ column = "A", add_days = 30 }', {"A": "2026-03-01"},
                                                                "", None),
    "a month and some days later": ('{ column = "A", add_months = 1, add_days = 1 }', {"A": "2026-01-31"}, "",
                                    "2026-03-01"),
    "a year after a 29 February": ('{ column = "A", add_months = 12 }', {"A": "2024-02-29"}, "", "2025-02-28"),
    "that never was": ('"A"', {"A": ""}, "", None),
}  # fmt: skip


@pytest.mark.parametrize("what", DAYS)
def test_a_day_is_read_as_the_mapping_says(column: OneColumn, what: str) -> None:
    origin, row, file, day = DAYS[what]
    # A day that cannot be meant costs its cell and not its row.
    read = column.read("customers.customer_since", origin, row, file)
    assert (read and read.isoformat()) == day


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        ("03/04/2026 12:05 AM", datetime(2026, 3, 4, 5, 5, tzinfo=UTC)),
        ("03/04/2026 12:05 PM", datetime(2026, 3, 4, 17, 5, tzinfo=UTC)),
        ("03/04/2026 11:59 pm", datetime(2026, 3, 5, 4, 59, tzinfo=UTC)),
        ("03/04/2026", datetime(2026, 3, 4, 5, 0, tzinfo=UTC)),
        ("2026-03-04 09:00:00 -0800", datetime(2026, 3, 4, 17, 0, tzinfo=UTC)),
        ("2026-03-04 09:00:00 UTC", datetime(2026, 3, 4, 9, 0, tzinfo=UTC)),
        ("2026-03-04T09:00:00Z", datetime(2026, 3, 4, 9, 0, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_by_a_clock_of_twelve_hours_and_with_its_zone(
    column: OneColumn, cell: str, at: datetime
) -> None:
    origin = '{ column = "A", dates = ["MM/DD/YYYY hh:mm AM", "MM/DD/YYYY"] }'
    assert column.read("visits.starts_at", origin, {"A": cell}) == at


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2026-02-30", "this date does not exist"),
        ("02/30/2026", NOT_A_DATE),
        ("30.1.2026", NOT_A_DATE),
        ("13:00", NOT_A_DATE),
    ],
)
def test_a_date_that_is_none_is_refused_with_the_ways_in_which_it_may_be_written(
    column: OneColumn, cell: str, reason: str
) -> None:
    with pytest.raises(Unfit, match=reason):
        column.read("visits.starts_at", '"A"', {"A": cell}, 'dates = "MM/DD/YYYY"')


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("MM/DD/YYYY MM", "a date format has a month only once"),
        ("D.MM.YYYY DD", "a date format has a day only once"),
        ("YYYY-MM-DD YY", "a date format has a year only once"),
        ("Month MM DD YYYY", "a date format has a month only once"),
        ("DD.MM.YYYY hh:mm hh", "a date format has an hour only once"),
        ("DD.MM.YYYY hh:mm:ss ss", "a date format has seconds only once"),
        ("MM/DD/YYYY hh:mm AM PM", "a date format has AM or PM only once"),
        ("%d.%m.%Y", "dates are written with letters"),
        ("DD.MM.", "a date format needs a year"),
        ("MM/YYYY", "a date format needs a year"),
        ("DD/YYYY", "a date format needs a year"),
        ("MM/DD/YYYY AM", "a date format with AM needs the hour"),
    ],
)
def test_a_date_format_that_could_read_no_date_is_refused_with_the_mapping(
    column: OneColumn, written: str, why: str
) -> None:
    with pytest.raises(MappingRefused, match=f"file 1, dates: “{written}”: {why}"):
        column.mapping("customers.customer_since", '"A"', f'dates = "{written}"')


# Amounts, in cents

AMOUNTS: dict[str, tuple[str, dict[str, str], str, int]] = {
    "as it stands": ('"A"', {"A": "$1,234.50"}, "", 123450),
    "with a decimal comma": ('"A"', {"A": "1.234,50"}, 'decimal = ","', 123450),
    "with its sign turned": ('{ column = "A", negate = true }', {"A": "-20.00"}, "", 2000),
    "with its sign turned, from brackets": ('{ column = "A", negate = true }', {"A": "(20.00)"}, "", 2000),
    "with its sign as it is meant": ('{ column = "A", negate = false }', {"A": "-20.00"}, "", -2000),
    "less another": ('{ column = "A", less = "B" }', {"A": "100.00", "B": "30.5"}, "", 6950),
    "less nothing": ('{ column = "A", less = "B" }', {"A": "100.00", "B": ""}, "", 10000),
    "less another, turned": ('{ column = "A", less = "B", negate = true }', {"A": "100.00", "B": "30"}, "", -7000),
    "of a way within ways": ('{ first_of = [{ column = "A", less = "B" }] }', {"A": "100.00", "B": "30"}, "", 7000),
}  # fmt: skip


@pytest.mark.parametrize("what", AMOUNTS)
def test_an_amount_is_read_as_the_mapping_says(column: OneColumn, what: str) -> None:
    origin, row, file, cents = AMOUNTS[what]
    assert column.read("invoices.amount", origin, row, file) == cents


def test_an_amount_less_what_is_no_amount_is_refused(column: OneColumn) -> None:
    with pytest.raises(Unfit, match="this is not an amount"):
        column.read("invoices.amount", '{ column = "A", less = "B" }', {"A": "100", "B": "half"})


# What is optional


@pytest.mark.parametrize(
    ("ours", "cell"), [("country", "Narnia"), ("language", "the Queen's"), ("born_on", "--05-17"), ("currency", "gold")]
)
def test_what_is_optional_is_left_out_where_it_cannot_be_read(column: OneColumn, ours: str, cell: str) -> None:
    assert column.read(f"customers.{ours}", '{ column = "A", optional = true }', {"A": cell}) is None
    with pytest.raises(Unfit):
        column.read(f"customers.{ours}", '"A"', {"A": cell})


# Conditions

CONDITIONS: dict[str, tuple[dict[str, Any], dict[str, str], bool]] = {
    "is": ({"column": "A", "is": "x"}, {"A": "x"}, True),
    "is one of": ({"column": "A", "is": ["x", "y"]}, {"A": "y"}, True),
    "is, letter for letter": ({"column": "A", "is": "x"}, {"A": "X"}, False),
    "is empty text": ({"column": "A", "is": ["", "0"]}, {"A": ""}, True),
    "is not": ({"column": "A", "is_not": ["x", "y"]}, {"A": "z"}, True),
    "is not, but is": ({"column": "A", "is_not": ["x", "y"]}, {"A": "y"}, False),
    "starts": ({"column": "A", "starts": ["ab", "x"]}, {"A": "abc"}, True),
    "starts, but does not": ({"column": "A", "starts": "b"}, {"A": "abc"}, False),
    "starts not": ({"column": "A", "starts_not": "0001"}, {"A": "2026"}, True),
    "starts not, but does": ({"column": "A", "starts_not": ["x", "0001"]}, {"A": "0001-01-01"}, False),
    "has": ({"column": "A", "has": ["Clients", "Kunden"]}, {"A": "* my ::: Kunden"}, True),
    "has, but has not": ({"column": "A", "has": "Clients"}, {"A": "clients"}, False),
    "has not": ({"column": "A", "has_not": ":"}, {"A": "Parent"}, True),
    "has not, but has": ({"column": "A", "has_not": ":"}, {"A": "Parent:Child"}, False),
    "above": ({"column": "A", "above": 0}, {"A": "$0.01"}, True),
    "above, but the same": ({"column": "A", "above": 0}, {"A": "0.00"}, False),
    "above a fraction": ({"column": "A", "above": 0.5}, {"A": "0.51"}, True),
    "above, but no number": ({"column": "A", "above": 0}, {"A": "many"}, False),
    "above, but empty": ({"column": "A", "above": -1}, {"A": ""}, False),
    "below": ({"column": "A", "below": 0}, {"A": "(20.00)"}, True),
    "below, but above": ({"column": "A", "below": 0}, {"A": "20.00"}, False),
    "below, but no number": ({"column": "A", "below": 0}, {"A": "-"}, False),
    "above another column": ({"column": "A", "above_column": "B"}, {"A": "1,000.00", "B": "999"}, True),
    "above another column, but the same": ({"column": "A", "above_column": "B"}, {"A": "9", "B": "9.00"}, False),
    "above another column that is no number": ({"column": "A", "above_column": "B"}, {"A": "9", "B": ""}, False),
    "is empty": ({"column": "A", "is_empty": True}, {"A": ""}, True),
    "is empty, but is not": ({"column": "A", "is_empty": True}, {"A": "x"}, False),
    "is not empty": ({"column": "A", "is_empty": False}, {"A": "x"}, True),
    "empty, as it was called first": ({"column": "A", "empty": False}, {"A": ""}, False),
    "any of several": (
        {"any_of": [{"column": "A", "is": "x"}, {"column": "B", "above": 0}]}, {"A": "", "B": "1"}, True),
    "none of several": (
        {"any_of": [{"column": "A", "is": "x"}, {"column": "B", "above": 0}]}, {"A": "", "B": ""}, False),
    "any of several in another": ({"any_of": [{"any_of": [{"column": "A", "is": "x"}]}]}, {"A": "x"}, True),
}  # fmt: skip


@pytest.mark.parametrize("what", CONDITIONS)
def test_a_condition_holds_where_it_says(what: str) -> None:
    written, row, holds = CONDITIONS[what]
    condition = Condition.model_validate(written)
    assert condition.holds(row.__getitem__, ".") is holds
    assert condition.used == set(row), "a column that is looked at must be in the file"


def test_a_condition_reads_numbers_with_the_files_decimal_mark() -> None:
    condition = Condition.model_validate({"column": "A", "above": 1.0})
    assert condition.holds({"A": "1,5"}.__getitem__, ",")
    assert not condition.holds({"A": "1,5"}.__getitem__, ".")


# What cannot be meant is refused when the mapping is read, with its place

REFUSED: dict[str, tuple[str, str, str]] = {
    "a word that is unknown": ("customers.given_name", '{ colum = "A" }',
                               "given_name, colum: this word is not known here; did you mean “column”?"),
    "a word that is like none": ("customers.given_name", '{ column = "A", zzzz = 1 }',
                                 "given_name, zzzz: this word is not known here"),
    "a word of a condition": ("customers.given_name", '{ column = "A", only = { column = "B", is_nt = "x" } }',
                              "given_name, only 1, is_nt: this word is not known here; did you mean “is_not”?"),
    "a word of a way": ("customers.given_name", '{ first_of = [{ column = "A", prefx = "x" }] }',
                        "first_of 1, prefx: this word is not known here; did you mean “prefix”?"),
    "a word of a look-up": ("customers.given_name", '{ column = "A", look_up = { file = "x", by = "y", tak = "z" } }',
                            "look_up 1, tak: this word is not known here; did you mean “take”?"),
    "two origins": ("customers.given_name", '{ column = "A", constant = "B" }', "give one of column, columns"),
    "no origin": ("customers.given_name", '{ fold = true }', "give one of column, columns, constant and first_of"),
    "a value that does not fit": ("visits.status", '{ column = "A", values = { x = "came" } }',
                                  "status: “came” does not fit: this is none of booked, completed"),
    "a constant that does not fit": ("customers.country", '{ constant = "Narnia" }', "country: “Narnia” does not fit"),
    "an otherwise that does not fit": ("visits.status", '{ column = "A", values = { x = "booked" }, otherwise = "?" }',
                                       "status: “?” does not fit"),
    "an otherwise without values": ("visits.status", '{ column = "A", otherwise = "booked" }', "give “values” too"),
    "a constant of a way that does not fit": ("customers.country", '{ first_of = ["A", { constant = "Narnia" }] }',
                                              "country: “Narnia” does not fit"),
    "optional, where a row cannot do without": ("invoices.amount", '{ column = "A", optional = true }',
                                                "amount: it cannot be optional, for a row cannot do without it"),
    "a part without split": ("customers.given_name", '{ column = "A", part = 1 }', "give both"),
    "split without a part": ("customers.given_name", '{ column = "A", split = "," }', "give both"),
    "split by nothing": ("customers.given_name", '{ column = "A", split = "", part = 1 }', "“split” is empty"),
    "a part that the layout has not": ("customers.city", '{ column = "A", split = "City, ST ZIP", part = "Town" }',
                                       "“City, ST ZIP” has no part “Town”; it has City, ST, ZIP"),
    "a layout with a word twice": ("customers.city", '{ column = "A", split = "City, City", part = "City" }',
                                   "has a word twice"),
    "a part in words of no layout": ("customers.city", '{ column = "A", split = ",", part = "first" }',
                                     "write a number such as 1"),
    "line nought": ("customers.city", '{ column = "A", line = 0 }', "write a number such as 1"),
    "days of what is no date": ("customers.city", '{ column = "A", add_days = 3 }', "dates and zone are for"),
    "months of what is no date": ("customers.city", '{ column = "A", add_months = 3 }', "are for dates"),
    "a zone of what is no date": ("customers.city", '{ column = "A", zone = "UTC" }', "are for dates"),
    "a zone that there is not": ("customers.born_on", '{ column = "A", zone = "Mars/North" }',
                                 "“Mars/North” is no time zone"),
    "the sign of what is no amount": ("customers.city", '{ column = "A", negate = true }', "are for amounts"),
    "less of what is no amount": ("customers.city", '{ column = "A", less = "B" }', "are for amounts"),
    "a number in quotes": ("customers.born_on", '{ column = "A", add_months = "3" }', "add_months"),
    "conditions in a condition": ("customers.city", '{ column = "A", only = { column = "B", any_of = ['
                                  '{ column = "C", is = "x" }] } }', "any_of stands alone"),
    "a condition on no column": ("customers.city", '{ column = "A", only = { is = "x" } }',
                                 "give the column that the condition is about"),
    "two conditions in one": ("customers.city", '{ column = "A", only = { column = "B", is = "x", has = "y" } }',
                              "give one of is, is_not, starts"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place(column: OneColumn, what: str) -> None:
    ours, origin, told = REFUSED[what]
    with pytest.raises(MappingRefused) as refused:
        column.mapping(ours, origin)
    assert told in str(refused.value)
    assert "file 1, table 1" in str(refused.value)


def test_a_column_that_we_do_not_have_names_the_nearest(column: OneColumn) -> None:
    with pytest.raises(MappingRefused, match="customers has no column “mail”.*did you mean “email”"):
        column.mapping("customers.mail", '"A"')
