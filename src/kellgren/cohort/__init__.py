"""Many films become one table."""

from kellgren.cohort.films import find_films
from kellgren.cohort.journal import Journal
from kellgren.cohort.loop import Output, Settings, grade_films

__all__ = ["Journal", "Output", "Settings", "find_films", "grade_films"]
