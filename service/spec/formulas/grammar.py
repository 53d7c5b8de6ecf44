"""What a formula may contain: names, functions, signs, and how words become names."""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import e, pi

from service.spec.formulas.functions import FUNCTIONS, Function
from service.spec.formulas.reductions import REDUCTIONS, Reduction


@dataclass(frozen=True)
class Grammar:
    """The names of a kind of formula.

    `aliases` are other spellings of names. With `splits`, a word is a product of the longest known names from the left
    (xy, xsin(y)); without, every word is one name. `letters` are names too, at most one in a word: ax, but not ab, so
    that most misspelt words are errors.
    """

    variables: tuple[str, ...]
    constants: Mapping[str, float]
    functions: Mapping[str, Function | Reduction]
    aliases: Mapping[str, str] = field(default_factory=dict)
    splits: bool = True
    letters: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        """All names and their other spellings."""
        return frozenset((*self.variables, *self.constants, *self.functions, *self.aliases))

    @cached_property
    def longest_name(self) -> int:
        """Count the letters of the longest name."""
        return max(map(len, self.names))

    def usage(self, function: str) -> str:
        """Write a call of a function: where(a < b, c, d)."""
        return f"{function}({', '.join(self.functions[function].arguments)})"

    @property
    def contents(self) -> str:
        """List what a formula may contain."""
        plain = [name for name, function in self.functions.items() if len(function.arguments) == 1]
        calls = [self.usage(name) for name in self.functions if name not in plain]
        product = "2x" if self.splits else "2 g"
        return (
            f"{', '.join(self.variables)}, numbers, {', '.join(self.constants)}, + - * / ** ^ x², "
            f"products such as {product}, parentheses, |x|, {' '.join(plain)}, {', '.join(calls)}"
        )

    @property
    def allowed(self) -> str:
        """Say what a formula may contain."""
        return f"A formula is made of {self.contents}."


_CONSTANTS = {"pi": pi, "e": e}
_ALIASES = {"π": "pi", "√": "sqrt", "ln": "log"}
SURFACE = Grammar(variables=("x", "y"), constants=_CONSTANTS, functions=FUNCTIONS, aliases=_ALIASES)
# Letters that may stand for numbers in the formula of a surface.
LETTERS = frozenset(string.ascii_letters) - frozenset("xyeXYE")
# The grammar of a surface in which all of them do.
WITH_LETTERS = replace(SURFACE, letters=LETTERS)


def with_letters(letters: Iterable[str]) -> Grammar:
    """Give the grammar of surfaces in which some letters stand for numbers."""
    chosen = frozenset(letters)
    return replace(SURFACE, letters=chosen) if chosen else SURFACE


def update_grammar(names: tuple[str, ...]) -> Grammar:
    """Give the grammar of update rules with these variables: words are not split, and there are reductions."""
    return Grammar(names, _CONSTANTS, {**FUNCTIONS, **REDUCTIONS}, _ALIASES, splits=False)
