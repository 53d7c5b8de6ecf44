"""How does a small network learn to tell two classes of points in the plane apart, and where is its border?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.classification.heads import Binary
from worker.engine.classification.objective import Classification, Examples, Lesson
from worker.engine.classification.point_sets import DATASETS, draw
from worker.engine.classification.problem import Taught
from worker.engine.networks.mlp import ACTIVATIONS, MLP
from worker.engine.protocols import BatchSize

# Decision values are kept on this grid: points a side, and how far it reaches from the middle.
GRID_SIDE = 40
GRID_REACH = 1.25


@dataclass(frozen=True, eq=False)
class Playground(Taught):
    """A point set for one seed per run. All runs see the same points: `data_seed` draws them, the runs' seeds do not.

    `size` points to train with, as many to test with; hidden layers of these widths; binary cross-entropy.
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
        return PlaygroundObjective(self._lesson, self.seeds[source_R], dtype, device)

    @cached_property
    def _lesson(self) -> Lesson:
        training, test = (Examples(*draw(self.dataset, self.size, self.noise, self.data_seed, part)) for part in (0, 1))
        network = MLP((2, *self.widths, 1), self.activation)
        return Lesson(network, Binary(), training, test, self.batch_size, self.shuffle)


class PlaygroundObjective(Classification):
    """A point set for the columns of one stack, and what its networks decide everywhere."""

    def decision(self, weights_DR: Tensor) -> Tensor:
        """The probability of class 1 [R, y, x] on a square grid, y upwards."""
        axis = torch.linspace(-GRID_REACH, GRID_REACH, GRID_SIDE, dtype=weights_DR.dtype, device=weights_DR.device)
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).view(-1, 2)
        return torch.sigmoid(self._network.outputs(weights_DR.T, grid)).view(-1, GRID_SIDE, GRID_SIDE)
