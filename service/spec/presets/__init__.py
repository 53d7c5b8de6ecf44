"""Presets: the experiments of the lessons, grouped by problem."""

from service.spec.presets import digits, flipnet, landscapes, parabola, ravine
from service.spec.presets.preset import Preset

__all__ = ["PRESETS", "Preset"]

PRESETS: dict[str, Preset] = {
    preset.name: preset for group in (parabola, ravine, landscapes, flipnet, digits) for preset in group.PRESETS
}
