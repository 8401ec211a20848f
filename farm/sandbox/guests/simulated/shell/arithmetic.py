"""Shell arithmetic: integers, names, the usual operators; nothing is executed."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

LARGEST = 2**63
BINARY: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
COMPARE: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def evaluate(expression: str, variables: Mapping[str, str]) -> int:
    """The value of $((expression)); ValueError if it is none."""
    python = re.sub(r"&&", " and ", expression.replace("$", ""))
    python = re.sub(r"!(?!=)", " not ", python.replace("||", " or "))
    python = re.sub(r"(?<![\w.])0+(?=\d)", "", python)
    try:
        tree = ast.parse(python.strip() or "0", mode="eval")
    except SyntaxError as error:
        raise ValueError("expecting primary") from error
    value = _value(tree.body, variables)
    if abs(value) >= LARGEST:
        raise ValueError("number too large")
    return value


def _value(node: ast.expr, variables: Mapping[str, str]) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return int(node.value)
    if isinstance(node, ast.Name):
        text = variables.get(node.id, "0") or "0"
        if not re.fullmatch(r"\s*-?\d+\s*", text):
            raise ValueError(f"Illegal number: {text}")
        return int(text)
    if isinstance(node, ast.UnaryOp):
        return _unary(node, variables)
    if isinstance(node, ast.BoolOp):
        values = [_value(item, variables) != 0 for item in node.values]
        return int(all(values) if isinstance(node.op, ast.And) else any(values))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = _value(node.left, variables), _value(node.comparators[0], variables)
        return int(COMPARE[type(node.ops[0])](left, right))
    if isinstance(node, ast.BinOp):
        return _binary(node, variables)
    raise ValueError("expecting primary")


def _unary(node: ast.UnaryOp, variables: Mapping[str, str]) -> int:
    value = _value(node.operand, variables)
    if isinstance(node.op, ast.Not):
        return int(value == 0)
    return -value if isinstance(node.op, ast.USub) else value


def _binary(node: ast.BinOp, variables: Mapping[str, str]) -> int:
    left, right = _value(node.left, variables), _value(node.right, variables)
    if isinstance(node.op, ast.Div | ast.Mod):
        if right == 0:
            raise ValueError("division by zero")
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if isinstance(node.op, ast.Div) else left - right * quotient
    apply = BINARY.get(type(node.op))
    if apply is None:
        raise ValueError("expecting primary")
    return apply(left, right)
