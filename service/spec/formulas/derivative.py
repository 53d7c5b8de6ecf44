"""Symbolic derivatives of formulas."""

from service.spec.formulas.terms import Term, Terms, in_order, is_number


def derivative(terms: Terms, term: Term, variable: str) -> Term:
    """Give the partial derivative of a term, computed from the leaves up; it shares terms with the original."""
    slopes: dict[Term, Term] = {}
    for each in in_order([term]):
        inner = [slopes[operand] for operand in each.operands]
        if all(is_number(slope, 0) for slope in inner):
            slopes[each] = terms.constant(each.operation == "variable" and each.name == variable)
        else:
            slopes[each] = _chain_rule(terms, each, inner)
    return slopes[term]


def _chain_rule(terms: Terms, term: Term, slopes: list[Term]) -> Term:
    """Give the derivative of one operation from the derivatives of its operands."""
    match term.operation, term.operands, slopes:
        case "+", (_, _), [da, db]:
            return terms.add(da, db)
        case "-", (_, _), [da, db]:
            return terms.subtract(da, db)
        case "*", (a, b), [da, db]:
            return terms.add(terms.multiply(da, b), terms.multiply(a, db))
        case "/", (_, b), [da, db]:
            return terms.divide(terms.subtract(da, terms.multiply(term, db)), b)
        case "pow", (a, b), [da, db]:
            by_base = terms.multiply(terms.multiply(b, terms.power(a, terms.subtract(b, terms.constant(1)))), da)
            # If the exponent is constant, no logarithm may occur, because that of a ≤ 0 is not defined.
            if is_number(db, 0):
                return by_base
            return terms.add(by_base, terms.multiply(terms.multiply(terms.apply("log", a), term), db))
        case "negative", (_,), [da]:
            return terms.negative(da)
        case "sin", (a,), [da]:
            return terms.multiply(terms.apply("cos", a), da)
        case "cos", (a,), [da]:
            return terms.negative(terms.multiply(terms.apply("sin", a), da))
        case "tan", (_,), [da]:
            return terms.multiply(terms.add(terms.constant(1), terms.multiply(term, term)), da)
        case "tanh", (_,), [da]:
            return terms.multiply(terms.subtract(terms.constant(1), terms.multiply(term, term)), da)
        case "exp", (_,), [da]:
            return terms.multiply(term, da)
        case "log", (a,), [da]:
            return terms.divide(da, a)
        case "sqrt", (_,), [da]:
            return terms.divide(da, terms.multiply(terms.constant(2), term))
        case "abs", (a,), [da]:
            return terms.multiply(terms.apply("sign", a), da)
        case "sign", _, _:
            return terms.constant(0)
    raise AssertionError(f"no rule for {term.operation!r}")
