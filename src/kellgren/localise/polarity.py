"""Films that are negatives though no tag says so: where no knee is sure, the other polarity."""

from dataclasses import replace
from typing import Final

from kellgren.anatomy import Laterality
from kellgren.imaging import Radiograph, RegionSpec
from kellgren.localise.localiser import Found, Localiser
from kellgren.records import WarningCode

INVERTED: Final[WarningCode] = "POLARITY_INVERTED"
"""Bone was dark on the film, and its negative was searched and graded instead."""

SURE: Final = 0.82
"""Chosen: a localiser's certainty of a knee that leaves no doubt of the film's polarity. The
shipped one is surer of most true knees, and of none that it would grade in the wrong polarity."""


def search(
    film: Radiograph, localiser: Localiser, spec: RegionSpec, *, laterality: Laterality | None
) -> tuple[Radiograph, tuple[Found, ...]]:
    """Find the knees of a film, whichever way its grey levels run.

    A knee in the wrong polarity is seldom found, and then not surely. So where no knee that may be
    graded is sure and whole, the film's negative is searched too, and stands for the film if such a
    knee is there. Its knees then have the warning ``POLARITY_INVERTED``. Knees that a person marked
    have no certainty; there the film is taken as it is.

    Parameters
    ----------
    film, spec, laterality
        As for `Localiser.find`.
    localiser
        What looks, once or twice.

    Returns
    -------
    Radiograph
        The film in the polarity that is to be graded.
    tuple of Found
        Its knees.

    Raises
    ------
    InputError
        The film cannot be searched.
    """
    places = localiser.find(film, spec, laterality=laterality)
    if any(place.confidence is None for place in places) or _sure(places):
        return film, places
    turned = negative(film)
    others = localiser.find(turned, spec, laterality=laterality)
    if not _sure(others):
        return film, places
    return turned, tuple(replace(place, warnings=(*place.warnings, INVERTED)) for place in others)


def negative(film: Radiograph) -> Radiograph:
    """The same film with dark and bright exchanged, within its own range."""
    lowest, highest = film.pixels.min(), film.pixels.max()
    return replace(film, pixels=highest - (film.pixels - lowest))


def _sure(places: tuple[Found, ...]) -> bool:
    """Whether a knee that may be graded, and was seen from end to end, leaves no doubt."""
    return any(
        place.gate.graded and not place.half_seen and (place.confidence or 0.0) >= SURE
        for place in places
    )
