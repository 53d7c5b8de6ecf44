"""One line of PyTorch that makes a setting."""

from collections.abc import Mapping
from typing import Any


def torch_code(optimizer: Mapping[str, Any]) -> str | None:
    """Write the line."""
    return None
