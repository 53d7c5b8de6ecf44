"""Own data: a network trained on prepared examples, for classification, regression or the next token."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from worker.engine.networks.network import Network
from worker.engine.numerics.random import LABELS, words
from worker.engine.protocols import BatchSize
from worker.engine.supervised.augmentation import shift_and_turn
from worker.engine.supervised.heads import CrossEntropy, SquaredError, TokenCrossEntropy
from worker.engine.supervised.minimum import Minimum
from worker.engine.supervised.problem import SupervisedProblem
from worker.engine.supervised.setup import Examples, Head, SupervisedSetup


@dataclass(frozen=True, eq=False)
class Data(SupervisedProblem):
    """One network for each run, on the same examples.

    Labels are classes from 0 to `num_classes` − 1, or targets of a regression, for which it is 0. Examples with a label
    for each of their tokens predict tokens. `label_noise` is the share of training labels that are replaced by a wrong
    one, drawn by the run's seed. `augment` shifts and turns the square images of each batch. `minimum` is that of the
    loss where it is known.
    """

    seeds: NDArray[np.int64]
    network: Network
    training: Examples
    num_classes: int
    test: Examples | None = None
    validation: Examples | None = None
    batch_size: BatchSize = 32
    shuffle: bool = True
    l2: float = 0.0
    label_noise: float = 0.0
    augment: bool = False
    minimum: Minimum | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))

    @cached_property
    def _setup(self) -> SupervisedSetup:
        return SupervisedSetup(
            self.network,
            self._head,
            self.training,
            self.test,
            self.batch_size,
            self.shuffle,
            augment=shift_and_turn if self.augment else None,
            relabel=self._relabelled if self.label_noise else None,
            validation=self.validation,
            l2=self.l2,
            minimum=self.minimum,
        )

    @property
    def _head(self) -> Head:
        if not self.num_classes:
            return SquaredError()
        return TokenCrossEntropy() if self.training.labels.ndim == 2 else CrossEntropy()

    def _relabelled(self, seeds_S: NDArray[np.int64]) -> NDArray[np.int64]:
        """Training labels [S, N], of which round(label_noise · N) are wrong."""
        labels_N = self.training.labels
        num_wrong = round(self.label_noise * len(labels_N))
        raw_SN = words(seeds_S, LABELS, np.array([0]), 2 * len(labels_N))[0].T
        keys_SN, others_SN = raw_SN[:, : len(labels_N)], raw_SN[:, len(labels_N) :]
        wrong_SN = keys_SN.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") < num_wrong
        # One to K − 1 classes further, modulo K: never the right one.
        moved_SN = 1 + (others_SN % np.uint64(self.num_classes - 1)).astype(np.int64)
        relabelled: NDArray[np.int64] = (labels_N + wrong_SN * moved_SN) % self.num_classes
        return relabelled
