"""Writes a text as it will be sent, and counts the segments that a phone network bills it as."""

import re
from typing import Literal

from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import render_template
from outreach.composing.templating.templates import Words
from outreach.errors import TooLong

# 3GPP TS 23.038, 6.2.1 and 6.2.1.1: the default alphabet, and the characters that cost two septets.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")


def write_text(facts: Facts, words: Words, max_segments: int) -> tuple[str, int]:
    """The words on one line, and how many segments they take.

    Raises FieldMissing, CannotWrite, and TooLong over `max_segments`.
    """
    rendered = render_template(words.name("txt"), words.sources["txt"], facts.fields, "plain")
    # Spaces that do not break are not in GSM-7, and one would more than double the price.
    written = re.sub(r"\s+", " ", rendered).strip()
    alphabet, segments = count_segments(written)
    if segments > max_segments:
        raise TooLong(f"The text takes {segments} segments in {alphabet}, and {max_segments} are allowed; shorten it")
    return written, segments


def count_segments(words: str) -> tuple[Literal["GSM-7", "UCS-2"], int]:
    """The alphabet and the segments: 160 septets alone, 153 each in a row; 70 and 67 UTF-16 units in UCS-2."""
    if all(letter in _GSM or letter in _GSM_EXTENDED for letter in words):
        return "GSM-7", _count([1 + (letter in _GSM_EXTENDED) for letter in words], 160, 153)
    return "UCS-2", _count([len(letter.encode("utf-16-le", "surrogatepass")) // 2 for letter in words], 70, 67)


def _count(widths: list[int], alone: int, in_a_row: int) -> int:
    if sum(widths) <= alone:
        return 1
    segments, used = 1, 0
    for width in widths:
        # A character of two units never straddles the border of two segments.
        if used + width > in_a_row:
            segments, used = segments + 1, 0
        used += width
    return segments
