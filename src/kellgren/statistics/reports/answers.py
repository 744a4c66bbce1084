"""The report of ``kellgren report``: a reader's answers against the truth."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics import discrimination
from kellgren.statistics.bootstrap import FEWEST, RESAMPLES, Unit
from kellgren.statistics.document import Document, Picture, Section, Table
from kellgren.statistics.doubt import risk_coverage
from kellgren.statistics.figures import (
    Estimate,
    confusion_figure,
    forest_figure,
    precision_recall_figure,
    reliability_figure,
    risk_coverage_figure,
    roc_figure,
)
from kellgren.statistics.headlines import headline_metrics
from kellgren.statistics.join import Joined, join
from kellgren.statistics.metrics import ALL, Metric
from kellgren.statistics.questions import cut_of
from kellgren.statistics.reports.external import external_section
from kellgren.statistics.reports.selection import Selection
from kellgren.statistics.reports.writing import TITLES, Writer, interval, number, table_of
from kellgren.statistics.subgroups import subgroups
from kellgren.statistics.summary import Summary, summarise


@dataclass(frozen=True, slots=True)
class Settings:
    """How answers are reported.

    Parameters
    ----------
    sets
        (reader, task) → who is in the conformal set of each of his answers, (answers, classes) in
        the order of the table; none if left out.
    coverage
        (reader, task) → what the sets promise.
    operating_points
        (reader, task) → cut → the probability that calls a knee positive, fixed on other knees.
    internal
        Truth and answers of the cohort that the readers come from, to say what is lost on this one.
    """

    resamples: int = RESAMPLES
    seed: int = 0
    sets: Mapping[tuple[str, str], NDArray[np.bool_]] = field(default_factory=dict)
    coverage: Mapping[tuple[str, str], float] = field(default_factory=dict)
    operating_points: Mapping[tuple[str, str], Mapping[int, float]] = field(default_factory=dict)
    internal: tuple[Sequence[Row], Sequence[Row]] | None = None


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
        _Answered(truth, chosen, task, settings)
        for task in tasks
        for chosen in _by_reader(answers, task)
    ]
    if not any(len(each.both.truth) for each in found):
        raise errors.TableError(
            "No answer is about a knee that the truth labels. Rows are joined on patient, exam, "
            "image, laterality and task: see that both tables spell them alike."
        )
    sections = [Section(f"What these numbers are: {looked.role}", looked.words)]
    for each in found:
        sections += each.sections(writer)
    warnings = []
    if looked.bundles > 1:
        warnings.append("These knees were selected on; see the first section.")
    document = Document("Answers against the truth", tuple(sections), tuple(warnings))
    writer.finish(document, [row for each in found for row in each.metrics])
    return document, tuple(each.summary for each in found)


def _by_reader(answers: Sequence[Row], task: Task) -> Iterator[list[Row]]:
    chosen = [row for row in answers if row.task == task.name]
    for reader in sorted({row.reader for row in chosen}):
        yield [row for row in chosen if row.reader == reader]


class _Answered:
    """One reader, one task: everything that is said of them."""

    def __init__(
        self, truth: Sequence[Row], answers: list[Row], task: Task, settings: Settings
    ) -> None:
        self.task = task
        self.truth = [row for row in truth if row.task == task.name]
        self.both = join(self.truth, answers, task=task)
        self._settings = settings
        self._key = (answers[0].reader, task.name)
        self.summary = summarise(
            self.truth,
            answers,
            task=task,
            rng=np.random.default_rng(settings.seed),
            sets=settings.sets.get(self._key),
            coverage=settings.coverage.get(self._key),
            operating_points=settings.operating_points.get(self._key),
            resamples=settings.resamples,
        )
        self._keys = [row.key for row in answers]
        self.naive = self._naive()
        self.subgroups, self.left_out = self._subgroups()
        self.external = self._external()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every row for ``metrics.json``."""
        lost = self.external[1] if self.external else ()
        return (*self.summary.metrics, *self.naive, *self.subgroups, *lost)

    def sections(self, writer: Writer) -> Iterator[Section]:
        """Below a heading for the reader, part by part."""
        title = f"{self.task.title}, {self.both.reader}"
        yield Section(title, (self._compared(),), (self._overall(),))
        if not len(self.both.truth):
            return
        tables = (self._grades(), self._counts())
        yield Section("Grade by grade", (), tables, self._confusion(writer))
        if self.both.probabilities is not None:
            yield from self._probable(writer, self.both.probabilities)
        yield Section("Why patients are resampled", (self._why(),), (self._widths(),))
        if self.subgroups or self.left_out:
            yield self._cells(writer)
        if self.external:
            yield self.external[0]

    def _rows(self, *names: str, group: str = ALL) -> list[Metric]:
        cut = cut_of(self.task)
        return [
            row
            for name in names
            for row in self.summary.metrics
            if row.metric == name and row.group == group and row.cut in {None, cut}
        ]

    def _compared(self) -> str:
        both = self.both
        counted = ", ".join(f"{code} {n}" for code, n in sorted(Counter(both.refused).items()))
        codes = f" ({counted})" if counted else ""
        return (
            f"{len(both.truth)} knees of {len(np.unique(both.patients))} patients; "
            f"{both.missing} labelled knees have no answer, {len(both.refused)} were "
            f"refused{codes}, {both.unlabelled} have no label, {both.unmatched} answers are about "
            "no labelled knee."
        )

    def _overall(self) -> Table:
        names = [name for name in TITLES if name not in {"recall", "set_coverage"}]
        rows = [
            replace(row, metric=f"{TITLES[row.metric]}, {self._above(row.cut)}") if row.cut else row
            for row in self._rows(*names)
            if row.metric not in {"sensitivity", "specificity", "youden", "mean_set_size"}
        ]
        return table_of(rows)

    def _above(self, cut: int) -> str:
        return f"{self.task.name} ≥ {self.task.classes[cut]}"

    def _grades(self) -> Table:
        rows = [
            replace(m, metric=f"Recall of {self.task.classes[grade]}")
            for grade in range(len(self.task.classes))
            for m in self._rows("recall", group=f"grade={grade}")
        ]
        return table_of(rows)

    def _counts(self) -> Table:
        labels = self.task.classes
        shares = self.summary.confusion / np.maximum(
            self.summary.confusion.sum(axis=1, keepdims=True), 1
        )
        rows = tuple(
            (label, *(f"{n} ({share:.0%})" for n, share in zip(counts, part, strict=True)))
            for label, counts, part in zip(
                labels, self.summary.confusion.tolist(), shares.tolist(), strict=True
            )
        )
        return Table(("True \\ given", *labels), rows, "Knees, and their share of the true grade")

    def _confusion(self, writer: Writer) -> tuple[Picture, ...]:
        figure = confusion_figure(self.summary.confusion, task=self.task, reader=self.both.reader)
        return (writer.draw(figure, self._named("confusion"), "Counts and shares of each row"),)

    def _probable(self, writer: Writer, probabilities: NDArray[np.float64]) -> Iterator[Section]:
        cuts = range(1, len(self.task.classes)) if cut_of(self.task) is not None else ()
        rows = tuple(
            (
                self._above(cut),
                *(
                    f"{number(m.value)} ({interval(m.low, m.high)})"
                    for name in ("auc", "average_precision")
                    for m in (self.summary.metric(name, cut=cut),)
                ),
            )
            for cut in cuts
        )
        groups = tuple(
            (m.group.removeprefix("grades="), number(m.value), interval(m.low, m.high))
            for m in self.summary.metrics
            if m.metric == "auc" and m.group.startswith("grades=")
        )
        tables = [Table(("", "AUC", "Average precision"), rows)] if rows else []
        thresholds = self._settings.operating_points.get(self._key, {})
        points = [
            replace(m, metric=f"{TITLES[name]}, {self._above(m.cut)} from {thresholds[m.cut]:.3f}")
            for name in ("sensitivity", "specificity", "youden")
            for m in self.summary.metrics
            if m.metric == name and m.cut is not None
        ]
        if points:
            tables.append(table_of(points, caption="At operating points fixed on other knees"))
        if groups:
            tables.append(
                Table(("Grades", "AUC", "95 % interval"), groups, "These against all others")
            )
        yield Section("Telling apart", (), tuple(tables), self._curves(writer, probabilities, cuts))
        yield self._doubt(writer, probabilities)

    def _curves(
        self, writer: Writer, probabilities: NDArray[np.float64], cuts: Sequence[int]
    ) -> tuple[Picture, ...]:
        roc, precise = [], []
        for cut in cuts:
            scores = discrimination.probability_of_cut(probabilities, cut)
            positive = self.both.truth >= cut
            curve = discrimination.roc_curve(positive, scores)
            if curve is not None:
                roc.append((self._above(cut), curve))
            other = discrimination.precision_recall_curve(positive, scores)
            if other is not None and cut == cut_of(self.task):
                precise.append((self._above(cut), other))
        pictures = []
        if roc:
            figure = roc_figure(roc, task=self.task)
            pictures.append(writer.draw(figure, self._named("roc"), "ROC curves of every cut"))
        if precise:
            prevalence = float((self.both.truth >= (cut_of(self.task) or 0)).mean())
            figure = precision_recall_figure(precise, task=self.task, prevalence=prevalence)
            words = "Precision and recall; the thin line is chance"
            pictures.append(writer.draw(figure, self._named("precision-recall"), words))
        return tuple(pictures)

    def _doubt(self, writer: Writer, probabilities: NDArray[np.float64]) -> Section:
        both = self.both
        curve = risk_coverage(
            both.confidence(probabilities), (both.predicted != both.truth).astype(np.float64)
        )
        half = int(np.abs(curve.coverage - 0.5).argmin())
        said = (
            f"Were the surest {curve.coverage[half]:.0%} of the knees answered and the others left "
            f"to people, {curve.risk[half]:.1%} of the answers would be wrong, against "
            f"{curve.risk[-1]:.1%} of all. The mean over all such shares is {curve.area:.1%}."
        )
        words = [said]
        tables = []
        sets = [m for m in self.summary.metrics if m.metric in {"set_coverage", "mean_set_size"}]
        if sets:
            promised = self._settings.coverage.get(self._key)
            if promised is not None:
                words.append(f"The sets promise to hold {promised:.0%} of true grades.")
            tables.append(
                table_of(
                    replace(
                        m,
                        metric=f"{TITLES[m.metric]}{'' if m.group == ALL else ', '}"
                        f"{'' if m.group == ALL else m.group}",
                    )
                    for m in sets
                )
            )
        pictures = (
            writer.draw(
                reliability_figure(self.summary.bins, task=self.task, reader=both.reader),
                self._named("reliability"),
                "Accuracy against confidence",
            ),
            writer.draw(
                risk_coverage_figure(curve, task=self.task, reader=both.reader),
                self._named("risk-coverage"),
                "Errors left when the least sure answers are left to people",
            ),
        )
        return Section("Doubt", tuple(words), tuple(tables), pictures)

    def _naive(self) -> tuple[Metric, ...]:
        """The headline numbers with the intervals that independent knees would have."""
        if len(np.unique(self.both.patients)) < FEWEST:
            return ()
        return self._headlines(self.both, "all, as if knees were independent", unit="knee")

    def _headlines(self, both: Joined, group: str, *, unit: Unit = "patient") -> tuple[Metric, ...]:
        return headline_metrics(
            both,
            rng=np.random.default_rng(self._settings.seed),
            resamples=self._settings.resamples,
            group=group,
            unit=unit,
        )

    def _why(self) -> str:
        return (
            "Two knees and several visits of a patient are alike. Intervals that take them for "
            "independent are too narrow; beside ours, what they would have been."
        )

    def _widths(self) -> Table:
        rows = []
        for naive in self.naive:
            own = self.summary.metric(naive.metric)
            naively = naive.high - naive.low
            ratio = (own.high - own.low) / naively if naively > 0.0 else float("nan")
            rows.append(
                (
                    TITLES[own.metric],
                    interval(own.low, own.high),
                    interval(naive.low, naive.high),
                    number(ratio),
                )
            )
        head = ("", "By patient", "By knee", "Times as wide")
        return Table(head, tuple(rows))

    def _subgroups(self) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
        rows = {row.key: row for row in self.truth}
        groups, left_out = subgroups([rows[self._keys[i]] for i in self.both.answered.tolist()])
        return (
            tuple(
                metric
                for group in groups
                for metric in self._headlines(self.both.part(group.members), group.name)
            ),
            left_out,
        )

    def _external(self) -> tuple[Section, tuple[Metric, ...]] | None:
        if self._settings.internal is None or not len(self.both.truth):
            return None
        labels, answers = self._settings.internal
        own = [row for row in answers if row.reader == self.both.reader]
        internal = join(labels, own, task=self.task)
        if not len(internal.truth):
            raise errors.TableError(
                f"The internal answers have none of {self.both.reader!r} about a labelled knee. "
                "Give what the same reader said there."
            )
        return external_section(
            internal, self.both, seed=self._settings.seed, resamples=self._settings.resamples
        )

    def _cells(self, writer: Writer) -> Section:
        head = "quadratic_kappa" if self.task.ordinal else "accuracy"
        rows = [m for m in self.subgroups if m.metric == head]
        words = tuple(f"Not shown: {one}." for one in self.left_out)
        tables = (table_of([replace(m, metric=m.group) for m in rows], caption=TITLES[head]),)
        pictures: tuple[Picture, ...] = ()
        if rows:
            own = self.summary.metric(head)
            estimates = [Estimate("all", own.value, own.low, own.high)]
            estimates += [Estimate(m.group, m.value, m.low, m.high) for m in rows]
            figure = forest_figure(
                estimates, task=self.task, label=TITLES[head], reference=own.value
            )
            pictures = (writer.draw(figure, self._named("subgroups"), f"{TITLES[head]} by group"),)
        return Section("Subgroups", words, tables, pictures)

    def _named(self, kind: str) -> str:
        return f"{kind}-{self.task.name}-{self.both.reader}"
