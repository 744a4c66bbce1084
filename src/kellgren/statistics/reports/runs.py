"""The report of ``kellgren runs``: repeated runs of several systems, compared."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.anova import Anova, Check
from kellgren.statistics.bootstrap import LEVEL
from kellgren.statistics.document import Document, Section, Table
from kellgren.statistics.figures.runs import runs_figure
from kellgren.statistics.metrics import P_OF_TEST, Metric, Status
from kellgren.statistics.reports.tested import BOTH_WAYS, P_HEAD, p_cells, p_rows
from kellgren.statistics.reports.writing import NOT_ESTIMABLE, Writer, p_value
from kellgren.statistics.run_table import Runs
from kellgren.statistics.runs import Compared, Pair, Splits, compare_runs

EVERY = "every system"
"""The reader of what is asked about all systems at once."""

_UNIT = "unit is the run"
_NONE = (math.nan, math.nan)

_ASSUMED = {
    "Levene": "runs vary alike about their means",
    "Brown-Forsythe": "runs vary alike about their medians",
    "Shapiro-Wilk, residuals": "residuals are normal",
    "Mauchly": "differences of all pairs vary alike (sphericity)",
}
"""Test → what it asks about."""

_WELCH = "Welch's t-tests of pairs do not need systems to vary alike."
_INSTEAD = {
    "Levene": _WELCH,
    "Brown-Forsythe": _WELCH,
    "Shapiro-Wilk, residuals": "The test by ranks needs no normal distribution.",
    "Mauchly": "The corrected F and the t-tests of pairs allow for that.",
}
"""Test that speaks against its assumption → what on the page does not rest on it."""

_WHY_NOT = {
    "too_few": "too few runs to tell",
    "too_many": "too many runs for this test",
    "zero_variance": "nothing varies",
    "always_met": "always so, of two systems",
}

_RANKS = {
    "Kruskal-Wallis": ("Kruskal–Wallis, by ranks", "H", "ε²"),
    "Friedman": ("Friedman, by ranks", "χ²", "Kendall's W"),
    "Wilcoxon signed ranks": ("Wilcoxon's signed ranks", "W", "rank-biserial r"),
}
"""Twin of F → its name for a reader, of its statistic and of its effect."""


def report_runs(
    runs: Runs, writer: Writer, *, paired: bool, splits: Splits | None = None
) -> Document:
    """Compare the systems by every score and write the report.

    Parameters
    ----------
    paired, splits
        As for `compare_runs`.
    """
    found = compare_runs(runs, paired=paired, splits=splits)
    sections = [_what(runs, paired=paired, splits=splits)]
    sections += [_section(runs, each, writer, paired=paired) for each in found]
    document = Document(
        f"Repeated runs of {len(runs.systems)} systems", tuple(sections), (_warning(splits),)
    )
    writer.finish(document, [metric for each in found for metric in _metrics(runs, each)])
    return document


def _warning(splits: Splits | None) -> str:
    if splits is None:
        return (
            "The unit of every test here is the run, not the patient. The tests say whether "
            "training again would find the systems different on these same patients; they say "
            "nothing about others."
        )
    return (
        "The unit of every test here is a split of the same patients. The correction allows for "
        "their overlap approximately; patients from elsewhere are another question."
    )


def _what(runs: Runs, *, paired: bool, splits: Splits | None) -> Section:
    words = [_design(paired=paired, splits=splits), *_beware(splits)]
    words.append(
        "P is the chance of differences so large if all systems had one mean. It is not the size "
        "of a difference, and where there is any, more runs make it smaller: look at the "
        "differences themselves. A large p does not show that systems are alike."
    )
    words.append(
        "Holm's p and q are for asking several questions at once: of pairs, over all pairs of all "
        f"scores{', and of F over all scores' if splits is None else ''}. {BOTH_WAYS}"
    )
    if splits is None:
        words.append(
            "Tests by ranks and of assumptions stand beside the others; none decides which other "
            "is shown."
        )
    if runs.left_out:
        words.append(f"Not compared, as there is no number in it: {', '.join(runs.left_out)}.")
    return Section("What these tests say, and what not", tuple(words))


def _design(*, paired: bool, splits: Splits | None) -> str:
    if splits is not None:
        return (
            f"Runs of one name are on one split, drawn anew each time: {splits.train_patients} "
            f"patients to train on and {splits.test_patients} to test. Systems are compared split "
            "by split, by the t-test corrected for overlap (Nadeau and Bengio 2003)."
        )
    if paired:
        return (
            "Runs of one name are taken to belong together, by seed or fold, and systems are "
            "compared within them: repeated measures. If names mean nothing, say --independent."
        )
    return (
        "Runs are taken for independent: run 1 of one system has nothing to do with run 1 of "
        "another."
    )


def _beware(splits: Splits | None) -> Iterator[str]:
    if splits is not None:
        yield (
            "Training sets of these splits share patients, so runs are not independent. The plain "
            "t-test and the analysis of variance take them for it and find differences where "
            "there are none; neither is given. Folds of a cross-validation overlap as well."
        )
        return
    yield (
        "Runs that differ by their seed, on one split, show how much training varies by chance. "
        "All meet the same test patients, and which patients these are varies too: what that does "
        "is asked of the answers, patient by patient, with 'kellgren compare'."
    )
    yield (
        "If runs are folds or other splits of the same patients, their training sets overlap and "
        "every p below is too small. Give --train-size and --test-size then."
    )


def _section(runs: Runs, found: Compared, writer: Writer, *, paired: bool) -> Section:
    score = found.score
    digits = _digits(score.values)
    tables = [_means(runs, score.values, digits)]
    words = []
    if found.anova is not None:
        tables += _tests(found, found.anova)
        words.append(_assumptions_in_words(found.anova))
    tables.append(_pairs(found.pairs, digits))
    figure = runs_figure(score.values, systems=runs.systems, score=score.name, paired=paired)
    joined = "; lines join runs of one name" if paired else ""
    said = f"{score.name} of every run, with mean and standard deviation{joined}"
    picture = writer.draw(figure, f"runs-{score.name}", said)
    return Section(score.name, tuple(words), tuple(tables), (picture,))


def _means(runs: Runs, values: Sequence[NDArray[np.float64]], digits: int) -> Table:
    rows = tuple(
        (
            system,
            str(len(each)),
            f"{each.mean():.{digits}f} ± {each.std(ddof=1):.{digits}f}",
            f"{each.min():.{digits}f} to {each.max():.{digits}f}",
        )
        for system, each in zip(runs.systems, values, strict=True)
    )
    return Table(("System", "Runs (n)", "Mean ± SD", "Lowest to highest"), rows)


def _tests(found: Compared, anova: Anova) -> Iterator[Table]:
    """The F test with its twin, and what was assumed."""
    corrected = _is_corrected(anova)
    alone, counts = ("", ""), p_cells(found.p, found.adjusted)[1:]
    name = f"Analysis of variance, {anova.method}"
    of_family = alone if corrected else counts
    rows = [(name, _f(anova, 1.0), p_value(anova.p), *of_family, _effect(anova))]
    if corrected and anova.sphericity is not None:
        box, huynh = anova.sphericity.greenhouse_geisser, anova.sphericity.huynh_feldt
        rows.append(
            (
                f"… corrected by Greenhouse and Geisser (ε {box:.3f})",
                *(_f(anova, box), p_value(anova.sphericity.greenhouse_geisser_p), *counts, ""),
            )
        )
        if not math.isnan(huynh):
            rows.append(
                (
                    f"… by Huynh and Feldt (ε {huynh:.3f})",
                    *(_f(anova, huynh), p_value(anova.sphericity.huynh_feldt_p), *alone, ""),
                )
            )
    if anova.ranks is not None:
        ranks = anova.ranks
        title, statistic, effect = _RANKS[ranks.method]
        rows.append(
            (
                title,
                f"{statistic} = {ranks.statistic:.2f}",
                *(p_value(ranks.p), *alone, f"{effect} {_three(ranks.effect)}"),
            )
        )
    yield Table(
        ("Do the systems' means differ?", "Statistic", *P_HEAD, "Effect size"),
        tuple(rows),
    )
    checks = _checks(anova)
    if checks:
        yield Table(
            ("Assumed", "Test", "Statistic", "p", "In words"),
            tuple(_check(check) for check in checks),
        )


def _is_corrected(anova: Anova) -> bool:
    """Whether the p that counts is Greenhouse and Geisser's: two conditions need no correction."""
    return anova.sphericity is not None and len(anova.means) > 2


def _f(anova: Anova, share: float) -> str:
    """F with its degrees of freedom, both times ``share``."""
    if math.isnan(anova.f):
        return f"{NOT_ESTIMABLE}; {_WHY_NOT[anova.status]}"
    between, within = (
        f"{freedom * share:.2f}" if share < 1.0 else str(freedom)
        for freedom in (anova.between, anova.within)
    )
    return f"F({between}, {within}) = {anova.f:.2f}"


def _effect(anova: Anova) -> str:
    """Share of the scores' variance that the systems explain."""
    if math.isnan(anova.f):
        return NOT_ESTIMABLE
    omega = f"ω² {_three(anova.omega_squared)}"
    if math.isnan(anova.low):
        return f"partial η² {anova.partial_eta_squared:.3f}; {omega}"
    return f"η² {anova.eta_squared:.3f}, 95 % [{anova.low:.3f}, {anova.high:.3f}]; {omega}"


def _checks(anova: Anova) -> tuple[Check, ...]:
    mauchly = () if anova.sphericity is None else (anova.sphericity.mauchly,)
    return (*anova.assumptions, *mauchly)


def _check(check: Check) -> tuple[str, ...]:
    assumed = _ASSUMED[check.method]
    if math.isnan(check.p):
        return assumed, check.method, "", "", _WHY_NOT[check.status]
    against = check.p < 1.0 - LEVEL
    words = "speaks against it" if against else "nothing seen against it"
    return assumed, check.method, _three(check.statistic), p_value(check.p), words


def _assumptions_in_words(anova: Anova) -> str:
    if anova.status != "ok":
        return f"No analysis of variance: {_WHY_NOT[anova.status]}."
    against = [check for check in _checks(anova) if check.p < 1.0 - LEVEL]
    if not against:
        return (
            "No test speaks against what the analysis of variance assumes; with few runs, these "
            "tests see large departures only."
        )
    doubted = "; ".join(f"{_ASSUMED[check.method]} ({check.method})" for check in against)
    advice = dict.fromkeys(_INSTEAD[check.method] for check in against)
    return f"In doubt: {doubted}. {' '.join(advice)}"


def _pairs(pairs: Sequence[Pair], digits: int) -> Table:
    head = ("First and second", "First minus second", "95 % interval", "t", *P_HEAD)
    return Table(head, tuple(_pair(pair, digits) for pair in pairs), f"{pairs[0].method} of pairs")


def _pair(pair: Pair, digits: int) -> tuple[str, ...]:
    if pair.status == "ok":
        interval = f"{pair.low:.{digits}f} to {pair.high:.{digits}f}"
        freedom = f"{pair.freedom:.1f}".removesuffix(".0")
        statistic = f"t({freedom}) = {pair.t:.2f}"
    else:
        interval, statistic = NOT_ESTIMABLE, _no_t(pair)
    return (
        f"{pair.first} and {pair.second}",
        f"{pair.estimate:+.{digits}f}",
        interval,
        statistic,
        *p_cells(pair.p, pair.adjusted),
    )


def _no_t(pair: Pair) -> str:
    return "the same in every run" if pair.status == "never_differ" else _WHY_NOT[pair.status]


def _metrics(runs: Runs, found: Compared) -> Iterator[Metric]:
    for system, values in zip(runs.systems, found.score.values, strict=True):
        score, count = found.score.name, float(len(values))
        for name, value in (("mean", values.mean()), ("sd", values.std(ddof=1)), ("n_runs", count)):
            yield _metric(score, system, name, float(value), method="count")
    if found.anova is not None:
        yield from _anova_metrics(found, found.anova)
    for pair in found.pairs:
        group = f"minus={pair.second}"
        yield _metric(
            found.score.name,
            pair.first,
            "mean_difference",
            pair.estimate,
            ends=(pair.low, pair.high),
            group=group,
            method=f"{pair.method}, {_UNIT}",
            status="ok" if pair.status == "ok" else "no_interval",
        )
        yield from _ps(found, pair.first, "mean_difference", pair, method=pair.method, group=group)


def _anova_metrics(found: Compared, anova: Anova) -> Iterator[Metric]:
    score, method = found.score.name, f"analysis of variance, {anova.method}"
    ends = (anova.low, anova.high)
    for name, value, each in (
        ("f", anova.f, _NONE),
        ("eta_squared", anova.eta_squared, ends),
        ("partial_eta_squared", anova.partial_eta_squared, ends),
        ("omega_squared", anova.omega_squared, _NONE),
    ):
        yield _metric(score, EVERY, name, value, ends=each, method=f"{method}, {_UNIT}")
    by = f"{method}, corrected by Greenhouse and Geisser" if _is_corrected(anova) else method
    yield from _ps(found, EVERY, "f", found, method=f"{_f(anova, 1.0)}; {by}")
    if anova.ranks is not None:
        ranks = anova.ranks
        words = f"{ranks.method}, {_UNIT}"
        yield _metric(score, EVERY, "rank_effect", ranks.effect, method=words)
        yield _metric(score, EVERY, f"rank_effect{P_OF_TEST}", ranks.p, method=words)


def _ps(
    found: Compared,
    system: str,
    name: str,
    tested: Compared | Pair,
    *,
    method: str,
    group: str = "all",
) -> Iterator[Metric]:
    """The p of a test, as it is and adjusted."""
    for end, value, by in p_rows(tested.p, tested.adjusted):
        how = f"{method}, {_UNIT}{by}"
        yield _metric(found.score.name, system, f"{name}{end}", value, method=how, group=group)


def _metric(
    score: str,
    system: str,
    name: str,
    value: float,
    *,
    method: str,
    ends: tuple[float, float] = _NONE,
    group: str = "all",
    status: Status = "ok",
) -> Metric:
    """A row whose task is the score; of patients and knees a table of runs knows nothing."""
    return Metric(
        task=score,
        reader=system,
        metric=name,
        cut=None,
        group=group,
        value=value,
        low=ends[0],
        high=ends[1],
        method=method,
        n_patients=0,
        n_knees=0,
        status="undefined" if math.isnan(value) else status,
    )


def _digits(values: Sequence[NDArray[np.float64]]) -> int:
    """Decimals that give the smallest standard deviation two digits; from 2 to 6."""
    spreads = [float(each.std(ddof=1)) for each in values]
    smallest = min((spread for spread in spreads if spread > 0.0), default=1.0)
    return min(max(1 - math.floor(math.log10(smallest)), 2), 6)


def _three(value: float) -> str:
    return NOT_ESTIMABLE if math.isnan(value) else f"{value:.3f}"
