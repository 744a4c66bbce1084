"""From stored bits to density: one table, as a pixel's meaning depends on its value alone.

The steps are those of DICOM PS3.4, N.2: modality, values of interest, presentation. What is graded
leaves the second out but for its direction; docs/decisions says why.
"""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from kellgren.imaging.dicom.elements import items, number, numbers, text

Values = NDArray[np.float64]


def densities(
    stored: NDArray[np.uint16],
    dataset: Dataset,
    *,
    bits: int,
    signed: bool,
    for_display: bool = False,
) -> NDArray[np.uint16]:
    """Values where more means denser.

    Parameters
    ----------
    stored
        (rows, columns), bit patterns below 2**bits.
    dataset
        Modality LUT or rescale, VOI LUT or window, padding and polarity are read from it.
    bits
        Of a stored pixel.
    signed
        Whether patterns are two's complement.
    for_display
        Apply the first VOI LUT or window too, stretched to 16 bits, as a viewer that opens the
        film does. Without one, or where it is impossible, the same as for grading.

    Returns
    -------
    numpy.ndarray
        Of the same shape; ``stored`` itself where nothing changes.
    """
    patterns = np.arange(1 << bits, dtype=np.float64)
    if signed:
        patterns[1 << (bits - 1) :] -= 1 << bits
    table = _table(patterns, dataset, for_display=for_display)
    padding = _padding(patterns, dataset)
    if padding.any():
        present = np.zeros(len(table), np.bool_)
        for line in stored:
            present[line] = True
        film = present & ~padding
        if film.any():
            table[padding] = table[film].min()
    return _looked_up(stored, table)


def _table(patterns: Values, dataset: Dataset, *, for_display: bool) -> NDArray[np.uint16]:
    """The value of every pattern."""
    shown = _of_interest(_modality(patterns, dataset), dataset) if for_display else None
    if shown is not None:
        top = float(np.iinfo(np.uint16).max)
        values, turn = np.rint(shown * top), _reversed(dataset)
    else:
        values = _ordered(patterns, dataset)
        values -= values.min()
        top = float(values.max())
        interest = _first_table(dataset, "VOILUTSequence")
        turn = _reversed(dataset) != (interest is not None and interest.falls)
    return (top - values if turn else values).astype(np.uint16)


def _looked_up(stored: NDArray[np.uint16], table: NDArray[np.uint16]) -> NDArray[np.uint16]:
    same = np.arange(len(table), dtype=np.uint16)
    if np.array_equal(table, same):
        return stored
    values = np.empty(stored.shape, np.uint16)
    if np.array_equal(table, same[::-1]):
        np.subtract(same[-1], stored, out=values)
        return values
    # NumPy makes eight bytes of every index, which a whole film has no room for.
    for row, line in zip(values, stored, strict=True):
        np.take(table, line, out=row, mode="clip")
    return values


def _ordered(patterns: Values, dataset: Dataset) -> Values:
    """After the modality step, in whole numbers.

    A rescale is linear, and neither percentiles nor order change with it: only its sign counts.
    """
    table = _first_table(dataset, "ModalityLUTSequence")
    if table is not None:
        return table.of(patterns)
    slope = number(dataset, "RescaleSlope")
    return -patterns if slope is not None and slope < 0.0 else patterns.copy()


def _modality(patterns: Values, dataset: Dataset) -> Values:
    """In the units of the window (PS3.3, C.11.1)."""
    table = _first_table(dataset, "ModalityLUTSequence")
    if table is not None:
        return table.of(patterns)
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    return patterns * (slope or 1.0) + (intercept or 0.0)


def _of_interest(values: Values, dataset: Dataset) -> Values | None:
    """In [0, 1] after the first VOI LUT or window (PS3.3, C.11.2), or None without one."""
    table = _first_table(dataset, "VOILUTSequence")
    if table is not None:
        return np.minimum(table.of(values) / table.top, 1.0)
    centres, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if not centres or not widths or not np.isfinite(values).all():
        return None
    centre, width = centres[0], widths[0]
    function = _word(dataset, "VOILUTFunction") or "LINEAR"
    if function == "SIGMOID" and width > 0.0:
        # C.11.2.1.3.1; beyond ±700 the exponential leaves its range.
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700.0, 700.0)))
    if function == "LINEAR_EXACT" and width > 0.0:
        return np.clip((values - centre) / width + 0.5, 0.0, 1.0)  # C.11.2.1.3.2
    if function == "LINEAR" and width >= 1.0:
        # C.11.2.1.2.1; a width of 1 is a threshold.
        ramp = (values - (centre - 0.5)) / max(width - 1.0, np.finfo(np.float64).tiny) + 0.5
        return np.clip(ramp, 0.0, 1.0)
    return None


def _reversed(dataset: Dataset) -> bool:
    """Whether the last step shows low values white.

    Presentation LUT Shape is that step, and Photometric Interpretation says the same in older
    words (PS3.3, C.7.6.3.1.2 and C.11.6): where both stand they are one inversion. Where they
    contradict each other, what Pixel Intensity Relationship Sign says about the rays decides
    (C.8.11.3.1.2: 1 means that low values are low intensities, which is bone), and without it the
    shape, as in DCMTK.
    """
    low_is_white = _word(dataset, "PhotometricInterpretation") == "MONOCHROME1"
    shape = _word(dataset, "PresentationLUTShape")
    if shape not in {"IDENTITY", "INVERSE"} or low_is_white == (shape == "INVERSE"):
        return low_is_white
    sign = number(dataset, "PixelIntensityRelationshipSign")
    return sign > 0 if sign in {-1.0, 1.0} else shape == "INVERSE"


def _padding(patterns: Values, dataset: Dataset) -> NDArray[np.bool_]:
    """What is no part of the film (PS3.3, C.7.5.1.1.2): shown as the darkest that is."""
    value = number(dataset, "PixelPaddingValue")
    if value is None:
        return np.zeros(patterns.shape, np.bool_)
    limit = number(dataset, "PixelPaddingRangeLimit")
    low, high = sorted((value, value if limit is None else limit))
    return (patterns >= low) & (patterns <= high)


class _Table:
    """A lookup table of the Standard (PS3.3, C.11.1.1).

    pydicom's own wraps round behind the 256th entry of a table of 8 bits, and refuses 12 bits.
    """

    __slots__ = ("_first", "entries", "top")

    def __init__(self, entries: Values, first: float, bits: int) -> None:
        self.entries = entries
        self.top = float((1 << bits) - 1)
        self._first = first

    def of(self, values: Values) -> Values:
        """Look values up; those below the first get its entry, those past the last the last."""
        places = np.clip(np.floor(values - self._first), 0, len(self.entries) - 1)
        return self.entries[places.astype(np.intp)]

    @property
    def falls(self) -> bool:
        """Whether it turns the picture round."""
        return bool(self.entries[-1] < self.entries[0])


def _first_table(dataset: Dataset, keyword: str) -> _Table | None:
    """The first table of a sequence, or None where there is none that makes sense."""
    for item in items(dataset, keyword)[:1]:
        descriptor = numbers(item, "LUTDescriptor")
        if len(descriptor) != 3 or "LUTData" not in item or not 1 <= descriptor[2] <= 16:
            return None
        count, first, bits = map(int, descriptor)
        # The count has 16 bits, so none means 65,536; a signed reader gives large ones negative.
        entries = _entries(item, count % (1 << 16) or 1 << 16, bits)
        if entries.size and entries.min() < entries.max():
            signed = number(dataset, "PixelRepresentation") == 1
            # Written as US though it is SS.
            return _Table(
                entries, first - (1 << 16) if signed and first >= 1 << 15 else first, bits
            )
    return None


def _entries(item: Dataset, count: int, bits: int) -> Values:
    data = item["LUTData"].value
    if isinstance(data, bytes):
        # Entries of 8 bits may stand two a word.
        if bits <= 8 and len(data) < 2 * count:
            data = np.frombuffer(data, np.uint8)
        else:
            order = ">" if item.original_encoding[1] is False else "<"
            data = np.frombuffer(data[: len(data) // 2 * 2], f"{order}u2")
    return np.atleast_1d(np.asarray(data, np.float64))[:count]


def _word(dataset: Dataset, keyword: str) -> str:
    return (text(dataset, keyword) or "").upper()
