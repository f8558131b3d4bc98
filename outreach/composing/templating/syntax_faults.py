"""Why a template cannot be read, in the words of whoever wrote it, with the line where the fault begins.

The parser names the line where it gave up, which may be far below, and speaks of what it waited for.
"""

import re

from jinja2 import TemplateSyntaxError

_CLOSED_BY = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENING = re.compile(r"\{\{|\{%|\{#")
# A whole tag. Words in quotes may hold anything; otherwise what opens or closes a tag cannot stand within one.
# It never gives back what it took (*+): each quote could be read in two ways, and the ways would multiply.
_INSIDE = r"""(?:"[^"\n]*"|'[^'\n]*'|(?!\{\{|\{%|\{#|\}\}|%\}).)*+"""
_WHOLE = re.compile(rf"\{{\{{{_INSIDE}\}}\}}|\{{%{_INSIDE}%\}}|\{{#.*?#\}}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_BLOCK = re.compile(r"\{%[-+]?\s*(\w+)")
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_UNKNOWN = re.compile(r"unknown tag '(\w+)'")
_UNEXPECTED = re.compile(r"unexpected char '(.)'")
_ENDED_BY = {"if": "endif", "for": "endfor"}
_BLOCKS = ("if", "elif", "else", "endif", "for", "endfor")


def explain_syntax(source: str, error: TemplateSyntaxError) -> tuple[int, str]:
    """The line, and what is wrong there."""
    return _unclosed_tag(source) or _unclosed_block(source) or (error.lineno, _in_plain_words(source, error))


def _line_at(source: str, place: int) -> int:
    return source.count("\n", 0, place) + 1


def _unclosed_tag(source: str) -> tuple[int, str] | None:
    place = 0
    while opening := _OPENING.search(source, place):
        whole = _WHOLE.match(source, opening.start())
        if not whole:
            closing = _CLOSED_BY[opening[0]]
            return _line_at(source, opening.start()), f"a {opening[0]} that is never closed; close it with {closing}"
        place = whole.end()
    return None


def _unclosed_block(source: str) -> tuple[int, str] | None:
    """The `if` or `for` without its end, or an end without what it ends."""
    plain = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), source)
    begun: list[tuple[str, int]] = []
    for block in _BLOCK.finditer(plain):
        name, line = block[1], _line_at(plain, block.start())
        if name in _ENDED_BY:
            begun.append((name, line))
        elif name in _ENDED_BY.values():
            if not begun:
                return line, f"an {{% {name} %}} with no {{% {name.removeprefix('end')} %}} before it"
            if _ENDED_BY[begun[-1][0]] != name:
                break
            begun.pop()
    if not begun:
        return None
    name, line = begun[-1]
    return line, f"a {{% {name} %}} that is never closed; close it with {{% {_ENDED_BY[name]} %}}"


def _in_plain_words(source: str, error: TemplateSyntaxError) -> str:
    said = error.message or ""
    if unknown := _UNKNOWN.search(said):
        return f"“{unknown[1]}” is not for templates; in {{% %}} there are {', '.join(_BLOCKS)}"
    if unexpected := _UNEXPECTED.search(said):
        return f"“{unexpected[1]}” cannot stand in {{{{ }}}} or {{% %}}; write a field, a filter or a choice there"
    tags = [tag for tag in _TAG.finditer(source) if _line_at(source, tag.end()) >= error.lineno]
    quoted = f"“{tags[0][0].splitlines()[0]}”" if tags else "what stands in {{ }} or {% %} here"
    return f"{quoted} cannot be read; write a field, a filter or a choice as docs/templates.md shows"
