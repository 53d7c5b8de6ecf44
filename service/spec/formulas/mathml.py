"""Formulas as presentation MathML: fractions, raised exponents, roots, and no sign between factors."""

from service.spec.formulas.syntax import COMPARISONS, Node, Tree

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 6)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "negative": _SIGN, "**": _POWER}
_NAMES = {"pi": "π"}
_SIGNS = {"<": "&lt;", "<=": "≤", ">": "&gt;", ">=": "≥", "==": "=", "!=": "≠"}
_INVISIBLE_TIMES = "<mo>&#x2062;</mo>"
_DOT = "<mo>·</mo>"


def mathml(tree: Tree) -> str:
    """Write a tree as a `math` element."""
    written: dict[Node, str] = {}
    for node in tree.nodes:
        written[node] = _write(node, [written[operand] for operand in node.operands])
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{written[tree.nodes[-1]]}</mrow></math>'


def _write(node: Node, texts: list[str]) -> str:
    if node.operation == "number":
        return f"<mn>{node.token.text}</mn>"
    if node.operation == "name":
        return f"<mi>{_NAMES.get(node.token.text, node.token.text)}</mi>"
    match node.operation:
        case "negative":
            return f"<mo>−</mo>{_in(node.operands[0], texts[0], _SIGN)}"
        case "+":
            return f"{texts[0]}<mo>+</mo>{texts[1]}"
        case "-":
            return f"{texts[0]}<mo>−</mo>{_in(node.operands[1], texts[1], _PRODUCT)}"
        case "*":
            return _product(node.operands, texts)
        case "/":
            return f"<mfrac><mrow>{texts[0]}</mrow><mrow>{texts[1]}</mrow></mfrac>"
        case "**":
            # A fraction or a call is raised in parentheses.
            base = _in(node.operands[0], texts[0], _ATOM) if _is_simple(node.operands[0]) else _parentheses(texts[0])
            return f"<msup><mrow>{base}</mrow><mrow>{texts[1]}</mrow></msup>"
        case "sqrt":
            return f"<msqrt>{texts[0]}</msqrt>"
        case "abs":
            return f"<mrow><mo>|</mo>{texts[0]}<mo>|</mo></mrow>"
    if node.operation in COMPARISONS:
        return f"{texts[0]}<mo>{_SIGNS[node.operation]}</mo>{texts[1]}"
    arguments = "<mo>,</mo>".join(texts)
    return f"<mi>{node.operation}</mi><mo>&#x2061;</mo>{_parentheses(arguments)}"


def _product(operands: tuple[Node, ...], texts: list[str]) -> str:
    left = _in(operands[0], texts[0], _PRODUCT)
    right = _in(operands[1], texts[1], _POWER)
    return f"{left}{_DOT if _begins_with_number(operands[1]) else _INVISIBLE_TIMES}{right}"


def _begins_with_number(node: Node) -> bool:
    while node.operation in ("*", "**"):
        node = node.operands[0]
    return node.operation == "number"


def _is_simple(node: Node) -> bool:
    return node.operation in ("number", "name", "abs") or node.operation in _BINDING


def _in(node: Node, text: str, weakest: int) -> str:
    return _parentheses(text) if _BINDING.get(node.operation, _ATOM) < weakest else text


def _parentheses(text: str) -> str:
    return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"
