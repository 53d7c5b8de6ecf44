"""Text of users as terminals and pictures can show it: control characters are shown, never run."""

import re

# Control characters, line and paragraph separators, marks that reverse the direction of the text after them, halves of
# surrogate pairs, and what XML does not allow.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_NAMES = {"\n": "↵", "\t": "⇥"}


def visible(text: str) -> str:
    """Write a line break as ↵, a tab as ⇥, other invisible characters as ⟨001B⟩; different texts stay different."""
    return INVISIBLE.sub(lambda found: _NAMES.get(found[0], f"⟨{ord(found[0]):04X}⟩"), text)
