"""Phantoms: synthetic knees whose every grade and landmark is known exactly.

``knee`` says what one is and how it is graded, and ``sampling`` draws its parameters; ``geometry``
has the bones' outlines and landmarks, ``density`` what rays cross of them, ``draw`` makes the
picture of a region. ``film`` says what a whole film of one or two knees is, beside its own
``film_sampling`` and ``film_drawing``; ``shafts`` has what lies beyond the joint, and
``film_dicom`` writes the file. ``cohort`` is a data set of either. They prove that the machinery
works; what learned from them says nothing about a person.
"""

from kellgren.datasets.phantom.cohort import write_cohort
from kellgren.datasets.phantom.draw import draw_knee
from kellgren.datasets.phantom.film import (
    Collimation,
    Leg,
    Marker,
    PhantomFilm,
    film_landmarks,
)
from kellgren.datasets.phantom.film_dicom import write_film
from kellgren.datasets.phantom.film_drawing import draw_film
from kellgren.datasets.phantom.film_sampling import sample_film
from kellgren.datasets.phantom.geometry import Landmark, landmarks
from kellgren.datasets.phantom.knee import PhantomKnee
from kellgren.datasets.phantom.sampling import sample_knee

__all__ = [
    "Collimation",
    "Landmark",
    "Leg",
    "Marker",
    "PhantomFilm",
    "PhantomKnee",
    "draw_film",
    "draw_knee",
    "film_landmarks",
    "landmarks",
    "sample_film",
    "sample_knee",
    "write_cohort",
    "write_film",
]
