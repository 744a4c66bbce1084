"""Pictures without a knee, for `make gate-report`: real, made of real ones, drawn, and photographs.

They are counted by source picture: what was cut from one film, or encoded in several ways, is one.
The localiser's threshold was chosen with some kinds in sight, which says nothing of what is to
come; the others were looked at only after it and the gate's limits stood.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_sample_images

from benchmarks.localiser import LANDMARKS, Truth, frozen, truths
from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets import kneekl299
from kellgren.datasets.phantom.film import film_landmarks
from kellgren.datasets.phantom.film_drawing import draw_film
from kellgren.datasets.phantom.film_sampling import sample_film
from kellgren.imaging import Radiograph, read_film
from kellgren.localise.landmarks import LEFT, MIDDLE, RIGHT
from kellgren.training.composites import Source, stand

Picture = NDArray[np.float32]

DRAWN = 40
"""Of every kind that is drawn: more than the 20 that 5 % of a kind needs."""

COMPOSITES = 120
"""Patients of ``val`` whose legs stand on films without a knee."""

_DOCS = Path(__file__).parents[1] / "docs"
_NOWHERE = np.full((1, 6, 2), np.nan, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Negative:
    """A picture without a knee.

    Parameters
    ----------
    kind
        What it shows.
    source
        The picture that it was made of.
    film
        None for a file that is refused before it is searched.
    seen
        Its kind was in sight when the localiser's threshold or the gate's limits were chosen.
    """

    kind: str
    source: str
    film: Radiograph | None
    seen: bool = False


def negatives(data: Path, *, shut: bool = False, folder: Path | None = None) -> Iterator[Negative]:
    """Every picture without a knee, kind by kind.

    Parameters
    ----------
    data
        The folder of the real films.
    shut
        Take whole films of the frozen half as well.
    folder
        A user's own: each folder in it is a kind.
    """
    yield from _other_parts(data)
    yield from _of_films(data, shut=False)
    for image, knees in truths(LANDMARKS / "strips-held-out.csv").items():
        pixels = _read(data / "digital_knee_xray" / "images" / f"{image}.png")
        film = _film(painted_out(pixels, knees))
        yield Negative("knees painted out, strips", image, film, seen=True)
    yield from _drawn("noise and gradients", _noise, seen=True)
    yield from _drawn("pages of text", _page, seen=True)
    for number, photograph in enumerate(load_sample_images().images):
        grey = photograph.astype(np.float32).mean(axis=2)
        yield Negative("photographs of scikit-learn", str(number), _film(grey), seen=True)
    if shut:
        yield from _of_films(data, shut=True)
    yield from _composites(data)
    yield from _phantoms()
    yield from _drawn("smooth gradients", _gradient)
    for one in _pictures(_scikit_image(), "pictures of scikit-image"):
        # motorcycle_left and motorcycle_right are one
        yield replace(one, source=one.source.partition("_")[0])
    if folder is not None:
        for kind in sorted(each for each in folder.iterdir() if each.is_dir()):
            yield from _pictures(sorted(kind.iterdir()), kind.name)


def missing() -> str:
    """What is left out here, and why; empty if nothing is."""
    if find_spec("skimage") is None:
        return "pictures of scikit-image: left out, it is not installed (pip install scikit-image)"
    return ""


def painted_out(pixels: Picture, knees: Sequence[Truth]) -> Picture:
    """Every knee's rows replaced by what lies above and below it, with the grain of the film."""
    out = pixels.copy()
    rng = np.random.default_rng(0)
    rows, columns = out.shape
    for knee in knees:
        x, y = knee.middle
        half = 0.75 * knee.width
        x0, x1 = max(round(x - half), 0), min(round(x + half), columns)
        y0, y1 = max(round(y - 0.62 * knee.width), 1), min(round(y + 0.5 * knee.width), rows - 1)
        if y1 - y0 < 2:
            continue
        share = np.linspace(0.0, 1.0, y1 - y0, dtype=np.float32)[:, None]
        above, below = out[y0 - 1, x0:x1], out[y1, x0:x1]
        grain = rng.normal(0.0, 0.01 * float(np.ptp(pixels)), (y1 - y0, x1 - x0))
        out[y0:y1, x0:x1] = above * (1.0 - share) + below * share + grain
    return out


def shafts(pixels: Picture, knees: Sequence[Truth]) -> Iterator[Picture]:
    """What of a film lies well above and well below its knees, where there is enough of it."""
    last = round(min(knee.middle[1] - 0.8 * knee.width for knee in knees))
    first = round(max(knee.middle[1] + 0.8 * knee.width for knee in knees))
    if last >= 150:
        yield pixels[:last]
    if pixels.shape[0] - first >= 150:
        yield pixels[first:]


def _other_parts(data: Path) -> Iterator[Negative]:
    for path in sorted((data / "dicom").glob("*.dcm")):
        # RG2_J2KI and RG2_RLE are one film in two encodings
        source = path.stem.partition("_")[0]
        try:
            yield Negative("other body parts", source, read_film(path), seen=True)
        except errors.InputError:
            yield Negative("other body parts", source, None, seen=True)


def _of_films(data: Path, *, shut: bool) -> Iterator[Negative]:
    """Whole films of one half, without their knees."""
    half = ", frozen half" if shut else ""
    for image, knees in truths(LANDMARKS / "whole-films.csv").items():
        if frozen(image) is not shut:
            continue
        pixels = _read(data / "whole_films" / f"{image}.jpg")
        painted = _film(painted_out(pixels, knees))
        yield Negative(f"knees painted out, films{half}", image, painted, seen=not shut)
        for part in shafts(pixels, knees):
            yield Negative(f"shafts of films{half}", image, _film(part), seen=not shut)


def _composites(data: Path) -> Iterator[Negative]:
    """Legs around ``val`` regions whose joints are painted out, or lie beyond the film."""
    rows = kneekl299.read(data / kneekl299.NAME, relative_to=data)
    chosen = {row.patient: row for row in rows if row.split == "val"}
    for number, (patient, row) in enumerate(sorted(chosen.items())[:COMPOSITES]):
        rng = np.random.default_rng((number, 79))
        source = Source(
            np.asarray(read_film(data / row.path).pixels, dtype=np.uint8), _NOWHERE, row.laterality
        )
        film = np.full((1000, 820), 0.03, dtype=np.float32)
        side = 299.0 * rng.uniform(0.9, 1.6)
        painted = number % 2 == 0
        away = side * rng.uniform(0.8, 2.0)
        y = 500.0 if painted else (-away if rng.random() < 0.5 else 1000.0 + away)
        for x in (0.27, 0.73):
            film, _ = stand(film, source, (820.0 * x, y), side, rng, painted_out=painted)
        kind = "knees painted out, composites" if painted else "shafts of composites"
        yield Negative(kind, patient, _film(np.clip(film, 0.0, 1.0) * 255.0))


def _phantoms() -> Iterator[Negative]:
    """Phantom films without their knees."""
    for number in range(DRAWN):
        film = sample_film(np.random.default_rng((number, 80)))
        pixels = draw_film(film).astype(np.float32)
        knees = []
        for marks in film_landmarks(film):
            places = {mark.name: (mark.x, mark.y) for mark in marks}
            (x0, y0), (x1, y1) = places[LEFT], places[RIGHT]
            width = float(np.hypot(x1 - x0, y1 - y0))
            knees.append(Truth(places[MIDDLE], width, Laterality.UNKNOWN))
        painted = _film(painted_out(pixels, knees))
        yield Negative("knees painted out, phantoms", str(number), painted)
        for part in shafts(pixels, knees):
            yield Negative("shafts of phantoms", str(number), _film(part))


def _drawn(
    kind: str, draw: Callable[[np.random.Generator], Picture], *, seen: bool = False
) -> Iterator[Negative]:
    for seed in range(DRAWN):
        yield Negative(kind, str(seed), _film(draw(np.random.default_rng(seed))), seen)


def _noise(rng: np.random.Generator) -> Picture:
    rows, columns = rng.integers(200, 900, 2)
    gradient = np.outer(np.linspace(0.0, rng.uniform(0.0, 1.0), rows), np.ones(columns))
    white = rng.normal(0.0, rng.uniform(0.05, 0.5), (rows, columns))
    if rng.random() < 0.5:  # smoother: soft clouds
        spectrum = np.fft.rfft2(white)
        distance = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
        white = np.fft.irfft2(spectrum / (0.01 + distance), s=(rows, columns)) / 20.0
    return np.asarray((gradient + white - white.min()) * 255.0, dtype=np.float32)


def _gradient(rng: np.random.Generator) -> Picture:
    """Light from one side or from one place, as an exposure without a patient has it."""
    rows, columns = rng.integers(300, 1500, 2)
    y, x = np.mgrid[: int(rows), : int(columns)].astype(np.float32) / np.float32(max(rows, columns))
    angle, (x0, y0) = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.0, 1.0, 2)
    slope = np.cos(angle) * x + np.sin(angle) * y
    spot = np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / rng.uniform(0.05, 0.5))
    light = slope + rng.uniform(0.0, 3.0) * spot
    light = (light - light.min()) / np.ptp(light)
    grain = rng.normal(0.0, rng.uniform(0.0, 0.01), light.shape)
    return np.asarray((light + grain) * rng.uniform(40.0, 250.0), dtype=np.float32)


def _page(rng: np.random.Generator) -> Picture:
    """A page of our own documentation, as exported or as scanned."""
    texts = sorted(_DOCS.glob("*/*.md"))
    words = texts[int(rng.integers(len(texts)))].read_text(encoding="utf-8").split()
    rows, columns = int(rng.integers(600, 2400)), int(rng.integers(500, 1800))
    size = int(rng.integers(9, 40))
    font = ImageFont.load_default(size=size)
    page = Image.new("L", (columns, rows), 255)
    pen = ImageDraw.Draw(page)
    margin, y, last = int(0.08 * columns), int(0.06 * rows), rng.uniform(0.3, 0.95) * rows
    line = ""
    for word in words * (1 + rows * columns // (len(words) * size * size)):
        if line and pen.textlength(f"{line} {word}", font=font) > columns - 2 * margin:
            pen.text((margin, y), line, fill=0, font=font)
            y, line = y + int(1.4 * size), ""
        if y > last:
            break
        line = f"{line} {word}".strip()
    pixels = np.asarray(page, dtype=np.float32)
    kind = rng.random()
    if kind < 0.3:
        return 255.0 - pixels
    if kind < 0.6:  # scanned: light that falls off, and grain
        light = np.linspace(1.0, rng.uniform(0.8, 1.0), rows, dtype=np.float32)[:, None]
        return np.asarray(pixels * light + rng.normal(0.0, 5.0, pixels.shape), dtype=np.float32)
    return pixels


def _scikit_image() -> list[Path]:
    """The pictures that its wheel brings; none where it is not installed."""
    found = find_spec("skimage")
    if found is None or found.origin is None:
        return []
    return sorted((Path(found.origin).parent / "data").glob("*"))


def _pictures(paths: Sequence[Path], kind: str) -> Iterator[Negative]:
    """Ordinary pictures in grey, though one in colour is refused when it is read."""
    for path in paths:
        try:
            with Image.open(path) as picture:
                grey = np.asarray(picture.convert("RGB").convert("L"), dtype=np.float32)
        except OSError:
            continue  # no picture
        if min(grey.shape) >= 128:  # icons are no films
            yield Negative(kind, path.stem, _film(grey))


def _read(path: Path) -> Picture:
    return read_film(path).pixels.astype(np.float32)


def _film(pixels: Picture) -> Radiograph:
    return Radiograph(np.rint(np.clip(pixels, 0, 65535)).astype(np.uint16), "0" * 64)
