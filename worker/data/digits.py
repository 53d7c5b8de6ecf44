"""The kind `digits`: networks on the built-in handwritten digits, 1,797 images of 8×8 pixels from 0 to 1.

All images are in one fixed random order, in which every range has the ten digits in their proportions. The first 360
are the test set, the other 1,437 the training set; a training set of n examples is the first n of those.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.spec.datasets import builtin
from service.spec.problems.data import Data as DataSpec
from worker.data.tables import parts
from worker.engine.networks.convolution import CNN, ResNet
from worker.engine.networks.mlp import MLP
from worker.engine.networks.network import Network
from worker.engine.problems.data import Data
from worker.engine.protocols import BatchSize
from worker.engine.supervised.setup import Examples

SIDE = 8
NUM_CLASSES = 10
# The networks and their widths.
MODELS = {"mlp": 32, "cnn": 8, "resnet": 16}


def digits(
    seeds: Sequence[int] | NDArray[np.int64],
    model: str = "mlp",
    hidden: int | None = None,
    batch_size: BatchSize = 32,
    shuffle: bool = True,
    train_size: int | None = None,
    label_noise: float = 0.0,
    augment: bool = False,
) -> Data:
    """The digits for one seed per run.

    `hidden` is the width of the mlp's hidden layer, or the number of channels of the first convolution.
    """
    training, test = examples()
    return Data(
        np.asarray(seeds, dtype=np.int64),
        _network(model, hidden or MODELS[model]),
        training.first(train_size),
        NUM_CLASSES,
        test=test,
        batch_size=batch_size,
        shuffle=shuffle,
        label_noise=label_noise,
        augment=augment,
    )


def _network(model: str, width: int) -> Network:
    if model == "mlp":
        return MLP((SIDE * SIDE, width, NUM_CLASSES))
    if model == "cnn":
        return CNN(1, SIDE, SIDE, NUM_CLASSES, (width, 2 * width))
    return ResNet(1, SIDE, SIDE, NUM_CLASSES, width)


@lru_cache(maxsize=1)
def examples() -> tuple[Examples, Examples]:
    """Training and test images, [N, 64] each, with their labels."""
    problem = DataSpec(kind="data", dataset="digits", scale="none", test_share=0.2)
    found = parts(problem, builtin.table("digits"))
    assert found.test is not None
    return found.training, found.test
