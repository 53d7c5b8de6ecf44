"""Which version of Ravine this is."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

try:
    VERSION = installed("ravine")
except PackageNotFoundError:  # A checkout that was never installed.
    VERSION = "0+unknown"
