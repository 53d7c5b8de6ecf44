"""Losses of a network's outputs, and scores: cross-entropy of several classes, of two, per token; squared error."""

import torch
from torch import Tensor


class CrossEntropy:
    """One output per class. The loss is −log softmax(outputs) at the label; right: no output is greater."""

    score = "accuracy"

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        return -torch.log_softmax(outputs_RON, 1).gather(1, _as_rows(labels, outputs_RON)).squeeze(1)

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        labels_R1N = _as_rows(labels, outputs_RON)
        logarithms_RON = torch.log_softmax(outputs_RON, 1)
        losses_RN = -logarithms_RON.gather(1, labels_R1N).squeeze(1)
        # softmax − 1 of the right class, from the loss, which is exact even where the softmax rounds to 1.
        right_R1N = torch.expm1(-losses_RN).unsqueeze(1)
        return losses_RN, torch.exp(logarithms_RON).scatter_(1, labels_R1N, right_R1N)

    def credit(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        # A NaN makes the maximum NaN, which equals nothing. The argmax takes five times as long as the maximum.
        return outputs_RON.gather(1, _as_rows(labels, outputs_RON)).squeeze(1) == outputs_RON.amax(1)

    def scored(self, credit_R: Tensor, labels: Tensor) -> Tensor:
        return credit_R


def _as_rows(labels: Tensor, outputs_RON: Tensor) -> Tensor:
    num_runs, _, num = outputs_RON.shape
    return labels.expand(num_runs, num).unsqueeze(1)


class Binary:
    """One output, above 0 for class 1: the loss is −log σ(output) for class 1 and −log σ(−output) for class 0."""

    score = "accuracy"

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        outputs_RN = outputs_RON.squeeze(1)
        return torch.nn.functional.softplus(outputs_RN) - outputs_RN * labels

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return self.losses(outputs_RON, labels), torch.sigmoid(outputs_RON) - labels.unsqueeze(-2)

    def credit(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        outputs_RN = outputs_RON.squeeze(1)
        return ((outputs_RN > 0) == (labels > 0)) & ~outputs_RN.isnan()

    def scored(self, credit_R: Tensor, labels: Tensor) -> Tensor:
        return credit_R


class SquaredError:
    """One output. The loss is half the squared error; the score is R², 1 − mean squared error / variance of targets."""

    score = "r2"

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        errors_RN = outputs_RON.squeeze(1) - labels
        return errors_RN * errors_RN / 2

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        errors_R1N = outputs_RON - labels.unsqueeze(-2)
        return (errors_R1N * errors_R1N / 2).squeeze(1), errors_R1N

    def credit(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        errors_RN = outputs_RON.squeeze(1) - labels
        return errors_RN * errors_RN

    def scored(self, credit_R: Tensor, labels: Tensor) -> Tensor:
        return 1 - credit_R / labels.var(correction=0)


class TokenCrossEntropy(CrossEntropy):
    """Outputs [R, O, N, C] for the C tokens of an example, labels [N, C]: the mean cross-entropy of its tokens."""

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        losses = super().losses(outputs_RON.flatten(2), labels.flatten(-2))
        return losses.view(len(losses), *outputs_RON.shape[2:]).mean(2)

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        losses, slopes = super().slopes(outputs_RON.flatten(2), labels.flatten(-2))
        losses_RN = losses.view(len(losses), *outputs_RON.shape[2:]).mean(2)
        return losses_RN, slopes.view(outputs_RON.shape) / outputs_RON.shape[3]

    def credit(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        right = super().credit(outputs_RON.flatten(2), labels.flatten(-2))
        return right.view(len(right), *outputs_RON.shape[2:]).to(outputs_RON.dtype).mean(2)
