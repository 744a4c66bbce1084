"""Whether grading whole films costs anything: the same knees cut and on films (`make path-report`).

``val`` regions of kneeKL299 are set into seeded composite films of two legs and graded as any film;
their kappa stands beside that of the regions graded as they are. Then the strips of
`digital_knee_xray`, whose first expert's grade is taken as the truth: another country, another
machine. Needs KELLGREN_DATA. `val` is looked at for the loss of the way, not to choose a grader.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.figures import table
from kellgren.anatomy import Laterality
from kellgren.cohort import Options, Settings, find_films, grade_films
from kellgren.datasets import gornale, kneekl299
from kellgren.datasets.table import Row
from kellgren.imaging import read_film
from kellgren.records import FilmResult, Knee
from kellgren.statistics.agreement import quadratic_kappa
from kellgren.training.composites import Source, stand

ROWS, COLUMNS = 1000, 820
"""Of a composite: a region of 299 px is then about as large as on films of 0.35 mm a pixel."""

_NOWHERE = np.full((1, 6, 2), np.nan, dtype=np.float32)


def composite(left: NDArray[np.uint8], right: NDArray[np.uint8], seed: int) -> Image.Image:
    """A film of two legs around two regions; the patient's right knee at the film's left."""
    rng = np.random.default_rng((seed, 77))
    film = np.full((ROWS, COLUMNS), 0.03, dtype=np.float32)
    for place, (pixels, side) in enumerate(((right, Laterality.RIGHT), (left, Laterality.LEFT))):
        centre = (COLUMNS * (0.27 + 0.46 * place), ROWS * rng.uniform(0.42, 0.58))
        source = Source(pixels, _NOWHERE, side)
        width = pixels.shape[0] * rng.uniform(0.9, 1.2)
        film, _ = stand(film, source, centre, width, rng, tilt_sd_deg=1.5)
    return Image.fromarray(np.rint(np.clip(film, 0.0, 1.0) * 255.0).astype(np.uint8))


def scores(truth: Sequence[int], given: Sequence[int]) -> tuple[str, str, str]:
    """Knees, kappa, accuracy."""
    if not truth:
        return "0", "", ""
    a, b = np.array(truth), np.array(given)
    return str(len(a)), f"{quadratic_kappa(a, b, classes=5):.3f}", f"{(a == b).mean():.3f}"


def on_composites(
    data: Path, bundle: str, localiser: str | None, patients: int | None
) -> list[tuple[str, str, str, str]]:
    """The knees of ``val`` as they are and on films."""
    rows = [r for r in kneekl299.read(data / "kneeKL299", relative_to=data) if r.split == "val"]
    by_patient: dict[str, dict[Laterality, Row]] = {}
    for row in rows:
        by_patient.setdefault(row.patient, {})[row.laterality] = row
    pairs = {patient: sides for patient, sides in by_patient.items() if len(sides) == 2}
    with tempfile.TemporaryDirectory() as folder:
        films, crops = Path(folder) / "films", Path(folder) / "crops"
        films.mkdir()
        crops.mkdir()
        for number, (patient, sides) in enumerate(sorted(pairs.items())[:patients]):
            pixels = {side: read_film(data / row.path).pixels for side, row in sides.items()}
            levels = {side: np.asarray(p, dtype=np.uint8) for side, p in pixels.items()}
            film = composite(levels[Laterality.LEFT], levels[Laterality.RIGHT], number)
            film.save(films / f"{patient}.png")
            for side, region in levels.items():
                Image.fromarray(region).save(crops / f"{patient}-{side}.png")
        whole = list(grade_films(find_films([films]), Settings(bundle, localiser)))
        cut = {
            side: grade_films(
                [f for f in find_films([crops], laterality=side) if str(side) in f.source],
                Settings(bundle, None),
            )
            for side in (Laterality.LEFT, Laterality.RIGHT)
        }
        as_cut = {
            (result.source.split("-")[0], side): _grade(result.knees[0])
            for side, results in cut.items()
            for result in results
        }
    found = Counter(len(result.knees) for result in whole)
    truth, on_film, beside = [], [], []
    for result in whole:
        patient = Path(result.source).stem
        for knee in result.knees:
            grade = _grade(knee)
            if knee.laterality in pairs[patient] and grade is not None:
                truth.append(pairs[patient][knee.laterality].value or 0)
                on_film.append(grade)
                beside.append(as_cut[patient, knee.laterality] or 0)
    everyone = [
        (pairs[patient][side].value or 0, grade or 0) for (patient, side), grade in as_cut.items()
    ]
    print(f"composite films: {len(whole)}; knees found on each: {dict(found)}")
    return [
        ("val, regions as they are", *scores(*zip(*everyone, strict=True))),
        ("val, those graded on films, as they are", *scores(truth, beside)),
        ("val, those graded on films", *scores(truth, on_film)),
    ]


def on_strips(data: Path, bundle: str, localiser: str | None) -> list[tuple[str, str, str, str]]:
    """The strips: refused, graded, and all that were found with --force."""
    rows = gornale.read(data / gornale.NAME, relative_to=data)
    truth = {row.image: row.value or 0 for row in rows if row.reader == "kl_expert_1"}
    lines = []
    for name, force in (("graded", False), ("with --force", True)):
        films = find_films([data / gornale.NAME / "images"])
        results = list(
            grade_films(films, Settings(bundle, localiser, options=Options(force=force)))
        )
        pairs = [
            (truth[Path(result.source).stem], grade)
            for result in results
            for knee in result.knees
            if (grade := _grade(knee)) is not None
        ]
        lines.append((f"digital_knee_xray, {name}", *scores(*zip(*pairs, strict=True))))
        if not force:
            print(_refusals(results))
    return lines


def _refusals(results: Sequence[FilmResult]) -> str:
    codes = Counter(code for result in results for code in result.gate.reasons)
    knees = Counter(
        code for result in results for knee in result.knees for code in knee.gate.reasons
    )
    refused = sum(not result.complete for result in results)
    return f"strips refused or partly refused: {refused} of {len(results)}; {dict(codes + knees)}"


def _grade(knee: Knee) -> int | None:
    return None if knee.kl is None else knee.kl.grade


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="tiulpin2018-modern")
    parser.add_argument("--localiser", default="localiser")
    parser.add_argument("--patients", type=int, help="Only the first few, for a trial.")
    chosen = parser.parse_args()
    if "KELLGREN_DATA" not in os.environ:
        raise SystemExit("set KELLGREN_DATA to the folder of the real films")
    data = Path(os.environ["KELLGREN_DATA"])
    lines = on_composites(data, chosen.bundle, chosen.localiser, chosen.patients)
    if chosen.patients is None:
        lines += on_strips(data, chosen.bundle, chosen.localiser)
    print(table(("knees", "number", "quadratic kappa", "accuracy"), lines))


if __name__ == "__main__":
    main()
