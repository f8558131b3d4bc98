"""Addresses that are longer than their window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.composing.handwriting.pens import TYPED, typed_width
from outreach.composing.paper.address_lines import POINT, SMALLEST, break_line, fit_address
from outreach.composing.paper.sizes import US_LETTER, Zone
from outreach.errors import TooLong

WINDOW = US_LETTER.address
FACES = (TYPED,)
LONG = "Mr. Maximilian-Alexander Hohenstein-Wittgenstein, care of Mrs. Annemarie Oberhuber-Feldkirchner"


def test_an_address_that_fits_is_not_broken() -> None:
    lines = ["Mrs. Maria Lopez", "27 Orchard Terrace", "Winooski, VT 05404"]
    assert fit_address(lines, WINDOW, FACES)[0] == lines


def test_a_long_name_breaks_after_its_comma_as_a_person_would() -> None:
    lines, _ = fit_address([LONG, "27 Orchard Terrace", "Winooski, VT 05404"], WINDOW, FACES)
    assert lines[0].endswith(",")
    assert " ".join(lines[:2]) == LONG


def test_an_address_that_fits_broken_or_not_into_no_window_is_refused() -> None:
    with pytest.raises(TooLong, match="shorten it in the customer data"):
        fit_address([LONG] * 9, WINDOW, FACES)


@given(st.lists(st.text("abcdefgh-", min_size=1, max_size=12), min_size=1, max_size=20), st.floats(20, 90))
def test_no_letter_of_a_broken_line_is_lost(words: list[str], wide: float) -> None:
    line = " ".join(words)
    parts = break_line(line, SMALLEST, Zone(0, 0, wide, 30), FACES)
    assert "".join(parts).replace(" ", "") == line.replace(" ", "")
    if max(typed_width(FACES, word, SMALLEST) * POINT for word in words) <= wide:
        assert all(typed_width(FACES, part, SMALLEST) * POINT <= wide for part in parts)
