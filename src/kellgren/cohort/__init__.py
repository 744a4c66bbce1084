"""Many films become one table."""

from kellgren.cohort.films import find_films
from kellgren.cohort.journal import Journal
from kellgren.cohort.loop import Output, Settings, grade_films
from kellgren.pipeline import Options

__all__ = ["Journal", "Options", "Output", "Settings", "find_films", "grade_films"]
