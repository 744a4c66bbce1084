"""The courage to refuse: pictures without a knee, and true knees refused (`make gate-report`).

Negatives are counted by source picture: other body parts from ``dicom``, shafts cut from whole
films, whole films and strips whose knees are painted out, noise, and photographs. Whole films of
the frozen half are left alone. Needs KELLGREN_DATA.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.datasets import load_sample_images

from benchmarks.figures import table
from benchmarks.localiser import LANDMARKS, REGION, Truth, frozen, truths
from kellgren import errors
from kellgren.imaging import Radiograph, read_film
from kellgren.localise import LearnedLocaliser, load_localiser

Picture = NDArray[np.float32]


def negatives(data: Path) -> Iterator[tuple[str, str, Radiograph | None]]:
    """(kind, source, film); None for a film that is refused before it is searched."""
    for path in sorted((data / "dicom").glob("*.dcm")):
        try:
            yield "other body parts", path.stem, read_film(path)
        except errors.InputError:
            yield "other body parts", path.stem, None
    for image, knees in truths(LANDMARKS / "whole-films.csv").items():
        if frozen(image):
            continue
        pixels = read_film(data / "whole_films" / f"{image}.jpg").pixels.astype(np.float32)
        yield "knees painted out, films", image, _film(_painted_out(pixels, knees))
        for place, part in (("above", _above(pixels, knees)), ("below", _below(pixels, knees))):
            if part is not None:
                yield "shafts", f"{image} {place}", _film(part)
    for image, knees in truths(LANDMARKS / "strips-held-out.csv").items():
        path = data / "digital_knee_xray" / "images" / f"{image}.png"
        pixels = read_film(path).pixels.astype(np.float32)
        yield "knees painted out, strips", image, _film(_painted_out(pixels, knees))
    for seed in range(40):
        yield "noise and gradients", str(seed), _film(_noise(np.random.default_rng(seed)))
    for number, photograph in enumerate(load_sample_images().images):
        grey = photograph.astype(np.float32).mean(axis=2)
        yield "photographs", str(number), _film(grey)


def _film(pixels: Picture) -> Radiograph:
    return Radiograph(np.rint(np.clip(pixels, 0, 65535)).astype(np.uint16), "0" * 64)


def _painted_out(pixels: Picture, knees: list[Truth]) -> Picture:
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


def _above(pixels: Picture, knees: list[Truth]) -> Picture | None:
    last = round(min(knee.middle[1] - 0.8 * knee.width for knee in knees))
    return pixels[:last] if last >= 150 else None


def _below(pixels: Picture, knees: list[Truth]) -> Picture | None:
    first = round(max(knee.middle[1] + 0.8 * knee.width for knee in knees))
    return pixels[first:] if pixels.shape[0] - first >= 150 else None


def _noise(rng: np.random.Generator) -> Picture:
    rows, columns = rng.integers(200, 900, 2)
    gradient = np.outer(np.linspace(0.0, rng.uniform(0.0, 1.0), rows), np.ones(columns))
    white = rng.normal(0.0, rng.uniform(0.05, 0.5), (rows, columns))
    if rng.random() < 0.5:  # smoother: soft clouds
        spectrum = np.fft.rfft2(white)
        distance = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
        white = np.fft.irfft2(spectrum / (0.01 + distance), s=(rows, columns)) / 20.0
    return np.asarray((gradient + white - white.min()) * 255.0, dtype=np.float32)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--localiser", default="localiser")
    chosen = parser.parse_args()
    if "KELLGREN_DATA" not in os.environ:
        raise SystemExit("set KELLGREN_DATA to the folder of the real films")
    localiser = LearnedLocaliser(load_localiser(chosen.localiser))
    graded: dict[str, list[bool]] = {}
    named = []
    for kind, source, film in negatives(Path(os.environ["KELLGREN_DATA"])):
        seen = () if film is None else localiser.find(film, REGION, laterality=None)
        passed = [one for one in seen if one.gate.graded]
        graded.setdefault(kind, []).append(bool(passed))
        named += [f"{kind} {source} ({one.confidence})" for one in passed]
    graded["all"] = [outcome for outcomes in list(graded.values()) for outcome in outcomes]
    lines = []
    for kind, outcomes in graded.items():
        interval = binomtest(sum(outcomes), len(outcomes)).proportion_ci(method="wilson")
        share = f"{np.mean(outcomes):.3f} [{interval.low:.3f}, {interval.high:.3f}]"
        asked = 0.02 if kind == "all" else 0.05
        met = "yes" if np.mean(outcomes) <= asked else "NO"
        lines.append((kind, str(len(outcomes)), share, f"≤ {asked}", met))
    print(table(("without a knee", "pictures", "graded", "asked", "met"), lines))
    for name in named:
        print(f"graded: {name}")


if __name__ == "__main__":
    main()
