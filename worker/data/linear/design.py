"""Inputs of a linear model in coordinates in which every direction changes the loss."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# The smaller side of a matrix of inputs that is decomposed.
MAX_SIDE = 2_001
# A singular value decomposition costs ten times as much as that of the Gram matrix, which loses half of the digits.
MAX_DECOMPOSED = 4e9


@dataclass(frozen=True, eq=False)
class Design:
    """Examples of a linear model with a bias, in coordinates u: weights and bias are basis · (u / scale).

    Attributes:
        rows_NM: The examples in these coordinates, such that the Hessian of a regression is about the identity.
        basis_CM: Orthonormal columns; None for the identity. The last of the C rows is the bias.
        scale_M: Lengths of the coordinates.
        l2_M: The penalty of each coordinate.
        num_inputs: Columns of the inputs, C − 1.
        is_reduced: Whether all directions that change no output have been removed.
    """

    rows_NM: Floats
    basis_CM: Floats | None
    scale_M: Floats
    l2_M: Floats
    num_inputs: int
    l2: float
    is_reduced: bool

    @property
    def num_coordinates(self) -> int:
        """M."""
        return int(self.rows_NM.shape[1])

    @property
    def num_outside(self) -> int:
        """Directions of weights and bias outside the basis, for one output."""
        return self.num_inputs + 1 - self.num_coordinates

    def weights(self, coordinates_MK: Floats) -> Floats:
        """Weights of each output, and the bias last: [C, K]."""
        scaled_MK = coordinates_MK / self.scale_M[:, None]
        return scaled_MK if self.basis_CM is None else self.basis_CM @ scaled_MK


def design(inputs_NF: Floats, l2: float) -> Design:
    """Decompose the inputs. Without penalty the bias is one more input; with it, the bias is not penalized."""
    num, num_inputs = inputs_NF.shape
    ones_N1 = np.ones((num, 1))
    if min(num, num_inputs + 1) > MAX_SIDE:
        whole_NC = np.hstack([inputs_NF, ones_N1])
        scale_C = np.sqrt((whole_NC * whole_NC).mean(axis=0) + np.append(np.full(num_inputs, l2), 0.0))
        scale_C[scale_C == 0] = 1.0
        l2_C = np.append(np.full(num_inputs, l2), 0.0) / scale_C**2
        return Design(whole_NC / scale_C, None, scale_C, l2_C, num_inputs, l2, is_reduced=False)
    if not l2:
        rows_NM, basis_CM, lengths_M = _decomposed(np.hstack([inputs_NF, ones_N1]))
        penalty_M = np.zeros(len(lengths_M))
    else:
        inner_NM, inner_FM, lengths_M = _decomposed(inputs_NF)
        rows_NM = np.hstack([inner_NM, ones_N1])
        basis_CM = np.zeros((num_inputs + 1, inner_FM.shape[1] + 1))
        basis_CM[:-1, :-1], basis_CM[-1, -1] = inner_FM, 1.0
        lengths_M = np.append(lengths_M, np.sqrt(num))
        penalty_M = np.append(np.full(inner_FM.shape[1], l2), 0.0)
    scale_M = np.sqrt(lengths_M**2 / num + penalty_M)
    return Design(rows_NM / scale_M, basis_CM, scale_M, penalty_M / scale_M**2, num_inputs, l2, is_reduced=True)


def _decomposed(inputs_NC: Floats) -> tuple[Floats, Floats, Floats]:
    """Rows in an orthonormal basis of the space that they span, the basis [C, M], and the singular values [M]."""
    num, width = inputs_NC.shape
    precision = float(np.finfo(np.float64).eps) * max(num, width)
    if num * width * min(num, width) <= MAX_DECOMPOSED:
        left_NM, lengths_M, right_MC = np.linalg.svd(inputs_NC, full_matrices=False)
        spans_M = lengths_M > lengths_M[0] * precision
        return (left_NM * lengths_M)[:, spans_M], right_MC[spans_M].T, lengths_M[spans_M]
    gram = inputs_NC.T @ inputs_NC if width <= num else inputs_NC @ inputs_NC.T
    squares_M, vectors = np.linalg.eigh(gram)
    spans_M = squares_M > squares_M[-1] * precision
    lengths_M, vectors = np.sqrt(squares_M[spans_M]), vectors[:, spans_M]
    basis_CM = vectors if width <= num else inputs_NC.T @ vectors / lengths_M
    return inputs_NC @ basis_CM, basis_CM, lengths_M
