"""A synthetic text: words of a random alphabet that follow Zipf's law, the same on every machine.

The r-th most frequent of W words has a share proportional to 1/r, and the letters of the words likewise, so that most
characters are rare, as in real languages (Zipf, "Human Behavior and the Principle of Least Effort", 1949). The draws
use 64-bit integers of PCG64 and no floating-point numbers: every version of numpy gives the same text.
"""

import string

import numpy as np
from numpy.typing import NDArray

SEED = 1949
NUM_CHARACTERS = 100_000
NUM_WORDS = 2_000
_LENGTHS = range(2, 9)
_SENTENCES = range(4, 16)
_ONE = 2**32


def text() -> str:
    """Give the text: sentences of words, one per line, ``NUM_CHARACTERS`` in all."""
    source = np.random.PCG64(SEED)
    letters = np.array(list(string.ascii_letters))
    # A random order of the alphabet: the first letters are the frequent ones.
    letters = letters[np.argsort(source.random_raw(len(letters)), kind="stable")]
    lengths = _LENGTHS.start + source.random_raw(NUM_WORDS) % len(_LENGTHS)
    words = ["".join(letters[_drawn(source, len(letters), int(length))]) for length in lengths]
    lines: list[str] = []
    num = 0
    while num < NUM_CHARACTERS:
        size = _SENTENCES.start + int(source.random_raw() % len(_SENTENCES))
        line = " ".join(words[rank] for rank in _drawn(source, NUM_WORDS, size)) + ".\n"
        lines.append(line)
        num += len(line)
    return "".join(lines)[:NUM_CHARACTERS]


def _drawn(source: "np.random.PCG64", num_ranks: int, size: int) -> NDArray[np.int64]:
    """Draw ranks from 0 by Zipf's law."""
    ends = np.cumsum(_ONE // np.arange(1, num_ranks + 1, dtype=np.uint64))
    ranks: NDArray[np.int64] = np.searchsorted(ends, source.random_raw(size) % ends[-1], side="right")
    return ranks
