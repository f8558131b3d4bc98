"""What a template says to everybody alike, and on which line: its own words, and what it names of the business.

A customer's data is no part of it, nor is what a filter makes of a field.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from jinja2 import nodes

from outreach.composing.templating.engine import Fields, parse_page
from outreach.composing.templating.fields import OURS

_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class OwnWords:
    """Words of one line of a template, as they would be read."""

    line: int
    words: str


def find_own_words(source: str, fields: Fields) -> list[OwnWords]:
    """The words of an HTML template that has been checked, in every branch; of `fields` only those of the business."""
    return [
        # As `lay_out` in paper/letters.py prints them: faces have a letter with its accent as one character.
        OwnWords(one.line, unicodedata.normalize("NFC", one.words))
        for output in parse_page(source).find_all(nodes.Output)
        for node in output.nodes
        for one in _said(node, fields)
    ]


def _said(node: nodes.Node, fields: Fields) -> Iterator[OwnWords]:
    """Both sides of a choice; nothing of what a choice or a comparison only asks."""
    if isinstance(node, nodes.TemplateData):
        for offset, line in enumerate(node.data.split("\n")):
            yield OwnWords(node.lineno + offset, unescape(_TAG.sub(" ", line)))
    elif isinstance(node, nodes.Const):
        yield OwnWords(node.lineno, str(node.value))
    elif isinstance(node, nodes.Name) and node.name in OURS:
        yield OwnWords(node.lineno, str(fields.get(node.name) or ""))
    elif isinstance(node, nodes.Filter) and node.node is not None:
        yield from _said(node.node, fields)
    elif isinstance(node, nodes.CondExpr):
        for side in (node.expr1, node.expr2):
            yield from _said(side, fields) if side else ()
    elif isinstance(node, nodes.And | nodes.Or):
        yield from _said(node.left, fields)
        yield from _said(node.right, fields)
