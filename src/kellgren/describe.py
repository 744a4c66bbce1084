"""Systems, bundles and summaries as plain text for a terminal."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import zip_longest

from kellgren.bundles.record import Result, TrainedOn
from kellgren.grading import Bundle
from kellgren.localise import LocaliserBundle
from kellgren.systems import Recipe, System

WIDTH = 100
"""Columns of text where nobody says how many. Chosen: that of the code."""

_GAP = "  "

_SHOWN = (
    "accuracy",
    "balanced_accuracy",
    "quadratic_kappa",
    "mean_absolute_error",
    "mean_squared_error",
    "auc",
    "expected_calibration_error",
    "set_coverage",
    "mean_set_size",
)


def list_systems(systems: Iterable[System]) -> str:
    """One line a system."""
    return _columns([(s.name, s.title, s.doi or "ours") for s in systems])


def describe_system(system: System, *, width: int = WIDTH) -> str:
    """Everything a system's record says: use, variants, fidelities side by side, teachers."""
    recipes = list(system.recipes.items())
    table = [("", *(fidelity for fidelity, _ in recipes))]
    for field in fields(Recipe):
        table += _settings(field.name, [getattr(recipe, field.name) for _, recipe in recipes])
    return "\n\n".join(
        [
            f"{system.name}: {system.title}\ndoi: {system.doi or 'none, a network of ours'}",
            textwrap.fill(f"Use: {system.statement_of_use}", width)
            + "\n"
            + textwrap.fill(f"Limits: {system.limits}", width),
            "Tasks: " + ", ".join(task.name for task in system.tasks),
            "Variants (the first is the default)\n" + _columns([*system.variants.items()], width),
            "Fidelities\n" + _columns(table, width),
            "Data sets that can teach it, or why not (your own can)\n"
            + _columns([*system.teaches_from.items()], width),
        ]
    )


def describe_bundle(bundle: Bundle, *, width: int = WIDTH) -> str:
    """A grader's record for a person: origin, calibration, what was measured, hashes."""
    record = bundle.record
    lines = [
        ("name", f"{record.name} {record.version}"),
        ("system", f"{record.system}, {record.fidelity}, {record.variant}"),
        ("doi", record.doi or "none"),
        ("use", record.statement_of_use),
        ("limits", record.limits),
        ("members", ", ".join(f"seed {m.seed} at {m.iteration}" for m in record.members)),
        ("fusion", record.fusion),
        ("taught by", record.taught_by or "the truth alone"),
        ("explanation", record.explanation),
        ("size", _megabytes(bundle.contents)),
        ("sha256", bundle.sha256),
        *_origin(record.trained_on),
    ]
    for task in record.tasks:
        plan = record.conformal[task.name]
        found = record.calibration(task)
        bias = f", biases {' '.join(f'{b:+.2f}' for b in found.bias)}" if found.bias else ""
        sets = f"sets at {plan.coverage:.0%} with q = {plan.q:.4f}"
        lines.append((task.name, f"temperature {found.temperature:.3f}{bias}, {sets}"))
    return _with_results(lines, record.results, width)


def describe_localiser(bundle: LocaliserBundle, *, width: int = WIDTH) -> str:
    """A localiser's record for a person: what it looks for and how, origin, measures, hash."""
    record = bundle.record
    across, down = record.centre
    lines = [
        ("name", f"{record.name} {record.version}"),
        ("kind", "localiser: finds the knees of whole films"),
        ("use", record.statement_of_use),
        ("limits", record.limits),
        ("landmarks", ", ".join(record.landmarks)),
        ("input", f"a film, its longest side {record.film.size_px} px"),
        ("first look", f"a knee may be there from a certainty of {record.first_look:g}"),
        ("close look", f"of {record.zoom:g} plateau widths: it is from {record.accepted:g}"),
        ("beside it", f"a second one of about its size is from {record.beside:g}"),
        ("centre", f"of a region: {across:g} along, {down:g} down from the joint, plateau widths"),
        ("size", _megabytes(bundle.contents)),
        ("sha256", bundle.sha256),
        *_origin(record.trained_on),
    ]
    return _with_results(lines, record.results, width)


def describe_estimate(seconds: float, networks: int) -> str:
    """How long so many networks will take to learn, in the unit that a person would choose."""
    if round(seconds) < 60:
        took = f"about {max(round(seconds), 1)} s"
    elif round(seconds / 60) < 60:
        took = f"about {round(seconds / 60)} min"
    else:
        took = f"{seconds / 3600:.1f} hours"
    return f"{took} for {networks} {'network' if networks == 1 else 'networks'}"


def _megabytes(contents: Mapping[str, bytes]) -> str:
    """Of the graphs; the record beside them is a few kilobytes."""
    return f"{sum(map(len, contents.values())) / 1e6:.1f} MB"


def _origin(sources: Iterable[TrainedOn]) -> Iterator[tuple[str, str]]:
    """A line for each data set that a bundle learned from."""
    for source in sources:
        counts = ", ".join(f"{name} {count}" for name, count in source.counts.items())
        yield "trained on", f"{source.name} ({source.kind}, {source.licence}): {counts}"


def _with_results(lines: Sequence[tuple[str, str]], results: Iterable[Result], width: int) -> str:
    """What a record says, and below it what was measured, if anything was."""
    measured = [
        (f"{r.on} {r.task}", r.metric, _interval(r.value, r.low, r.high), f"n = {r.n_knees}")
        for r in results
    ]
    return "\n\nMeasured\n".join(_columns(rows, width) for rows in (lines, measured) if rows)


def _interval(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{value:.3f}"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _settings(name: str, values: Sequence[object]) -> Iterator[tuple[str, ...]]:
    """A row of a setting for every fidelity; settings in groups stand below their group's name."""
    groups = [value for value in values if is_dataclass(value)]
    yield (name, *("" if value in groups else _cell(value) for value in values))
    for field in fields(groups[0]) if groups else ():
        yield (f"  {field.name}", *(_cell(getattr(value, field.name, "")) for value in values))


def _cell(value: object) -> str:
    """As Python writes it, without the digits that only a binary fraction has."""
    return str(float(f"{value:.6g}")) if isinstance(value, float) else str(value)


def _columns(rows: Sequence[Sequence[str]], width: int = WIDTH) -> str:
    """Left-aligned columns; cells that are too long for the width go on below themselves."""
    widths = _share([*zip(*rows, strict=True)], width)
    lines = []
    for row in rows:
        wrapped = [
            textwrap.wrap(cell, most, break_long_words=False, break_on_hyphens=False)
            for cell, most in zip(row, widths, strict=True)
        ]
        for parts in zip_longest(*wrapped, fillvalue=""):
            cells = (part.ljust(most) for part, most in zip(parts, widths, strict=True))
            lines.append(_GAP.join(cells).rstrip())
    return "\n".join(lines)


def _share(columns: Sequence[Sequence[str]], width: int) -> list[int]:
    """Give narrow columns what they want, and divide the rest; no word is broken to fit."""
    wanted = [max(map(len, column)) for column in columns]
    least = [max(map(_longest_word, column)) for column in columns]
    widths = [0] * len(columns)
    left = width - len(_GAP) * (len(columns) - 1)
    for done, index in enumerate(sorted(range(len(columns)), key=lambda i: wanted[i])):
        fair = left // (len(columns) - done)
        widths[index] = max(1, least[index], min(wanted[index], fair))
        left -= widths[index]
    return widths


def _longest_word(cell: str) -> int:
    indent = len(cell) - len(cell.lstrip())
    return indent + max(map(len, cell.split()), default=0)
