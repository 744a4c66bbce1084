"""Films become what a system can learn from: cut regions, their manifest, and a table of rejects.

``DIR/regions/*.png``, 16 bit, as the film shows them; ``manifest.csv`` and ``rejects.csv`` are made
from these, the journal and the films' own table once all are finished.
"""

import functools
import hashlib
import io
import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from kellgren import clock, errors
from kellgren.anatomy import Laterality
from kellgren.bundles import DEFAULT_LOCALISER
from kellgren.bundles.runtime import available_cores
from kellgren.cohort.again import finished
from kellgren.cohort.journal import Journal
from kellgren.cohort.labelled import (
    NO_TRUTH,
    RegionFile,
    Reject,
    joined,
    refusal,
    write_rejects,
)
from kellgren.cohort.listed import Listed
from kellgren.cohort.loop import Output, overlay_name
from kellgren.cohort.workers import in_order
from kellgren.datasets.table import Row, write_table
from kellgren.files import named_if_refused, write_atomically
from kellgren.imaging import Frame, Radiograph, RegionSpec, cut_region, decode_film, read_bytes
from kellgren.imaging.radiograph import SpacingSource
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.imaging.region import SideUnit
from kellgren.localise import (
    Boxes,
    Found,
    LearnedLocaliser,
    WholePicture,
    film_gate,
    load_localiser,
    search,
)
from kellgren.localise.sides import CONFLICT
from kellgren.pipeline import Film, failure
from kellgren.records import FilmResult, Gate, GateCode, Knee, RegionFrame

REGIONS: Final = "regions"
MANIFEST: Final = "manifest.csv"
REJECTS: Final = "rejects.csv"

SIZE_PX: Final = 512
"""Chosen: more than any recipe shows, see docs/decisions/0013-prepared-regions.md."""

_OFF_FILM: Final = 5.0
"""The percentile of a region's own pixels that stands where there is no film. It is the lower one
of every recipe, so that what is off the film becomes 0 there and hardly moves either."""

_TOP: Final = np.iinfo(np.uint16).max

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cutting:
    """What finds the knees and how much a region shows: what every region depends on.

    Parameters
    ----------
    localiser
        Name or path of a bundle.
    side, side_unit, align_plateau
        As in a `RegionSpec`; ``whole_picture`` is what it means on a film.
    size_px
        Side of the written regions.
    allow_synthetic
        Let a localiser that learned from phantoms search real films.
    """

    localiser: str = DEFAULT_LOCALISER
    side: float | None = None
    side_unit: SideUnit = "whole_picture"
    align_plateau: bool = False
    size_px: int = SIZE_PX
    allow_synthetic: bool = False

    @property
    def region(self) -> RegionSpec:
        """All that a film shows there: no percentile is cut off, and nothing is filled."""
        return RegionSpec(
            side=self.side,
            side_unit=self.side_unit,
            size_px=self.size_px,
            align_plateau=self.align_plateau,
            percentiles=(0.0, 100.0),
            levels=None,
            fill=math.nan,
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of a cohort: the rows of its manifest, and the rejects, in the films' order."""

    films: int
    rows: tuple[Row, ...]
    rejects: tuple[Reject, ...]

    @property
    def lost(self) -> bool:
        """Whether a film, a knee or an answer cannot be used."""
        return any(reject.code != NO_TRUTH for reject in self.rejects)


def prepare_films(
    films: Sequence[Listed],
    cutting: Cutting,
    *,
    output: Output,
    workers: int = 1,
    watch: Callable[[int, int], None],
    now: Callable[[], datetime] = clock.now,
) -> Prepared:
    """Find the knees of films, cut their regions, and join them with what a table says.

    Pictures that are regions already are looked at and stay where they are.

    Parameters
    ----------
    films
        In the order that the manifest will have.
    output
        The folder; ``regions/``, ``manifest.csv``, ``rejects.csv`` and a journal go there.
    workers
        Processes. The cores are shared out among them.
    watch
        Called with (films finished, all).
    now
        The clock; for several workers a function that can be pickled.

    Raises
    ------
    BundleError
        The localiser cannot be used.
    OutputError
        The folder is not empty, holds something else, is in use, or cannot be written.
    """
    now()  # a clock that cannot be read is the batch's error, not that of every film
    localiser = load_localiser(cutting.localiser)
    header = {"prepared_by": localiser.sha256, **asdict(cutting)}
    del header["localiser"]  # its hash is what counts
    threads = max(1, available_cores() // workers)
    make = functools.partial(_Cutter, cutting, output.folder, threads, now)
    truth_expected = any(listed.labelled for listed in films)
    rows: list[Row] = []
    rejects: list[Reject] = []
    with Journal(output.folder, header, resume=output.resume) as journal:
        done = [_finished(journal, listed, output.folder) for listed in films]
        to_do = [each for each, result in zip(films, done, strict=True) if result is None]
        remaining = in_order(to_do, make, workers)
        for number, (listed, known) in enumerate(zip(films, done, strict=True), start=1):
            result = known or next(remaining)
            if known is None:
                journal.add(result)
            new, refused = joined(
                listed,
                result,
                file_of=functools.partial(_file_of, listed, result, output.folder),
                truth_expected=truth_expected,
            )
            rows += new
            rejects += refused
            watch(number, len(films))
        write_table(rows, output.folder / MANIFEST)
        write_rejects(rejects, output.folder / REJECTS)
    return Prepared(len(films), tuple(rows), tuple(rejects))


class _Cutter:
    """Finds the knees of one film after another and writes their regions."""

    def __init__(
        self, cutting: Cutting, folder: Path, threads: int, now: Callable[[], datetime]
    ) -> None:
        self._cutting = cutting
        self._folder = folder
        self._now = now
        self._localiser = LearnedLocaliser(load_localiser(cutting.localiser), threads=threads)

    def __call__(self, listed: Listed) -> FilmResult:
        film = listed.film
        created = clock.written(self._now())
        sha256 = None
        try:
            content = read_bytes(film.path)
            sha256 = hashlib.sha256(content).hexdigest()
            radiograph = decode_film(content, film.path.name).with_spacing(film.spacing_mm)
            radiograph, places = self._search(film, radiograph, cropped=listed.cropped)
            result = _result(film, radiograph, places, self._localiser, created)
            if not listed.cropped and listed.describes(sha256):
                self._write_regions(radiograph, places, result)
        except errors.OutputError:
            raise  # the next film cannot be written either
        except errors.KellgrenError as error:
            problem = error
        except Exception as error:
            # A defect of ours must not cost the other films; it is logged with its traceback.
            _log.exception("preparing %s failed", film.source)
            problem = errors.Defect(f"{film.source}: {type(error).__name__}: {error}")
            sha256 = None
        else:
            return result
        reference = self._localiser.reference
        return failure(film, problem, sha256=sha256, bundle=reference, created=created)

    def _search(
        self, film: Film, radiograph: Radiograph, *, cropped: bool
    ) -> tuple[Radiograph, tuple[Found, ...]]:
        """The film in its right polarity, and where its knees are, with their sides."""
        seeker = (
            Boxes(film.boxes) if film.boxes else (WholePicture() if cropped else self._localiser)
        )
        if seeker.synthetic and not radiograph.synthetic and not self._cutting.allow_synthetic:
            raise errors.BundleRefused(
                f"the bundle {self._localiser.reference.name} learned from phantoms: no real "
                "films. Choose another one, or say --allow-synthetic."
            )
        if not (film.boxes or film_gate(radiograph).graded):
            return radiograph, ()
        # Without the word of the table, so that what the film says can be held against it.
        radiograph, places = search(radiograph, seeker, self._cutting.region, laterality=None)
        if len(places) == 1 and film.laterality is not None:
            places = (_as_said(places[0], film.laterality, both=radiograph.header.bilateral),)
        return radiograph, places

    def _write_regions(
        self, radiograph: Radiograph, places: Sequence[Found], result: FilmResult
    ) -> None:
        for number, (place, knee) in enumerate(zip(places, result.knees, strict=True)):
            if refusal(knee, result.knees) is None:
                pixels = _sixteen_bit(radiograph, place.frame, self._cutting.region)
                if pixels.min() == pixels.max():
                    raise errors.PictureBlank(
                        f"{result.source}: every pixel of a knee's region is the same. Look at "
                        "its box."
                    )
                path = self._folder / _region_path(result.source, number, knee)
                with named_if_refused(path), write_atomically(path, binary=True) as stream:
                    stream.write(_png(pixels, synthetic=result.synthetic))


def _as_said(found: Found, said: Laterality, *, both: bool) -> Found:
    """The only knee found on a film of which somebody says which side it shows.

    They may be speaking of the knee that was not found. So tag and fibula must not contradict
    them, and where the file says that both knees are there, they must agree.
    """
    if found.laterality_source == "user":  # of a box, drawn on this very film
        return found
    agrees = found.laterality is said or (found.laterality is Laterality.UNKNOWN and not both)
    warnings = found.warnings if agrees else (*found.warnings, CONFLICT)
    return replace(found, laterality=said, laterality_source="user", warnings=warnings)


def _why_none(radiograph: Radiograph) -> tuple[GateCode, ...]:
    """Why a film has no knee: it is no radiograph, or none was found."""
    return film_gate(radiograph).reasons or ("NO_KNEE",)


def _result(
    film: Film,
    radiograph: Radiograph,
    places: Sequence[Found],
    localiser: LearnedLocaliser,
    created: str,
) -> FilmResult:
    """What was found, as the journal keeps it; the localiser's is the only bundle that spoke."""
    return FilmResult(
        source=film.source,
        sha256=radiograph.sha256,
        bundle=localiser.reference,
        created=created,
        study_uid=radiograph.header.study_uid,
        sop_uid=radiograph.header.sop_uid,
        subject=film.subject,
        pixel_spacing_mm=radiograph.detector_spacing_mm,
        spacing_source=_detector_spacing_source(radiograph),
        magnification=radiograph.header.magnification,
        synthetic=radiograph.synthetic or (localiser.synthetic and not film.boxes),
        gate=Gate() if places else Gate(graded=False, reasons=_why_none(radiograph)),
        knees=tuple(
            Knee(
                laterality=place.laterality,
                laterality_source=place.laterality_source,
                region=RegionFrame(place.frame.matrix, place.frame.size_px),
                scale_source=place.scale_source,
                box_px=place.frame.edges,
                confidence=place.confidence,
                gate=place.gate,
                warnings=place.warnings,
                landmarks=dict(place.landmarks),
            )
            for place in places
        ),
        localiser=localiser.reference,
    )


def _detector_spacing_source(film: Radiograph) -> SpacingSource:
    if film.detector_spacing_mm is None or film.spacing_source == "given":
        return "none" if film.detector_spacing_mm is None else "given"
    return "imager_pixel_spacing" if film.header.imager_pixel_spacing_mm else "pixel_spacing"


def _sixteen_bit(film: Radiograph, frame: Frame, spec: RegionSpec) -> NDArray[np.uint16]:
    """A region as the film shows it, its own darkest and brightest at the ends of 16 bits."""
    pixels = cut_region(film, frame, spec).pixels
    off_film = np.isnan(pixels)
    if off_film.any():
        pixels[off_film] = np.percentile(pixels[~off_film], _OFF_FILM)
    return np.rint(pixels * _TOP).astype(np.uint16)


def _png(pixels: NDArray[np.uint16], *, synthetic: bool) -> bytes:
    mark = PngInfo()
    if synthetic:
        mark.add_text(SYNTHETIC_KEY, "yes")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=mark)
    return stream.getvalue()


def _region_path(source: str, number: int, knee: Knee) -> str:
    """Relative to the folder, with nothing of a stranger's file name that a system acts on."""
    return f"{REGIONS}/{Path(overlay_name(source, number)).stem}-{knee.laterality}.png"


def _file_of(
    listed: Listed, result: FilmResult, folder: Path, number: int, knee: Knee
) -> RegionFile:
    """The region of a knee: the file that was written, or the one that the table lists."""
    if listed.cropped:
        path = os.path.relpath(listed.film.path, os.path.realpath(folder))
        return RegionFile(Path(path).as_posix(), result.sha256 or "")
    relative = _region_path(result.source, number, knee)
    return RegionFile(relative, hashlib.sha256(read_bytes(folder / relative)).hexdigest())


def _finished(journal: Journal, listed: Listed, folder: Path) -> FilmResult | None:
    """What the journal has of a film, if its regions still stand."""
    result = finished(journal, listed.film)
    if result is None:
        return None
    if any((knee.scale_source == "whole_picture") != listed.cropped for knee in result.knees):
        return None  # the table has learned what the picture is
    if listed.cropped or not listed.describes(result.sha256):
        return result
    there = (
        (folder / _region_path(result.source, number, knee)).is_file()
        for number, knee in enumerate(result.knees)
        if refusal(knee, result.knees) is None
    )
    return result if all(there) else None
