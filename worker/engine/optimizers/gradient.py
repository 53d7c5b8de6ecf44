"""What happens to a gradient before an optimizer's own formula sees it?"""

import torch
from torch import Tensor

from worker.engine.protocols import Rows


def loss_gradient(weights_DR: Tensor, gradient_DR: Tensor, rows: Rows, terms: frozenset[str]) -> Tensor:
    """The gradient of what is minimised: −g to climb instead (`maximize`), g + weight_decay · w for a penalty on w².

    This is the coupled weight decay of torch.optim; a method with decoupled decay takes it to the weights itself.
    """
    if "maximize" in terms:
        gradient_DR = -gradient_DR
    if "weight_decay" in terms:
        gradient_DR = torch.addcmul(gradient_DR, weights_DR, rows["weight_decay"])
    return gradient_DR
