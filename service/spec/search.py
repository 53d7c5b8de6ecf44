"""Search of a job: points of the unit cube, which become the trials of every entry with an interval."""

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from service.spec.fields import Strict
from service.spec.sobol import sobol

MAX_TRIALS = 65_536
Method = Literal["sobol", "random"]


class Search(Strict):
    """How the trials of entries with intervals are drawn: every such entry gets exactly as many settings."""

    trials: int = Field(32, ge=1, le=MAX_TRIALS, description="Number of settings of each entry with an interval.")
    method: Method = Field(
        "sobol",
        description="sobol: a scrambled Sobol sequence, which fills the space evenly; random: uniform points.",
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the points, the same for every entry.")

    def points(self, num_dimensions: int) -> NDArray[np.float64]:
        """Give the points of the unit cube, shape [trials, dimensions]: the same for the same search."""
        return _points(self.method, self.trials, self.seed, num_dimensions)


USUAL = Search()


@lru_cache(maxsize=64)
def _points(method: Method, num: int, seed: int, num_dimensions: int) -> NDArray[np.float64]:
    if method == "random":
        points: NDArray[np.float64] = np.random.default_rng(seed).random((num, num_dimensions))
    else:
        points = sobol(num, num_dimensions, seed)
    points.flags.writeable = False
    return points
