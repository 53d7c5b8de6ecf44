"""Syntax of formulas: a text becomes a tree of operations on numbers and names."""

from dataclasses import dataclass

from service.spec.formulas.grammar import Grammar
from service.spec.formulas.tokens import DOCUMENT_SPACES, ExpressionError, Token, tokens

# Each parenthesis, function, minus sign and power is a level; a level takes up to three of Python's 1,000 stack frames.
MAX_DEPTH = 100

_COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER = range(1, 6)
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_BINDING = {
    **dict.fromkeys(COMPARISONS, _COMPARISON),
    **dict.fromkeys("+-", _SUM),
    **dict.fromkeys("*/", _PRODUCT),
    "**": _POWER,
}
# What formulas had before any other notation. A text with nothing else is its own normal form: specs and digests are
# stored with it.
_PLAIN = (*"+-*/", "**", "negative", "number", "name", "sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh")


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A number, a name, a function, "negative" or an operator, with its operands; `token` is its place."""

    operation: str
    operands: tuple["Node", ...]
    token: Token


@dataclass(frozen=True, eq=False, slots=True)
class Tree:
    """All nodes of a formula, operands first; the last is the formula.

    `is_plain` if the text has only operators, parentheses and the functions that formulas had first.
    """

    nodes: list[Node]
    is_plain: bool


def read(text: str, grammar: Grammar, start: int = 0) -> Tree:
    """Parse a text from a position on; ExpressionError with the place of what is not allowed."""
    return _Parser(text, grammar, start).tree()


class _Parser:
    """Precedence climbing: the right operand of an operator includes all operators that bind more tightly."""

    def __init__(self, text: str, grammar: Grammar, start: int) -> None:
        self._grammar = grammar
        self._tokens = tokens(text, grammar, start)
        self._is_plain = not set(text) & set(DOCUMENT_SPACES)
        self._nodes: list[Node] = []
        self._depth = 0
        self._bar: Token | None = None
        self._next = next(self._tokens)

    def tree(self) -> Tree:
        root = self._operation(_COMPARISON)
        if self._next.kind != "end":
            raise self._unexpected("an operator")
        self._check_number(root)
        return Tree(self._nodes, self._is_plain)

    def _operation(self, weakest: int) -> Node:
        """Parse operands joined by operators that bind at least as tightly as `weakest`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(
                f"{self._next} is nested more than {MAX_DEPTH} levels deep; write the formula with fewer parentheses."
            )
        left = self._operand()
        while _BINDING.get((token := self._operator()).text, 0) >= weakest:
            if token is self._next:
                self._advance()
            # Equal operators group to the left, except powers: 2 ** 3 ** 2 is 2 ** 9.
            right = self._operation(_BINDING[token.text] + (token.text != "**"))
            left = self._node(token.text, (left, right), token)
        self._depth -= 1
        return left

    def _operator(self) -> Token:
        """Give the next operator: the next token, or the * that is left out before a name or a parenthesis."""
        token = self._next
        if token.kind == "number":
            raise ExpressionError(f"{token} stands after what it multiplies; write a number first, 2x, or with *, x*2.")
        if token.kind == "superscript":
            raise ExpressionError(f"{token} raises nothing; a superscript stands directly after what it raises.")
        if token.kind == "name" or token.text == "(":
            self._is_plain = False
            return Token("sign", "*", token.position, token.written)
        return token

    def _operand(self) -> Node:
        token = self._advance()
        if token.text == "-":
            return self._node("negative", (self._operation(_SIGN),), token)
        if token.kind == "number":
            operand = self._node("number", (), token)
        elif token.text == "(":
            operand = self._operation(_COMPARISON)
            self._close(")")
        elif token.text == "|":
            operand = self._between_bars(token)
        elif token.text in self._grammar.functions:
            operand = self._call(token)
        elif token.kind == "name":
            operand = self._node("name", (), token)
        else:
            raise ExpressionError(
                f"{token} comes where a number, a name, a function or '(' is expected. {self._grammar.allowed}"
            )
        return self._raised(operand) if self._next.kind == "superscript" else operand

    def _raised(self, base: Node) -> Node:
        """Parse the superscript after an operand."""
        token = self._advance()
        if self._next.text == "**":
            raise ExpressionError(f"{self._next} raises a superscript; write parentheses, (x²)^3 or x^(2^3).")
        digits = token._replace(kind="number", text=token.text.removeprefix("-"))
        exponent = self._node("number", (), digits)
        if token.text.startswith("-"):
            exponent = self._node("negative", (exponent,), token)
        return self._node("**", (base, exponent), token)

    def _between_bars(self, token: Token) -> Node:
        if self._bar:
            raise ExpressionError(
                f"{token} opens a bar inside of that at character {self._bar.position}; "
                "write abs() inside of bars, and products of bars with *."
            )
        self._bar, self._is_plain = token, False
        operand = self._operation(_COMPARISON)
        self._close("|")
        self._bar = None
        return self._node("abs", (operand,), token)

    def _call(self, token: Token) -> Node:
        usage, arguments = self._grammar.usage(token.text), self._grammar.functions[token.text].arguments
        if self._next.text != "(":
            raised = self._next.kind == "superscript" or self._next.text == "**"
            power = f" A power of it is written {token.text}(x)**2." if raised else ""
            raise ExpressionError(f"{token} is a function: write its argument in parentheses, {usage}.{power}")
        self._advance()
        operands = [self._operation(_COMPARISON)]
        while self._next.text == ",":
            self._advance()
            operands.append(self._operation(_COMPARISON))
        self._close(")")
        if len(operands) != len(arguments):
            raise ExpressionError(f"{token} has the wrong number of arguments, {len(operands)}; write {usage}.")
        return self._node(token.text, tuple(operands), token)

    def _node(self, operation: str, operands: tuple[Node, ...], token: Token) -> Node:
        """Make a node; comparisons are operands of nothing but `where`, which has one first."""
        if operation == "where" and operands[0].operation not in COMPARISONS:
            raise ExpressionError(f"{token} needs a comparison first; write {self._grammar.usage('where')}.")
        for operand in operands[operation == "where" :]:
            self._check_number(operand)
        self._is_plain &= token.written == token.text and operation in _PLAIN
        self._nodes.append(node := Node(operation, operands, token))
        return node

    def _check_number(self, node: Node) -> None:
        if node.operation in COMPARISONS:
            raise ExpressionError(f"{node.token} compares; a comparison stands only first in where(a < b, c, d).")

    def _close(self, sign: str) -> None:
        if self._next.text != sign:
            raise self._unexpected(f"'{sign}' or an operator")
        self._advance()

    def _unexpected(self, expected: str) -> ExpressionError:
        closes = self._next.text == "|" and not self._bar
        hint = " It follows an operand, so it closes bars, and none are open; write 2*|x|." if closes else ""
        return ExpressionError(f"{self._next} comes where {expected} is expected.{hint} {self._grammar.allowed}")

    def _advance(self) -> Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token
