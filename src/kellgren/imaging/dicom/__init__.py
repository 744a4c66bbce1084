"""DICOM files become radiographs: the data set, its tags, its codestream, its values."""

from kellgren.imaging.dicom.decode import decode_dicom
from kellgren.imaging.dicom.tags import is_synthetic, mark_synthetic

__all__ = ["decode_dicom", "is_synthetic", "mark_synthetic"]
