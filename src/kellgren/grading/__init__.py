"""Regions become predictions, with bundles that torch made and that need no torch."""

from kellgren.grading.backend import Precision
from kellgren.grading.bundle import Bundle, BundleRecord, load_bundle
from kellgren.grading.grader import Graded, Grader

__all__ = [
    "Bundle",
    "BundleRecord",
    "Graded",
    "Grader",
    "Precision",
    "load_bundle",
]
