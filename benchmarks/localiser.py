"""Where knees are found: figures of the shipped localiser on real films, `make localiser-report`.

Measured on annotated pictures that never taught it: held-out strips of `digital_knee_xray` (by
cluster) and whole films. A half of the whole films, by a hash of their names, is frozen: it is
looked at with ``--frozen`` only, when all else is decided. Needs KELLGREN_DATA.
"""

import argparse
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from benchmarks.figures import Figure, Target, table
from kellgren.anatomy import Laterality
from kellgren.datasets.landmarks import Placed, read_landmarks
from kellgren.imaging import RegionSpec, read_film
from kellgren.localise import Found, LearnedLocaliser, load_localiser

LANDMARKS = Path(__file__).parents[1] / "landmarks"
NEAR = 0.15
"""Region sides between the joint line's middle and the region's centre."""
ALIKE = 0.15
"""Of the region's side, against 1.25 plateau widths."""
REGION = RegionSpec(side=1.25, side_unit="plateau_width", size_px=224)


@dataclass(frozen=True, slots=True)
class Truth:
    """One annotated knee, in pixels of its picture."""

    middle: tuple[float, float]
    width: float
    laterality: Laterality


@dataclass(slots=True)
class Tally:
    """What was counted, each as (yes, no) outcomes."""

    found: list[bool] = field(default_factory=list)
    scaled: list[bool] = field(default_factory=list)
    false: list[bool] = field(default_factory=list)
    both: list[bool] = field(default_factory=list)
    sides: list[bool] = field(default_factory=list)
    sides_unknown: int = 0
    seconds: list[float] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def merge(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.found + other.found,
            self.scaled + other.scaled,
            self.false + other.false,
            self.both + other.both,
            self.sides + other.sides,
            self.sides_unknown + other.sides_unknown,
            self.seconds + other.seconds,
            self.misses + other.misses,
        )


def truths(table_path: Path) -> dict[str, list[Truth]]:
    """The knees of every annotated picture, by image."""
    knees: dict[tuple[str, int], dict[str, Placed]] = defaultdict(dict)
    for placed in read_landmarks(table_path):
        knees[placed.image, placed.knee][placed.landmark] = placed
    found: dict[str, list[Truth]] = defaultdict(list)
    for (image, _), places in sorted(knees.items()):
        ends = [places[f"tibial_plateau_image_{side}"] for side in ("left", "right")]
        middle = places["joint_middle"]
        if any(place.x is None or place.y is None for place in (*ends, middle)):
            continue
        xs, ys = zip(*((float(end.x or 0.0), float(end.y or 0.0)) for end in ends), strict=True)
        width = float(np.hypot(xs[1] - xs[0], ys[1] - ys[0]))
        place = (float(middle.x or 0.0), float(middle.y or 0.0))
        found[image].append(Truth(place, width, middle.laterality))
    return found


def measure(pictures: Sequence[tuple[Path, list[Truth]]], localiser: LearnedLocaliser) -> Tally:
    """Look for the knees of some pictures and compare."""
    tally = Tally()
    for path, knees in pictures:
        film = read_film(path)
        began = time.perf_counter()
        seen = localiser.find(film, REGION, laterality=None)
        tally.seconds.append(time.perf_counter() - began)
        matched = [_match(knee, seen) for knee in knees]
        tally.found += [one is not None for one in matched]
        for knee, one in zip(knees, matched, strict=True):
            if one is None:
                tally.misses.append(path.stem)
                continue
            side = one.frame.edges[2] - one.frame.edges[0]
            tally.scaled.append(abs(side / (1.25 * knee.width) - 1.0) <= ALIKE)
            if one.laterality is Laterality.UNKNOWN:
                tally.sides_unknown += 1
            elif knee.laterality is not Laterality.UNKNOWN:
                tally.sides.append(one.laterality == knee.laterality)
        tally.false += [all(one is not other for other in matched) for one in seen]
        if len(knees) == 2:
            tally.both.append(all(one is not None for one in matched))
    return tally


def _match(knee: Truth, seen: Sequence[Found]) -> Found | None:
    """The region whose centre is near the joint line's middle, if there is one."""
    best, least = None, NEAR
    for one in seen:
        x0, y0, x1, y1 = one.frame.edges
        centre = np.array(((x0 + x1) / 2.0 - 0.5, (y0 + y1) / 2.0 - 0.5))
        off = float(np.hypot(*(centre - np.array(knee.middle)))) / (x1 - x0)
        if off <= least:
            best, least = one, off
    return best


def figures(tally: Tally) -> Iterator[Figure]:
    """What was asked."""
    wanted: tuple[tuple[str, list[bool], Target], ...] = (
        ("knees found", tally.found, Target("at least", 0.97)),
        ("region side within 15 %", tally.scaled, Target("at least", 0.95)),
        ("false of the detections", tally.false, Target("at most", 0.02)),
        ("both knees of two-knee films", tally.both, Target("at least", 0.95)),
        ("side right, where one was given", tally.sides, Target("at least", 0.97)),
    )
    for name, outcomes, target in wanted:
        if outcomes:
            interval = binomtest(sum(outcomes), len(outcomes)).proportion_ci(method="wilson")
            note = f"{sum(outcomes)} of {len(outcomes)}, [{interval.low:.3f}, {interval.high:.3f}]"
            yield Figure(name, float(np.mean(outcomes)), "{:.3f}", target, note)
    yield Figure("side left open", float(tally.sides_unknown), "{:.0f}")
    yield Figure(
        "time of one film", float(np.median(tally.seconds)), "{:.3f} s", Target("at most", 0.12)
    )


def frozen(image: str) -> bool:
    """Whether a film belongs to the half that is scored once."""
    return hashlib.sha256(image.encode()).digest()[0] % 2 == 1


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--localiser", default="localiser")
    parser.add_argument("--frozen", action="store_true", help="Score the frozen half as well.")
    chosen = parser.parse_args()
    if "KELLGREN_DATA" not in os.environ:
        raise SystemExit("set KELLGREN_DATA to the folder of the real films")
    data = Path(os.environ["KELLGREN_DATA"])
    localiser = LearnedLocaliser(load_localiser(chosen.localiser))
    strips = [
        (data / "digital_knee_xray" / "images" / f"{image}.png", knees)
        for image, knees in truths(LANDMARKS / "strips-held-out.csv").items()
    ]
    films = [
        (data / "whole_films" / f"{image}.jpg", knees)
        for image, knees in truths(LANDMARKS / "whole-films.csv").items()
    ]
    open_films = [film for film in films if not frozen(film[0].stem)]
    parts = {
        "held-out strips": measure(strips, localiser),
        "whole films, open half": measure(open_films, localiser),
    }
    if chosen.frozen:
        shut = [film for film in films if frozen(film[0].stem)]
        parts["whole films, frozen half"] = measure(shut, localiser)
    pooled = Tally()
    for name, tally in parts.items():
        pooled = pooled.merge(tally)
        _print(name, tally)
    _print("pooled", pooled)


def _print(name: str, tally: Tally) -> None:
    print(f"\n{name}: {len(tally.seconds)} pictures, {len(tally.found)} knees")
    print(table(("figure", "measured", "asked", "met"), [f.row() for f in figures(tally)]))
    if tally.misses:
        print(f"not found on: {', '.join(tally.misses)}")


if __name__ == "__main__":
    main()
