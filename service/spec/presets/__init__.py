"""Presets: the experiments of the lessons, grouped by problem."""

from service.spec.presets import digits, flipnet, landscapes, parabola, ravine, tables, transformers
from service.spec.presets.preset import Preset

__all__ = ["PRESETS", "Preset"]

GROUPS = (parabola, ravine, landscapes, flipnet, digits, tables, transformers)
PRESETS: dict[str, Preset] = {preset.name: preset for group in GROUPS for preset in group.PRESETS}
