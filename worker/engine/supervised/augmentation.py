"""Random shifts and turns of the images of a batch."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.numerics.random import AUGMENT, words

MAX_SHIFT_PIXELS = 1.0
MAX_TURN_DEGREES = 10.0


def shift_and_turn(
    images_RBI: Tensor, seeds_S: NDArray[np.int64], seed_of_column: NDArray[np.int64], step: int
) -> Tensor:
    """Each image shifted by up to one pixel along both axes and turned by up to ten degrees about its middle.

    Shift and turn depend on the seed, the step and the position in the batch alone. Values between pixels are
    interpolated linearly; outside of the image they are 0, the shade of the paper.
    """
    num_runs, num, num_pixels = images_RBI.shape
    side = math.isqrt(num_pixels)
    raw_3BS = words(seeds_S, AUGMENT, np.array([step]), 3 * num)[0].reshape(3, num, -1)
    drawn_3BS = (raw_3BS >> np.uint64(11)) * 2.0**-52 - 1  # From −1 to 1.
    drawn_3RB = torch.from_numpy(drawn_3BS[:, :, seed_of_column]).to(images_RBI).mT
    right, down = drawn_3RB[:2].flatten(1) * (2 * MAX_SHIFT_PIXELS / side)  # A side is 2 long.
    angle = drawn_3RB[2].flatten() * math.radians(MAX_TURN_DEGREES)
    cos, sin = torch.cos(angle), torch.sin(angle)
    moves = torch.stack([torch.stack([cos, -sin, right], 1), torch.stack([sin, cos, down], 1)], 1)
    images = images_RBI.reshape(num_runs * num, 1, side, side)
    grid = torch.nn.functional.affine_grid(moves, list(images.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(images, grid, padding_mode="zeros", align_corners=False)
    return moved.view(num_runs, num, num_pixels)
