"""Handwritten digits: 1,797 images of 8×8 pixels from scikit-learn, whose 17 shades become numbers from 0 to 1.

All images are in one fixed random order, in which every range has the ten digits in their proportions. The first 360
are the test set, the other 1,437 the training set; a training set of n examples is the first n of those.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from worker.engine.classification.augmentation import shift_and_turn
from worker.engine.classification.heads import CrossEntropy
from worker.engine.classification.problem import ClassificationProblem
from worker.engine.classification.setup import ClassificationSetup, Examples
from worker.engine.networks.convolution import NUM_CLASSES, SIDE, Convolutional
from worker.engine.networks.mlp import MLP
from worker.engine.networks.network import Network
from worker.engine.numerics.random import LABELS, SPLIT, permutations, words
from worker.engine.protocols import BatchSize

NUM_TEST = 360
# Seeds the order of all images, which is the same in every job.
SPLIT_SEED = 0

# The networks and their widths.
MODELS = {"mlp": 32, "cnn": 8, "resnet": 16}


@dataclass(frozen=True, eq=False)
class Digits(ClassificationProblem):
    """The digits for one seed per run.

    `hidden` is the width of the mlp's hidden layer, or the number of channels of the first convolution. `label_noise`
    is the share of training labels that are replaced by a wrong one, drawn by the run's seed. `augment` shifts and
    turns the images of each batch.
    """

    seeds: NDArray[np.int64]
    model: str = "mlp"
    hidden: int | None = None
    batch_size: BatchSize = 32
    shuffle: bool = True
    train_size: int | None = None
    label_noise: float = 0.0
    augment: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))
        if self.model not in MODELS:
            raise ValueError(f"model must be one of {list(MODELS)}, not {self.model!r}.")

    @cached_property
    def _setup(self) -> ClassificationSetup:
        training, test = examples()
        if self.train_size is not None:
            training = Examples(training.inputs[: self.train_size], training.labels[: self.train_size])
        return ClassificationSetup(
            self._network(),
            CrossEntropy(),
            training,
            test,
            self.batch_size,
            self.shuffle,
            augment=shift_and_turn if self.augment else None,
            relabel=self._relabelled if self.label_noise else None,
        )

    def _network(self) -> Network:
        width = self.hidden or MODELS[self.model]
        if self.model == "mlp":
            return MLP((SIDE * SIDE, width, NUM_CLASSES))
        return Convolutional(self.model, width)

    def _relabelled(self, seeds_S: NDArray[np.int64]) -> NDArray[np.int64]:
        """Training labels [S, N], of which round(label_noise · N) are wrong."""
        labels_N = self._setup.training.labels
        num_wrong = round(self.label_noise * len(labels_N))
        raw_SN = words(seeds_S, LABELS, np.array([0]), 2 * len(labels_N))[0].T
        keys_SN, others_SN = raw_SN[:, : len(labels_N)], raw_SN[:, len(labels_N) :]
        wrong_SN = keys_SN.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") < num_wrong
        # One to nine classes further, modulo ten: never the right one.
        moved_SN = 1 + (others_SN % np.uint64(NUM_CLASSES - 1)).astype(np.int64)
        relabelled: NDArray[np.int64] = (labels_N + wrong_SN * moved_SN) % NUM_CLASSES
        return relabelled


@lru_cache(maxsize=1)
def examples() -> tuple[Examples, Examples]:
    """Training and test images, [N, 64] each, with their labels."""
    # Importing scikit-learn takes a second; only jobs on digits need it.
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = _stratified(np.asarray(labels, dtype=np.int64))
    inputs, labels = images[order] / 16, labels[order].astype(np.int64)
    return Examples(inputs[NUM_TEST:], labels[NUM_TEST:]), Examples(inputs[:NUM_TEST], labels[:NUM_TEST])


def _stratified(labels_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """An order of examples in which every range has the classes in their proportions.

    Example k of the n of a class, in an order drawn at random, is at position (k + ½)/n of the whole.
    """
    drawn_N = permutations(np.array([SPLIT_SEED]), np.array([0]), len(labels_N), stream=SPLIT)[0, :, 0]
    position_N = np.empty(len(labels_N))
    for label in np.unique(labels_N):
        of_class = drawn_N[labels_N[drawn_N] == label]
        position_N[of_class] = (np.arange(len(of_class)) + 0.5) / len(of_class)
    return drawn_N[np.argsort(position_N[drawn_N], kind="stable")]
