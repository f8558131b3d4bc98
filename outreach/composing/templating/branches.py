"""Rewrites a template so that one rendering passes through every branch: both sides of each choice, one after another.

Its result is only for trying a template out. It is never a message: the sides contradict each other.
"""

from collections.abc import Sequence

from jinja2 import nodes


def open_branches(tree: nodes.Template) -> nodes.Template:
    """The parsed template with its choices opened: each test is written, and then each of its sides."""
    opened = nodes.Template(_open_all(tree.body), lineno=1)
    if tree.environment:
        opened.set_environment(tree.environment)
    return opened


def _open_all(body: Sequence[nodes.Node]) -> list[nodes.Node]:
    return [opened for node in body for opened in _open(node)]


def _open(node: nodes.Node) -> list[nodes.Node]:
    if isinstance(node, nodes.If):
        sides = [*node.body, *node.elif_, *node.else_]
        return [nodes.Output(_values(node.test), lineno=node.lineno), *_open_all(sides)]
    if isinstance(node, nodes.For):
        return [nodes.For(node.target, node.iter, _open_all(node.body), [], None, False, lineno=node.lineno)]
    if isinstance(node, nodes.Output):
        return [nodes.Output([value for each in node.nodes for value in _values(each)], lineno=node.lineno)]
    return [node]


def _values(expression: nodes.Node) -> list[nodes.Expr]:
    """Every value that the expression may take, each as an expression that holds no choice any more.

    There are no more of them than choices in it, since each is changed in one place.
    """
    line = expression.lineno
    if isinstance(expression, nodes.CondExpr):
        sides = [*_values(expression.expr1), *(_values(expression.expr2) if expression.expr2 else [])]
        return [*_values(expression.test), *sides]
    if isinstance(expression, nodes.And | nodes.Or):
        return [*_values(expression.left), *_values(expression.right)]
    if isinstance(expression, nodes.Not):
        return [nodes.Not(value, lineno=line) for value in _values(expression.node)]
    if isinstance(expression, nodes.Filter) and expression.node is not None:
        sides = _sides(expression.node)
        return [nodes.Filter(value, expression.name, [], [], None, None, lineno=line) for value in sides]
    if isinstance(expression, nodes.Compare):
        return _comparisons(expression)
    return [expression] if isinstance(expression, nodes.Expr) else []


def _sides(expression: nodes.Expr) -> list[nodes.Expr]:
    """The values that a filter or a comparison is given: of a choice its sides, and not its test."""
    if isinstance(expression, nodes.CondExpr):
        return [*_sides(expression.expr1), *(_sides(expression.expr2) if expression.expr2 else [])]
    return _values(expression)


def _comparisons(compare: nodes.Compare) -> list[nodes.Expr]:
    left = [nodes.Compare(value, compare.ops, lineno=compare.lineno) for value in _sides(compare.expr)]
    others: list[nodes.Expr] = []
    for number, operand in enumerate(compare.ops):
        for value in _sides(operand.expr):
            changed = [*compare.ops]
            changed[number] = nodes.Operand(operand.op, value, lineno=compare.lineno)
            others.append(nodes.Compare(left[0].expr, changed, lineno=compare.lineno))
    return [*left, *others]
