"""Figures for print: vector, one column wide, colour-blind safe, legible in grey."""

from kellgren.statistics.figures.confusion import confusion_figure
from kellgren.statistics.figures.curves import (
    precision_recall_figure,
    risk_coverage_figure,
    roc_figure,
)
from kellgren.statistics.figures.differences import bland_altman_figure
from kellgren.statistics.figures.external import Shift, external_figure
from kellgren.statistics.figures.forest import Estimate, forest_figure
from kellgren.statistics.figures.reliability import reliability_figure
from kellgren.statistics.figures.style import write_figure

__all__ = [
    "Estimate",
    "Shift",
    "bland_altman_figure",
    "confusion_figure",
    "external_figure",
    "forest_figure",
    "precision_recall_figure",
    "reliability_figure",
    "risk_coverage_figure",
    "roc_figure",
    "write_figure",
]
