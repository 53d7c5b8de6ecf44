"""Which experiments may be posted by name? Every one that the lessons stand on, grouped by problem."""

from service.spec.presets import digits, flipnet, landscapes, parabola, ravine
from service.spec.presets.preset import Preset

__all__ = ["PRESETS", "Preset"]

PRESETS: dict[str, Preset] = {
    preset.name: preset for group in (parabola, ravine, landscapes, flipnet, digits) for preset in group.PRESETS
}
