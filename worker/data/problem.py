"""The problem of a spec on data, from the spec and its table."""

import numpy as np
from numpy.typing import NDArray

from service.analysis.linear_theory import LinearTheory
from service.spec import models
from service.spec.datasets.table import Table
from service.spec.job import JobSpec
from service.spec.problems.data import Data as DataSpec
from worker.data import tables, texts
from worker.data.linear.minimum import minimum_of
from worker.engine.networks.convolution import CNN, ResNet
from worker.engine.networks.mlp import MLP
from worker.engine.networks.network import Network
from worker.engine.networks.transformer import Transformer
from worker.engine.problems.data import Data


def data_problem(
    spec: JobSpec,
    given: DataSpec,
    table: Table,
    seeds_R: NDArray[np.int64],
    theory: LinearTheory | None = None,
) -> Data:
    """Prepare the examples of a resolved problem, for one seed per run.

    Raises:
        Misfit: The table lacks what the problem names.
    """
    model = given.model
    found = (
        texts.parts(given, table, model.context)
        if isinstance(model, models.Transformer)
        else tables.parts(given, table)
    )
    classes = 0 if given.resolved is None else given.resolved.classes or 0
    return Data(
        seeds_R,
        network_of(given),
        found.training,
        classes,
        test=found.test,
        validation=found.validation,
        batch_size=spec.batch_size,
        shuffle=spec.shuffle,
        l2=given.l2 or 0.0,
        label_noise=given.label_noise,
        minimum=minimum_of(given, found.training, theory),
    )


def network_of(given: DataSpec) -> Network:
    """Make the network of a resolved problem."""
    sizes = given.sizes
    height, width, colours = sizes.sides
    match given.model:
        case models.Linear():
            return MLP((sizes.inputs, sizes.outputs), is_aligned=True)
        case models.MLP() as model:
            return MLP((sizes.inputs, *model.widths, sizes.outputs), model.activation, is_aligned=True)
        case models.CNN() as model:
            return CNN(colours, height, width, sizes.outputs, tuple(model.channels), is_channels_last=True)
        case models.ResNet() as model:
            return ResNet(colours, height, width, sizes.outputs, model.channels)
        case models.Transformer() as model:
            return Transformer(sizes.outputs, model.context, model.width, model.heads, model.layers)
