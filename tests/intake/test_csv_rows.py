"""The rows of CSV files are the same whether Python's own reader goes through many of them or each is read alone."""

import io
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from outreach.intake.sources import csv_rows
from outreach.intake.sources.csv_rows import CsvLines, Row, read_each, read_rows

# Pieces that quotes, line breaks and blank rows are made of, in any order.
TEXTS = st.lists(
    st.sampled_from(["a", "bc", ",", '"', '""', '","', "\n", "\r\n", "\r", " ", "\ufeff", "é"]), max_size=60
)


def lines_of(text: str) -> CsvLines:
    return CsvLines(io.StringIO(text, newline=""))


@given(TEXTS, st.sampled_from([",", " "]), st.integers(1, 40))
def test_rows_read_at_once_are_those_that_are_read_singly(pieces: list[str], separator: str, at_once: int) -> None:
    text = "".join(pieces)
    singly = list(read_each(lines_of(text), separator))
    with patch.object(csv_rows, "AT_ONCE", at_once):
        assert list(read_rows(lines_of(text), separator)) == singly


@given(TEXTS, st.integers(1, 10), st.integers(11, 30))
def test_a_limit_is_kept_wherever_what_is_read_at_once_ends(pieces: list[str], at_once: int, longest: int) -> None:
    text = "".join(pieces)
    with patch.multiple(csv_rows, LONGEST_LINE=longest, LINES_OF_ONE_ROW=3, LONGEST_CELL=longest):
        with patch.object(csv_rows, "AT_ONCE", 1):
            singly = list(read_each(lines_of(text), ","))
        with patch.object(csv_rows, "AT_ONCE", at_once):
            assert list(read_rows(lines_of(text), ",")) == singly


def test_after_a_line_that_is_too_long_the_next_ones_are_read() -> None:
    with patch.multiple(csv_rows, LONGEST_LINE=20, AT_ONCE=7):
        rows = list(read_rows(lines_of("a,b\n" + "x" * 50 + "\nc,d\n"), ","))
    assert [(row.line, row.cells, bool(row.problem)) for row in rows] == [
        (1, ["a", "b"], False),
        (2, [], True),
        (3, ["c", "d"], False),
    ]
    assert rows[0] == Row(1, ["a", "b"])
