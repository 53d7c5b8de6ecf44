"""Scaling of inputs and targets, fitted on the training rows. Constant columns are only centred."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Directions whose variance is below this share of the largest one hold rounding errors only.
SMALLEST_SHARE = 1e-12


@dataclass(frozen=True, eq=False)
class Scaling:
    """(x − middle [F]) · factor [F], then a product with a matrix [F, F] where the inputs are whitened."""

    middle_F: Floats
    factor_F: Floats
    matrix_FF: Floats | None = None

    def apply(self, inputs_NF: Floats) -> Floats:
        """Scale rows in place, and give them."""
        inputs_NF -= self.middle_F
        inputs_NF *= self.factor_F
        return inputs_NF if self.matrix_FF is None else inputs_NF @ self.matrix_FF


def fitted(kind: str, training_NF: Floats, num_groups: int | None = None) -> Scaling:
    """Fit a scaling to training rows.

    Args:
        kind: standard, minmax, whiten or none.
        training_NF: The rows.
        num_groups: Number of ranges of columns that are scaled alike: the channels of images. By default each column.
    """
    num_columns = training_NF.shape[1]
    if kind == "none":
        return Scaling(np.zeros(num_columns), np.ones(num_columns))
    if kind == "whiten":
        return _whitening(training_NF)
    # Each group as one column: [N, G, F / G].
    grouped_NGC = training_NF.reshape(len(training_NF), num_groups or num_columns, -1)
    low_G, high_G = grouped_NGC.min(axis=(0, 2)), grouped_NGC.max(axis=(0, 2))
    if kind == "minmax":
        middle_G, spread_G = low_G, high_G - low_G
    else:
        middle_G, spread_G = grouped_NGC.mean(axis=(0, 2)), grouped_NGC.std(axis=(0, 2))
    # The mean of equal numbers may differ from them in the last bit.
    middle_G = np.where(low_G == high_G, low_G, middle_G)
    factor_G = 1 / np.where((low_G == high_G) | (spread_G == 0), 1.0, spread_G)
    times = grouped_NGC.shape[2]
    return Scaling(middle_G.repeat(times), factor_G.repeat(times))


def _whitening(training_NF: Floats) -> Scaling:
    """Uncorrelated inputs of deviation 1, as close to the inputs as can be: C^(−½) of their covariance C.

    Directions without variance become 0. Kessy, Lewin and Strimmer, Optimal Whitening and Decorrelation, 2018.
    """
    middle_F = training_NF.mean(axis=0)
    centred_NF = training_NF - middle_F
    values_F, vectors_FF = np.linalg.eigh(centred_NF.T @ centred_NF / len(centred_NF))
    has_variance_F = values_F > SMALLEST_SHARE * max(values_F[-1], 0)
    roots_F = np.zeros_like(values_F)
    roots_F[has_variance_F] = 1 / np.sqrt(values_F[has_variance_F])
    return Scaling(middle_F, np.ones_like(middle_F), (vectors_FF * roots_F) @ vectors_FF.T)
