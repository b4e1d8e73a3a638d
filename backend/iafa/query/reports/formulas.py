"""Formulas between series: `A / B * 100`. A parser of its own; nothing of a formula is ever executed."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

CHARS_MAX = 200
DEPTH_MAX = 20
_TOKEN = re.compile(r"\s*(?:([0-9]+(?:\.[0-9]+)?)|([A-Z])(?![A-Za-z])|([-+*/()]))")
_LETTER_A = ord("A")
_SIGNS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
Value = float | None


class FormulaError(Exception):
    """Says what is wrong, for the one who wrote the formula."""


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class SeriesRef:
    """A is the first series."""

    place: int


@dataclass(frozen=True)
class Term:
    sign: str
    left: "Node"
    right: "Node"


Node = Number | SeriesRef | Term


def parse_formula(text: str, series: int) -> Node:
    """Raises FormulaError. The letters A, B, ... stand for the series in their order."""
    if len(text) > CHARS_MAX:
        raise FormulaError(f"must have at most {CHARS_MAX} characters")
    parser = _Parser(_tokens(text), series)
    node = parser.sum(0)
    if parser.next is not None:
        raise FormulaError(f"does not go on with {parser.next}")
    return node


def evaluate(node: Node, values: Sequence[Value]) -> Value:
    """None where a value is missing, the divisor is 0, or the result is beyond what a number can be."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, SeriesRef):
        return values[node.place]
    left, right = evaluate(node.left, values), evaluate(node.right, values)
    if left is None or right is None:
        return None
    try:
        found = _SIGNS[node.sign](float(left), float(right))
    except (OverflowError, ZeroDivisionError):
        return None
    return found if math.isfinite(found) else None


def series_of(node: Node) -> set[int]:
    """The places of the series that a formula looks at."""
    if isinstance(node, Term):
        return series_of(node.left) | series_of(node.right)
    return {node.place} if isinstance(node, SeriesRef) else set()


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        token = _TOKEN.match(text, at)
        if token is None:
            raise FormulaError(f"cannot be read at {text[at:].strip()[:10]}")
        found.append(token[0].strip())
        at = token.end()
    return found


class _Parser:
    """By recursive descent; each level of nesting is counted."""

    def __init__(self, tokens: Sequence[str], series: int) -> None:
        self._tokens = list(reversed(tokens))
        self._series = series

    @property
    def next(self) -> str | None:
        return self._tokens[-1] if self._tokens else None

    def sum(self, depth: int) -> Node:
        node = self._product(depth)
        while self.next in ("+", "-"):
            node = Term(self._tokens.pop(), node, self._product(depth))
        return node

    def _product(self, depth: int) -> Node:
        node = self._factor(depth)
        while self.next in ("*", "/"):
            node = Term(self._tokens.pop(), node, self._factor(depth))
        return node

    def _factor(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise FormulaError(f"is nested deeper than {DEPTH_MAX}")
        if self.next is None:
            raise FormulaError("ends too early")
        word = self._tokens.pop()
        if word == "-":
            return Term("-", Number(0.0), self._factor(depth + 1))
        if word == "(":
            node = self.sum(depth + 1)
            if self.next != ")":
                raise FormulaError("lacks a closing parenthesis")
            self._tokens.pop()
            return node
        if word[0].isdigit():
            return Number(float(word))
        if not word.isalpha():
            raise FormulaError(f"does not go on with {word}")
        if ord(word) - _LETTER_A >= self._series:
            raise FormulaError(f"there is no series {word}")
        return SeriesRef(ord(word) - _LETTER_A)
