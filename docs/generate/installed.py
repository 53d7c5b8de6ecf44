"""The page of the optimizers of the package pytorch-optimizer, each of which is tried as a kind."""

import inspect
import logging
from functools import cache
from importlib import metadata

import pytorch_optimizer
import torch

from docs.generate.words import table
from worker.engine.device import use_device
from worker.plugins.installed import examine
from worker.plugins.signature import Unfit


@cache
def tried() -> dict[str, str]:
    """Try every optimizer of the package, and say how it trains or why it cannot be a kind."""
    logging.getLogger("pytorch_optimizer").setLevel(logging.ERROR)
    use_device("cpu")
    found = {}
    for name, make in sorted(vars(pytorch_optimizer).items()):
        if inspect.isclass(make) and issubclass(make, torch.optim.Optimizer):
            try:
                offer = examine("kind", make, with_others=False).offer
            except Unfit as error:
                found[name] = f"no: {error}"
            else:
                found[name] = "elementwise" if offer.elementwise else "run by run"
    return found


def installed_optimizers() -> str:
    """Return the page."""
    version = metadata.version("pytorch-optimizer")
    kinds = tried()
    num = {how: sum(one == how for one in kinds.values()) for how in ("elementwise", "run by run")}
    return "\n".join(
        [
            "# Optimizers of the package pytorch-optimizer\n",
            "The setting `RAVINE_OPTIMIZERS` of the workers makes installed classes kinds of optimizer; the guide"
            " of own optimizers describes it. A worker tries each class when it starts. *Elementwise* classes "
            "step all runs of a setting at once. *Run by run* is an optimizer for each run, because the class "
            "works on tensors as a whole, or its bits depend on neighbours.\n",
            f"Of the {len(kinds)} classes of pytorch-optimizer {version}, {num['elementwise']} are elementwise with "
            f"their defaults and {num['run by run']} train run by run.\n",
            table(("class", "as a kind"), ((f"`{name}`", how) for name, how in kinds.items())),
        ]
    )
