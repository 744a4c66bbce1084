"""The report of ``kellgren report``: readers' answers against the truth.

The numbers are made in `measured`; every part of the page has its own module beside this one.
"""

from collections.abc import Iterator, Sequence

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics.bootstrap import stratified_words
from kellgren.statistics.document import Document, Section
from kellgren.statistics.join import Joined
from kellgren.statistics.reports.discrimination import discrimination_section
from kellgren.statistics.reports.doubt import doubt_section
from kellgren.statistics.reports.external import external_section
from kellgren.statistics.reports.grades import grades_sections
from kellgren.statistics.reports.measured import Measured, measure
from kellgren.statistics.reports.resampling import resampling_section
from kellgren.statistics.reports.selection import Selection
from kellgren.statistics.reports.settings import Settings
from kellgren.statistics.reports.subgroups import subgroups_section
from kellgren.statistics.reports.units import unit_warnings
from kellgren.statistics.reports.writing import Writer
from kellgren.statistics.summary import Summary


def report_answers(
    truth: Sequence[Row],
    answers: Sequence[Row],
    writer: Writer,
    *,
    tasks: Sequence[Task],
    looked: Selection,
    settings: Settings,
) -> tuple[Document, tuple[Summary, ...]]:
    """Compare every reader of a table of answers with the truth, and write the report.

    Raises
    ------
    TableError, DuplicateRows
        As `join`, or no answer is about a labelled knee.
    """
    found = [
        measure(truth, chosen, task=task, settings=settings)
        for task in tasks
        for chosen in _by_reader(answers, task)
    ]
    if not any(len(each.both.truth) for each in found):
        raise errors.TableError(
            "No answer is about a knee that the truth labels. Rows are joined on patient, exam, "
            "image, laterality and task: see that both tables spell them alike."
        )
    sections = [looked.section(*_drawn(settings))]
    for each in found:
        sections += _sections(each, writer)
    warnings = (
        *looked.warnings,
        *unit_warnings((both.task.title, both.units) for both in _cohorts(found)),
    )
    document = Document("Answers against the truth", tuple(sections), warnings)
    writer.finish(document, [row for each in found for row in each.metrics])
    return document, tuple(each.summary for each in found)


def _cohorts(found: Sequence[Measured]) -> Iterator[Joined]:
    """The knees compared, here and in an internal cohort."""
    for each in found:
        yield each.both
        if each.external is not None:
            yield each.external.internal


def _by_reader(answers: Sequence[Row], task: Task) -> Iterator[list[Row]]:
    chosen = [row for row in answers if row.task == task.name]
    for reader in sorted({row.reader for row in chosen}):
        yield [row for row in chosen if row.reader == reader]


def _drawn(settings: Settings) -> Iterator[str]:
    if settings.stratified:
        yield stratified_words()
        if settings.internal is not None:
            yield "What is lost from another cohort, of another mix, is not stratified."


def _sections(found: Measured, writer: Writer) -> Iterator[Section]:
    """The order in which a reader and task are told of."""
    yield from grades_sections(found, writer)
    if not len(found.both.truth):
        return
    if found.both.probabilities is not None:
        yield discrimination_section(found, writer, found.both.probabilities)
        yield doubt_section(found, writer, found.both.probabilities)
    if found.naive:
        yield resampling_section(found)
    if found.subgroups or found.left_out:
        yield subgroups_section(found, writer)
    if found.external:
        yield external_section(found.external, writer)
