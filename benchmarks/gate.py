"""The courage to refuse, and its price: `make gate-report`.

First pictures without a knee (see `negatives`), by kind: how many are graded. Then true knees (see
`refusals`): how many are not, and why. Whole films of the frozen half are left alone unless
``--frozen`` is said. Needs KELLGREN_DATA.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Target, table
from benchmarks.localiser import REGION
from benchmarks.negatives import Negative, missing, negatives
from benchmarks.refusals import report, share
from kellgren.localise import Found, LearnedLocaliser, film_gate, load_localiser, search

ALL, KIND = Target("at most", 0.02), Target("at most", 0.05)
"""Of pictures without a knee, and of those of one kind, graded; as was asked."""


@dataclass(slots=True)
class Kind:
    """What became of one kind's source pictures: name → whether any part of it was graded."""

    seen: bool
    graded: dict[str, bool] = field(default_factory=dict)
    no_radiograph: set[str] = field(default_factory=set)

    def row(self, name: str, target: Target) -> tuple[str, str, str, str, str, str]:
        """Kind, pictures, graded, asked, met, and how many were no radiograph at all."""
        figure = share(name, list(self.graded.values()), target)
        name, measured, asked, met = figure.row()
        pictures = str(len(self.graded))
        return name, pictures, measured, asked, met, str(len(self.no_radiograph))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--localiser", default="localiser")
    parser.add_argument("--frozen", action="store_true", help="Score the frozen half as well.")
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="More pictures without a knee: each folder in it is a kind.",
    )
    parser.add_argument("--patients", type=int, help="Of val, only the first few, for a trial.")
    chosen = parser.parse_args()
    if "KELLGREN_DATA" not in os.environ:
        raise SystemExit("set KELLGREN_DATA to the folder of the real films")
    data = Path(os.environ["KELLGREN_DATA"])
    localiser = LearnedLocaliser(load_localiser(chosen.localiser))
    without = negatives(data, shut=chosen.frozen, folder=chosen.pictures)
    _print_negatives(*searched(without, localiser))
    if missing():
        print(missing())
    report(data, localiser, shut=chosen.frozen, patients=chosen.patients)


def searched(
    pictures: Iterable[Negative], localiser: LearnedLocaliser
) -> tuple[dict[str, Kind], list[str]]:
    """Every kind, and the pictures by name on which something was graded."""
    kinds: dict[str, Kind] = {}
    named: dict[str, list[str]] = defaultdict(list)
    for one in pictures:
        kind = kinds.setdefault(one.kind, Kind(one.seen))
        refused = one.film is None or not film_gate(one.film).graded
        found: tuple[Found, ...] = ()
        if one.film is not None and not refused:
            _, found = search(one.film, localiser, REGION, laterality=None)
        passed = [knee for knee in found if knee.gate.graded]
        kind.graded[one.source] = kind.graded.get(one.source, False) or bool(passed)
        if one.film is not None and refused:
            kind.no_radiograph.add(one.source)
        named[f"{one.kind} {one.source}"] += [str(knee.confidence) for knee in passed]
    return kinds, [f"{name} ({', '.join(sure)})" for name, sure in named.items() if sure]


def _print_negatives(kinds: dict[str, Kind], named: Sequence[str]) -> None:
    lines = []
    for seen, about in ((True, "in sight of the choices"), (False, "unseen until they stood")):
        chosen = {name: kind for name, kind in kinds.items() if kind.seen is seen}
        lines += [kind.row(name, KIND) for name, kind in chosen.items()]
        lines.append(together(chosen).row(f"all {about}", ALL))
    lines.append(together(kinds).row("all", ALL))
    head = ("without a knee", "pictures", "graded", "asked", "met", "not a radiograph")
    print(table(head, lines))
    for name in named:
        print(f"graded: {name}")


def together(kinds: dict[str, Kind]) -> Kind:
    """Kinds as one, their pictures kept apart."""
    every = Kind(seen=False)
    for name, kind in kinds.items():
        every.graded |= {f"{name} {source}": outcome for source, outcome in kind.graded.items()}
        every.no_radiograph |= {f"{name} {source}" for source in kind.no_radiograph}
    return every


if __name__ == "__main__":
    main()
