"""Stored pixel values: whatever the transfer syntax, the bits that the header says are pixels."""

import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEGLSTransferSyntaxes,
    RLELossless,
)

from kellgren import errors
from kellgren.imaging.dicom import apart
from kellgren.imaging.dicom.codestream import (
    SOF_JPEG_LS,
    SOF_LOSSLESS,
    DamagedError,
    FrameHeader,
    bare_j2k,
    check_end,
    j2k_header,
    jpeg_header,
)
from kellgren.imaging.dicom.layout import MAX_BITS, Layout, shown

_SECONDS, _SECONDS_A_PIXEL = 15.0, 2e-6
"""Chosen: GDCM needs 0.3 µs a pixel and a tenth of a second to start; a busy machine has more."""

NATIVE = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian})
"""Uncompressed; a deflated data set is one of them once it is inflated."""


def stored_pixels(dataset: Dataset, syntax: UID, layout: Layout, name: str) -> NDArray[np.uint16]:
    """Decode the pixels as unsigned bit patterns below 2**stored, without sign or overlays.

    Raises
    ------
    SyntaxUnsupported
        Nothing here decodes this transfer syntax, or the variant of it.
    FileUnreadable
        A decoder could not be started; it may be another time.
    FileTruncated
        The pixels end early or are damaged.
    """
    if syntax not in NATIVE and syntax not in _DECODERS:
        raise _unsupported(syntax, name)
    try:
        if syntax in NATIVE:
            cells, shift = _native(dataset, syntax, layout), layout.high + 1 - layout.stored
        else:
            frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
            cells, precision = _DECODERS[syntax](frame, syntax, layout)
            # A codestream may hold whole cells, or the pixels alone.
            shift = layout.high + 1 - layout.stored if precision > layout.high else 0
    except _UnsupportedError as error:
        raise _unsupported(syntax, name, str(error)) from error
    except _NotStartedError as error:
        raise errors.FileUnreadable(
            f"{name}: the decoder of its pixels could not be started ({error}). Check that there "
            "is memory, and give it again."
        ) from error
    except DamagedError as error:
        raise errors.FileTruncated(
            f"{name}: the pixels are damaged or cut short ({error}). Copy it again from its source."
        ) from error
    if shift:
        cells = np.right_shift(cells, shift)
    top = (1 << layout.stored) - 1
    # What stands above are overlays of old, or nothing (PS3.5, 8.1.2).
    if cells.max() > top:
        cells = np.bitwise_and(cells, cells.dtype.type(top))
    return cells.astype(np.uint16, copy=False)


class _UnsupportedError(Exception):
    """A variant of a transfer syntax that is not decoded."""


class _NotStartedError(Exception):
    """The system had no room for another process."""


_Cells = NDArray[np.unsignedinteger[Any]]
_Decoder = Callable[[bytes, UID, Layout], tuple[_Cells, int]]


def _native(dataset: Dataset, syntax: UID, layout: Layout) -> _Cells:
    element = dataset["PixelData"]
    wanted = layout.rows * layout.columns * layout.allocated // 8
    if len(element.value) < wanted:
        raise DamagedError(f"{len(element.value)} of {wanted} bytes")
    return _decoded(
        element.value,
        syntax,
        layout,
        bits=layout.allocated,
        pixel_vr=element.VR,
        view_only=True,
        correct_unused_bits=False,
        allow_excess_frames=False,
    )


def _jpeg(frame: bytes, _syntax: UID, layout: Layout) -> tuple[_Cells, int]:
    header = _agreeing(jpeg_header(frame), layout)
    if header.precision != 8 or not 0xC0 <= header.process <= 0xC2:
        raise _UnsupportedError(f"{header.precision}-bit samples")
    # Process 1 is a part of processes 2 and 4: what has 8 bits Pillow reads alike.
    return _decoded(
        encapsulate([frame]), JPEGBaseline8Bit, layout, bits=8, decoding_plugin="pillow"
    ), 8


def _jpeg_lossless(frame: bytes, syntax: UID, layout: Layout) -> tuple[_Cells, int]:
    """Of ITU-T T.81 (lossless) and T.87 (JPEG-LS)."""
    header = _agreeing(jpeg_header(frame), layout)
    bits = header.precision
    wanted = SOF_JPEG_LS if syntax in JPEGLSTransferSyntaxes else SOF_LOSSLESS
    if header.process != wanted or not 2 <= bits <= MAX_BITS:
        raise DamagedError(f"{bits}-bit samples of process 0x{header.process:X}")
    check_end(frame)
    return _decoded_apart(frame, syntax, layout, bits=bits), bits


def _jpeg_2000(frame: bytes, syntax: UID, layout: Layout) -> tuple[_Cells, int]:
    bare = bare_j2k(frame)
    header = _agreeing(j2k_header(bare), layout)
    check_end(bare)
    if header.precision > MAX_BITS:
        raise _UnsupportedError(f"{header.precision}-bit samples")
    bits = header.precision
    return _decoded(
        encapsulate([bare]),
        syntax,
        layout,
        bits=bits,
        signed=header.signed,
        decoding_plugin="pillow",
    ), bits


def _run_lengths(frame: bytes, _syntax: UID, layout: Layout) -> tuple[_Cells, int]:
    """PackBits, one segment a byte, the highest first (PS3.5, annex G).

    pydicom's decoder has no upper bound: a segment may unpack to 64 times its size.
    """
    count, *starts = struct.unpack_from("<16I", frame)
    wanted = layout.allocated // 8
    if count != wanted:
        raise DamagedError(f"{count} segments for {wanted} bytes a pixel")
    size = layout.rows * layout.columns
    cells = np.empty((layout.rows, layout.columns, wanted), np.uint8)
    for index, start in enumerate(starts[:wanted]):
        end = starts[index + 1] if index + 1 < wanted else len(frame)
        if not 64 <= start < end <= len(frame):
            raise DamagedError("segments out of order")
        plane = _unpacked(frame[start:end], size)
        cells[..., index] = np.frombuffer(plane, np.uint8, size).reshape(cells.shape[:2])
    return cells.view(f">u{wanted}")[..., 0], layout.allocated


def _unpacked(segment: bytes, size: int) -> bytearray:
    unpacked, place, end = bytearray(), 0, len(segment)
    while len(unpacked) < size:
        if place + 1 >= end:
            raise DamagedError("a segment ends early")
        lead = segment[place]
        if lead < 128:
            unpacked += segment[place + 1 : place + 2 + lead]
            place += lead + 2
        elif lead > 128:
            unpacked += segment[place + 1 : place + 2] * (257 - lead)
            place += 2
        else:
            place += 1
    return unpacked


_DECODERS: dict[UID, _Decoder] = {
    RLELossless: _run_lengths,
    JPEGBaseline8Bit: _jpeg,
    JPEGExtended12Bit: _jpeg,
    JPEGLossless: _jpeg_lossless,
    JPEGLosslessSV1: _jpeg_lossless,
    JPEGLSLossless: _jpeg_lossless,
    JPEGLSNearLossless: _jpeg_lossless,
    JPEG2000Lossless: _jpeg_2000,
    JPEG2000: _jpeg_2000,
}


def _agreeing(header: FrameHeader, layout: Layout) -> FrameHeader:
    """Refuse a codestream of another size: its decoder would allocate what it says itself."""
    if (header.rows, header.columns) != (layout.rows, layout.columns):
        raise DamagedError(
            f"the codestream has {header.columns}×{header.rows} pixels, the header "
            f"{layout.columns}×{layout.rows}"
        )
    if header.components != 1:
        raise DamagedError(f"{header.components} components in a grey picture")
    if header.precision > layout.allocated:
        raise DamagedError(f"{header.precision}-bit samples in {layout.allocated} bits")
    return header


def _decoded(
    source: bytes,
    syntax: UID,
    layout: Layout,
    *,
    bits: int,
    signed: bool = False,
    **more: object,
) -> _Cells:
    """Have pydicom decode bytes of known size; ``bits`` are those of the codestream."""
    options: dict[str, Any] = {
        "rows": layout.rows,
        "columns": layout.columns,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "pixel_representation": int(signed),
        "pixel_keyword": "PixelData",
        "bits_allocated": 8 if bits <= 8 else 16 if bits <= 16 else 32,
        "bits_stored": bits,
        **more,
    }
    try:
        cells, _ = get_decoder(syntax).as_array(source, index=0, raw=True, **options)
    except Exception as error:  # decoders raise anything at all on damaged content
        raise DamagedError(type(error).__name__) from error
    unsigned: _Cells = cells.view(f"{cells.dtype.byteorder}u{cells.dtype.itemsize}")
    return unsigned


def _decoded_apart(frame: bytes, syntax: UID, layout: Layout, *, bits: int) -> _Cells:
    """Have GDCM decode in a process of its own, under a limit of time; see `apart`."""
    size = layout.rows * layout.columns
    sizes = map(str, (layout.rows, layout.columns, bits))
    try:
        done = subprocess.run(  # noqa: S603 – our own program; the peer's bytes go to its stdin
            [sys.executable, "-P", "-W", "ignore", apart.__file__, str(syntax), *sizes],
            input=frame,
            capture_output=True,
            check=False,
            timeout=_SECONDS + size * _SECONDS_A_PIXEL,
        )
    except OSError as error:
        raise _NotStartedError(error.strerror or type(error).__name__) from error
    except subprocess.TimeoutExpired as error:
        raise DamagedError("its decoder found no end") from error
    if done.returncode == apart.ABSENT:
        raise _UnsupportedError("python-gdcm is not installed")
    cell = np.dtype("<u1" if bits <= 8 else "<u2")
    if done.returncode or len(done.stdout) != size * cell.itemsize:
        raise DamagedError("its decoder gave up")
    # libjpeg makes the rest up after such data, and says so on stderr only.
    if any(word in done.stderr for word in (b"premature end", b"bad Huffman")):
        raise DamagedError("its codes end early or are none")
    return np.frombuffer(done.stdout, cell).reshape(layout.rows, layout.columns)


def _unsupported(syntax: UID, name: str, variant: str = "") -> errors.SyntaxUnsupported:
    what = syntax.name if syntax in NATIVE or not syntax.is_private else "a private one"
    detail = f", {variant}" if variant else ""
    return errors.SyntaxUnsupported(
        f"{name}: pixels in a transfer syntax that is not read ({shown(what) or 'none stated'}"
        f"{detail}). Have it sent uncompressed, or convert it: dcmdjpeg of DCMTK reads most."
    )
