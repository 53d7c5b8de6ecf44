"""Tokens of formulas: numbers, names, signs and superscripts, each with its place."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from service.spec.formulas.grammar import Grammar

# No-break and thin spaces, as text from documents has them.
DOCUMENT_SPACES = "\u00a0\u2009\u202f"
_SPACE = re.compile(rf"[ \t\r\n{DOCUMENT_SPACES}]*")
# Other spellings of signs: minus sign, en dash, dot, cross, asterisk operator, division sign, …
_SIGNS = {
    "^": "**", "−": "-", "–": "-", "·": "*", "⋅": "*", "×": "*", "∗": "*", "÷": "/",
    "≤": "<=", "≥": ">=", "≠": "!=",
}  # fmt: skip
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>[A-Za-zπ√][A-Za-z0-9_π√]*)"
    rf"|(?P<superscript>⁻?[{_RAISED}]+)"
    rf"|(?P<sign>\*\*|[<>=!]=|[-+*/()|,<>{''.join(_SIGNS)}])"
)
_WORD = re.compile(r"[A-Za-zπ√_]+")
_HINTS = {"=": " To compare, write == inside of where."}
# A longer word is shortened in messages.
_SHOWN = 40


class ExpressionError(ValueError):
    """An invalid formula; the message has the place and what is allowed."""


class Token(NamedTuple):
    """A token: `text` in the standard notation, `written` as in the formula, `position` from 1."""

    kind: str
    text: str
    position: int
    written: str

    def __str__(self) -> str:
        if not self.written:
            return "The end of the formula"
        return f"{_shown(self.written)} at character {self.position}"


def tokens(text: str, grammar: Grammar, start: int = 0) -> Iterator[Token]:
    """Yield the tokens of a text from a position on, and one of kind "end"; ExpressionError at what is no token."""
    position = end = start
    while True:
        position = _skip_space(text, position)
        if position == len(text):
            yield Token("end", "", end + 1, "")
            return
        match = _TOKEN.match(text, position)
        if match is None:
            hint = _HINTS.get(text[position], "")
            raise ExpressionError(
                f"{text[position]!r} at character {position + 1} is not allowed.{hint} {grammar.allowed}"
            )
        written, kind = match[0], match.lastgroup
        position = end = match.end()
        if kind == "word":
            yield from _names(written, match.start() + 1, grammar)
        elif kind == "superscript":
            digits = "".join("-" if sign == "⁻" else str(_RAISED.index(sign)) for sign in written)
            yield Token("superscript", digits, match.start() + 1, written)
        else:
            if kind == "number" and not grammar.splits and (word := _WORD.match(text, end)):
                shown = _shown(written + word[0])
                raise ExpressionError(
                    f"{shown} at character {match.start() + 1} is not a name; write {written}*{word[0]} or "
                    f"{written} {word[0]}. {grammar.allowed}"
                )
            yield Token(str(kind), _SIGNS.get(written, written), match.start() + 1, written)


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _names(word: str, position: int, grammar: Grammar) -> Iterator[Token]:
    """Split a word from the left into the longest known names; if words are not split, it must be a name."""
    at = 0
    longest = grammar.longest_name if grammar.splits else len(word)
    shortest = 1 if grammar.splits else len(word)
    has_letter = False
    while at < len(word):
        for length in range(min(longest, len(word) - at), shortest - 1, -1):
            name = word[at : at + length]
            if name in grammar.names:
                break
        else:
            name = word[at]
            if has_letter or name not in grammar.letters:
                raise ExpressionError(_unknown(word, at, position, grammar))
            has_letter, length = True, 1
        yield Token("name", grammar.aliases.get(name, name), position + at, name)
        at += length


def _unknown(word: str, at: int, position: int, grammar: Grammar) -> str:
    """Say why the rest of a word, from `at` on, is no name."""
    if at and word[at] == "_":
        return f"'_' at character {position + at} is not allowed. {grammar.allowed}"
    if at and word[at].isdigit():
        return (
            f"{_shown(word)} at character {position} has a digit after a name. Write a product with the number first, "
            "2x or 2*x, a power as x**2, x^2 or x², and the argument of a function in parentheses. "
            f"{grammar.allowed}"
        )
    parts = f", nor a product of such names: {_shown(word[at:])} is none" if at else ""
    hint = ""
    if grammar.splits and (len(word) == 1 or grammar.letters):
        hint = " A letter needs a number in parameters; a product of letters is written a*b."
    where = f"{_shown(word)} at character {position}"
    return f"{where} is not a name that a formula may use{parts}. {grammar.allowed}{hint}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
