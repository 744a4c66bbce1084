"""Films become knees: where, which side, and whether to grade them at all."""

from kellgren.localise.boxes import Box, Boxes, read_boxes
from kellgren.localise.bundle import LocaliserBundle, load_localiser
from kellgren.localise.gate import film_gate
from kellgren.localise.learned import LearnedLocaliser
from kellgren.localise.localiser import Found, Localiser
from kellgren.localise.polarity import search
from kellgren.localise.whole_picture import WholePicture

__all__ = [
    "Box",
    "Boxes",
    "Found",
    "LearnedLocaliser",
    "Localiser",
    "LocaliserBundle",
    "WholePicture",
    "film_gate",
    "load_localiser",
    "read_boxes",
    "search",
]
