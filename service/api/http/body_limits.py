"""Largest body of a request: datasets are files, all other bodies are JSON."""

from starlette.types import Scope

from service.settings import Settings

DATASETS = "/v1/datasets"


def body_limit(scope: Scope, settings: Settings) -> int:
    """Give the largest number of bytes of the body of a request."""
    is_file = scope["method"] == "POST" and scope["path"] == DATASETS
    return settings.max_dataset_bytes if is_file else settings.max_body_bytes
