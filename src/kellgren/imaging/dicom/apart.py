"""Decode one JPEG codestream with GDCM and write its cells to stdout: a program, not a module.

``python apart.py SYNTAX ROWS COLUMNS BITS < codestream``. It runs in a process of its own because
GDCM ends the whole process on some damaged streams, and others take it minutes; so it knows nothing
but GDCM and starts fast. `pixels` has checked the size before.
"""

import os
import sys

ABSENT = 69
"""Exit status where GDCM is not installed: sysexits' EX_UNAVAILABLE."""


def main(syntax: str, rows: int, columns: int, bits: int) -> None:
    """Read the codestream from stdin, write little-endian cells of 8 or 16 bits to stdout."""
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(sys.stdin.buffer.read())
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    pixels = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixels.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(pixels)
    grey = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, 8 if bits <= 8 else 16, bits, bits - 1, 0))
    with os.fdopen(1, "wb") as stdout:
        # GDCM gives its bytes as a str.
        stdout.write(image.GetBuffer().encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    try:
        main(sys.argv[1], *map(int, sys.argv[2:5]))
    except ImportError:
        sys.exit(ABSENT)
