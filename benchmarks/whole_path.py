"""Whether grading whole films costs anything: the same knees cut and on films (`make path-report`).

``val`` regions of kneeKL299 are set into seeded composite films of two legs and graded as any film;
their kappa stands beside that of the regions graded as they are. Then the strips of
`digital_knee_xray`, whose first expert's grade is taken as the truth: another country, another
machine. Intervals resample patients, and clusters of strips, whose patients are not known. Needs
KELLGREN_DATA. `val` is looked at for the loss of the way, not to choose a grader.
"""

import argparse
import csv
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.figures import Figure, Target, table
from benchmarks.localiser import LANDMARKS
from benchmarks.refusals import legs
from benchmarks.worst import Case, as_table, contact_sheet, worst
from kellgren.anatomy import KL, Laterality
from kellgren.cohort import Options, Settings, find_films, grade_films
from kellgren.datasets import gornale, kneekl299
from kellgren.datasets.landmarks import read_landmarks
from kellgren.datasets.table import Row
from kellgren.grading import load_bundle
from kellgren.imaging import read_film
from kellgren.records import FilmResult, Knee, Prediction
from kellgren.reporting import write_overlay
from kellgren.statistics import weighted
from kellgren.statistics.agreement import confusion_matrix
from kellgren.statistics.bootstrap import intervals, replicates
from kellgren.statistics.discrimination import probability_of_cut
from kellgren.statistics.questions import cut_of
from kellgren.statistics.weighted import Statistic

LOSS = -0.02
"""What kappa may lose on the way, as was asked."""

WORST = 10
"""Cases on the sheet."""

SHEET = "worst.png"

SEED = 0
"""Of the resamples; chosen: any one, so that a second run says the same."""

_CLASSES = len(KL.classes)
_CUT = cut_of(KL) or 0
_KAPPA = "quadratic kappa"
_SCORES = ("", "knees", "units", _KAPPA, "accuracy", f"AUC (KL ≥ {_CUT})")
_REFUSED = ("", "knees", "units", "refused", "codes")


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The grades of some knees beside the truth.

    Parameters
    ----------
    units
        (n,) what each knee is resampled with.
    truth, given
        (n,) grades.
    probabilities
        (n, classes).
    """

    units: NDArray[np.str_]
    truth: NDArray[np.int64]
    given: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    @classmethod
    def of(cls, answered: Iterable[tuple[str, int, Prediction]]) -> "Answers":
        """From the unit, the truth and the answer of every knee."""
        rows = list(answered)
        return cls(
            np.array([unit for unit, *_ in rows], dtype=np.str_),
            np.array([truth for _, truth, _ in rows], dtype=np.int64),
            np.array([said.grade for *_, said in rows], dtype=np.int64),
            np.array([said.probabilities for *_, said in rows], np.float64).reshape(-1, _CLASSES),
        )

    @property
    def statistics(self) -> tuple[Statistic, Statistic, Statistic]:
        """Kappa, accuracy, and how well the probabilities order the knees."""
        scores = probability_of_cut(self.probabilities, _CUT)
        return (
            weighted.quadratic_kappa(self.truth, self.given, classes=_CLASSES),
            weighted.mean(self.truth == self.given),
            weighted.auc(self.truth >= _CUT, scores),
        )

    @property
    def recalls(self) -> tuple[Statistic, ...]:
        """Of every grade, the share that was given it."""
        right = self.truth == self.given
        return tuple(weighted.mean(right, among=self.truth == grade) for grade in range(_CLASSES))


@dataclass(frozen=True, slots=True)
class Measured:
    """A value and its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "none"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def measured(statistics: Sequence[Statistic], units: NDArray[np.str_]) -> list[Measured]:
    """Every statistic of some knees, with the interval that resampling their units gives."""
    if not len(units):
        return [Measured(np.nan, np.nan, np.nan)] * len(statistics)
    once = np.ones((1, len(units)))
    found = intervals(replicates(statistics, units, rng=np.random.default_rng(SEED)))
    return [
        Measured(float(statistic(once)[0]), interval.low, interval.high)
        for statistic, interval in zip(statistics, found, strict=True)
    ]


def difference(minuend: Statistic, subtrahend: Statistic) -> Statistic:
    """Of two statistics of the same knees, in the same resample."""
    return lambda weights: minuend(weights) - subtrahend(weights)


def scores(name: str, answers: Answers) -> tuple[str, ...]:
    """A line of the table of scores."""
    numbers = map(str, measured(answers.statistics, answers.units))
    return name, str(len(answers.units)), str(len(set(answers.units))), *numbers


def refusals(name: str, cases: Sequence[Case]) -> tuple[str, ...]:
    """A line of the table of refusals; a knee that was not found is one."""
    units = np.array([case.unit for case in cases], dtype=np.str_)
    (share,) = measured([weighted.mean(np.array([bool(c.reasons) for c in cases]))], units)
    codes = Counter(code for case in cases for code in case.reasons)
    said = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
    return name, str(len(cases)), str(len(set(units))), str(share), said


def on_composites(data: Path, bundle: str, localiser: str | None, patients: int | None) -> None:
    """Print how the knees of ``val`` fare as they are and on films."""
    pairs = dict(sorted(_pairs(data).items())[:patients])
    with tempfile.TemporaryDirectory() as folder:
        films, crops = Path(folder) / "films", Path(folder) / "crops"
        films.mkdir()
        crops.mkdir()
        for number, (patient, sides) in enumerate(pairs.items()):
            pixels = {side: read_film(data / row.path).pixels for side, row in sides.items()}
            levels = {side: np.asarray(p, dtype=np.uint8) for side, p in pixels.items()}
            paths = {side: data / row.path for side, row in sides.items()}
            film = legs(patient, paths, np.random.default_rng((number, 77))).film
            Image.fromarray(np.asarray(film.pixels)).save(films / f"{patient}.png")
            for side, region in levels.items():
                (crops / side).mkdir(exist_ok=True)
                Image.fromarray(region).save(crops / side / f"{patient}.png")
        whole = list(grade_films(find_films([films]), Settings(bundle, localiser)))
        cut = {
            (Path(result.source).stem, side): result.knees[0].kl
            for side in (Laterality.LEFT, Laterality.RIGHT)
            for result in grade_films(
                find_films([crops / side], laterality=side), Settings(bundle, None)
            )
        }
    found = Counter(len(result.knees) for result in whole)
    print(f"composite films: {len(whole)}; knees found on each: {dict(sorted(found.items()))}")
    truth = {(p, side): row.value or 0 for p, sides in pairs.items() for side, row in sides.items()}
    cases = {
        (Path(result.source).stem, side): _of_side(result, side, truth)
        for result in whole
        for side in (Laterality.LEFT, Laterality.RIGHT)
    }
    print(table(_REFUSED, [refusals("val, on composite films", list(cases.values()))]))
    both = [(key, a, b) for key, a in cut.items() if a and (b := cases[key].given)]
    everyone = Answers.of((key[0], truth[key], said) for key, said in cut.items() if said)
    as_cut = Answers.of((key[0], truth[key], said) for key, said, _ in both)
    on_film = Answers.of((key[0], truth[key], said) for key, _, said in both)
    lines = [
        scores("val, regions as they are", everyone),
        scores("val, those graded on films, as they are", as_cut),
        scores("val, those graded on films", on_film),
    ]
    print(table(_SCORES, lines))
    changes = measured(tuple(map(difference, on_film.statistics, as_cut.statistics)), on_film.units)
    figures = [
        Figure(
            f"{what}, film − cut",
            change.value,
            "{:+.3f}",
            Target("at least", LOSS) if what == _KAPPA else None,
            f"[{change.low:+.3f}, {change.high:+.3f}]",
        )
        for what, change in zip(_SCORES[3:], changes, strict=True)
    ]
    print(table(("paired", "measured", "asked", "met"), [figure.row() for figure in figures]))


def _pairs(data: Path) -> dict[str, dict[Laterality, Row]]:
    """The patients of ``val`` with both knees."""
    by_patient: dict[str, dict[Laterality, Row]] = {}
    for row in kneekl299.read(data / "kneeKL299", relative_to=data):
        if row.split == "val":
            by_patient.setdefault(row.patient, {})[row.laterality] = row
    return {patient: sides for patient, sides in by_patient.items() if len(sides) == 2}


def _of_side(
    result: FilmResult, side: Laterality, truth: dict[tuple[str, Laterality], int]
) -> Case:
    """The knee of one side of a composite film."""
    patient = Path(result.source).stem
    knee = next((knee for knee in result.knees if knee.laterality is side), None)
    return Case(Path(result.source), patient, truth[patient, side], _reasons(result, knee), knee)


def _reasons(result: FilmResult, knee: Knee | None) -> tuple[str, ...]:
    """Why a knee is refused: what is said of its film, then of itself."""
    if result.error is not None:
        return (result.error.code,)
    own = ("NO_KNEE",) if knee is None else knee.gate.reasons
    return tuple(dict.fromkeys((*result.gate.reasons, *own)))


@dataclass(frozen=True, slots=True)
class Strip:
    """A strip: its file, its cluster, the grade that counts as true, and the knees it shows."""

    path: Path
    cluster: str
    truth: int
    knees: int


def strips(data: Path) -> dict[str, Strip]:
    """Every strip by its file's name; the knees of a picture share one grade."""
    folder = data / gornale.NAME
    with (folder / "labels.csv").open(newline="", encoding="utf-8-sig") as stream:
        two = {label["image"] for label in csv.DictReader(stream) if label["bilateral"] == "1"}
    return {
        name: Strip(data / row.path, row.cluster, row.value or 0, 2 if name in two else 1)
        for row in gornale.read(folder, relative_to=data)
        if row.reader == "kl_expert_1"
        for name in (Path(row.path).name,)
    }


def strip_cases(strip: Strip, result: FilmResult) -> Iterator[Case]:
    """As many knees as the strip shows: the surest that were found, then those that were not."""
    found = sorted(result.knees, key=lambda knee: knee.confidence or 0.0, reverse=True)
    missing = [None] * (strip.knees - len(found))
    for knee in (*found[: strip.knees], *missing):
        yield Case(strip.path, strip.cluster, strip.truth, _reasons(result, knee), knee)


def on_strips(data: Path, bundle: str, localiser: str, output: Path | None) -> None:
    """Print how the strips fare: refused, graded, and all that were found with ``--force``."""
    known = strips(data)
    # Forced once: what is graded without is what has no reason against it.
    forced = Settings(bundle, localiser, options=Options(force=True))
    results = list(grade_films(find_films([data / gornale.NAME / "images"]), forced))
    show_strips(known, results)
    ten = worst(_cases(known, results), WORST)
    print(f"\nthe {len(ten)} worst of those graded\n{as_table(ten)}")
    if output is None:
        print("their pictures: give --output FOLDER")
    else:
        output.mkdir(parents=True, exist_ok=True)
        sheet = contact_sheet(ten, load_bundle(bundle).record.region)
        write_overlay(sheet, output / SHEET)
        print(f"their pictures: {output / SHEET}")


def show_strips(known: dict[str, Strip], results: Sequence[FilmResult]) -> None:
    """Print the tables of strips."""
    cases = _cases(known, results)
    beyond = sum(max(len(r.knees) - known[Path(r.source).name].knees, 0) for r in results)
    refused = len({case.picture for case in cases if case.reasons})
    print(
        f"\n{gornale.NAME}: {len(results)} pictures, {refused} of them refused or partly refused; "
        f"knees found beyond those shown: {beyond}"
    )
    taught = {
        known[name].cluster
        for placed in read_landmarks(LANDMARKS / "strips-train.csv")
        if (name := f"{placed.image}.png") in known
    }
    # Those held back from learning count as well: its errors on them were watched.
    parts = {
        "all clusters": cases,
        "clusters that taught the localiser": [c for c in cases if c.unit in taught],
        "clusters that did not": [c for c in cases if c.unit not in taught],
    }
    print(table(_REFUSED, [refusals(name, part) for name, part in parts.items()]))
    graded = {name: _answers(c for c in part if not c.reasons) for name, part in parts.items()}
    with_force = {name: _answers(part) for name, part in parts.items()}
    lines = [
        scores(f"{name}, {way}", answers)
        for way, answered in (("graded", graded), ("with --force", with_force))
        for name, answers in answered.items()
    ]
    print(table(_SCORES, lines))
    for way, answered in (("graded", graded), ("with --force", with_force)):
        print(f"\nall clusters, {way}: rows true, columns given")
        print(confusion(answered["all clusters"]))


def confusion(answers: Answers) -> str:
    """Counts, and of every true grade the share that was given it."""
    counts = confusion_matrix(answers.truth, answers.given, classes=_CLASSES)
    right = measured(answers.recalls, answers.units)
    rows = [
        (f"KL {grade}", *map(str, counts[grade]), str(right[grade])) for grade in range(_CLASSES)
    ]
    return table(("", *KL.classes, "right"), rows)


def _cases(known: dict[str, Strip], results: Iterable[FilmResult]) -> list[Case]:
    return [case for r in results for case in strip_cases(known[Path(r.source).name], r)]


def _answers(cases: Iterable[Case]) -> Answers:
    return Answers.of((case.unit, case.truth, case.given) for case in cases if case.given)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="tiulpin2018-modern")
    parser.add_argument("--localiser", default="localiser")
    parser.add_argument("--part", choices=("composites", "strips"), help="Only these.")
    parser.add_argument("--patients", type=int, help="Only the first few composites, for a trial.")
    parser.add_argument("--output", type=Path, help="Folder for the sheet of the worst strips.")
    chosen = parser.parse_args()
    if "KELLGREN_DATA" not in os.environ:
        raise SystemExit("set KELLGREN_DATA to the folder of the real films")
    data = Path(os.environ["KELLGREN_DATA"])
    if chosen.part != "strips":
        on_composites(data, chosen.bundle, chosen.localiser, chosen.patients)
    if chosen.part != "composites":
        on_strips(data, chosen.bundle, chosen.localiser, chosen.output)


if __name__ == "__main__":
    main()
