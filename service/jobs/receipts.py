"""The receipt of a job: the environment that trains it, stored when the job starts.

The stored one also has how the installed classes of the job are called. Answers have it as code, not in the receipt.
"""

from collections.abc import Mapping
from typing import Any

from service.database.tables import Job
from service.spec.offers import Offer

_CLASSES = "classes"


def with_classes(receipt: Mapping[str, Any], kinds: str, offers: Mapping[str, Offer]) -> dict[str, Any]:
    """Add the packages of installed classes and their constructors. ``kinds`` are those of the job, with commas."""
    names = kinds.split(",") if kinds else []
    if not names:
        return {**receipt}
    packages = {kind: offers[kind].package if kind in offers else None for kind in names}
    classes = {kind: offers[kind].constructor() for kind in names if kind in offers}
    return {**receipt, "optimizers": packages, _CLASSES: classes}


def shown(job: Job) -> dict[str, Any] | None:
    """Give the environment as answers have it, and the digest of the dataset if there is one; None before the start."""
    if job.receipt is None:
        return None
    resolved = job.spec["problem"].get("resolved")
    dataset = {"dataset_digest": resolved["digest"]} if resolved else {}
    return {name: part for name, part in job.receipt.items() if name != _CLASSES} | dataset


def classes_of(job: Job) -> Mapping[str, Mapping[str, Any]]:
    """Give the constructors of the installed classes by kind, as `Offer.constructor` describes them."""
    found: Mapping[str, Mapping[str, Any]] = (job.receipt or {}).get(_CLASSES, {})
    return found
