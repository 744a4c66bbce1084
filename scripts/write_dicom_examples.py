"""Write the files of `kellgren.imaging.dicom.examples` that ``kellgren check`` reads.

Run ``python scripts/write_dicom_examples.py`` after a change of the picture or the list. GDCM
encodes what Pillow does not; other versions of them may write other bytes for the same pixels.
"""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from kellgren.files import write_atomically
from kellgren.imaging.dicom import mark_synthetic
from kellgren.imaging.dicom.examples import EXAMPLES, Example

SYNTAXES = {
    "rle.dcm": RLELossless,
    "jpeg.dcm": JPEGBaseline8Bit,
    "jpeg-lossless.dcm": JPEGLosslessSV1,
    "jpeg-ls.dcm": JPEGLSLossless,
    "jpeg-2000.dcm": JPEG2000Lossless,
}


def encoded(example: Example) -> bytes:
    """The file of an example."""
    syntax = SYNTAXES[example.file]
    encode: Callable[[Example, UID], bytes] = _by_pillow if example.bits == 8 else _by_gdcm
    data = _dataset(example)
    data.add_new("PixelData", "OB", encapsulate([encode(example, syntax)], has_bot=False))
    data["PixelData"].is_undefined_length = True
    return _saved(data, syntax)


def _dataset(example: Example) -> Dataset:
    data = Dataset()
    data.SOPClassUID = ComputedRadiographyImageStorage
    data.SOPInstanceUID = f"2.25.{1 + EXAMPLES.index(example)}"
    data.StudyInstanceUID = "2.25.100"
    data.Modality = "CR"
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = example.pixels.shape
    data.BitsAllocated = 8 if example.bits == 8 else 16
    data.BitsStored, data.HighBit = example.bits, example.bits - 1
    data.PixelRepresentation = 0
    mark_synthetic(data)
    return data


def _saved(data: Dataset, syntax: UID) -> bytes:
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _by_pillow(example: Example, _: UID) -> bytes:
    pixels: NDArray[np.uint8] = example.pixels.astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _by_gdcm(example: Example, syntax: UID) -> bytes:
    data = _dataset(example)
    data.add_new("PixelData", "OW", example.pixels.astype("<u2").tobytes())
    with tempfile.TemporaryDirectory() as folder:
        plain, compressed = Path(folder, "plain.dcm"), Path(folder, "compressed.dcm")
        plain.write_bytes(_saved(data, ExplicitVRLittleEndian))
        reader = gdcm.ImageReader()
        reader.SetFileName(str(plain))
        change = gdcm.ImageChangeTransferSyntax()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(compressed))
        wanted = gdcm.TransferSyntax.GetTSType(str(syntax))
        change.SetTransferSyntax(gdcm.TransferSyntax(wanted))
        if not reader.Read():
            raise RuntimeError(f"GDCM does not read {example.file}")
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise RuntimeError(f"GDCM does not write {syntax.name}")
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not writer.Write():
            raise RuntimeError(f"GDCM does not write {example.file}")
        return get_frame(dcmread(compressed).PixelData, 0, number_of_frames=1)


def main() -> None:
    """Write every example."""
    for example in EXAMPLES:
        with write_atomically(example.path, binary=True) as stream:
            stream.write(encoded(example))


if __name__ == "__main__":
    main()
