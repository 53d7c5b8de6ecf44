"""Every random formula is accepted, or rejected with a reason, in less than 0.1 s.

By default three thousand formulas; `make fuzz` tries more (RAVINE_FUZZ_FORMULAS).
"""

import os
import random
import time
from collections.abc import Callable

import pytest

from service.spec.formulas.expression import parse
from service.spec.formulas.grammar import SURFACE
from service.spec.formulas.tokens import ExpressionError

FORMULAS = int(os.environ.get("RAVINE_FUZZ_FORMULAS", "3000"))
LONGEST_SECONDS = 0.1
ALPHABET = "xye0123456789.+-*/()^ \t\n_\"'[]{}:;,=!<>@#$%&|~`\\lambdaimportexecevalpi\0\ud800é∞𝒙²³⁻¹−·×÷π√≤"
HOSTILE = [
    "(" * 10_000 + "x" + ")" * 10_000, "(" * 900 + "x" + ")" * 900, "9**9**9**9", "x**9**9**9**9", "-" * 1_900 + "x",
    "x" + "**x" * 600, "x" * 1_000_000, "x+" * 500_000 + "x", "1e999*x", "x**1e308", "x/0", "0/0*x", "log(0)*x",
    "exp(" * 99 + "x" + ")" * 99, "((x)" * 400, "x*" * 900 + "x", "tan(" * 400 + "x", "1" * 1_999 + "x", "." * 2_000,
    "x.__class__", "__import__('os').system('id')", "lambda: x", "[x for x in y]", "f'{x}'", "x if y else x", "x;y",
    "x:=1", "eval(x)", "x._", "abs.__globals__", "sin", "sin(", "sin()", "sin x", "x y", "x(", ")x", "e", "pi*e", "",
    " ", "\n" * 2_000, "\0", "\ud800", "０x", "x**-1000", "x**-1001", "x**0.5**0.5", "sqrt(-1)*x", "(-8)**(1/3)*x",
    "abs(x)**abs(y)", "x**x**x**x", "1e-400*x", "0**0*x", "(0*x)**-1", "x-x", "x/x", "log(-x)", "(1e300*x)**1000",
    "(1e-200*x*(1e-200*y))**999", "tanh(1e308*x*10)",
]  # fmt: skip


@pytest.mark.slow
def test_every_formula_is_accepted_or_rejected_in_a_short_time() -> None:
    chance = random.Random(20)
    accepted = refused = 0
    longest, slowest = 0.0, ""
    for number in range(FORMULAS):
        text = HOSTILE[number] if number < len(HOSTILE) else MAKERS[number % len(MAKERS)](chance)
        was_accepted, seconds = measure(text)
        accepted += was_accepted
        refused += not was_accepted
        if seconds > longest:
            # Repeated, and the shorter time counts, because other programs share the caches of the processor.
            seconds = min(seconds, *(measure(text)[1] for _ in range(2)))
            if seconds > longest:
                longest, slowest = seconds, text
    print(f"{accepted:,} formulas accepted, {refused:,} refused, the slowest in {1_000 * longest:.1f} ms")
    assert longest < LONGEST_SECONDS, slowest[:200]
    # Both accepted and rejected formulas occurred.
    assert accepted > FORMULAS / 10
    assert refused > FORMULAS / 10


def measure(text: str) -> tuple[bool, float]:
    """Parse a formula, its normal form, and its derivatives; only the parser may raise, and only an ExpressionError."""
    started = time.thread_time()
    try:
        formula = parse(text)
    except ExpressionError:
        return False, time.thread_time() - started
    except Exception as error:
        raise AssertionError(f"neither accepted nor refused: {text[:300]!r}") from error
    seconds = time.thread_time() - started
    try:
        assert parse(formula.text).text == formula.text
        formula.compile(("value", *formula.variables))
        if len(text) < 100:
            formula.compile(("xx", "xy", "yy") if formula.dimension == 2 else ("xx",))
    except Exception as error:
        raise AssertionError(f"accepted, but without derivatives: {text[:300]!r}") from error
    return True, seconds


def valid(chance: random.Random, depth: int = 0) -> str:
    """A formula of the grammar, in all of its notations."""
    if depth > 6 or chance.random() < 0.15 + 0.1 * depth:
        names = [*SURFACE.variables, *SURFACE.variables, *SURFACE.constants]
        return chance.choice([*names, "2", "0.5", "1e-3", "10", "3.", "2x", "xy", "y²", "x⁻¹", "π", "3ey"])
    inner = [valid(chance, depth + 1) for _ in range(2)]
    match chance.randrange(12):
        case 0:
            name, function = chance.choice(list(SURFACE.functions.items()))
            arguments = [inner[0], inner[1], inner[0]][: len(function.arguments)]
            if name == "where":
                arguments[0] += f" {chance.choice(['<', '<=', '>', '≥', '==', '!='])} {inner[1]}"
            return f"{name}({', '.join(arguments)})"
        case 1:
            return f"({inner[0]})"
        case 2:
            return f"{chance.choice('-−')}{inner[0]}"
        case 3:
            power = chance.choice(["2", "3", "-1", "0.5", "(1/3)", "1000", inner[1]])
            return f"({inner[0]}){chance.choice(['**', '^'])}{power}"
        case 4:
            return f"({inner[0]}){chance.choice('²³⁴')}"
        case 5:
            return f"{chance.choice(['2', 'x', '1/2', ''])}({inner[0]})({inner[1]})"
        case 6:
            return f"|{inner[0]}|"
        case _:
            return f"{inner[0]} {chance.choice('+-*/·÷')} {inner[1]}"


def mutated(chance: random.Random) -> str:
    """A formula of the grammar with random changes."""
    text = list(valid(chance))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(3):
            case 0:
                text.insert(at, chance.choice(ALPHABET))
            case 1:
                del text[at : at + chance.randint(1, 4)]
            case 2:
                text[at : at + 1] = chance.choices(ALPHABET, k=2)
    return "".join(text)


def noise(chance: random.Random) -> str:
    """A random text."""
    return "".join(chance.choices(ALPHABET, k=chance.randint(0, 60)))


def heavy(chance: random.Random) -> str:
    """A formula about as long or as deep as allowed."""
    match chance.randrange(5):
        case 4:
            return chance.choice(["2x", "xy", "(x)", "x²", "|x|+", "1/2x+", "x^", "πx"]) * chance.randint(1, 700) + "x"
        case 0:
            depth = chance.randint(80, 400)
            return chance.choice(["(", "sin(", "-(", "2**(", "abs(", "3(", "x(", "2^("]) * depth + "x" + ")" * depth
        case 1:
            return chance.choice("+-*/").join(valid(chance, 4) for _ in range(chance.randint(50, 300)))
        case 2:
            return "x" + f"**{chance.choice(['x', '2', '9', '-1'])}" * chance.randint(1, 500)
        case _:
            return chance.choice(["x*", "x**2+", "sin(x*y)*", "-", "1/", "(x+y)**9*"]) * chance.randint(1, 400) + "x"


# Heavy formulas are rare, because each takes as long as a hundred others.
MAKERS: list[Callable[[random.Random], str]] = [valid] * 16 + [mutated] * 12 + [noise] * 11 + [heavy]
