"""True knees that are refused, for `make gate-report`: on `val` composites and on whole films.

A knee counts where at least 60 % of its region is on the film. Composites stand as they are, and
once more cut, so that the shares on the film spread from there to the whole; whole films as they
are, and once more as negatives of which nobody says so. A knee that is not found is refused like
one that is found and not graded, and so is one graded in the wrong polarity. Composites are not
asked for theirs: some regions of kneeKL299 are negatives themselves.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.figures import Figure, Target, table
from benchmarks.localiser import LANDMARKS, REGION, Truth, frozen, truths
from kellgren.anatomy import Laterality
from kellgren.datasets import kneekl299
from kellgren.imaging import Frame, Radiograph, read_film
from kellgren.localise import Found, LearnedLocaliser, film_gate, search
from kellgren.localise.gate import LEAST_ON_FILM, WHOLE_ON_FILM, on_film
from kellgren.localise.learned import OPEN_REGION_WIDTHS
from kellgren.localise.polarity import negative
from kellgren.training.composites import Source, stand

REFUSED = Target("at most", 0.02)
"""Of true knees, as was asked."""

OVER = 0.5
"""Region sides from a true region's centre: whatever is found nearer lies over that knee. How well
it lies there is `make localiser-report`'s to say."""

ROWS, COLUMNS = 1000, 820
"""Of a composite: a region of 299 px is then about as large as on films of 0.35 mm a pixel."""

WRONG = "WRONG_POLARITY"
"""Of a knee that is graded on the negative of what it should be graded on."""

_CUT = ("at a side", "above", "at a side", "below")
"""Before the first column and row, after the last column and row."""

_NOWHERE = np.full((1, 6, 2), np.nan, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A film, and the regions of its true knees.

    Parameters
    ----------
    kind
        How it was made.
    source
        The patient or film.
    regions
        Upright squares around the knees; parts of them may lie beyond the film.
    inverted
        Bone is dark; None where nobody has looked.
    """

    kind: str
    source: str
    film: Radiograph
    regions: tuple[Frame, ...]
    inverted: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a true knee: nothing stands against it, or a code does.

    ``code`` is empty for a knee that is graded.
    """

    kind: str
    source: str
    share: float
    code: str


def report(data: Path, localiser: LearnedLocaliser, *, shut: bool, patients: int | None) -> None:
    """Look for every true knee and print who was refused."""
    films = (*whole_films(data, localiser, shut=shut), *composites(data, patients))
    outcomes = [outcome for film in films for outcome in outcomes_on(film, localiser)]
    known = [film for film in films if film.inverted is not None]
    turned = [each for film in known for each in outcomes_on(inverted(film), localiser)]
    lines = [
        _line(f"{kind}, {name}", part)
        for kind in dict.fromkeys(outcome.kind for outcome in (*outcomes, *turned))
        for name, part in _by_share([o for o in (*outcomes, *turned) if o.kind == kind])
    ]
    as_they_are = [outcome for outcome in outcomes if "cut" not in outcome.kind]
    lines.append(_line("all on films as they are", as_they_are))
    lines.append(_line("all, cut or not", outcomes))
    head = ("true knees by their share on film", "knees", "films", "refused", "asked", "met", "why")
    print(table(head, lines))


def share(name: str, outcomes: Sequence[bool], target: Target) -> Figure:
    """A share with its Wilson interval."""
    interval = binomtest(sum(outcomes), len(outcomes)).proportion_ci(method="wilson")
    note = f"{sum(outcomes)} of {len(outcomes)}, [{interval.low:.3f}, {interval.high:.3f}]"
    return Figure(name, float(np.mean(outcomes)), "{:.3f}", target, note)


def outcomes_on(standing: Standing, localiser: LearnedLocaliser) -> Iterator[Outcome]:
    """What becomes of each knee of which the film shows enough."""
    whole = film_gate(standing.film)
    film = standing.film
    found: tuple[Found, ...] = ()
    if whole.graded:
        film, found = search(standing.film, localiser, REGION, laterality=None)
    was_turned = film is not standing.film
    for region in standing.regions:
        shown = on_film(standing.film, region)
        if shown < LEAST_ON_FILM:
            continue
        knee = _over(region, found)
        reasons = whole.reasons or (("NO_KNEE",) if knee is None else knee.gate.reasons)
        wrong = standing.inverted is not None and was_turned is not standing.inverted
        code = " ".join(reasons) or (WRONG if wrong else "")
        yield Outcome(standing.kind, standing.source, shown, code)


def inverted(standing: Standing) -> Standing:
    """The same film the other way round, and nothing that says so."""
    kind = f"{standing.kind}, negatives"
    film = negative(standing.film)
    return replace(standing, kind=kind, film=film, inverted=not standing.inverted)


def whole_films(data: Path, localiser: LearnedLocaliser, *, shut: bool) -> Iterator[Standing]:
    """The annotated whole films; of the frozen half only if it is asked for."""
    for image, knees in truths(LANDMARKS / "whole-films.csv").items():
        if frozen(image) and not shut:
            continue
        film = read_film(data / "whole_films" / f"{image}.jpg")
        regions = tuple(_region(knee, localiser) for knee in knees)
        yield Standing("whole films", image, film, regions, inverted=False)


def composites(data: Path, patients: int | None = None) -> Iterator[Standing]:
    """Both knees of each patient of ``val`` on a film, and on the same film cut."""
    by_patient: dict[str, dict[Laterality, Path]] = {}
    for row in kneekl299.read(data / kneekl299.NAME, relative_to=data):
        if row.split == "val":
            by_patient.setdefault(row.patient, {})[row.laterality] = data / row.path
    both = {patient: sides for patient, sides in by_patient.items() if len(sides) == 2}
    for number, (patient, sides) in enumerate(sorted(both.items())[:patients]):
        whole = legs(patient, sides, np.random.default_rng((number, 77)))
        yield whole
        yield cut(whole, np.random.default_rng((number, 78)))


def legs(patient: str, sides: dict[Laterality, Path], rng: np.random.Generator) -> Standing:
    """A film of two legs; the patient's right knee at the film's left."""
    film = np.full((ROWS, COLUMNS), 0.03, dtype=np.float32)
    regions = []
    for place, laterality in enumerate((Laterality.RIGHT, Laterality.LEFT)):
        pixels = np.asarray(read_film(sides[laterality]).pixels, dtype=np.uint8)
        x, y = COLUMNS * (0.27 + 0.46 * place), ROWS * rng.uniform(0.42, 0.58)
        side = pixels.shape[0] * rng.uniform(0.9, 1.2)
        film, _ = stand(
            film, Source(pixels, _NOWHERE, laterality), (x, y), side, rng, tilt_sd_deg=1.5
        )
        regions.append(_square(x + 0.5, y + 0.5, side))
    levels = np.rint(np.clip(film, 0.0, 1.0) * 255.0).astype(np.uint8)
    return Standing("val composites", patient, Radiograph(levels, "0" * 64), tuple(regions))


def cut(whole: Standing, rng: np.random.Generator) -> Standing:
    """The same film cut on one side, so that 60 to 100 % of the outermost region stay."""
    side, shown = int(rng.integers(len(_CUT))), rng.uniform(LEAST_ON_FILM, 1.0)
    edges = np.array([region.edges for region in whole.regions])
    length = edges[0, 2] - edges[0, 0], edges[1, 2] - edges[1, 0]
    rows, columns = whole.film.shape
    x0, y0, x1, y1 = 0, 0, columns, rows
    if side < 2:  # before the region's first edge, along x or y
        outermost = int(edges[:, side].argmin())
        at = round(float(edges[outermost, side] + (1.0 - shown) * length[outermost]))
        x0, y0 = (max(at, 0), 0) if side == 0 else (0, max(at, 0))
    else:
        outermost = int(edges[:, side].argmax())
        at = round(float(edges[outermost, side] - (1.0 - shown) * length[outermost]))
        x1, y1 = (min(at, columns), rows) if side == 2 else (columns, min(at, rows))
    pixels: NDArray[np.generic] = whole.film.pixels[y0:y1, x0:x1]
    film = Radiograph(np.array(pixels, dtype=np.uint8), "0" * 64)
    moved = tuple(
        Frame.of_box(*(edges[i] - (x0, y0, x0, y0)).tolist(), size_px=region.size_px)
        for i, region in enumerate(whole.regions)
    )
    return Standing(f"{whole.kind}, cut {_CUT[side]}", whole.source, film, moved)


def _region(knee: Truth, localiser: LearnedLocaliser) -> Frame:
    """Where a marked knee's region lies: as far from the joint's middle as the bundle says."""
    along, across = localiser.bundle.record.centre
    x, y = knee.middle
    return _square(
        x + 0.5 + along * knee.width, y + 0.5 + across * knee.width, OPEN_REGION_WIDTHS * knee.width
    )


def _square(x: float, y: float, side: float) -> Frame:
    half = side / 2.0
    return Frame.of_box(x - half, y - half, x + half, y + half, size_px=REGION.size_px)


def _over(region: Frame, found: Sequence[Found]) -> Found | None:
    """The nearest region that was found over a true one, if any was."""
    x, y = _centre(region)
    limit = OVER * (region.edges[2] - region.edges[0])

    def away(one: Found) -> float:
        other_x, other_y = _centre(one.frame)
        return float(np.hypot(other_x - x, other_y - y))

    nearest = min(found, key=away, default=None)
    return nearest if nearest is not None and away(nearest) <= limit else None


def _centre(region: Frame) -> tuple[float, float]:
    x0, y0, x1, y1 = region.edges
    return (x0 + x1) / 2.0, (y0 + y1) / 2.0


def _by_share(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """Knees by how much of them the film shows, where there are any; then all of them."""
    limits = (LEAST_ON_FILM, 0.7, WHOLE_ON_FILM, 1.0, np.inf)
    parts = {}
    for low, high in itertools.pairwise(limits):
        name = "whole" if low == 1.0 else f"{100 * low:.0f} to {100 * high:.0f} %"
        parts[name] = [outcome for outcome in outcomes if low <= outcome.share < high]
    there = {name: part for name, part in parts.items() if part}
    yield from there.items()
    if len(there) > 1:
        yield "together", list(outcomes)


def _line(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    figure = share(name, [bool(outcome.code) for outcome in outcomes], REFUSED)
    name, measured, asked, met = figure.row()
    codes = Counter(outcome.code for outcome in outcomes if outcome.code)
    films = len({outcome.source for outcome in outcomes})
    why = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
    return name, str(len(outcomes)), str(films), measured, asked, met, why
