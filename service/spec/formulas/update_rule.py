"""Update rules: assignments that compute new parameters w and new states from a gradient g.

    m = 0.9*m + g
    w = w - lr*m

Assignments run in order, and a name has the value of its last assignment. The texts are never run as code: they become
a graph of operations in which equal terms are computed once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from service.spec.formulas.builder import Builder
from service.spec.formulas.grammar import Grammar, update_grammar
from service.spec.formulas.graph import Graph, Load
from service.spec.formulas.notation import MAX_CHARACTERS, checked_normal
from service.spec.formulas.syntax import read
from service.spec.formulas.terms import Term, Terms
from service.spec.formulas.tokens import ExpressionError

# What a rule may read besides its states and parameters: w is assigned too.
READ_ONLY = ("g", "t", "lr", "normal")
WEIGHTS = "w"
MAX_ASSIGNMENTS = 32
# Adam has 12 operations.
MAX_NODES = 2_000
MAX_NAME = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPACE = re.compile(r"\s*")
_ASSIGNMENT = "An assignment is a name, = and a formula, such as w = w - lr*g."


class RuleError(ExpressionError):
    """An invalid update rule; `place` is the number of the assignment, or None for the rule as a whole."""

    def __init__(self, place: int | None, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True, eq=False)
class UpdateRule:
    """A valid update rule: its assignments in the normal form, and the terms of w and the states after them."""

    assignments: tuple[str, ...]
    states: tuple[str, ...]
    terms: Terms
    results: Mapping[str, Term]

    @cached_property
    def graph(self) -> Graph:
        """Give the operations from w, g, t, lr, normal, states and parameters to the new w and states."""
        return Graph.of(self.terms, self.results)

    @cached_property
    def load(self) -> Load:
        """Estimate the work of one update; what depends on parameters, lr and t only is not counted."""
        return self.graph.load((WEIGHTS, "g", "normal", *self.states))

    @property
    def is_random(self) -> bool:
        """Whether the rule draws numbers."""
        return "normal" in self.graph.inputs


@lru_cache(maxsize=256)
def parse_rule(states: tuple[str, ...], parameters: tuple[str, ...], update: tuple[str, ...]) -> UpdateRule:
    """Parse the assignments of an update rule with these names of states and parameters.

    Raises:
        RuleError: An assignment is invalid, or w is not assigned exactly once.
    """
    terms = Terms()
    values: dict[str, Term] = {}
    assignments: list[str] = []
    num_nodes = 0
    for number, text in enumerate(update):
        grammar = update_grammar(tuple(dict.fromkeys((WEIGHTS, *READ_ONLY, *states, *parameters, *values))))
        try:
            if len(text) > MAX_CHARACTERS:
                raise ExpressionError(
                    f"The assignment has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed."
                )
            name, start = _target(text, grammar, states, parameters)
            if name == WEIGHTS and WEIGHTS in values:
                raise ExpressionError("w is assigned a second time; it must be assigned exactly once.")
            tree = read(text, grammar, start)
            num_nodes += len(tree.nodes)
            if num_nodes > MAX_NODES:
                raise ExpressionError(
                    f"The rule has more than {MAX_NODES:,} names, numbers and operations; write a shorter one."
                )
            values[name] = Builder(grammar, terms, values).build(tree)
            assignments.append(f"{name} = {checked_normal(tree, grammar)}")
        except ExpressionError as error:
            raise RuleError(number, str(error)) from error
    if WEIGHTS not in values:
        raise RuleError(None, "w must be assigned exactly once, for example by w = w - lr*g")
    results = {name: values.get(name) or terms.variable(name) for name in (WEIGHTS, *states)}
    return UpdateRule(tuple(assignments), states, terms, results)


def check_name(name: str, others: Sequence[str]) -> None:
    """Check the name of a state or a parameter.

    Raises:
        ExpressionError: It is not a name, or it has another meaning.
    """
    if not _NAME.fullmatch(name):
        raise ExpressionError(f"{name[:MAX_NAME]!r} is not a name: names are letters, digits and _, a letter first")
    if len(name) > MAX_NAME:
        raise ExpressionError(f"the name has {len(name):,} characters; at most {MAX_NAME} are allowed")
    grammar = update_grammar((WEIGHTS, *READ_ONLY))
    if name in grammar.names:
        meaning = "a function" if name in grammar.functions or name in grammar.aliases else "a name of every rule"
        raise ExpressionError(
            f"{name!r} is {meaning}; choose another name than {', '.join((*grammar.variables, *grammar.constants))} "
            "and those of functions"
        )
    if name in others:
        raise ExpressionError(f"{name!r} is a state too; states and parameters have different names")


def _target(text: str, grammar: Grammar, states: Sequence[str], parameters: Sequence[str]) -> tuple[str, int]:
    """Give the name that an assignment assigns, and the position after its sign."""
    begin = _after_space(text, 0)
    match = _NAME.match(text, begin)
    at = _after_space(text, match.end()) if match else begin
    if match is None or text[at : at + 1] != "=" or text[at : at + 2] == "==":
        found = (
            f"{text[at : at + 2].strip()!r} at character {at + 1}" if at < len(text) else "The end of the assignment"
        )
        raise ExpressionError(f"{found} comes where {'=' if match else 'a name'} is expected. {_ASSIGNMENT}")
    name = match[0]
    place = f"{name[:MAX_NAME]!r} at character {begin + 1}"
    kind = _meaning(name, grammar, parameters)
    if kind and name != WEIGHTS and name not in states:
        assigned = ", ".join((WEIGHTS, *states))
        raise ExpressionError(f"{place} is {kind} and cannot be assigned; assign {assigned}, or a name of your own.")
    if len(name) > MAX_NAME:
        raise ExpressionError(f"{place} has {len(name):,} characters; at most {MAX_NAME} are allowed.")
    return name, at + 1


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _meaning(name: str, grammar: Grammar, parameters: Sequence[str]) -> str | None:
    """Name what is read-only; None for a name that may be assigned."""
    if name in parameters:
        return "a parameter"
    if name in grammar.functions or name in grammar.aliases:
        return "a function"
    return "read-only" if name in (*READ_ONLY, *grammar.constants) else None
