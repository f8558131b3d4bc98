"""Whether each tag of a template that spreads over what follows is closed, and on which line one is not.

An open <em> would emphasise the rest of the letter, what is ours below it too. A <p> and a <li> end by themselves.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from jinja2 import nodes

SPREADING = ("em", "strong", "ul", "ol", "a")
# What follows is asked too: “<a” is also the beginning of “<abbr”, and “<em” of “<embed”.
_TAG = re.compile(rf"<(/?)({'|'.join(SPREADING)})(?=[ >])")


@dataclass(frozen=True)
class TagMark:
    """Where a tag is opened, or closed; two that say the same on different lines are equal."""

    tag: str
    is_closing: bool
    line: int = field(compare=False)

    @property
    def fault(self) -> str:
        if self.is_closing:
            return f"</{self.tag}> closes nothing that is open there"
        return f"<{self.tag}> is not closed where it should be; write </{self.tag}> where it ends"


def find_open_tag(tree: nodes.Template) -> TagMark | None:
    """A tag that is not closed, or closed and not open, whatever is filled in; None where that depends on the fields.

    It depends on them where several choices open and close what the other needs: then the rendered words are judged.
    """
    uneven: list[TagMark] = []
    left = _unmatched(tree.body, uneven)
    if len(uneven) > 1:
        return None
    return next(iter(uneven), None) or _worst(left)


def _worst(left: Sequence[TagMark]) -> TagMark | None:
    """Of marks that find no other: one whose tag is not closed as often as opened, before one that is out of order."""
    counts = Counter((mark.tag, mark.is_closing) for mark in left)
    odd = (mark for mark in left if counts[mark.tag, True] != counts[mark.tag, False])
    return next(odd, next(iter(left), None))


def _unmatched(body: Sequence[nodes.Node], uneven: list[TagMark]) -> list[TagMark]:
    """The marks that find no other within `body`. A choice whose sides differ gives its first such mark to `uneven`."""
    left: list[TagMark] = []
    for mark in (mark for node in body for mark in _marks_of(node, uneven)):
        if mark.is_closing and left and left[-1].tag == mark.tag and not left[-1].is_closing:
            left.pop()
        else:
            left.append(mark)
    return left


def _marks_of(node: nodes.Node, uneven: list[TagMark]) -> Sequence[TagMark]:
    if isinstance(node, nodes.If):
        sides = [_unmatched(side, uneven) for side in (node.body, *(one.body for one in node.elif_), node.else_)]
        if all(side == sides[0] for side in sides):
            return sides[0]
        uneven.append(next(mark for side in sides for mark in [_worst(side)] if mark))
    elif isinstance(node, nodes.For):
        uneven += _unmatched(node.body, uneven)
    elif isinstance(node, nodes.Output):
        return [mark for data in node.nodes if isinstance(data, nodes.TemplateData) for mark in _marks_in(data)]
    return ()


def _marks_in(data: nodes.TemplateData) -> Iterator[TagMark]:
    for found in _TAG.finditer(data.data):
        yield TagMark(found[2], bool(found[1]), data.lineno + data.data.count("\n", 0, found.start()))
