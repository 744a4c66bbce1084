"""A table of repeated runs: one row a run, which system it is of, and what it scored."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kellgren import errors

SYSTEM, RUN = "system", "run"


@dataclass(frozen=True, slots=True)
class Score:
    """What every run reached by one measure.

    Parameters
    ----------
    name
        The column's.
    values
        For each system (runs,), in the order of `Runs.names`.
    """

    name: str
    values: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, slots=True)
class Runs:
    """Repeated runs of two systems or more, two runs or more of each.

    Parameters
    ----------
    systems
        In alphabetical order, whatever the order of rows.
    names
        Of each system's runs, such as seeds or folds, likewise.
    scores
        One or more, in the order of columns.
    left_out
        Columns without a single number, which are no scores.
    """

    systems: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    scores: tuple[Score, ...]
    left_out: tuple[str, ...] = ()


def read_runs(path: Path, *, scores: Sequence[str] = ()) -> Runs:
    """Read a table of runs (CSV) with the columns ``system``, ``run`` and one score or more.

    Parameters
    ----------
    scores
        The columns to read; none means each that holds a number.

    Raises
    ------
    TableError
        There is no such table, column or score, a cell is empty or no finite number, or there is
        one system only, or one run of a system.
    DuplicateRows
        A system has two runs of one name.
    """
    columns, rows = _read(path)
    numeric, left_out = _scores(columns, rows, scores, path.name)
    found: dict[str, dict[str, list[float]]] = {}
    for number, cells in enumerate(rows, start=2):
        where = f"{path.name}, row {number}"
        system, run = (_named(cells, column, where) for column in (SYSTEM, RUN))
        mine = found.setdefault(system, {})
        if run in mine:
            raise errors.DuplicateRows(
                f"{where}: {system!r} has a run {run!r} already. Keep one, or give them two names."
            )
        mine[run] = [_number(cells, column, where) for column in numeric]
    _refuse_few(found, path.name)
    systems = tuple(sorted(found))
    names = tuple(tuple(sorted(found[system])) for system in systems)
    values = [
        np.array([found[system][run] for run in runs])
        for system, runs in zip(systems, names, strict=True)
    ]
    return Runs(
        systems=systems,
        names=names,
        scores=tuple(
            Score(name, tuple(table[:, place] for table in values))
            for place, name in enumerate(numeric)
        ),
        left_out=left_out,
    )


def pairing(runs: Runs, wanted: bool | None = None) -> bool:
    """Whether runs of one name belong together, as on one fold or from one seed.

    Nothing wanted, names decide: the same for all systems are paired. That keeps its level even
    where the names mean nothing, at the price of some power; taking paired runs for independent
    would not.

    Raises
    ------
    TableError
        Names are the same for some runs but not for all, and nothing or pairing is wanted; or they
        differ, and pairing is.
    """
    every, common = (join(*map(set, runs.names)) for join in (set.union, set.intersection))
    if wanted is False or every == common:
        return wanted is not False
    if not common and wanted is None:
        return False
    lacking = next(
        (system, min(every - set(names)))
        for system, names in zip(runs.systems, runs.names, strict=True)
        if every - set(names)
    )
    raise errors.TableError(
        f"{lacking[0]!r} has no run {lacking[1]!r}, which another system has, so runs cannot be "
        "paired. Complete the table or leave that run out for all; or ask for --independent if "
        "equal names do not mean one seed, split or fold."
    )


def _read(path: Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = tuple(reader.fieldnames or ())
            rows = list(_rows(reader, path.name))
    except OSError as error:
        raise errors.TableError(f"{path}: no such table. Give a CSV file.") from error
    except (csv.Error, ValueError) as error:
        raise errors.TableError(
            f"{path.name}: cannot be read ({error}). Save it as CSV in UTF-8."
        ) from error
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise errors.TableError(f"{path.name}: {', '.join(twice)} stands twice in the header.")
    lacking = [name for name in (SYSTEM, RUN) if name not in columns]
    if lacking:
        raise errors.TableError(
            f"{path.name}: no column {' or '.join(lacking)}. A row is a run; its columns are "
            f"{SYSTEM} (what is compared), {RUN} (its seed or fold) and one score or more."
        )
    return columns, rows


def _rows(reader: "csv.DictReader[str]", name: str) -> Iterator[dict[str, str]]:
    for cells in reader:
        if None in cells or None in cells.values():
            raise errors.TableError(
                f"{name}, row {reader.line_num}: more or fewer cells than columns."
            )
        yield cells


def _scores(
    columns: Sequence[str], rows: Sequence[Mapping[str, str]], wanted: Sequence[str], name: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns to compare, and those that hold no number."""
    others = [column for column in columns if column not in {SYSTEM, RUN}]
    unknown = [column for column in wanted if column not in others]
    if unknown:
        raise errors.TableError(
            f"{name}: no score {', '.join(map(repr, unknown))}. There are: "
            f"{', '.join(others) or 'none'}."
        )
    if wanted:
        return tuple(dict.fromkeys(wanted)), ()
    # One number is enough: what else is in such a column is a slip, and is refused as such.
    numeric = tuple(c for c in others if any(_is_number(cells[c]) for cells in rows))
    if rows and not numeric:
        raise errors.TableError(
            f"{name}: no column of numbers beside {SYSTEM} and {RUN}. Add what each run scored."
        )
    return numeric, tuple(column for column in others if column not in numeric)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(cells: Mapping[str, str], column: str, where: str) -> float:
    text = cells[column]
    value = float(text) if _is_number(text) else math.nan
    if not math.isfinite(value):
        raise errors.TableError(
            f"{where}: {column!r} holds {text!r}, no finite number. Complete the run, leave it "
            "out, or choose other columns with --score."
        )
    return value


def _named(cells: Mapping[str, str], column: str, where: str) -> str:
    text = cells[column].strip()
    if not text:
        raise errors.TableError(f"{where}: {column!r} is empty. Name every system and run.")
    return text


def _refuse_few(found: Mapping[str, Mapping[str, object]], name: str) -> None:
    if len(found) < 2:
        raise errors.TableError(
            f"{name}: {len(found)} systems. Runs of two or more are needed for a comparison."
        )
    single = sorted(system for system, runs in found.items() if len(runs) < 2)
    if single:
        raise errors.TableError(
            f"{name}: one run only of {', '.join(map(repr, single))}, which says nothing of what "
            "chance does. Add runs, or leave the system out."
        )
