"""Files become radiographs, and radiographs regions."""

from kellgren.imaging.frame import Frame
from kellgren.imaging.radiograph import Radiograph
from kellgren.imaging.raster import read_raster
from kellgren.imaging.region import Region, RegionSpec, cut_region, standardise, whole_picture

__all__ = [
    "Frame",
    "Radiograph",
    "Region",
    "RegionSpec",
    "cut_region",
    "read_raster",
    "standardise",
    "whole_picture",
]
