"""The normal form of formulas: every operator is written, with parentheses where precedence may be misread."""

from service.spec.formulas.grammar import Grammar
from service.spec.formulas.syntax import COMPARISONS, Node, Tree, read
from service.spec.formulas.tokens import ExpressionError

# The longest standard surface has 130 characters; this allows a sum of fifteen such formulas.
MAX_CHARACTERS = 2_000

_OPERATORS = ("+", "-", "*", "/", "**", *COMPARISONS)


def normal(tree: Tree) -> str:
    """Write a tree; parsed again, the text gives the same tree.

    (1/2)*x rather than 1/2*x, a**(b**c), -(x**2), (2**x)*y; but 2*x**2 + 3*x*y, which are read in one way.
    """
    written: dict[Node, str] = {}
    for node in tree.nodes:
        written[node] = _write(node, [written[operand] for operand in node.operands])
    return written[tree.nodes[-1]]


def checked_normal(tree: Tree, grammar: Grammar) -> str:
    """Give the normal form of a tree, which is within the limits too, because it is parsed again with every job."""
    text = normal(tree)
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(
            f"With all products and parentheses written out, the formula has {len(text):,} characters; at most "
            f"{MAX_CHARACTERS:,} are allowed."
        )
    try:
        read(text, grammar)
    except ExpressionError as error:
        raise ExpressionError(f"With all products and parentheses written out: {error}") from error
    return text


def _write(node: Node, texts: list[str]) -> str:
    if not node.operands:
        return node.token.text
    if node.operation == "negative":
        return f"-{_atom(node.operands[0], texts[0])}"
    if node.operation not in _OPERATORS:
        return f"{node.operation}({', '.join(texts)})"
    (left, right), (before, after) = node.operands, texts
    match node.operation:
        case "**":
            return f"{_atom(left, before)}**{_atom(right, after)}"
        case "*":
            return f"{_factor(left, before, 'negative', '*')}*{_factor(right, after)}"
        case "/":
            return f"{_factor(left, before, 'negative', '*')}/{_factor(right, after)}"
        case "+" | "-":
            return f"{before} {node.operation} {_in(right.operation in ('+', '-') or after.startswith('-'), after)}"
    return f"{before} {node.operation} {after}"


def _in(parentheses: bool, text: str) -> str:
    return f"({text})" if parentheses else text


def _atom(node: Node, text: str) -> str:
    """Write the operand of a sign or power: a number, a name or a call as it is."""
    return _in(node.operation == "negative" or node.operation in _OPERATORS, text)


def _factor(node: Node, text: str, *bare: str) -> str:
    """Write a factor; a power with a number as exponent, and operations in `bare`, have no parentheses."""
    is_square = node.operation == "**" and node.operands[1].operation in ("number", "negative")
    return text if is_square or node.operation in bare else _atom(node, text)
