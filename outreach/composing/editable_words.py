"""Turns the rendered body of a message into plain paragraphs that a person edits, and these back into HTML.

Paragraphs have a blank line between them. Of the tags only <em> and <strong> stay, in letters. What a field brought is
plain text, and never becomes a tag.
"""

import re
from html import escape, unescape

_PARAGRAPH = re.compile(r"</?(?:p|ul|ol|li)>")
_LINK = re.compile(r"</?a\b[^<>]*>")
# An escaped bracket stays as it is on both ways: it came from a field, and must not open a tag.
_BRACKET = re.compile(r"(&lt;|&gt;)")
_AMPERSAND = re.compile(r"&(?!lt;|gt;)")
_SPACES = re.compile(r"[ \t\r\n]+")


def words_from_html(body: str) -> str:
    """The paragraphs of a rendered letter, a line break only where a <br> stands."""
    blocks = (_lines_of(block) for block in _PARAGRAPH.split(body))
    return "\n\n".join(block for block in blocks if block)


def _lines_of(block: str) -> str:
    lines = (_SPACES.sub(" ", line).strip(" ") for line in _LINK.sub("", block).split("<br>"))
    return "\n".join(map(_unescape, lines)).strip()


def _unescape(line: str) -> str:
    return "".join(part if _BRACKET.fullmatch(part) else unescape(part) for part in _BRACKET.split(line))


def html_from_words(words: str, tags_are_text: bool = False) -> str:
    """The paragraphs as HTML; <em> and <strong> count as tags unless `tags_are_text`."""
    written = escape(words, quote=False) if tags_are_text else _AMPERSAND.sub("&amp;", words)
    paragraphs = re.split(r"\n[ \t]*\n\s*", written.strip())
    return "\n\n".join(f"<p>{'<br>'.join(part.strip() for part in lines.split(chr(10)))}</p>" for lines in paragraphs)
