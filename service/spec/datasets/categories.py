"""Columns of categories: the values that occur, sorted by code point, and the place of each row's value in them."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from service.spec.datasets.table import Column


def category_of_strings(name: str, values: pa.ChunkedArray) -> Column:
    """Make a category of texts, or of a dictionary of texts; null is missing."""
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    merged = values.unify_dictionaries().combine_chunks()
    if isinstance(merged, pa.ChunkedArray):
        merged = merged.chunk(0) if merged.num_chunks else pa.array([], values.type)
    places_N = merged.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return category(name, places_N, merged.dictionary.to_pylist())


def category(name: str, places_N: NDArray[np.int32], words: list[str]) -> Column:
    """Sort the words by code point, and leave out those that no row has."""
    is_used = np.zeros(len(words) + 1, dtype=bool)
    is_used[places_N] = True
    order = sorted((at for at in range(len(words)) if is_used[at]), key=words.__getitem__)
    # The last place is that of −1.
    new = np.full(len(words) + 1, -1, dtype=np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    return Column(name, "category", new[places_N], tuple(words[at] for at in order))
