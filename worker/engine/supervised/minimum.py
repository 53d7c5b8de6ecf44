"""A minimum of a linear model, and the distance to the nearest one where there are many."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from worker.engine.networks.mlp import ALIGNMENT, ROWS


@dataclass(frozen=True, eq=False)
class Minimum:
    """A minimum, and the directions along which the loss never changes.

    Attributes:
        weights_D: Weights [K, F] and biases [K] of a minimum.
        num_outputs: K.
        shares_weights: Whether the loss stays the same if the weights of all outputs change alike.
        shares_biases: Whether it does for the biases.
        basis_CM: Orthonormal columns that span the weights and the bias of an output that change it, if not all do;
            the bias is the last of the C rows.
    """

    weights_D: NDArray[np.float64]
    num_outputs: int
    shares_weights: bool
    shares_biases: bool
    basis_CM: NDArray[np.float64] | None = None

    def away(self, weights_DR: Tensor) -> Tensor:
        """A vector [E, R] for each run whose length is the distance to the nearest minimum."""
        minimum_D1 = torch.from_numpy(self.weights_D).to(weights_DR)[:, None]
        away_RD = (weights_DR - minimum_D1).T
        num_runs = len(away_RD)
        weights_RKF = away_RD[:, : -self.num_outputs].reshape(num_runs, self.num_outputs, -1)
        biases_RK = away_RD[:, -self.num_outputs :]
        if self.shares_weights:
            weights_RKF = weights_RKF - weights_RKF.mean(1, keepdim=True)
        if self.shares_biases:
            biases_RK = biases_RK - biases_RK.mean(1, keepdim=True)
        if self.basis_CM is None:
            return torch.cat([weights_RKF.flatten(1), biases_RK], 1).T
        away_RKC = torch.cat([weights_RKF, biases_RK.unsqueeze(2)], 2)
        # Aligned as the products of networks/mlp.py, so that the bits of a run do not depend on its neighbours.
        more = -away_RKC.shape[2] % ALIGNMENT
        away_RKC = functional.pad(away_RKC, (0, more, 0, 0, 0, -num_runs % ROWS))
        basis_CM = functional.pad(torch.from_numpy(self.basis_CM).to(weights_DR), (0, 0, 0, more))
        return torch.matmul(away_RKC, basis_CM)[:num_runs].flatten(1).T
