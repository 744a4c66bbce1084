"""Results as tables: ``grades.csv``, one row a knee, and rows of the tidy layout."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from kellgren import errors
from kellgren.anatomy import KL, TASKS, Laterality, Task
from kellgren.datasets.table import Row
from kellgren.files import write_atomically
from kellgren.records import FilmResult, Knee, Prediction
from kellgren.reporting.entries import OK, Entry, entries
from kellgren.reporting.wording import printable, runs, task_of

_BEFORE = ("source", "subject", "laterality", "laterality_source", "status", "message")
_AFTER = (
    "warnings",
    "box",
    "bundle",
    "bundle_version",
    "bundle_sha256",
    "synthetic",
    "notice",
)

_FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP ASVS 5.0, 1.2.10), and the
full-width forms that East Asian versions accept too."""

_ESCAPE = "'"


def write_grades(results: Iterable[FilmResult], path: Path) -> None:
    """Write ``grades.csv``: one row a knee, or a film without one, by source, then laterality.

    Columns: those of `_BEFORE`; for ``kl``, then each further task, ``task``, ``task_expected``,
    ``task_set`` and ``task_p_0`` … with six decimals; those of `_AFTER`. Missing is empty. An
    answer for the image or the examination stands in the row of each of its knees. A set is
    written ``1-2``, which spreadsheets take for a date unless the column is imported as text.

    Cells from outside that a spreadsheet would run as a formula begin with an apostrophe; see
    `safe_cell`.

    Parameters
    ----------
    results
        In any order.
    path
        The file; it appears whole or not at all, as UTF-8.
    """
    lines = entries(results)
    tasks = _tasks(lines)
    header = [*_BEFORE, *(column for task in tasks for column in _columns(task)), *_AFTER]
    with write_atomically(path) as stream:
        writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_cells(entry, tasks) for entry in lines)


def is_grades(path: Path) -> bool:
    """Whether a file begins as ``grades.csv`` does."""
    if path.suffix != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        return stream.readline().startswith(",".join(_BEFORE) + ",")


def read_grades(path: Path) -> tuple[Row, ...]:
    """Read ``grades.csv`` back into the tidy layout, a row for each knee and task.

    ``image`` is the source without its suffix, ``patient`` the subject. What the wide view does not
    have, such as SOP instances, stays empty.

    Raises
    ------
    TableError
        A cell does not hold what its column says, or the file is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            tasks = [task for name, task in TASKS.items() if name in (reader.fieldnames or ())]
            return tuple(
                row
                for number, cells in enumerate(reader, start=2)
                for row in _wide(cells, tasks, f"{path.name}, row {number}")
            )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise errors.TableError(
            f"{path.name}: cannot be read ({error}). Give the file as a batch wrote it."
        ) from error


def tidy_rows(results: Iterable[FilmResult]) -> tuple[Row, ...]:
    """Results in the tidy layout, the bundle as the reader ``model:<name>@<version>``.

    One row for each knee and task; a film or knee that was not graded has a row with its code for
    ``kl`` and every other task of a knee that occurs in the results. Answers for an image or an
    examination have one row a film, without laterality. ``image`` is the SOP instance, or else the
    source without its suffix, which is unique where a bare file name need not be.
    """
    lines = entries(results)
    of_knees = dict.fromkeys([KL.name, *(name for line in lines for name in _grades(line.knee))])
    rows: list[Row] = []
    seen: set[str] = set()
    for entry in lines:
        grades = _grades(entry.knee)
        if entry.graded:
            rows += [_row(entry, name, grades[name]) for name in grades]
        else:
            rows += [_row(entry, name, None) for name in of_knees]
        if entry.result.source not in seen:
            seen.add(entry.result.source)
            film_grades = _film_grades(entry.result)
            rows += [_row(entry, name, film_grades[name], of_film=True) for name in film_grades]
    return tuple(rows)


def safe_cell(text: str) -> str:
    r"""Text from outside that no spreadsheet runs.

    Line breaks and controls become ``\x0a``. Where the first character that is no space begins a
    formula, or is an apostrophe, an apostrophe is put before everything: spreadsheets then show
    the rest as text, and a program gets the original back by removing one leading apostrophe.
    """
    shown = printable(text)
    begins = text.lstrip(" ")[:1]
    return _ESCAPE + shown if begins in _FORMULA_STARTS | {_ESCAPE} and begins else shown


def _wide(cells: Mapping[str, str], tasks: Iterable[Task], where: str) -> Iterator[Row]:
    try:
        source = cells["source"].removeprefix(_ESCAPE)
        about = Row(
            path=source,
            patient=cells["subject"].removeprefix(_ESCAPE),
            image=_without_suffix(source),
            laterality=Laterality(cells["laterality"]),
            synthetic=cells["synthetic"] == "1",
            reader=f"model:{cells['bundle']}@{cells['bundle_version']}",
            status=cells["status"],
        )
        for task in tasks:
            graded = cells[task.name] != ""
            if about.status == OK and not graded:
                continue  # a task of other films
            shares = [cells[column] for column in _columns(task)[3:]] if graded else []
            yield replace(
                about,
                task=task.name,
                value=int(cells[task.name]) if graded else None,
                probabilities=tuple(float(share) for share in shares),
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.TableError(
            f"{where}: not as a batch writes it ({error}). Give the file as it was written."
        ) from error


def _columns(task: Task) -> list[str]:
    probabilities = [f"{task.name}_p_{index}" for index in range(len(task.classes))]
    return [task.name, f"{task.name}_expected", f"{task.name}_set", *probabilities]


def _cells(entry: Entry, tasks: Iterable[Task]) -> dict[str, str]:
    result, knee = entry.result, entry.knee
    cells = {
        "source": safe_cell(result.source),
        "subject": safe_cell(result.subject or ""),
        "laterality": str(knee.laterality if knee else Laterality.UNKNOWN),
        "laterality_source": knee.laterality_source if knee else "",
        "status": entry.status,
        "message": safe_cell(entry.message),
        "warnings": safe_cell("; ".join(entry.warnings)),
        # In brackets, as a number below zero would begin with a minus.
        "box": "[" + " ".join(f"{edge:.1f}" for edge in knee.box_px) + "]" if knee else "",
        "bundle": safe_cell(result.bundle.name),
        "bundle_version": safe_cell(result.bundle.version),
        "bundle_sha256": result.bundle.sha256,
        "synthetic": str(int(result.synthetic)),
        "notice": result.notice,
    }
    given = {**_film_grades(result), **(_grades(knee) if entry.graded else {})}
    for task in tasks:
        if task.name in given:
            cells |= _answer(task, given[task.name])
    return cells


def _answer(task: Task, prediction: Prediction) -> dict[str, str]:
    expected = "" if prediction.expected is None else f"{prediction.expected:.6f}"
    values = [str(prediction.grade), expected, _set_cell(prediction.set)]
    values += [f"{share:.6f}" for share in prediction.probabilities]
    return dict(zip(_columns(task), values, strict=True))


def _set_cell(members: Iterable[int]) -> str:
    """``1-2``, ``3``; where there are gaps, ``0 2-3``."""
    return " ".join(
        f"{first}" if first == last else f"{first}-{last}" for first, last in runs(members)
    )


def _grades(knee: Knee | None) -> Mapping[str, Prediction]:
    if knee is None:
        return {}
    return knee.grades if knee.kl is None else {KL.name: knee.kl, **knee.grades}


def _film_grades(result: FilmResult) -> Mapping[str, Prediction]:
    return {**result.image_grades, **result.exam_grades}


def _tasks(lines: Iterable[Entry]) -> tuple[Task, ...]:
    """``kl`` always, then every task that was answered, in the order of anatomy.py."""
    found: dict[str, Task] = {KL.name: KL}
    for name, prediction in _answers(lines):
        found.setdefault(name, task_of(name, prediction))
    known = list(TASKS)
    order = {name: index for index, name in enumerate(known)}
    return tuple(found[name] for name in sorted(found, key=lambda n: (order.get(n, len(known)), n)))


def _answers(lines: Iterable[Entry]) -> Iterator[tuple[str, Prediction]]:
    for entry in lines:
        yield from _grades(entry.knee).items()
        yield from _film_grades(entry.result).items()


def _row(entry: Entry, task: str, prediction: Prediction | None, *, of_film: bool = False) -> Row:
    result, knee = entry.result, entry.knee
    spacing = result.pixel_spacing_mm or (None, None)
    side = Laterality.UNKNOWN if knee is None or of_film else knee.laterality
    return Row(
        path=result.source,
        sha256=result.sha256 or "",
        kind="region" if knee is not None and knee.scale_source == "whole_picture" else "film",
        patient=result.subject or "",
        exam=result.study_uid or "",
        image=result.sop_uid or _without_suffix(result.source),
        laterality=side,
        synthetic=result.synthetic,
        pixel_spacing_row_mm=spacing[0],
        pixel_spacing_column_mm=spacing[1],
        task=task,
        reader=f"model:{result.bundle.name}@{result.bundle.version}",
        value=None if prediction is None else prediction.grade,
        status=entry.status if prediction is None else OK,
        probabilities=() if prediction is None else prediction.probabilities,
    )


def _without_suffix(source: str) -> str:
    return source.removesuffix(PurePosixPath(source).suffix)
