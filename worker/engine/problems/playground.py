"""Playground: a small network that classifies points in the plane."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.networks.mlp import ACTIVATIONS, MLP
from worker.engine.protocols import BatchSize
from worker.engine.supervised.heads import Binary
from worker.engine.supervised.objective import SupervisedObjective
from worker.engine.supervised.point_sets import DATASETS, draw
from worker.engine.supervised.problem import SupervisedProblem
from worker.engine.supervised.setup import Examples, SupervisedSetup

# The grid of decision values: points per side, and its reach from the middle.
GRID_SIDE = 40
GRID_REACH = 1.25


@dataclass(frozen=True, eq=False)
class Playground(SupervisedProblem):
    """A point set for one seed per run. All runs have the same points, drawn by `data_seed`.

    `size` training points and as many test points; hidden layers of these widths; binary cross-entropy.
    """

    seeds: NDArray[np.int64]
    dataset: str = "circles"
    noise: float = 0.05
    size: int = 200
    data_seed: int = 0
    widths: tuple[int, ...] = (8,)
    activation: str = "tanh"
    batch_size: BatchSize = 16
    shuffle: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))
        if self.dataset not in DATASETS:
            raise ValueError(f"dataset must be one of {list(DATASETS)}, not {self.dataset!r}.")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {list(ACTIVATIONS)}, not {self.activation!r}.")

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> "PlaygroundObjective":
        return PlaygroundObjective(self._setup, self.seeds[source_R], dtype, device)

    @cached_property
    def _setup(self) -> SupervisedSetup:
        training, test = (Examples(*draw(self.dataset, self.size, self.noise, self.data_seed, part)) for part in (0, 1))
        network = MLP((2, *self.widths, 1), self.activation)
        return SupervisedSetup(network, Binary(), training, test, self.batch_size, self.shuffle)


class PlaygroundObjective(SupervisedObjective):
    """A point set for the columns of one stack, and the decision values of its networks."""

    def decision(self, weights_DR: Tensor) -> Tensor:
        """The probability of class 1 [R, y, x] on a square grid, y upwards."""
        axis = torch.linspace(-GRID_REACH, GRID_REACH, GRID_SIDE, dtype=weights_DR.dtype, device=weights_DR.device)
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).view(-1, 2)
        return torch.sigmoid(self._network.outputs(weights_DR.T, grid)).view(-1, GRID_SIDE, GRID_SIDE)
