"""Playground: a small network that classifies points in the plane, or predicts a number at each."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.networks.mlp import ACTIVATIONS, MLP
from worker.engine.protocols import BatchSize
from worker.engine.supervised.heads import Binary, SquaredError
from worker.engine.supervised.objective import SupervisedObjective
from worker.engine.supervised.plane_features import FEATURES, featured
from worker.engine.supervised.point_sets import DATASETS, REGRESSIONS, draw
from worker.engine.supervised.problem import SupervisedProblem
from worker.engine.supervised.setup import Examples, SupervisedSetup

# The grid of decision values: points per side, and its reach from the middle.
GRID_SIDE = 40
GRID_REACH = 1.25


@dataclass(frozen=True, eq=False)
class Playground(SupervisedProblem):
    """A point set for one seed per run. All runs have the same points, drawn by `data_seed`.

    `size` training points and `test_size` test points, by default as many; inputs computed from a point; hidden layers
    of these widths. Binary cross-entropy, or half the squared error of a regression. `l1` and `l2` are penalties.
    """

    seeds: NDArray[np.int64]
    dataset: str = "circles"
    noise: float = 0.05
    size: int = 200
    test_size: int | None = None
    data_seed: int = 0
    widths: tuple[int, ...] = (8,)
    activation: str = "tanh"
    features: tuple[str, ...] = ("x", "y")
    l1: float = 0.0
    l2: float = 0.0
    batch_size: BatchSize = 16
    shuffle: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))
        if self.dataset not in DATASETS:
            raise ValueError(f"dataset must be one of {list(DATASETS)}, not {self.dataset!r}.")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {list(ACTIVATIONS)}, not {self.activation!r}.")
        if not self.features or not set(self.features) <= set(FEATURES):
            raise ValueError(f"features must be some of {list(FEATURES)}, not {list(self.features)}.")

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> "PlaygroundObjective":
        return PlaygroundObjective(self._setup, self.seeds[source_R], dtype, device, self.features)

    @cached_property
    def _setup(self) -> SupervisedSetup:
        sizes = self.size, self.size if self.test_size is None else self.test_size
        training, test = (self._examples(size, part) for part, size in enumerate(sizes))
        network = MLP((len(self.features), *self.widths, 1), self.activation)
        head = SquaredError() if self.dataset in REGRESSIONS else Binary()
        return SupervisedSetup(network, head, training, test, self.batch_size, self.shuffle, l1=self.l1, l2=self.l2)

    def _examples(self, size: int, part: int) -> Examples:
        points_N2, labels_N = draw(self.dataset, size, self.noise, self.data_seed, part)
        return Examples(featured(points_N2, self.features), labels_N)


class PlaygroundObjective(SupervisedObjective):
    """A point set for the columns of one stack, and the decision values of its networks."""

    def __init__(
        self,
        setup: SupervisedSetup,
        seeds_R: NDArray[np.int64],
        dtype: torch.dtype,
        device: torch.device,
        features: tuple[str, ...],
    ) -> None:
        super().__init__(setup, seeds_R, dtype, device)
        self._features = features

    def decision(self, weights_DR: Tensor) -> Tensor:
        """The probability of class 1, or the output of a regression [R, y, x] on a square grid, y upwards."""
        axis = torch.linspace(-GRID_REACH, GRID_REACH, GRID_SIDE, dtype=weights_DR.dtype, device=weights_DR.device)
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).view(-1, 2)
        inputs = torch.from_numpy(featured(grid.double().numpy(force=True), self._features)).to(grid)
        outputs = self._network.outputs(weights_DR.T, inputs).view(-1, GRID_SIDE, GRID_SIDE)
        return torch.sigmoid(outputs) if isinstance(self._head, Binary) else outputs
