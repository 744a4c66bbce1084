"""Phantoms: synthetic knees whose every grade and landmark is known exactly.

``knee`` says what one is and how it is graded, ``sampling`` draws its parameters, ``geometry``
has the bones' outlines and landmarks, ``draw`` makes the picture and ``cohort`` a data set of
them. They prove that the machinery works; what learned from them says nothing about a person.
"""

from kellgren.datasets.phantom.cohort import write_cohort
from kellgren.datasets.phantom.draw import draw_knee
from kellgren.datasets.phantom.geometry import Landmark, landmarks
from kellgren.datasets.phantom.knee import PhantomKnee
from kellgren.datasets.phantom.sampling import sample_knee

__all__ = ["Landmark", "PhantomKnee", "draw_knee", "landmarks", "sample_knee", "write_cohort"]
