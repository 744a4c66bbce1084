"""The header of a compressed picture, read before a decoder may allocate anything for it."""

import struct
from dataclasses import dataclass

SOF_LOSSLESS = 0xC3
SOF_JPEG_LS = 0xF7
_SOFS = frozenset({*range(0xC0, 0xD0), SOF_JPEG_LS}) - {0xC4, 0xC8, 0xCC}
"""Frame headers (ITU-T T.81, table B.1; T.87, annex C): not DHT, JPG and DAC."""
_SOI, _SOS = 0xD8, 0xDA
_ALONE = frozenset({*range(0xD0, 0xDA), 0xFF})
"""Markers without a segment: restarts, start and end of the image; and no marker at all."""
_END = b"\xff\xd9"
"""EOI of T.81 and EOC of T.800."""

_J2K = b"\xff\x4f\xff\x51"
"""SOC and SIZ (ITU-T T.800, A.4.1 and A.5.1)."""
_MAX_TILES = 65_535
"""Isot has 16 bits (T.800, A.4.2)."""


class DamagedError(Exception):
    """The codestream does not follow its standard."""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What a codestream says about itself.

    Parameters
    ----------
    rows, columns, components
        Of the picture.
    precision
        Bits of a sample.
    signed
        Samples are two's complement (JPEG 2000 only).
    process
        Marker of a JPEG's frame header, such as 0xC0 for baseline; 0 for JPEG 2000.
    """

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool = False
    process: int = 0


def jpeg_header(data: bytes) -> FrameHeader:
    """Read the frame header of a JPEG or JPEG-LS (ITU-T T.81, B.2.2)."""
    frame = None
    for marker, segment, _ in _segments(data):
        if marker in _SOFS:
            if frame is not None:
                raise DamagedError("two frame headers")
            precision, rows, columns, components = struct.unpack_from(">BHHB", segment)
            frame = FrameHeader(rows, columns, components, precision, process=marker)
    if frame is None:
        raise DamagedError("no frame header")
    return frame


def j2k_header(data: bytes) -> FrameHeader:
    """Read the SIZ segment of a JPEG 2000 codestream (ITU-T T.800, A.5.1)."""
    if not data.startswith(_J2K):
        raise DamagedError("no start of a codestream")
    _, _, x1, y1, x0, y0, width, height, tx, ty, components = struct.unpack_from(
        ">HH8IH", data, len(_J2K)
    )
    depth, dx, dy = struct.unpack_from(">BBB", data, len(_J2K) + 38)
    if min(width, height) < 1 or max(x0, tx) >= x1 or max(y0, ty) >= y1 or (dx, dy) != (1, 1):
        raise DamagedError("impossible sizes")
    if -(-(x1 - tx) // width) * -(-(y1 - ty) // height) > _MAX_TILES:
        raise DamagedError("too many tiles")
    return FrameHeader(y1 - y0, x1 - x0, components, (depth & 0x7F) + 1, signed=depth >= 0x80)


def check_end(data: bytes) -> None:
    """Refuse a codestream without its end: some decoders fill what is missing, and say nothing."""
    # Fragments are padded to even length, and not always with zeros.
    if _END not in data.rstrip(b"\0")[-4:]:
        raise DamagedError("no end of the codestream")


def bare_j2k(data: bytes) -> bytes:
    """The codestream itself, out of the boxes of a JP2 file that it should not stand in."""
    start = data.find(_J2K)
    return data if start < 0 else data[start:]


def _segments(data: bytes) -> list[tuple[int, bytes, int]]:
    """Marker, content and end of each segment up to the first scan (T.81, B.1.1.4)."""
    if data[:2] != bytes((0xFF, _SOI)):
        raise DamagedError("no start of an image")
    found, place = [], 2
    while True:
        while data[place : place + 2] == b"\xff\xff":
            place += 1
        filler, marker, length = struct.unpack_from(">BBH", data, place)
        end = place + 2 + length
        if filler != 0xFF or marker in _ALONE or marker < 0xC0 or length < 2 or end > len(data):
            raise DamagedError("no marker where one belongs")
        found.append((marker, data[place + 4 : end], end))
        if marker == _SOS:
            return found
        place = end
