"""Fields of a metric row: one list, from which the table, the job spec, queries and plots derive.

The values are computed by worker/engine/stack/; worker/engine/stack/fields.py gives the epochs.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricField:
    """A measured quantity of one run at one epoch.

    Attributes:
        axis: Its name on the axis of a plot; None if it is not plotted.
        meaning: Its definition, for fields that are measured on request; None for all others.
        is_share: Whether it is a share from 0 to 1, for which larger is better.
        columns: Columns of the table; the field's own name by default.
        is_common: Whether every problem has it.
    """

    name: str
    axis: str | None = None
    meaning: str | None = None
    is_share: bool = False
    columns: tuple[str, ...] = ()
    is_common: bool = False


# In the order of columns and answers.
_FIELDS = (
    MetricField("loss", axis="loss", is_common=True),
    MetricField("train_loss", axis="training loss during the epoch", is_common=True),
    MetricField("validation_loss", axis="validation loss"),
    MetricField("test_loss", axis="test loss"),
    MetricField("accuracy", axis="accuracy", is_share=True),
    MetricField("test_accuracy", axis="test accuracy", is_share=True),
    MetricField("r2"),
    MetricField("test_r2"),
    MetricField("grad_norm", axis="gradient norm", is_common=True),
    MetricField("update_norm", axis="norm of an epoch's change", is_common=True),
    MetricField("distance_from_start", is_common=True),
    MetricField("distance_to_minimum", axis="distance to the minimum"),
    MetricField("lr", is_common=True),
    MetricField("momentum", is_common=True),
    MetricField("position", columns=("x", "y")),
    MetricField("sharpness", meaning="largest algebraic eigenvalue of the Hessian of the full training objective"),
    MetricField(
        "noise_scale", meaning="gradient noise scale tr Σ / ‖G‖², Σ the covariance of single examples' gradients"
    ),
    MetricField("gradient_variance", meaning="E‖g − G‖², g the gradient of an update and G the full one"),
    MetricField(
        "alpha",
        meaning="position of the epoch's last update on the parabola along it: −1 start, 0 minimum, +1 mirrored start",
    ),
    MetricField("velocity_norm", meaning="norm of the velocity, for methods that have one"),
)

FIELDS: dict[str, MetricField] = {field.name: field for field in _FIELDS}
# Columns of the table, without its key.
COLUMNS: tuple[str, ...] = tuple(column for field in _FIELDS for column in field.columns or (field.name,))
# Definitions of the fields measured on request, because they cost time.
MEASURES: dict[str, str] = {field.name: field.meaning for field in _FIELDS if field.meaning is not None}
# Names on axes of the fields that are plotted against epochs.
AXES: dict[str, str] = {field.name: field.axis for field in _FIELDS if field.axis is not None}


def with_common(*names: str) -> tuple[str, ...]:
    """Name the fields of a problem: those of every problem and these, in the order of columns."""
    return tuple(field.name for field in _FIELDS if field.is_common or field.name in names)
