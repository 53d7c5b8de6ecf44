"""What a problem refers to in its dataset, computed from the data, and checked against what was posted."""

from service.spec.datasets.characters import vocabulary
from service.spec.datasets.misfit import Misfit
from service.spec.datasets.selection import select
from service.spec.datasets.table import Table
from service.spec.models import CNN, ResNet, Transformer
from service.spec.problems.data import Data, Resolved

# Numbers of all inputs: 256 MB in float64.
MAX_NUMBERS = 2**25
# Whitening needs the eigenvectors of a matrix of this size.
MAX_WHITENED = 2_000


def resolve(problem: Data, digest: str, table: Table) -> Resolved:
    """Compute digest, rows, features, classes and shape of a problem.

    Raises:
        Misfit: The dataset lacks what the problem names, or what was posted as ``resolved`` is not equal.
    """
    found = (
        _of_text(problem, digest, table)
        if isinstance(problem.model, Transformer)
        else _of_table(problem, digest, table)
    )
    if problem.resolved is not None and problem.resolved != found:
        raise Misfit("resolved", f"does not match the dataset, which gives {found.model_dump_json()}")
    return found


def _of_text(problem: Data, digest: str, table: Table) -> Resolved:
    assert isinstance(problem.model, Transformer)
    characters = len(vocabulary(problem, table, problem.model.context)) + 1
    return Resolved(digest=digest, rows=table.num_rows, features=None, classes=characters, shape=None)


def _of_table(problem: Data, digest: str, table: Table) -> Resolved:
    if table.text is not None:
        raise Misfit("model", "must be a transformer: the dataset is a text")
    found = select(problem, table)
    inputs, shape = found.num_inputs, None
    if inputs * found.num_rows > MAX_NUMBERS or inputs > MAX_NUMBERS // 32:
        sentence = f"{found.num_rows:,} rows × {inputs:,} inputs (one for each category) are too many"
        raise Misfit("features", f"{sentence}; at most {MAX_NUMBERS:,} numbers are allowed")
    if problem.scale == "whiten" and inputs > MAX_WHITENED:
        raise Misfit("scale", f"whitens at most {MAX_WHITENED:,} inputs; there are {inputs:,}")
    if len(found.features) == 1 and found.features[0].kind == "image":
        _, height, width, channels = found.features[0].values.shape
        shape = [height, width, channels]
    if isinstance(problem.model, CNN | ResNet) and shape is None:
        raise Misfit("model", f"a {problem.model.kind} needs one column of images as its features")
    if isinstance(problem.model, CNN) and shape and min(shape[:2]) >> len(problem.model.channels) < 1:
        sentence = (
            f"images of {shape[0]}×{shape[1]} pixels can be halved fewer than {len(problem.model.channels)} times"
        )
        raise Misfit("model", sentence)
    classes = len(found.classes) or None
    return Resolved(digest=digest, rows=found.num_rows, features=inputs, classes=classes, shape=shape)
