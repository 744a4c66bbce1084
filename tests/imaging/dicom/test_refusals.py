"""What is no single grey picture is an error with its name, before anything is allocated."""

import logging
import re
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    MPEG2MPML,
    UID,
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from kellgren import errors
from kellgren.imaging import decode_film
from kellgren.imaging.dicom import decode_dicom, pixels
from kellgren.imaging.raster import MAX_FILE_BYTES, MAX_PIXELS

Make = Callable[..., bytes]
MakeData = Callable[..., Dataset]
Smooth = Callable[..., NDArray[Any]]


def error_of(content: bytes) -> errors.InputError:
    """The refusal; it names the file and says what to do."""
    with pytest.raises(errors.InputError) as raised:
        decode_film(content, "film.dcm")
    sentence = str(raised.value)
    assert sentence.startswith("film.dcm: ")
    what_to_do = r"\b(give|export|copy|have|decrypt|check|are needed)\b"
    assert re.search(what_to_do, sentence, re.IGNORECASE), sentence
    return raised.value


class TestKinds:
    @pytest.mark.parametrize(
        ("tags", "kind"),
        [
            ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, errors.PictureInColour),
            ({"PhotometricInterpretation": "YBR_FULL_422"}, errors.PictureInColour),
            ({"PhotometricInterpretation": "PALETTE COLOR"}, errors.PictureInColour),
            ({"SamplesPerPixel": 3}, errors.PictureInColour),
            ({"PhotometricInterpretation": None}, errors.FormatUnknown),
            (
                {"PhotometricInterpretation": None, "SamplesPerPixel": 3},
                errors.PictureInColour,
            ),
            ({"NumberOfFrames": 2}, errors.PictureHasFrames),
            ({"NumberOfFrames": 100_000}, errors.PictureHasFrames),
            ({"Rows": 16, "Columns": 16}, errors.PictureTooSmall),
            ({"Rows": 0}, errors.FileTruncated),
            ({"Columns": None}, errors.FileTruncated),
            ({"Rows": 65535, "Columns": 65535}, errors.PictureTooLarge),
            ({"Rows": 10_001, "Columns": 10_000}, errors.PictureTooLarge),
            ({"Rows": 9_999, "Columns": 9_999}, errors.FileTruncated),
            ({"BitsAllocated": 12}, errors.FormatUnknown),
            ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, errors.FormatUnknown),
            ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, errors.FormatUnknown),
            ({"BitsAllocated": None}, errors.FormatUnknown),
            ({"HighBit": 16}, errors.FileTruncated),
            ({"HighBit": 5}, errors.FileTruncated),
            ({"BitsStored": 14, "BitsAllocated": 8}, errors.FileTruncated),
        ],
        ids=str,
    )
    def test_by_its_tags(
        self,
        make_film: Make,
        smooth: Smooth,
        tags: dict[str, object],
        kind: type[errors.InputError],
    ) -> None:
        assert type(error_of(make_film(smooth(12), 12, **tags))) is kind

    def test_missing_tags_that_follow_from_others_do_no_harm(
        self, make_film: Make, smooth: Smooth
    ) -> None:
        content = make_film(
            *(smooth(16), 16),
            BitsStored=None,
            HighBit=None,
            PixelRepresentation=None,
            SamplesPerPixel=None,
            Modality=None,
            StudyInstanceUID=None,
        )
        np.testing.assert_array_equal(decode_dicom(content, "film").pixels, smooth(16))

    @pytest.mark.parametrize("frames", [0, 1, ""])
    def test_one_frame_is_one_picture(
        self, make_film: Make, smooth: Smooth, frames: object
    ) -> None:
        content = make_film(smooth(12), 12, NumberOfFrames=frames)
        np.testing.assert_array_equal(decode_dicom(content, "film").pixels, smooth(12))

    @pytest.mark.parametrize("tag", ["NumberOfFrames", "RescaleSlope", "WindowCenter"])
    def test_no_value_of_the_file_is_told(
        self, make_film: Make, smooth: Smooth, caplog: pytest.LogCaptureFixture, tag: str
    ) -> None:
        content = make_film(smooth(12), 12, **{tag: "1777777"})
        # A name may stand anywhere by mistake.
        spoilt = content.replace(b"1777777", b"Doe^Jan")
        assert spoilt != content
        with caplog.at_level(logging.DEBUG):
            if tag == "NumberOfFrames":
                error = error_of(spoilt)
                assert isinstance(error, errors.FileTruncated)
                assert "Doe" not in str(error)
            else:
                decode_film(spoilt, "film.dcm")
        assert caplog.text == ""
        with caplog.at_level(logging.DEBUG):
            logging.getLogger("pydicom").warning("others still hear it")
        assert "others still hear it" in caplog.text


class TestWithoutPicture:
    @pytest.mark.parametrize(
        "kind",
        [
            EnhancedSRStorage,
            EncapsulatedPDFStorage,
            GrayscaleSoftcopyPresentationStateStorage,
            MediaStorageDirectoryStorage,
        ],
        ids=lambda kind: kind.keyword,
    )
    def test_an_object_of_another_kind(
        self, make_dataset: MakeData, save: Make, smooth: Smooth, kind: UID
    ) -> None:
        data = make_dataset(smooth(12), 12, PixelData=None, SOPClassUID=kind)
        error = error_of(save(data))
        assert isinstance(error, errors.PictureMissing)
        assert kind.name in str(error)

    def test_only_the_meta_says_what_it_is(
        self, make_dataset: MakeData, save: Make, smooth: Smooth
    ) -> None:
        data = make_dataset(smooth(12), 12, PixelData=None, SOPClassUID=EnhancedSRStorage)
        content = save(data)
        # (0008,0016) becomes an element that nobody knows.
        spoilt = content.replace(b"\x08\0\x16\0UI", b"\x08\0\x17\0UI")
        assert spoilt != content
        assert isinstance(error_of(spoilt), errors.PictureMissing)

    def test_a_radiograph_without_its_pixels(
        self, make_dataset: MakeData, save: Make, smooth: Smooth
    ) -> None:
        error = error_of(save(make_dataset(smooth(12), 12, PixelData=None)))
        assert isinstance(error, errors.FileTruncated)

    def test_floating_point(self, make_dataset: MakeData, save: Make, smooth: Smooth) -> None:
        data = make_dataset(smooth(12), 12, PixelData=None, BitsAllocated=32)
        data.FloatPixelData = smooth(12).astype(np.float32).tobytes()
        assert isinstance(error_of(save(data)), errors.FormatUnknown)

    def test_pixels_elsewhere(self, make_dataset: MakeData, save: Make, smooth: Smooth) -> None:
        data = make_dataset(smooth(12), 12, PixelData=None)
        data.PixelDataProviderURL = "https://example.org/film"
        error = error_of(save(data))
        assert isinstance(error, errors.SyntaxUnsupported)
        assert "example" not in str(error)

    @pytest.mark.parametrize("start", [b"\x08\0\x05\0CS", b"\x02\0\0\0UL"])
    def test_bytes_that_only_begin_like_dicom(self, start: bytes) -> None:
        error = error_of(start + bytes(range(256)))
        assert isinstance(error, errors.FormatUnknown | errors.FileTruncated)


class TestEncryption:
    def test_the_whole_file(self) -> None:
        # ContentInfo of CMS: SEQUENCE, then the type enveloped data.
        envelope = bytes.fromhex("3082100006092a864886f70d010703a0820ff1") + bytes(4081)
        assert isinstance(error_of(envelope), errors.FileEncrypted)

    def test_the_picture(self, make_dataset: MakeData, save: Make, smooth: Smooth) -> None:
        data = make_dataset(smooth(12), 12, PixelData=None)
        item = Dataset()
        item.EncryptedContentTransferSyntaxUID = ExplicitVRLittleEndian
        item.EncryptedContent = b"secret"
        data.EncryptedAttributesSequence = [item]
        assert isinstance(error_of(save(data)), errors.FileEncrypted)

    def test_other_attributes_are_no_hindrance(
        self, make_dataset: MakeData, save: Make, smooth: Smooth
    ) -> None:
        data = make_dataset(smooth(12), 12)
        data.EncryptedAttributesSequence = [Dataset()]
        np.testing.assert_array_equal(decode_film(save(data), "film").pixels, smooth(12))


class TestTransferSyntaxes:
    @pytest.mark.parametrize(
        "syntax", ["1.2.840.10008.1.2.4.99", "1.2.3.4.5.6.7.8.9.0.11", MPEG2MPML, HTJ2KLossless]
    )
    def test_one_that_is_unknown_or_not_read(
        self, make_dataset: MakeData, compress: Make, smooth: Smooth, syntax: str
    ) -> None:
        known = UID(syntax).is_transfer_syntax
        content = compress(
            make_dataset(smooth(12), 12),
            b"\0\0\1\xb3" * 9,
            UID(syntax) if known else JPEGLosslessSV1,
        )
        # pydicom does not write what it does not know.
        if not known:
            content = content.replace(JPEGLosslessSV1.encode(), syntax.encode())
        error = error_of(content)
        assert isinstance(error, errors.SyntaxUnsupported)
        assert "transfer syntax" in str(error)

    def test_twelve_bits_of_extended_jpeg_are_named(
        self, make_dataset: MakeData, compress: Make, smooth: Smooth
    ) -> None:
        header = bytes.fromhex(
            "ffd8 ffc1 000b 0c 0030 0028 01 01 11 00 ffda 0008 01 01 00 00 3f 00"
        )
        content = compress(make_dataset(smooth(12), 12), header, JPEGExtended12Bit)
        error = error_of(content)
        assert isinstance(error, errors.SyntaxUnsupported)
        assert "JPEG Extended" in str(error)
        assert "12-bit" in str(error)

    def test_none_is_stated(
        self, make_dataset: MakeData, compress: Make, make_lossless_jpeg: Make, smooth: Smooth
    ) -> None:
        codestream = make_lossless_jpeg(smooth(12), 12)
        content = compress(make_dataset(smooth(12), 12), codestream, JPEGLosslessSV1)
        start = 132 + 12 + int.from_bytes(content[140:144], "little")
        assert isinstance(error_of(content[start:]), errors.SyntaxUnsupported)

    def test_without_gdcm_it_is_named(
        self, make_film: Make, smooth: Smooth, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        content = make_film(smooth(12), 12, JPEGLosslessSV1)
        (tmp_path / "gdcm.py").write_text("raise ImportError('gone')\n", "utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        error = error_of(content)
        assert isinstance(error, errors.SyntaxUnsupported)
        assert "python-gdcm" in str(error)

    @pytest.mark.parametrize("variant", ["progressive lossless", "baseline in lossless"])
    def test_a_codestream_of_another_process(
        self,
        make_dataset: MakeData,
        make_lossless_jpeg: Make,
        compress: Make,
        smooth: Smooth,
        variant: str,
    ) -> None:
        codestream = make_lossless_jpeg(smooth(12), 12)
        marker = b"\xff\xc2" if variant == "progressive lossless" else b"\xff\xc0"
        content = compress(
            make_dataset(smooth(12), 12), codestream.replace(b"\xff\xc3", marker), JPEGLosslessSV1
        )
        assert isinstance(error_of(content), errors.FileTruncated)


class TestBombs:
    @pytest.fixture(autouse=True)
    def _nothing_is_decoded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def decoded(*_: object, **__: object) -> None:
            raise AssertionError("a decoder was called")

        monkeypatch.setattr(pixels, "get_decoder", decoded)
        monkeypatch.setattr(subprocess, "run", decoded)

    @pytest.mark.parametrize(
        "syntax",
        [
            ExplicitVRLittleEndian,
            JPEGBaseline8Bit,
            JPEGLosslessSV1,
            JPEGLSLossless,
            JPEG2000Lossless,
            RLELossless,
        ],
        ids=lambda syntax: syntax.keyword,
    )
    def test_a_header_that_promises_too_much(
        self, make_dataset: MakeData, compress: Make, save: Make, smooth: Smooth, syntax: UID
    ) -> None:
        data = make_dataset(smooth(8), 8, Rows=40_000, Columns=40_000)
        compressed = compress(data, b"\xff\xd8" * 9, syntax) if syntax.is_compressed else None
        content = compressed or save(data)
        assert len(content) < 3000
        error = error_of(content)
        assert isinstance(error, errors.PictureTooLarge)
        assert str(MAX_PIXELS // 1_000_000) in str(error)

    @pytest.mark.parametrize("where", ["rows", "columns", "components", "precision"])
    @pytest.mark.parametrize(
        ("marker", "syntax"),
        [
            (0xC0, JPEGBaseline8Bit),
            (0xC3, JPEGLosslessSV1),
            (0xF7, JPEGLSLossless),
        ],
        ids=str,
    )
    def test_a_jpeg_that_disagrees_with_its_header(
        self,
        make_dataset: MakeData,
        compress: Make,
        smooth: Smooth,
        marker: int,
        syntax: UID,
        where: str,
    ) -> None:
        said = {"precision": 8, "rows": 48, "columns": 40, "components": 1}
        said[where] = {"precision": 13, "rows": 65_000, "columns": 65_000, "components": 3}[where]
        frame = struct.pack(">BHHB", *said.values()) + bytes((1, 0x11, 0)) * said["components"]
        codestream = b"".join(
            (
                b"\xff\xd8\xff",
                struct.pack(">BH", marker, len(frame) + 2),
                frame,
                bytes.fromhex("ffda 0008 01 01 00 01 00 00"),
                bytes(9),
                b"\xff\xd9",
            )
        )
        content = compress(make_dataset(smooth(8), 8), codestream, syntax)
        error = error_of(content)
        assert isinstance(error, errors.FileTruncated)

    @pytest.mark.parametrize(
        "sizes",
        [
            (65_000, 65_000, 0, 0, 65_000, 65_000, 0, 0, 1),
            (2**32 - 1, 2**32 - 1, 2**32 - 41, 2**32 - 49, 9, 9, 2**32 - 1, 0, 1),
            (40, 48, 0, 0, 0, 0, 0, 0, 1),
            (40, 48, 0, 0, 40, 48, 0, 0, 3),
            (2**31, 48, 2**31 - 40, 0, 1, 1, 0, 0, 1),
        ],
        ids=str,
    )
    def test_a_jpeg_2000_that_disagrees(
        self, make_dataset: MakeData, compress: Make, smooth: Smooth, sizes: tuple[int, ...]
    ) -> None:
        siz = struct.pack(">HH8IH", 41, 0, *sizes) + bytes((7, 1, 1))
        codestream = b"\xff\x4f\xff\x51" + siz + bytes(40) + b"\xff\xd9"
        content = compress(make_dataset(smooth(8), 8), codestream, JPEG2000)
        assert isinstance(error_of(content), errors.FileTruncated)

    def test_run_lengths_stop_at_the_pictures_size(
        self, make_dataset: MakeData, compress: Make, smooth: Smooth
    ) -> None:
        # 2 MB that would unpack to 128.
        bomb = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\x07" * 1_000_000
        with pytest.raises(errors.PictureBlank):
            decode_film(compress(make_dataset(smooth(8), 8), bomb, RLELossless), "film")

    def test_what_inflates_too_far(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kellgren.imaging.dicom.dataset.MAX_FILE_BYTES", 10_000_000)
        assert MAX_FILE_BYTES > 10_000_000
        syntax = DeflatedExplicitVRLittleEndian.encode()
        meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        bomb = squeeze.compress(bytes(50_000_000)) + squeeze.flush()
        content = bytes(128) + b"DICM" + meta + bomb
        assert len(content) < 60_000
        assert isinstance(error_of(content), errors.PictureTooLarge)

    def test_sequences_without_end(self) -> None:
        item = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        content = bytes(128) + b"DICM" + item * 20_000
        assert isinstance(error_of(content), errors.InputError)
