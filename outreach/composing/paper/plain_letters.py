"""Writes a letter's words as plain text, for a provider that writes them with its own pens.

It has no address and no date: the provider writes the address, and a date of ours would be older than the ink.
"""

import re
import unicodedata
from html import unescape

from outreach.composing.paper.pen_choice import REPLACED, blame_for_replaced
from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import render_template
from outreach.composing.templating.small_print import signature_line, small_print
from outreach.composing.templating.templates import Words
from outreach.errors import CannotWrite, TooLong
from outreach.settings import Business


def write_plain_letter(facts: Facts, words: Words, business: Business, reference: str, most: int) -> str:
    """The paragraphs with blank lines between, the closing and who signs, and last the reference and how to stop.

    Raises FieldMissing, CannotWrite for characters that would not be written as they stand, TemplateRefused where the
    template itself holds one, and TooLong over `most` characters.
    """
    rendered = render_template(words.name("html"), words.sources["html"], facts.fields, "letter")
    stop = small_print(words.language)["stop_letters"].format(phone=business.phone, email=business.email)
    *paragraphs, closing = _paragraphs_in(rendered) or [""]
    signed = "\n".join([closing, facts.signatory.name, signature_line(facts.signatory, business)])
    letter = unicodedata.normalize("NFC", "\n\n".join([*paragraphs, signed.lstrip(), f"{reference}\n{stop}"]))
    if REPLACED.search(letter):
        blame_for_replaced(words.name("html"), words.sources["html"], facts.fields, letter)
        raise CannotWrite("it holds one of { } < >, which the pens would not write as it stands; take it out")
    if len(letter) > most:
        raise TooLong(f"The letter has {len(letter)} characters, and a handwritten card holds {most}; shorten it")
    return letter


def _paragraphs_in(rendered: str) -> list[str]:
    """The paragraphs as a browser shows them: a line break only where a <br> stands, and no space doubled."""
    blocks = re.split(r"</?p>", rendered)
    return [written for block in blocks if (written := "\n".join(_lines_in(block)).strip())]


def _lines_in(block: str) -> list[str]:
    # The tags go before the fields are unescaped: what looks like a tag in a customer's name is none.
    lines = re.sub(r"</?(?:em|strong)>", "", block).split("<br>")
    return [" ".join(unescape(line).split()) for line in lines]
