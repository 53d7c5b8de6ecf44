"""Symbolic derivatives of formulas."""

from service.spec.formulas.functions import FUNCTIONS
from service.spec.formulas.terms import COMPARISONS, Term, Terms, in_order, is_number


def derivative(terms: Terms, term: Term, variable: str) -> Term:
    """Give the partial derivative of a term, computed from the leaves up; it shares terms with the original."""
    slopes: dict[Term, Term] = {}
    for each in in_order([term]):
        inner = [slopes[operand] for operand in each.operands]
        if each.operation in COMPARISONS or all(is_number(slope, 0) for slope in inner):
            slopes[each] = terms.constant(each.operation == "variable" and each.name == variable)
        else:
            slopes[each] = _chain_rule(terms, each, inner)
    return slopes[term]


def _chain_rule(terms: Terms, term: Term, slopes: list[Term]) -> Term:
    """Give the derivative of one operation from the derivatives of its operands."""
    if term.operation in FUNCTIONS:
        return FUNCTIONS[term.operation].slope(terms, term, slopes)
    match term.operation, term.operands, slopes:
        case "negative", (_,), [da]:
            return terms.negative(da)
        case "+", (_, _), [da, db]:
            return terms.add(da, db)
        case "-", (_, _), [da, db]:
            return terms.subtract(da, db)
        case "*", (a, b), [da, db]:
            return terms.add(terms.multiply(da, b), terms.multiply(a, db))
        case "/", (_, b), [da, db]:
            return terms.divide(terms.subtract(da, terms.multiply(term, db)), b)
        case "pow", _, [da, db]:
            return terms.add(_by_base(terms, term, da), _by_exponent(terms, term, db))
        case "slope*", (a, b), [da, db]:
            return terms.add(terms.slope_times(da, b), terms.slope_times(a, db))
        case "slope/", (_, b), [da, db]:
            return terms.slope_over(terms.subtract(da, terms.multiply(term, db)), b)
    raise AssertionError(f"no rule for {term.operation!r}")


def _by_base(terms: Terms, power: Term, da: Term) -> Term:
    """The slope of a**b through a: b·a**(b − 1)·da, and 0 where b = 0 or da = 0."""
    a, b = power.operands
    if is_number(da, 0):
        return da
    outer = terms.multiply(b, terms.power(a, terms.subtract(b, terms.constant(1))))
    if b.is_constant:
        # Only for exponents between 0 and 1 the first factor is infinite at a = 0 where the power is finite.
        return terms.slope_times(da, outer) if 0 < b.number < 1 else terms.multiply(outer, da)
    zero = terms.constant(0)
    return terms.slope_times(da, terms.apply("where", terms.compare("==", b, zero), zero, outer))


def _by_exponent(terms: Terms, power: Term, db: Term) -> Term:
    """The slope of a**b through b: log(a)·a**b·db, and 0 where a = 0 ≤ b or db = 0."""
    a, b = power.operands
    # If the exponent is constant, no logarithm may occur, because that of a ≤ 0 is not defined.
    if is_number(db, 0):
        return db
    outer = terms.multiply(terms.apply("log", a), power)
    if a.is_constant and a.number > 0:
        return terms.multiply(outer, db)
    zero = terms.constant(0)
    at_zero = terms.apply("where", terms.compare("<", b, zero), outer, zero)
    return terms.slope_times(db, terms.apply("where", terms.compare("==", a, zero), at_zero, outer))
