"""Losses of a network's outputs: cross-entropy of several classes or of two."""

import torch
from torch import Tensor


class CrossEntropy:
    """One output per class. The loss is −log softmax(outputs) at the label; right: no output is greater."""

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        return -torch.log_softmax(outputs_RON, 1).gather(1, _as_rows(labels, outputs_RON)).squeeze(1)

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        labels_R1N = _as_rows(labels, outputs_RON)
        logarithms_RON = torch.log_softmax(outputs_RON, 1)
        losses_RN = -logarithms_RON.gather(1, labels_R1N).squeeze(1)
        # softmax − 1 of the right class, from the loss, which is exact even where the softmax rounds to 1.
        right_R1N = torch.expm1(-losses_RN).unsqueeze(1)
        return losses_RN, torch.exp(logarithms_RON).scatter_(1, labels_R1N, right_R1N)

    def right(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        # A NaN makes the maximum NaN, which equals nothing. The argmax takes five times as long as the maximum.
        return outputs_RON.gather(1, _as_rows(labels, outputs_RON)).squeeze(1) == outputs_RON.amax(1)


def _as_rows(labels: Tensor, outputs_RON: Tensor) -> Tensor:
    num_runs, _, num = outputs_RON.shape
    return labels.expand(num_runs, num).unsqueeze(1)


class Binary:
    """One output, above 0 for class 1: the loss is −log σ(output) for class 1 and −log σ(−output) for class 0."""

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        outputs_RN = outputs_RON.squeeze(1)
        return torch.nn.functional.softplus(outputs_RN) - outputs_RN * labels

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return self.losses(outputs_RON, labels), torch.sigmoid(outputs_RON) - labels.unsqueeze(-2)

    def right(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        outputs_RN = outputs_RON.squeeze(1)
        return ((outputs_RN > 0) == (labels > 0)) & ~outputs_RN.isnan()
