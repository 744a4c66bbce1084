"""The published systems, by name."""

from kellgren import errors
from kellgren.systems import mobilenetv2, tiulpin2018
from kellgren.systems.system import (
    Augmentation,
    Distillation,
    Fidelity,
    Fusion,
    Recipe,
    System,
)

SYSTEMS: dict[str, System] = {
    system.name: system for system in (tiulpin2018.SYSTEM, mobilenetv2.SYSTEM)
}
"""Every system that can be trained, by name."""


def system(name: str) -> System:
    """Look a system up by name.

    Raises
    ------
    TrainingError
        There is none of that name; the message lists them.
    """
    try:
        return SYSTEMS[name]
    except KeyError:
        raise errors.TrainingError(
            f"no system is named {name!r}. There are: {', '.join(SYSTEMS)}."
        ) from None


__all__ = [
    "SYSTEMS",
    "Augmentation",
    "Distillation",
    "Fidelity",
    "Fusion",
    "Recipe",
    "System",
    "system",
]
