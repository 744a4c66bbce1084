"""Any file that may be a film: its content decides whether it is DICOM or an ordinary picture."""

from pathlib import Path

from kellgren.imaging.radiograph import Radiograph
from kellgren.imaging.raster import decode_raster, read_bytes

_PREAMBLE = 128
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
"""Of a data set without preamble: file meta, or identification in either byte order."""
_HIGHEST_FIRST_ELEMENT = 0x18
"""Elements are in order, and every object has a SOP Instance UID (0008,0018)."""

_ENVELOPED = bytes.fromhex("06092a864886f70d010703")
"""Content type of CMS enveloped data (RFC 5652, 6.1): a DICOM secure file (PS3.15, annex D)."""


def read_film(path: Path, *, keep_ids: bool = False) -> Radiograph:
    """Decode one film, DICOM or ordinary picture; the content decides, not the name.

    Parameters
    ----------
    path
        A DICOM file, PNG, TIFF (8 or 16 bit), JPEG or WebP.
    keep_ids
        Let a DICOM file's patient identifier come along, in `Header.patient_id`.

    Raises
    ------
    InputError
        One of its kinds, with the file's name and the reason.
    """
    return decode_film(read_bytes(path), path.name, keep_ids=keep_ids)


def decode_film(content: bytes, name: str, *, keep_ids: bool = False) -> Radiograph:
    """Decode the bytes of a film; ``name`` is only used in messages."""
    if is_dicom(content):
        # pydicom is heavier than all that a picture needs.
        from kellgren.imaging.dicom import decode_dicom

        return decode_dicom(content, name, keep_ids=keep_ids)
    return decode_raster(content, name)


def is_dicom(content: bytes) -> bool:
    """Whether the bytes begin as DICOM does: with its preamble, without, or encrypted.

    A file may have the preamble of a TIFF and still be DICOM; what is read then is the DICOM.
    """
    if content[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return True
    if content[:1] == b"\x30" and _ENVELOPED in content[:32]:
        return True
    element = int.from_bytes(content[2:4], "big" if content[:1] == b"\x00" else "little")
    return content[:2] in _FIRST_GROUPS and element <= _HIGHEST_FIRST_ELEMENT
