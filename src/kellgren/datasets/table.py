"""The tidy table: one row per answer to one question about one knee, image or examination.

Manifests (what the truth is), readers and predictions all use it; see docs/contracts.md.
"""

import csv
import importlib.util
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.files import write_atomically

TRUTH = "truth"
COVARIATE = "x_"
PROBABILITY = "p_"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Empty cells are empty strings, None or NaN-free absences; nothing is guessed.

    Parameters
    ----------
    dataset, patient, exam, visit, image
        Identifiers, as text. ``patient`` is what is split and resampled.
    path, sha256
        Of the file, relative to the folder of the table, and its content.
    kind
        ``film`` (a whole picture) or ``region`` (a knee already cut out).
    cluster
        Groups near-duplicates where a patient is unknown.
    split
        The official part of the data set, such as ``train`` or ``val``.
    task, reader, value
        What was asked, who answered, and the index of the class answered.
    status
        ``ok`` or the code of a refusal or an error.
    probabilities
        Of each class, for a model's answer.
    covariates
        Columns ``x_*``, without the prefix.
    """

    dataset: str = ""
    path: str = ""
    sha256: str = ""
    kind: Literal["film", "region", ""] = ""
    patient: str = ""
    exam: str = ""
    visit: str = ""
    image: str = ""
    laterality: Laterality = Laterality.UNKNOWN
    cluster: str = ""
    split: str = ""
    synthetic: bool = False
    pixel_spacing_row_mm: float | None = None
    pixel_spacing_column_mm: float | None = None
    task: str = ""
    reader: str = ""
    value: int | None = None
    status: str = "ok"
    probabilities: tuple[float, ...] = ()
    covariates: Mapping[str, str] = field(default_factory=dict)

    @property
    def picture(self) -> str:
        """Which picture it is about: the image's identifier, or the path where there is none."""
        return self.image or self.path

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What rows of two tables are joined on.

        Not on the data set: readers' tables seldom name one, and where two data sets have the same
        identifiers, joining them is an error.
        """
        return (self.patient, self.exam, self.picture, str(self.laterality), self.task)

    @property
    def resampled_by(self) -> str:
        """The independent unit: the patient, or the cluster where patients are unknown."""
        return self.patient or self.cluster or self.picture


COLUMNS = tuple(f.name for f in fields(Row) if f.name not in {"probabilities", "covariates"})


def read_table(path: Path) -> tuple[Row, ...]:
    """Read a tidy table.

    Parameters
    ----------
    path
        CSV, or Parquet with the extra ``stats``.

    Raises
    ------
    TableError
        A column is unknown or stands twice, a cell does not hold what its column says, or the file
        is no table at all.
    DuplicateRows
        Two rows have the same data set, patient, exam, picture, laterality, task and reader.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        raise errors.TableError(f"{path}: no such table. Give a CSV or Parquet file.")
    try:
        rows = tuple(
            _row(cells, f"{path.name}, row {number}")
            for number, cells in enumerate(_cells(path), start=2)
        )
    except (csv.Error, ValueError) as error:  # pyarrow's and Unicode's errors are ValueErrors
        raise errors.TableError(
            f"{path.name}: cannot be read ({error}). Save it as CSV in UTF-8, or as Parquet."
        ) from error
    refuse_duplicates(rows, path.name)
    return rows


def write_table(rows: Iterable[Row], path: Path) -> None:
    """Write a tidy table as CSV, or Parquet by its suffix; it appears whole or not at all."""
    table = list(rows)
    n_classes = max((len(row.probabilities) for row in table), default=0)
    covariates = sorted({name for row in table for name in row.covariates})
    header = (
        list(COLUMNS)
        + [f"{PROBABILITY}{index}" for index in range(n_classes)]
        + [f"{COVARIATE}{name}" for name in covariates]
    )
    records = [_record(row, n_classes, covariates) for row in table]
    if path.suffix == ".parquet":
        _write_parquet(header, records, path)
        return
    # Before Python 3.13 a lone carriage return is not quoted by itself, and would end the row.
    returns = any("\r" in cell for record in records for cell in record)
    with write_atomically(path) as stream:
        writer = csv.writer(
            stream,
            lineterminator="\n",
            quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL,
        )
        writer.writerow(header)
        writer.writerows(records)


def refuse_duplicates(rows: Iterable[Row], name: str) -> None:
    """Raise if two rows answer the same question by the same reader."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        key = (row.dataset, *row.key, row.reader)
        if key in seen:
            raise errors.DuplicateRows(
                f"{name}: two rows for patient {row.patient!r}, exam {row.exam!r}, picture "
                f"{row.picture!r}, {row.laterality}, task {row.task!r}, reader {row.reader!r}. "
                "Keep one."
            )
        seen.add(key)


def _cells(path: Path) -> Iterator[dict[str, str]]:
    if path.suffix == ".parquet":
        if importlib.util.find_spec("pyarrow") is None:
            raise errors.ExtraMissing("stats", "Reading Parquet")
        import pyarrow.parquet

        records: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
        for record in records:
            yield {name: "" if cell is None else str(cell) for name, cell in record.items()}
        return
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        names = list(reader.fieldnames or ())
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise errors.TableError(f"{path.name}: {', '.join(twice)} stands twice in the header.")
        for cells in reader:
            if None in cells or None in cells.values():
                raise errors.TableError(f"{path.name}: a row has more or fewer cells than columns.")
            yield cells


def _row(cells: dict[str, str], where: str) -> Row:
    known: dict[str, Any] = {}
    probabilities: dict[int, float] = {}
    covariates: dict[str, str] = {}
    for name, text in cells.items():
        try:
            if name in COLUMNS:
                if text != "":
                    known[name] = _PARSERS.get(name, str)(text)
            elif name.startswith(COVARIATE):
                covariates[name.removeprefix(COVARIATE)] = text
            elif name.startswith(PROBABILITY) and name.removeprefix(PROBABILITY).isdigit():
                if text != "":
                    probabilities[int(name.removeprefix(PROBABILITY))] = _number(text)
            else:
                raise errors.TableError(
                    f"{where}: unknown column {name!r}. Covariates begin with {COVARIATE!r}."
                )
        except ValueError as error:
            raise errors.TableError(
                f"{where}: column {name!r} holds {text!r}; it takes {_TAKES.get(name, _A_NUMBER)}, "
                "or nothing where that is unknown."
            ) from error
    if sorted(probabilities) != list(range(len(probabilities))):
        raise errors.TableError(f"{where}: a probability is missing between the others.")
    ordered = tuple(probabilities[index] for index in sorted(probabilities))
    return Row(**known, probabilities=ordered, covariates=covariates)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered not in {"0", "1", "true", "false"}:
        raise ValueError(text)
    return lowered in {"1", "true"}


def _kind(text: str) -> str:
    if text not in {"film", "region"}:
        raise ValueError(text)
    return text


_PARSERS: dict[str, Any] = {
    "kind": _kind,
    "laterality": Laterality,
    "synthetic": _flag,
    "pixel_spacing_row_mm": _number,
    "pixel_spacing_column_mm": _number,
    "value": int,
}


_A_NUMBER = "a number that is finite"

_TAKES = {
    "kind": "'film' or 'region'",
    "laterality": "'left', 'right' or 'unknown'",
    "synthetic": "'0' or '1'",
    "value": "the index of a class, such as 0 to 4 for kl",
}
"""What a column may hold, for messages; of all others `_A_NUMBER`."""


def _record(row: Row, n_classes: int, covariates: list[str]) -> list[str]:
    cells = [_text(getattr(row, name)) for name in COLUMNS]
    padded = [*row.probabilities, *[None] * (n_classes - len(row.probabilities))]
    cells += ["" if p is None else f"{p:.6f}" for p in padded]
    return cells + [row.covariates.get(name, "") for name in covariates]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def _write_parquet(header: list[str], records: list[list[str]], path: Path) -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise errors.ExtraMissing("stats", "Writing Parquet")
    import pyarrow
    import pyarrow.parquet

    columns = {name: [record[i] or None for record in records] for i, name in enumerate(header)}
    table = pyarrow.table({name: pyarrow.array(c, pyarrow.string()) for name, c in columns.items()})
    with write_atomically(path, binary=True) as stream:
        pyarrow.parquet.write_table(table, stream)
