"""The Python client: ``from service.client import Ravine``. It requires httpx and numpy only."""

from service.client.errors import NotReachable, RavineError, WaitTimeout
from service.client.histories import History, frame
from service.client.ravine import Ravine

__all__ = ["History", "NotReachable", "Ravine", "RavineError", "WaitTimeout", "frame"]
