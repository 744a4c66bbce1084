"""Whether a finished film was begun with what is said of it now."""

import numpy as np

from kellgren.anatomy import Laterality
from kellgren.localise import Box
from kellgren.pipeline import Film
from kellgren.records import FilmResult, Knee


def difference(film: Film, result: FilmResult, *, keep_ids: bool) -> str | None:
    """What differs, in words; None if nothing does, as far as the result shows it.

    A result shows who gave a side, a scale, a region and a subject. What was said of a film that
    could not be read left no trace, nor did the side of one that has several knees.
    """
    # a file's own identifier stands where nobody gave one
    if result.subject != film.subject and not (keep_ids and film.subject is None):
        return "subject"
    if result.error is not None:
        return None
    given = result.pixel_spacing_mm if result.spacing_source == "given" else None
    if given != film.spacing_mm:
        return "spacing"
    marked = [knee for knee in result.knees if knee.scale_source == "boxes"]
    if len(marked) != len(film.boxes) or not all(map(_marks, film.boxes, marked)):
        return "box"
    if not marked and len(result.knees) == 1:
        (knee,) = result.knees
        if (film.laterality or Laterality.UNKNOWN) != _given(knee):
            return "side"
    return None


def _given(knee: Knee) -> Laterality:
    return knee.laterality if knee.laterality_source == "user" else Laterality.UNKNOWN


def _marks(box: Box, knee: Knee) -> bool:
    """Whether a knee's region is that of a box, and its side the box's."""
    marked = np.asarray(box.frame(knee.region.size_px).matrix)
    limit = 1e-6 * np.abs(marked).max()
    same_place = bool((np.abs(np.asarray(knee.region.matrix) - marked) < limit).all())
    return same_place and box.laterality in {Laterality.UNKNOWN, _given(knee)}
