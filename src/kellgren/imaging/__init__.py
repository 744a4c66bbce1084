"""Files become radiographs, and radiographs regions."""

from kellgren.imaging.film import decode_film, read_film
from kellgren.imaging.frame import Frame
from kellgren.imaging.header import Header, StatedSide
from kellgren.imaging.radiograph import Radiograph
from kellgren.imaging.raster import read_bytes, read_raster
from kellgren.imaging.region import Region, RegionSpec, cut_region, standardise, whole_picture

__all__ = [
    "Frame",
    "Header",
    "Radiograph",
    "Region",
    "RegionSpec",
    "StatedSide",
    "cut_region",
    "decode_film",
    "read_bytes",
    "read_film",
    "read_raster",
    "standardise",
    "whole_picture",
]
