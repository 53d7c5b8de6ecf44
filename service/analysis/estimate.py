"""A number with its interval."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A number and its interval; NaN without an interval."""

    value: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return not (np.isnan(self.low) or np.isnan(self.high))

    def excludes(self, value: float) -> bool:
        """Whether the interval excludes a value; False without an interval."""
        return self.low > value or self.high < value

    def within(self, low: float, high: float) -> bool:
        """Whether the whole interval lies between two values; False without an interval."""
        return self.low >= low and self.high <= high
