"""Renders templates to words in one sandboxed Jinja environment. Marketing may write templates: they are untrusted.

A template may name fields, choose with `if`, go through the few bills of a late payment, and use a handful of filters.
It cannot call, import, compute or reach into any other value, and in HTML it may use only the few tags its channel
allows. So what it costs grows with its length.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from typing import Any, Literal, NoReturn

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from outreach.composing.templating.branches import open_branches
from outreach.composing.templating.filters import FILTERS, Missing
from outreach.composing.templating.open_tags import SPREADING, find_open_tag
from outreach.composing.templating.syntax_faults import explain_syntax
from outreach.errors import CannotWrite, ComposingError, FieldMissing, TemplateRefused, TooLong
from outreach.money import Bill, Rest

Value = str | int | date | tuple[Bill, ...] | tuple[Rest, ...] | None
Fields = Mapping[str, Value]
Dress = Literal["letter", "email", "plain"]

LONGEST_TEMPLATE = 20_000
LONGEST_FIELD = 500
LONGEST_OUTPUT = 100_000
MOST_TAGS = 200
DEEPEST_NESTING = 30
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr, nodes.Filter,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.For, nodes.Getattr,
)  # fmt: skip
#: What a template may go through: what it calls each in turn, and the parts of it that it may use.
LOOPS = {
    "bills": ("bill", frozenset({"amount", "due_on", "currency"})),
    "more": ("rest", frozenset({"count", "amount", "currency"})),
}
_PARTS = {**dict(LOOPS.values()), "loop": frozenset({"first", "last"})}
_LETTER_TAGS = r"</?(?:p|em|strong)>|<br>"
_LISTED_TAGS = {
    "letter": "<p>, <em>, <strong> and <br>",
    "email": '<p>, <em>, <strong>, <br>, <ul>, <ol>, <li> and <a href="https://…">',
}
_TAGS = {
    "letter": re.compile(_LETTER_TAGS),
    "email": re.compile(_LETTER_TAGS + r'|</?(?:ul|ol|li)>|<a href="(?:https://|mailto:|tel:)[^"<>{}\s]*">|</a>'),
}
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
# Controls and line separators could forge a header; direction overrides make one line read as another.
UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffc]")
# In a template a line may end, in any of the usual ways, and a tab may stand.
_UNTYPED = re.compile(rf"(?![\t\n]|\r\n){UNWRITABLE.pattern}")
# What stands for a tag in an error: to its end where that is on the same line, or else its first word.
_QUOTED = re.compile(r"<[^<>\n]{0,60}>|</?[^\s<>]{0,40}")


@lru_cache(maxsize=2)
def _environment(is_html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(autoescape=is_html, undefined=Missing, auto_reload=False)
    # Nothing of Jinja's own: what a template may use is listed here, and a new version of Jinja adds nothing to it.
    environment.globals, environment.tests, environment.filters = {}, {}, dict(FILTERS)
    return environment


def check_template(name: str, source: str, fields: Collection[str], dress: Dress) -> frozenset[str]:
    """The fields that a template names. Raises TemplateRefused, with the line, for anything it may not hold.

    `fields` are the names it may use; `dress` says which tags: those of a letter, of an e-mail, or none.
    """
    if len(source) > LONGEST_TEMPLATE:
        raise TemplateRefused(name, 0, f"it is longer than {LONGEST_TEMPLATE:,} characters; shorten it")
    if found := _UNTYPED.search(source):
        line = source.count("\n", 0, found.start()) + 1
        raise TemplateRefused(name, line, "it holds an invisible control character; type the line anew")
    try:
        _refuse_raw(name, source)
        tree = _environment(dress != "plain").parse(source)
    except TemplateSyntaxError as error:
        raise TemplateRefused(name, *explain_syntax(source, error)) from error
    except (RecursionError, ValueError):
        raise TemplateRefused(name, 0, "it is nested too deeply, or a number in it is too long; simplify it") from None
    known = frozenset(fields)
    walked = _walk(name, tree)
    used = frozenset(field for node, line, turn in walked if (field := _check_node(name, node, line, known, turn)))
    if dress != "plain":
        _check_tags(name, source, dress)
        if mark := find_open_tag(tree):
            raise TemplateRefused(name, mark.line, mark.fault)
    return used


def _refuse_raw(name: str, source: str) -> None:
    """What stands in `raw` would pass for words here, and for tags where it is read."""
    for line, kind, _ in _environment(False).lex(source):
        if kind == "raw_begin":
            raise TemplateRefused(name, line, "“raw” is not for templates; write the words as they shall be read")


def parse_page(source: str) -> nodes.Template:
    """The tree of an HTML template that `check_template` has passed."""
    return _environment(True).parse(source)


def named_in(source: str) -> frozenset[str]:
    """The names in a template that `check_template` has passed, or in words that hold none."""
    return frozenset(node.name for node in _environment(False).parse(source).find_all(nodes.Name))


def _walk(name: str, tree: nodes.Node) -> Iterator[tuple[nodes.Node, int, str]]:
    """Every node with its line (its own, or that of a node in or around it), and the loop's turn that it is part of."""
    waiting = [(tree, 1, 0, "")]
    while waiting:
        node, line, depth, turn = waiting.pop()
        line = node.lineno or next((below.lineno for below in node.iter_child_nodes() if below.lineno), line)
        if depth > DEEPEST_NESTING:
            raise TemplateRefused(name, line, "it is nested too deeply; simplify it")
        yield node, line, turn
        if isinstance(node, nodes.For):
            waiting.append((node.iter, line, depth + 1, turn))
            inside = node.target.name if isinstance(node.target, nodes.Name) else ""
            waiting.extend((child, line, depth + 1, inside) for child in node.body)
        elif not isinstance(node, nodes.Getattr):
            waiting.extend((child, line, depth + 1, turn) for child in node.iter_child_nodes())


def _check_node(name: str, node: nodes.Node, line: int, fields: frozenset[str], turn: str) -> str | None:
    """The field that the node names, if it names one. `turn` is what the loop around it calls each."""
    if not isinstance(node, _ALLOWED):
        what = type(node).__name__.lower()
        raise TemplateRefused(name, line, f"“{what}” is not for templates; use fields, filters and if")
    if isinstance(node, nodes.For):
        _check_loop(name, node, line, turn)
    if isinstance(node, nodes.Getattr):
        _check_part(name, node, line, turn)
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise TemplateRefused(name, line, f"there is no filter “{node.name}”; there are {', '.join(FILTERS)}")
    if isinstance(node, nodes.Filter) and (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs):
        raise TemplateRefused(name, line, f"the filter “{node.name}” takes nothing in brackets")
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and UNWRITABLE.search(node.value):
        raise TemplateRefused(name, line, "words in quotes hold a line break or a control character; take it out")
    if not isinstance(node, nodes.Name):
        return None
    if node.name not in fields:
        listed = ", ".join(sorted(fields))
        raise TemplateRefused(name, line, f"there is no field “{node.name}” here; there are {listed}")
    return node.name


def _check_loop(name: str, node: nodes.For, line: int, turn: str) -> None:
    """Only the bills are gone through, one loop at a time: what a template costs stays in proportion to its length."""
    listed = node.iter.name if isinstance(node.iter, nodes.Name) else ""
    target = node.target.name if isinstance(node.target, nodes.Name) else ""
    if turn or node.recursive or node.test or node.else_ or LOOPS.get(listed, ("",))[0] != target or not target:
        loops = " or ".join(f"{{% for {each} in {several} %}}" for several, (each, _) in LOOPS.items())
        raise TemplateRefused(name, line, f"a loop is {loops}, with no other loop in it")


def _check_part(name: str, node: nodes.Getattr, line: int, turn: str) -> None:
    of = node.node.name if isinstance(node.node, nodes.Name) else ""
    if not turn or of not in {turn, "loop"} or node.attr not in _PARTS[of]:
        parts = ", ".join(f"{each}.{part}" for each in (turn, "loop") if turn for part in sorted(_PARTS[each]))
        raise TemplateRefused(name, line, f"there is no “{node.attr}” to reach for here; there are {parts or 'none'}")


def _check_tags(name: str, source: str, dress: Dress) -> None:
    """Every `<` must open one of the allowed tags as it stands: no attribute can come from a customer's name."""
    plain = _JINJA.sub(lambda match: re.sub(r"[^\n]", "x", match[0]), source)
    starts = [match.start() for match in re.finditer("<", plain)]
    for start in starts:
        if not _TAGS[dress].match(plain, start):
            quoted, line = _QUOTED.match(source, start), plain.count("\n", 0, start) + 1
            may = f"there are {_LISTED_TAGS[dress]}, and nothing else in them; a < to be read is written &lt;"
            raise TemplateRefused(name, line, f"“{quoted and quoted[0]}” is not a tag this template may use: {may}")
    if len(starts) > MOST_TAGS:
        raise TemplateRefused(name, 0, f"it has more than {MOST_TAGS} tags; shorten it")


@lru_cache(maxsize=256)
def _compile(source: str, is_html: bool) -> Template:
    return _environment(is_html).from_string(source)


def render_template(name: str, source: str, fields: Fields, dress: Dress) -> str:
    """The words of a template that `check_template` has passed, with every field escaped where it is HTML.

    Raises FieldMissing when a field that is empty would be written, CannotWrite for a field with control characters,
    TooLong for a field or result beyond its limit, TemplateRefused when the template does what no field allows.
    """
    values = _values_of(fields)
    with _explained(name):
        written = _collect(name, _compile(source, dress != "plain"), values)
        _check_rendered(name, written, dress, source)
        return written


def try_branches(name: str, source: str, fields: Fields, dress: Dress) -> None:
    """Passes once through every branch of a template, those that `fields` would never take too.

    Raises TemplateRefused, with the line, for what would fail there.
    """
    environment = _environment(dress != "plain")
    with _explained(name):
        code = environment.compile(open_branches(environment.parse(source)))
        template = Template.from_code(environment, code, {})
        written = "".join(template.generate(**_values_of(fields)))
        _check_rendered_tags(name, written, dress)


def _values_of(fields: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {field: value for field, value in fields.items() if not _is_empty(value)}
    for field, value in values.items():
        _check_value(field, value)
    return values


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Whatever fails within is a fault of the template `name`, but for what its fields lack."""
    try:
        yield
    except UndefinedError as error:
        _explain(name, error)
    # What outgrows its memory is for the sandbox to explain: only its process has a limit.
    except (ComposingError, MemoryError):
        raise
    except Exception as error:
        # Not in its own words: they may repeat a value, and a value is somebody's.
        what = f"a filter or comparison does not fit its field ({type(error).__name__})"
        raise TemplateRefused(name, _line_of(error), what) from error


def _line_of(error: Exception) -> int:
    """The line of the template where an error came up; 0 where that is not known."""
    line, step = 0, error.__traceback__
    while step:
        if "__jinja_template__" in step.tb_frame.f_globals:
            template = step.tb_frame.f_globals["__jinja_template__"]
            line = template.get_corresponding_lineno(step.tb_lineno) if template else step.tb_lineno
        elif step.tb_frame.f_code.co_filename == "<template>":
            line = step.tb_lineno
        step = step.tb_next
    return line


def _check_rendered(name: str, written: str, dress: Dress, source: str) -> None:
    """Every field is escaped and holds no control character, so what is wrong in the words comes from the template."""
    if _UNTYPED.search(written):
        raise TemplateRefused(name, 0, "its words would hold an invisible control character; take it out")
    _check_rendered_tags(name, written, dress)
    if dress != "plain":
        for tag in SPREADING:
            if len(re.findall(f"<{tag}[ >]", written)) != written.count(f"</{tag}>"):
                line = source.count("\n", 0, source.rfind(f"<{tag}")) + 1
                raise TemplateRefused(name, line, f"<{tag}> is not closed as often as it is opened")


def _check_rendered_tags(name: str, written: str, dress: Dress) -> None:
    if dress != "plain" and any(not _TAGS[dress].match(written, at.start()) for at in re.finditer("<", written)):
        raise TemplateRefused(name, 0, "its words would hold a tag that no template may use (see docs/templates.md)")


def _is_empty(value: Value) -> bool:
    return value is None or value is False or value == 0 or (isinstance(value, str) and not value.strip())


def _check_value(field: str, value: Value) -> None:
    if not isinstance(value, str):
        return
    if len(value) > LONGEST_FIELD:
        raise TooLong(f"“{field}” is longer than {LONGEST_FIELD} characters; shorten it in the customer data")
    if UNWRITABLE.search(value):
        raise CannotWrite(f"“{field}” holds a line break or an invisible control character; mend the customer data")


def _collect(name: str, template: Template, values: dict[str, Any]) -> str:
    written, length = [], 0
    for piece in template.generate(**values):
        written.append(piece)
        length += len(piece)
        if length > LONGEST_OUTPUT:
            raise TooLong(f"{name} comes out longer than {LONGEST_OUTPUT:,} characters; shorten it")
    return "".join(written)


def _explain(name: str, error: UndefinedError) -> NoReturn:
    found = re.search(r"'(\w+)' is undefined", str(error))
    raise FieldMissing(found[1] if found else "a field", name) from error
