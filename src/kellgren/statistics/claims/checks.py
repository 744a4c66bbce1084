"""Every check that a file of claims can ask for: its fields, and the question that they make."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from kellgren.statistics.claims import comparisons, operating
from kellgren.statistics.claims.anova import Group, Printout, check_anova
from kellgren.statistics.claims.changes import Unit, check_change
from kellgren.statistics.claims.check import Check, need, one_reading
from kellgren.statistics.claims.confusion import Figure, check_confusion
from kellgren.statistics.claims.fields import Count, Number, Rounded, Size, Text
from kellgren.statistics.claims.margins import Measure, check_margins
from kellgren.statistics.claims.means import check_mean, check_spread
from kellgren.statistics.claims.rounding import Printed
from kellgren.statistics.claims.shares import check_share, check_whole_count
from kellgren.statistics.claims.sums import check_sum
from kellgren.statistics.claims.verdict import Reading, unknown

Triples = Annotated[tuple[tuple[Text, Rounded, Rounded, Rounded], ...], Field(min_length=1)]
"""Rows of a name and three numbers that were rounded."""


class Sum(Check):
    """Parts add up to a total: one list of parts, or rows of a name, its parts and its total."""

    check: Literal["sum"]
    parts: Annotated[tuple[Number, ...], Field(min_length=1)] | None = None
    total: Number | None = None
    rows: (
        Annotated[
            tuple[tuple[Text, Annotated[tuple[Number, ...], Field(min_length=1)], Number], ...],
            Field(min_length=1),
        ]
        | None
    ) = None
    times: tuple[Size, ...] | None = None
    relation: Literal["equals", "at_least", "at_most"] = "equals"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        single = self.parts is not None and self.total is not None and self.rows is None
        many = self.parts is None and self.total is None and self.rows is not None
        need(single or many, "give either parts and total, or rows")
        for _, parts, _ in self._sums():
            need(self.times is None or len(self.times) == len(parts), "times: one for each part")
        return self

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(
            check_sum(parts, total, times=self.times, relation=self.relation, name=name)
            for name, parts, total in self._sums()
        )

    def _sums(self) -> tuple[tuple[str, tuple[Number, ...], Number], ...]:
        if self.parts is not None and self.total is not None:
            return (("", self.parts, self.total),)
        return self.rows or ()


class Shares(Check):
    """Percentages are those of the counts beside them."""

    check: Literal["shares"]
    of: Size
    rows: Annotated[tuple[tuple[Text, Count, Rounded], ...], Field(min_length=1)]

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(
            check_share(count, self.of, percent, name=name) for name, count, percent in self.rows
        )


class WholeCount(Check):
    """Percentages, or means of whole numbers, belong to a whole count of so many."""

    check: Literal["whole_count"]
    rows: Annotated[tuple[tuple[Text, Rounded, Size], ...], Field(min_length=1)]
    percent: StrictBool = True

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(
            check_whole_count(printed, of, percent=self.percent, name=name)
            for name, printed, of in self.rows
        )


class Mean(Check):
    """A mean is that of the values beside it."""

    check: Literal["mean"]
    values: Annotated[tuple[Rounded, ...], Field(min_length=1)]
    weights: tuple[Count, ...] | None = None
    mean: Rounded

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.weights is not None:
            need(len(self.weights) == len(self.values), "weights: one for each value")
            need(sum(self.weights) > 0, "weights: one must be above nought")
        return self

    def _found(self) -> tuple[Reading, ...]:
        return one_reading([check_mean(self.values, self.mean, weights=self.weights)])


class Spread(Check):
    """Standard deviations are no larger than the scale allows."""

    check: Literal["spread"]
    n: Annotated[Size, Field(ge=2)]
    rows: Annotated[tuple[tuple[Text, Rounded, Rounded], ...], Field(min_length=1)]
    lowest: Number = Printed.exact(0)
    highest: Number = Printed.exact(1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need(self.lowest.value < self.highest.value, "lowest must lie below highest")
        return self

    def _found(self) -> tuple[Reading, ...]:
        lowest, highest = self.lowest.value, self.highest.value
        return one_reading(
            check_spread(mean, sd, self.n, lowest=lowest, highest=highest, name=name)
            for name, mean, sd in self.rows
        )


class Change(Check):
    """A change is the difference of two shares: in points, or in per cent of the former."""

    check: Literal["change"]
    before: Rounded
    after: Rounded
    change: Rounded
    unit: Unit
    counts: tuple[Size, Size] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need(self.before.interval.low > 0, "before must be above nought")
        return self

    def _found(self) -> tuple[Reading, ...]:
        return check_change(
            self.before, self.after, self.change, unit=self.unit, counts=self.counts
        )


class Anova(Check):
    """F and p follow from the means, the numbers after ± and the sizes of groups."""

    check: Literal["anova"]
    means: Annotated[tuple[Rounded, ...], Field(min_length=2)]
    spreads: tuple[Rounded, ...]
    n: tuple[Annotated[Size, Field(ge=2)], ...]
    f: Rounded | None = None
    p: Rounded | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        same = len(self.means) == len(self.spreads) == len(self.n)
        need(same, "means, spreads and n: one of each for every group")
        need(any(x is not None for x in (self.f, self.p, self.below)), "give f, p or below")
        need(all(spread.value >= 0 for spread in self.spreads), "spreads: none below nought")
        return self

    def _found(self) -> tuple[Reading, ...]:
        groups = [Group(*each) for each in zip(self.means, self.spreads, self.n, strict=True)]
        return check_anova(groups, Printout(self.f, self.p, self.below))


class Confusion(Check):
    """Measures are those of a confusion matrix of counts, rows true."""

    check: Literal["confusion"]
    matrix: Annotated[tuple[tuple[Count, ...], ...], Field(min_length=2)]
    measures: Annotated[dict[Figure, Rounded], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        square = all(len(row) == len(self.matrix) for row in self.matrix)
        need(square, "matrix: as many columns as rows")
        need(any(any(row) for row in self.matrix), "matrix: it holds no knee")
        return self

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(check_confusion(self.matrix, self.measures))


class Margins(Check):
    """Some confusion matrix has these true grades and all of these measures at once."""

    check: Literal["margins"]
    truth: Annotated[tuple[Count, ...], Field(min_length=2)]
    measures: Annotated[dict[Measure, Rounded], Field(min_length=1)]
    claimed: Measure
    row_percent: tuple[tuple[Rounded, ...], ...] | None = None
    equal_margins: StrictBool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need(sum(map(bool, self.truth)) >= 2, "truth: at least two grades must occur")
        need(self.claimed in self.measures, "claimed: must be one of the measures")
        if self.row_percent is not None:
            n = len(self.truth)
            square = len(self.row_percent) == n and all(len(r) == n for r in self.row_percent)
            need(square, "row_percent: a row and a column for every grade of truth")
        return self

    def _found(self) -> tuple[Reading, ...]:
        return check_margins(
            self.truth,
            self.measures,
            claimed=self.claimed,
            row_percent=self.row_percent,
            equal_margins=self.equal_margins,
        )


class Youden(Check):
    """Youden's J is sensitivity plus specificity less one."""

    check: Literal["youden"]
    rows: Triples
    positives: tuple[Size, ...] | None = None
    of: Size | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need((self.positives is None) == (self.of is None), "positives and of: both or neither")
        if self.positives is not None and self.of is not None:
            need(len(self.positives) == len(self.rows), "positives: one for each row")
            need(max(self.positives) < self.of, "positives: each below of")
        return self

    def _found(self) -> tuple[Reading, ...]:
        of, positives = self.of, self.positives or ()
        cases = [None if of is None else (n, of - n) for n in positives] or [None] * len(self.rows)
        return one_reading(
            operating.check_youden(sensitivity, specificity, j, cases=both, name=name)
            for (name, sensitivity, specificity, j), both in zip(self.rows, cases, strict=True)
        )


class RocPoint(Check):
    """An AUC is possible for a curve through a sensitivity and specificity."""

    check: Literal["roc_point"]
    rows: Triples

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(
            operating.check_roc_point(sensitivity, specificity, auc, name=name)
            for name, sensitivity, specificity, auc in self.rows
        )


class Same(Check):
    """Numbers that are printed in several places are the same everywhere."""

    check: Literal["same"]
    columns: Annotated[
        dict[Text, Annotated[tuple[Number, ...], Field(min_length=2)]], Field(min_length=1)
    ]
    shares: StrictBool = False

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(
            comparisons.check_same([v.as_share() if self.shares else v for v in values], name=name)
            for name, values in self.columns.items()
        )


class Limit(Check):
    """Values keep a bound that the text gives."""

    check: Literal["bound"]
    rows: Annotated[tuple[tuple[Text, Number], ...], Field(min_length=1)]
    relation: comparisons.Bound
    limit: Number

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(
            comparisons.check_bound(value, self.limit, relation=self.relation, name=name)
            for name, value in self.rows
        )


class Within(Check):
    """Estimates lie in their own intervals."""

    check: Literal["interval"]
    rows: Triples

    def _found(self) -> tuple[Reading, ...]:
        return comparisons.check_intervals(self.rows)


class Quotient(Check):
    """A quotient is that of the numbers beside it."""

    check: Literal["quotient"]
    dividend: Number
    divisor: Number
    quotient: Rounded

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need(0 not in self.divisor.interval, "divisor must not be nought")
        return self

    def _found(self) -> tuple[Reading, ...]:
        return one_reading([comparisons.check_quotient(self.dividend, self.divisor, self.quotient)])


class Multiple(Check):
    """Numbers are whole multiples of another, as iterations are of an epoch."""

    check: Literal["multiple"]
    values: Annotated[tuple[Number, ...], Field(min_length=1)]
    of: Number
    at_most: Number | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need(self.of.interval.low > 0, "of must be above nought")
        return self

    def _found(self) -> tuple[Reading, ...]:
        return one_reading(
            comparisons.check_multiple(value, self.of, at_most=self.at_most, name=name)
            for value in self.values
            for name in [value.text if len(self.values) > 1 else ""]
        )


class NotCheckable(Check):
    """What would be needed is not printed: the claim was looked at, and the reason is given."""

    check: Literal["not_checkable"]
    reason: Text

    def _found(self) -> tuple[Reading, ...]:
        return one_reading([unknown(self.reason)])


AnyCheck = Annotated[
    Sum
    | Shares
    | WholeCount
    | Mean
    | Spread
    | Change
    | Anova
    | Confusion
    | Margins
    | Youden
    | RocPoint
    | Same
    | Limit
    | Within
    | Quotient
    | Multiple
    | NotCheckable,
    Field(discriminator="check"),
]
"""One of the checks, by the word that its key ``check`` holds."""
