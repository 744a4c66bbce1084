"""The bytes of a DICOM file become a data set, under limits and without surprises."""

import io
import struct
import zlib
from typing import NamedTuple

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from kellgren import errors
from kellgren.imaging.raster import MAX_FILE_BYTES, too_large

_PREAMBLE = 128
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"})
"""Value representations whose length has 32 bits (DICOM PS3.5, table 7.1-1)."""

_IMPLICIT = (ImplicitVRLittleEndian,)
_BIG = (ExplicitVRBigEndian,)


class Read(NamedTuple):
    """A data set whose values are undecoded until they are asked for."""

    dataset: Dataset
    transfer_syntax: UID
    """Of its pixels; empty where the file does not say and they are encapsulated."""
    sop_class: UID
    """What the object is; empty where the file does not say."""


class _Meta(NamedTuple):
    values: dict[int, bytes]
    """Element of group 0002 → value."""
    end: int


def read(content: bytes, name: str) -> Read:
    """Read a data set with or without preamble and file meta information.

    Raises
    ------
    FileEncrypted
        The whole file is an encrypted envelope.
    PictureTooLarge
        It inflates to more than the limit.
    FileTruncated
        Its deflated part ends early or is damaged.
    """
    if content[:1] == b"\x30":
        raise errors.FileEncrypted(
            f"{name}: an encrypted DICOM file. Decrypt it, or export it again without protection."
        )
    meta = _file_meta(content)
    syntax = _uid(meta.values.get(0x0010, b""))
    if syntax == DeflatedExplicitVRLittleEndian:
        # pydicom would inflate without a limit.
        source, syntax = io.BytesIO(_inflated(content[meta.end :], name)), ExplicitVRLittleEndian
    else:
        source = io.BytesIO(content)
        source.seek(meta.end)
    dataset: Dataset
    if syntax:
        dataset = read_dataset(source, syntax in _IMPLICIT, syntax not in _BIG)
    else:
        dataset = dcmread(io.BytesIO(content[meta.end :]), force=True)
        syntax = _guessed(dataset)
    sop_class = UID(str(dataset.get("SOPClassUID", "")))
    return Read(dataset, syntax, sop_class or _uid(meta.values.get(0x0002, b"")))


def _file_meta(content: bytes) -> _Meta:
    """Group 0002 (DICOM PS3.10, 7.1): always explicit and little endian."""
    place = _PREAMBLE + 4 if content[_PREAMBLE : _PREAMBLE + 4] == b"DICM" else 0
    values: dict[int, bytes] = {}
    while content[place : place + 2] == b"\x02\x00" and len(content) >= place + 12:
        element, kind, length = struct.unpack_from("<H2sH", content, place + 2)
        place += 8
        if kind in _LONG:
            (length,) = struct.unpack_from("<I", content, place)
            place += 4
        values[element] = content[place : place + length]
        place += length
    return _Meta(values, place)


def _uid(value: bytes) -> UID:
    return UID(value.decode("ascii", "replace").strip("\0 "))


def _guessed(dataset: Dataset) -> UID:
    """The transfer syntax that the data set itself was written in, if its pixels are bare."""
    if "PixelData" in dataset and dataset["PixelData"].is_undefined_length:
        return UID("")
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _inflated(content: bytes, name: str) -> bytes:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(content, MAX_FILE_BYTES)
    except zlib.error as error:
        raise errors.FileTruncated(
            f"{name}: the deflated data set is damaged. Copy it again from its source."
        ) from error
    if len(inflated) >= MAX_FILE_BYTES:
        raise too_large(name)
    if not stream.eof:
        raise errors.FileTruncated(
            f"{name}: the deflated data set ends early. Copy it again from its source."
        )
    return inflated
