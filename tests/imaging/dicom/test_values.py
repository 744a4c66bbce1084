"""More is denser, whatever the file's tables, signs and polarities."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from kellgren import errors
from kellgren.imaging.dicom import decode_dicom

Make = Callable[..., bytes]
Smooth = Callable[..., NDArray[Any]]
BITS = 12
TOP = (1 << BITS) - 1
ORDERS = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)


def decoded(content: bytes, *, for_display: bool = False) -> NDArray[np.int64]:
    return decode_dicom(content, "film", for_display=for_display).pixels.astype(np.int64)


def table(
    entries: NDArray[np.integer], first: int = 0, bits: int = 16, *, kind: str = "US"
) -> Dataset:
    """One item of a Modality or VOI LUT Sequence."""
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    if kind == "US":
        item.add_new(0x00283006, "US", entries.tolist())
    else:
        item.add_new(0x00283006, "OW", entries.tobytes())
    return item


class TestPolarity:
    @pytest.mark.parametrize(
        ("photometric", "shape", "sign", "turned"),
        [
            ("MONOCHROME2", None, None, False),
            ("MONOCHROME1", None, None, True),
            ("MONOCHROME2", "IDENTITY", None, False),
            # Both say the same: one inversion, not two.
            ("MONOCHROME1", "INVERSE", None, True),
            # Contradictions: the shape is the last step, unless the rays speak.
            ("MONOCHROME1", "IDENTITY", None, False),
            ("MONOCHROME2", "INVERSE", None, True),
            ("MONOCHROME1", "IDENTITY", 1, True),
            ("MONOCHROME1", "IDENTITY", -1, False),
            ("MONOCHROME2", "INVERSE", 1, True),
            ("MONOCHROME2", "INVERSE", -1, False),
            # Where there is no contradiction, the sign has no say.
            ("MONOCHROME2", None, 1, False),
            ("MONOCHROME1", "INVERSE", -1, True),
            ("MONOCHROME1", "WHATEVER", None, True),
        ],
    )
    def test_what_is_shown_white_is_dense(
        self,
        make_film: Make,
        smooth: Smooth,
        photometric: str,
        shape: str | None,
        sign: int | None,
        *,
        turned: bool,
    ) -> None:
        pixels = smooth(BITS)
        tags: dict[str, object] = {"PhotometricInterpretation": photometric}
        if shape:
            tags["PresentationLUTShape"] = shape
        if sign:
            tags["PixelIntensityRelationshipSign"] = sign
        expected = TOP - pixels.astype(int) if turned else pixels
        np.testing.assert_array_equal(decoded(make_film(pixels, BITS, **tags)), expected)

    def test_signed_pixels_are_turned_too(self, make_film: Make, smooth: Smooth) -> None:
        content = make_film(
            smooth(BITS, signed=True), BITS, PhotometricInterpretation="MONOCHROME1"
        )
        np.testing.assert_array_equal(decoded(content), TOP - smooth(BITS).astype(int))


class TestModality:
    @pytest.mark.parametrize(
        ("slope", "intercept", "turned"),
        [
            (1.0, 0.0, False),
            (0.684, 200.0, False),
            (-1.0, 4095.0, True),
            (1e-30, 1e6, False),
            (1e300, -1e300, False),
            (0.0, 5.0, False),
        ],
    )
    def test_of_a_rescale_only_the_sign_counts(
        self, make_film: Make, smooth: Smooth, slope: float, intercept: float, *, turned: bool
    ) -> None:
        pixels = smooth(BITS)
        content = make_film(pixels, BITS, RescaleSlope=slope, RescaleIntercept=intercept)
        expected = TOP - pixels.astype(int) if turned else pixels
        np.testing.assert_array_equal(decoded(content), expected)

    @pytest.mark.parametrize("kind", ["US", "OW"])
    @pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.keyword)
    def test_a_table_is_applied_before_the_polarity(
        self, make_film: Make, smooth: Smooth, order: UID, kind: str
    ) -> None:
        pixels = smooth(BITS)
        entries = np.rint(np.sqrt(np.arange(TOP + 1) / TOP) * 65535).astype(np.uint16)
        data = entries.astype(">u2") if order == ExplicitVRBigEndian and kind == "OW" else entries
        content = make_film(
            pixels,
            BITS,
            order,
            ModalityLUTSequence=[table(data, kind=kind)],
            PhotometricInterpretation="MONOCHROME1",
            # Not together with a table, and ignored where it is (PS3.3, C.11.1).
            RescaleSlope=-1,
            RescaleIntercept=0,
        )
        np.testing.assert_array_equal(decoded(content), 65535 - entries.astype(int)[pixels])

    def test_values_beyond_a_table_get_its_ends(self, make_film: Make, smooth: Smooth) -> None:
        pixels = smooth(BITS)
        entries = np.arange(100, 1124, dtype=np.uint16)
        content = make_film(pixels, BITS, ModalityLUTSequence=[table(entries, 1000, 12)])
        expected = np.clip(pixels.astype(int) - 1000, 0, 1023)
        np.testing.assert_array_equal(decoded(content), expected)

    @pytest.mark.parametrize("first", [-2048, 63488])
    def test_the_first_value_of_a_table_may_be_negative(
        self, make_film: Make, smooth: Smooth, first: int
    ) -> None:
        pixels = smooth(BITS, signed=True)
        entries = np.arange(0, 2 * (TOP + 1), 2, dtype=np.uint16)
        content = make_film(pixels, BITS, ModalityLUTSequence=[table(entries, first, 13)])
        np.testing.assert_array_equal(decoded(content), 2 * (pixels.astype(int) + 2048))

    def test_a_table_of_65536_entries_says_none(self, make_film: Make, smooth: Smooth) -> None:
        pixels = smooth(16)
        entries = np.arange(65536, dtype=np.uint16)[::-1].copy()
        content = make_film(pixels, 16, ModalityLUTSequence=[table(entries, kind="OW")])
        np.testing.assert_array_equal(decoded(content), 65535 - pixels.astype(int))

    def test_entries_of_eight_bits_may_stand_two_a_word(
        self, make_film: Make, smooth: Smooth
    ) -> None:
        pixels = smooth(BITS)
        entries = (np.arange(TOP + 1) // 16).astype(np.uint8)
        content = make_film(pixels, BITS, ModalityLUTSequence=[table(entries, 0, 8, kind="OW")])
        np.testing.assert_array_equal(decoded(content), pixels // 16)

    @pytest.mark.parametrize("spoil", ["empty", "flat", "no data", "no descriptor", "depth"])
    def test_a_table_without_sense_is_none(
        self, make_film: Make, smooth: Smooth, spoil: str
    ) -> None:
        pixels = smooth(BITS)
        item = table(np.arange(16, dtype=np.uint16))
        if spoil == "empty":
            item.LUTData = None
        elif spoil == "flat":
            item.LUTData = [7] * 16
        elif spoil == "no data":
            del item.LUTData
        elif spoil == "no descriptor":
            del item.LUTDescriptor
        else:
            item.LUTDescriptor = [16, 0, 40]
        content = make_film(pixels, BITS, ModalityLUTSequence=[item])
        np.testing.assert_array_equal(decoded(content), pixels)


class TestOfInterest:
    WINDOW = {"WindowCenter": 1000.0, "WindowWidth": 600.0}  # noqa: RUF012 – never changed

    @pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    def test_a_window_is_not_graded_but_shown(
        self, make_film: Make, smooth: Smooth, function: str | None, photometric: str
    ) -> None:
        pixels = smooth(BITS)
        tags: dict[str, object] = {**self.WINDOW, "PhotometricInterpretation": photometric}
        if function:
            tags["VOILUTFunction"] = function
        content = make_film(pixels, BITS, **tags)
        graded = pixels.astype(int)
        reference = Dataset()
        for keyword, value in {**tags, "BitsStored": BITS, "PixelRepresentation": 0}.items():
            setattr(reference, keyword, value)
        shown = apply_windowing(pixels.astype(float), reference) / TOP
        if photometric == "MONOCHROME1":
            graded, shown = TOP - graded, 1.0 - shown
        np.testing.assert_array_equal(decoded(content), graded)
        np.testing.assert_allclose(
            decoded(content, for_display=True), shown * 65535, rtol=0, atol=1.0
        )

    def test_a_window_counts_in_rescaled_units(self, make_film: Make, smooth: Smooth) -> None:
        pixels = smooth(BITS)
        plain = make_film(pixels, BITS, **self.WINDOW)
        scaled = make_film(
            pixels,
            BITS,
            RescaleSlope=2,
            RescaleIntercept=-500,
            VOILUTFunction="LINEAR_EXACT",
            WindowCenter=2 * 999.5 - 500,
            WindowWidth=2 * 599.0,
        )
        np.testing.assert_array_equal(
            decoded(plain, for_display=True), decoded(scaled, for_display=True)
        )

    def test_the_first_of_several_windows_is_shown(self, make_film: Make, smooth: Smooth) -> None:
        pixels = smooth(BITS)
        one = make_film(pixels, BITS, **self.WINDOW)
        two = make_film(pixels, BITS, WindowCenter=[1000, 2000], WindowWidth=[600, 100])
        np.testing.assert_array_equal(
            decoded(one, for_display=True), decoded(two, for_display=True)
        )

    def test_a_width_of_one_is_a_threshold(self, make_film: Make, smooth: Smooth) -> None:
        pixels = smooth(BITS)
        content = make_film(pixels, BITS, WindowCenter=1000, WindowWidth=1)
        expected = np.where(pixels > 999, 65535, 0)
        np.testing.assert_array_equal(decoded(content, for_display=True), expected)

    @pytest.mark.parametrize(
        "tags",
        [
            {},
            {"WindowCenter": 1000},
            {"WindowCenter": 1000, "WindowWidth": 0},
            {"WindowCenter": 1000, "WindowWidth": -3, "VOILUTFunction": "SIGMOID"},
            {"WindowCenter": 1000, "WindowWidth": 9, "VOILUTFunction": "CUBIC"},
            {**WINDOW, "RescaleSlope": 1e308, "RescaleIntercept": 1e308},
        ],
    )
    def test_without_a_window_that_makes_sense_all_is_shown(
        self, make_film: Make, smooth: Smooth, tags: dict[str, object]
    ) -> None:
        pixels = smooth(BITS)
        content = make_film(pixels, BITS, **tags)
        np.testing.assert_array_equal(decoded(content, for_display=True), pixels)

    def test_the_first_table_is_shown_and_comes_before_a_window(
        self, make_film: Make, smooth: Smooth
    ) -> None:
        pixels = smooth(BITS)
        # More entries than eight bits can count, which pydicom's own function loses.
        entries = (np.arange(TOP + 1) ** 2 // TOP // 16).astype(np.uint16)
        other = np.zeros(16, np.uint16)
        content = make_film(
            pixels, BITS, VOILUTSequence=[table(entries, bits=8), table(other)], **self.WINDOW
        )
        np.testing.assert_array_equal(decoded(content), pixels)
        np.testing.assert_allclose(
            decoded(content, for_display=True), entries[pixels] * 257, rtol=0, atol=1.0
        )

    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    def test_a_table_that_falls_turns_the_picture_round(
        self, make_film: Make, smooth: Smooth, photometric: str
    ) -> None:
        pixels = smooth(BITS)
        entries = np.arange(TOP, -1, -1, dtype=np.uint16)
        content = make_film(
            pixels,
            BITS,
            VOILUTSequence=[table(entries, bits=BITS)],
            PhotometricInterpretation=photometric,
        )
        upright = photometric == "MONOCHROME1"
        expected = pixels.astype(int) if upright else TOP - pixels.astype(int)
        np.testing.assert_array_equal(decoded(content), expected)
        shown = decoded(content, for_display=True)
        assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.999

    def test_a_curve_cannot_change_the_order(self, make_film: Make, smooth: Smooth) -> None:
        pixels = smooth(BITS)
        sigmoid = {"VOILUTFunction": "SIGMOID", **self.WINDOW}
        shown = decoded(make_film(pixels, BITS, **sigmoid), for_display=True)
        order = np.argsort(pixels.ravel(), kind="stable")
        assert (np.diff(shown.ravel()[order]) >= 0).all()


class TestPadding:
    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    @pytest.mark.parametrize(("value", "limit"), [(4095, None), (0, None), (4000, 4095), (9, 0)])
    @pytest.mark.parametrize("for_display", [False, True])
    def test_it_is_as_dark_as_the_darkest(
        self,
        make_film: Make,
        smooth: Smooth,
        photometric: str,
        value: int,
        limit: int | None,
        *,
        for_display: bool,
    ) -> None:
        pixels = smooth(BITS)
        tags: dict[str, object] = {
            "PhotometricInterpretation": photometric,
            "PixelPaddingValue": value,
            "WindowCenter": 2048,
            "WindowWidth": 4096,
        }
        if limit is not None:
            tags["PixelPaddingRangeLimit"] = limit
        low, high = sorted((value, value if limit is None else limit))
        padding = (pixels >= low) & (pixels <= high)
        assert padding.any()
        read = decoded(make_film(pixels, BITS, **tags), for_display=for_display)
        assert read[padding].max() <= read[~padding].min()

    def test_signed(self, make_film: Make, smooth: Smooth) -> None:
        pixels = smooth(BITS, signed=True)
        content = make_film(
            pixels, BITS, PixelPaddingValue=2047, PhotometricInterpretation="MONOCHROME2"
        )
        read = decoded(content)
        assert (read[pixels == 2047] == 0).all()

    @pytest.mark.parametrize("limit", [4095, 65535])
    def test_a_film_that_is_nothing_else_has_none(
        self, make_film: Make, smooth: Smooth, limit: int
    ) -> None:
        pixels = smooth(BITS)
        content = make_film(pixels, BITS, PixelPaddingValue=0, PixelPaddingRangeLimit=limit)
        np.testing.assert_array_equal(decoded(content), pixels)


class TestBlank:
    def test_all_pixels_alike(self, make_film: Make) -> None:
        with pytest.raises(errors.PictureBlank, match=r"^film: "):
            decoded(make_film(np.full((48, 40), 77, np.uint16), BITS))

    def test_all_the_film_is_padding_or_alike(self, make_film: Make) -> None:
        pixels = np.full((48, 40), 77, np.uint16)
        pixels[:9] = 0
        with pytest.raises(errors.PictureBlank):
            decoded(make_film(pixels, BITS, PixelPaddingValue=0, RescaleSlope=1))

    def test_differences_in_overlays_are_none(self, make_film: Make) -> None:
        pixels = np.full((48, 40), 77, np.uint16)
        pixels[:9] |= 1 << 14
        with pytest.raises(errors.PictureBlank):
            decoded(make_film(pixels, BITS))


@pytest.mark.parametrize(
    ("photometric", "signed", "slope"),
    [*itertools.product(("MONOCHROME1", "MONOCHROME2"), (False, True), (1, -1))],
)
def test_inverting_pixels_and_polarity_changes_nothing(
    make_film: Make, smooth: Smooth, photometric: str, slope: int, *, signed: bool
) -> None:
    pixels = smooth(BITS, signed=signed)
    turned = (pixels.max().astype(int) + pixels.min() - pixels).astype(pixels.dtype)
    other = {"MONOCHROME1": "MONOCHROME2", "MONOCHROME2": "MONOCHROME1"}[photometric]
    one = make_film(pixels, BITS, PhotometricInterpretation=photometric, RescaleSlope=slope)
    two = make_film(turned, BITS, PhotometricInterpretation=other, RescaleSlope=slope)
    np.testing.assert_array_equal(decoded(one), decoded(two))
