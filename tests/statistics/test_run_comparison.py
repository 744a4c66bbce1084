"""Repeated runs, compared: beside SciPy and statsmodels, and what becomes of bad tables."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from as_typed import run
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from kellgren import errors
from kellgren.records import RESEARCH_USE
from kellgren.statistics.figures.runs import runs_figure
from kellgren.statistics.multiplicity import AdjustedP
from kellgren.statistics.run_table import Runs, pairing, read_runs
from kellgren.statistics.runs import Splits, compare_runs

SYSTEMS = ("mobilenet", "resnet", "siamese")
SIZES = (10, 10, 10)

# Of its rows only those that are complete.
PINGOUIN = (
    (4.3, 5.3, 4.8, 6.3),
    (3.9, 2.3, 5.6, 4.3),
    (5.1, 4.2, 6.0, 6.3),
    (3.8, 3.6, 4.8, 6.8),
    (3.8, 5.4, 5.1, 6.3),
    (4.5, 3.0, 7.7, 5.8),
    (3.7, 7.1, 5.5, 4.8),
    (4.4, 4.7, 4.2, 5.5),
    (3.7, 3.0, 4.0, 7.1),
)
"""The data set "rm_anova_wide" of Pingouin's documentation."""

Row = tuple[str, str, float, float]


def rows(sizes: tuple[int, ...] = SIZES, seed: int = 0) -> list[Row]:
    rng = np.random.default_rng(seed)
    split = rng.normal(0.0, 0.01, max(sizes))
    return [
        (
            system,
            f"seed-{i}",
            round(float(0.68 + 0.006 * place + split[i] + rng.normal(0.0, 0.006)), 6),
            round(float(0.9 + rng.normal(0.0, 0.02 + 0.02 * place)), 6),
        )
        for place, (system, size) in enumerate(zip(SYSTEMS, sizes, strict=True))
        for i in range(size)
    ]


def write(folder: Path, found: list[Row], head: str = "system,run,accuracy,loss") -> Path:
    path = folder / "runs.csv"
    lines = [head, *(",".join(map(str, row)) for row in found)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def read(folder: Path, sizes: tuple[int, ...] = SIZES) -> Runs:
    return read_runs(write(folder, rows(sizes)))


class TestNumbers:
    @pytest.mark.parametrize("sizes", [SIZES, (12, 9, 15)])
    def test_independent_runs_are_scipys_and_statsmodels(
        self, tmp_path: Path, sizes: tuple[int, ...]
    ) -> None:
        runs = read(tmp_path, sizes)
        found = compare_runs(runs, paired=False)
        assert [each.score.name for each in found] == ["accuracy", "loss"]
        for each in found:
            values = each.score.values
            assert each.anova is not None
            theirs = stats.f_oneway(*values)
            assert (each.anova.f, each.p) == pytest.approx((theirs.statistic, theirs.pvalue))
            assert [(p.first, p.second) for p in each.pairs] == [
                (SYSTEMS[0], SYSTEMS[1]),
                (SYSTEMS[0], SYSTEMS[2]),
                (SYSTEMS[1], SYSTEMS[2]),
            ]
            for pair in each.pairs:
                one, two = (values[SYSTEMS.index(name)] for name in (pair.first, pair.second))
                means = CompareMeans(DescrStatsW(one), DescrStatsW(two))
                t, p, freedom = means.ttest_ind(usevar="unequal")
                low, high = means.tconfint_diff(usevar="unequal")
                assert (pair.t, pair.p, pair.freedom) == pytest.approx((t, p, freedom))
                assert (pair.low, pair.high) == pytest.approx((low, high))
                assert pair.estimate == pytest.approx(one.mean() - two.mean())

    def test_paired_runs_are_scipys(self, tmp_path: Path) -> None:
        for each in compare_runs(read(tmp_path), paired=True):
            values = each.score.values
            assert each.anova is not None
            assert each.anova.sphericity is not None
            assert each.anova.ranks is not None
            friedman = stats.friedmanchisquare(*values)
            assert each.anova.ranks.p == pytest.approx(friedman.pvalue)
            assert each.p == each.anova.sphericity.greenhouse_geisser_p > each.anova.p
            for pair in each.pairs:
                one, two = (values[SYSTEMS.index(name)] for name in (pair.first, pair.second))
                theirs = stats.ttest_rel(one, two)
                assert (pair.t, pair.p) == pytest.approx((theirs.statistic, theirs.pvalue))
                assert (pair.low, pair.high) == pytest.approx(tuple(theirs.confidence_interval()))

    def test_pairing_sees_what_is_common_to_a_split(self, tmp_path: Path) -> None:
        splits = np.random.default_rng(1).normal(0.0, 0.05, 10)
        moved = [(s, n, x + splits[int(n[-1])], y) for s, n, x, y in rows()]
        runs = read_runs(write(tmp_path, moved))
        (together, _), (apart, _) = (compare_runs(runs, paired=p) for p in (True, False))
        assert together.p < 0.001
        assert apart.p > 0.5

    @pytest.mark.parametrize("paired", [True, False])
    def test_p_are_adjusted_for_everything_that_is_asked(
        self, tmp_path: Path, paired: bool
    ) -> None:
        found = compare_runs(read(tmp_path), paired=paired)
        pairs = [pair for each in found for pair in each.pairs]
        assert len(pairs) == 6
        for family in (found, pairs):
            p = [each.p for each in family]
            for way, method in (("holm", "holm"), ("q", "fdr_bh")):
                adjusted = [getattr(each.adjusted, way) for each in family]
                assert adjusted == pytest.approx(multipletests(p, method=method)[1])

    def test_splits_are_corrected_for_their_overlap(self, tmp_path: Path) -> None:
        runs = read(tmp_path)
        plain = compare_runs(runs, paired=True)
        corrected = compare_runs(runs, paired=True, splits=Splits(700, 150))
        for one, two in zip(plain, corrected, strict=True):
            assert two.anova is None
            assert np.isnan(two.p)
            for pair, narrow in zip(two.pairs, one.pairs, strict=True):
                # Nadeau and Bengio's variance: 1/n + test/train instead of 1/n.
                factor = np.sqrt((1 / 10 + 150 / 700) / (1 / 10))
                assert pair.t == pytest.approx(narrow.t / factor)
                assert pair.p == pytest.approx(2 * stats.t.sf(abs(narrow.t) / factor, 9))
                assert pair.high - pair.low == pytest.approx((narrow.high - narrow.low) * factor)
        with pytest.raises(ValueError, match="pair"):
            compare_runs(runs, paired=False, splits=Splits(700, 150))

    def test_the_order_of_rows_changes_nothing(self, tmp_path: Path) -> None:
        first = compare_runs(read(tmp_path), paired=True)
        second = compare_runs(read_runs(write(tmp_path, rows()[::-1])), paired=True)
        for one, two in zip(first, second, strict=True):
            assert one.pairs == two.pairs
            assert one.anova == two.anova

    @pytest.mark.parametrize("paired", [True, False])
    def test_systems_that_do_not_vary_have_no_p(self, tmp_path: Path, paired: bool) -> None:
        # A constant of each, and the same runs of all.
        still = [(s, n, 0.7 + 0.1 * (s == "siamese"), float(n[-1])) for s, n, *_ in rows()]
        constant, same = compare_runs(read_runs(write(tmp_path, still)), paired=paired)
        assert constant.anova is not None
        assert constant.anova.status == "zero_variance"
        assert [pair.status for pair in constant.pairs] == [
            *("never_differ", "zero_variance", "zero_variance")
        ]
        assert np.isnan([constant.p, constant.pairs[1].p, constant.pairs[1].low]).all()
        # What gave no p does not count among those that are adjusted.
        assert constant.pairs[0].adjusted == AdjustedP(1.0, 1.0)
        assert {pair.status for pair in same.pairs} == {"never_differ" if paired else "ok"}
        assert [pair.p for pair in same.pairs] == pytest.approx([1.0] * 3)


class TestPairing:
    def test_names_decide_unless_somebody_does(self, tmp_path: Path) -> None:
        same = read(tmp_path)
        assert pairing(same) is True
        assert pairing(same, wanted=False) is False
        other = [(system, f"{system}-{name}", a, b) for system, name, a, b in rows()]
        different = read_runs(write(tmp_path, other))
        assert pairing(different) is False
        with pytest.raises(errors.TableError, match="has no run"):
            pairing(different, wanted=True)

    def test_half_a_design_is_not_guessed(self, tmp_path: Path) -> None:
        runs = read(tmp_path, (10, 9, 10))
        for wanted in (None, True):
            with pytest.raises(errors.TableError, match=r"'resnet' has no run 'seed-9'.*--indep"):
                pairing(runs, wanted)
        assert pairing(runs, wanted=False) is False


HEAD = "system,run,accuracy"
GOOD = "a,1,0.5\na,2,0.6\nb,1,0.4\nb,2,0.7\n"


class TestBadTables:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "no column system or run"),
            ("system,accuracy\na,1\n", "no column run"),
            (f"{HEAD},accuracy\n", "accuracy stands twice"),
            (f"{HEAD}\n", "0 systems"),
            (f"{HEAD}\na,1,0.5\na,2,0.6\n", "1 systems"),
            (f"{HEAD}\n{GOOD}c,1,0.5\n", "one run only of 'c'"),
            (f"{HEAD}\n{GOOD}b,2,0.6\n", "row 6: 'b' has a run '2' already"),
            (f"{HEAD}\n{GOOD}b,3,high\n", "row 6: 'accuracy' holds 'high'"),
            (f"{HEAD}\n{GOOD}b,3,\n", "row 6: 'accuracy' holds ''"),
            (f"{HEAD}\n{GOOD}b,3,nan\n", "'nan', no finite number"),
            (f"{HEAD}\n{GOOD}b,3,inf\n", "'inf', no finite number"),
            (f"{HEAD}\n{GOOD} ,3,0.5\n", "'system' is empty"),
            (f"{HEAD}\n{GOOD}b,,0.5\n", "'run' is empty"),
            (f"{HEAD}\n{GOOD}b,3\n", "more or fewer cells"),
            (f"{HEAD}\n{GOOD}b,3,0.5,0.6\n", "more or fewer cells"),
            ("system,run,note\na,1,x\na,2,y\nb,1,x\nb,2,y\n", "no column of numbers"),
            ("system,run\na,1\na,2\nb,1\nb,2\n", "no column of numbers"),
        ],
    )
    def test_each_says_what_to_do(self, tmp_path: Path, text: str, said: str) -> None:
        path = tmp_path / "runs.csv"
        path.write_text(text, "utf-8")
        with pytest.raises(errors.TableError, match=re.escape(said)) as caught:
            read_runs(path)
        kind = errors.DuplicateRows if "already" in said else errors.TableError
        assert type(caught.value) is kind

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_what_is_no_table(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "runs.csv"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(errors.TableError, match=r"runs\.csv: (no such table|cannot be read)"):
            read_runs(path)

    def test_a_score_that_is_none(self, tmp_path: Path) -> None:
        path = write(tmp_path, rows())
        with pytest.raises(errors.TableError, match=r"no score 'f1'\. There are: accuracy, loss"):
            read_runs(path, scores=["f1"])
        assert [s.name for s in read_runs(path, scores=["loss", "loss"]).scores] == ["loss"]

    def test_text_beside_numbers_is_left_out_and_named(self, tmp_path: Path) -> None:
        path = tmp_path / "runs.csv"
        path.write_text("system,note,run,f1\na,x,1,0.5\na,,2,0.6\nb,y,1,0.4\nb,z,2,0.7\n", "utf-8")
        found = read_runs(path)
        assert ([score.name for score in found.scores], found.left_out) == (["f1"], ("note",))
        with pytest.raises(errors.TableError, match="'note' holds 'x'"):
            read_runs(path, scores=["note"])


class TestFigure:
    @pytest.mark.parametrize("paired", [True, False])
    def test_every_run_is_a_dot_and_pairs_are_joined(self, tmp_path: Path, paired: bool) -> None:
        runs = read(tmp_path)
        values = runs.scores[0].values
        figure = runs_figure(values, systems=runs.systems, score="a $", paired=paired)
        (axes,) = figure.axes
        dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
        assert [list(np.asarray(line.get_xdata())) for line in dots] == [list(v) for v in values]
        joined = [line for line in axes.get_lines() if len(np.asarray(line.get_xdata())) == 3]
        assert len(joined) == (10 if paired else 0)
        assert [label.get_text() for label in axes.get_yticklabels()] == list(SYSTEMS)
        assert axes.get_xlabel() == r"a \$"
        assert figure.get_supxlabel() == RESEARCH_USE


class TestTyped:
    def test_a_page_numbers_and_figures(self, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        status, out, err = run("runs", write(tmp_path, rows()), "-o", folder)
        assert (status, err) == (0, "")
        page = (folder / "report.html").read_text("utf-8")
        for words in (
            "The unit of every test here is the run, not the patient.",
            "repeated measures",
            "Friedman, by ranks",
            "corrected by Greenhouse and Geisser",
            "Paired t-test of pairs",
            "mobilenet and siamese",
        ):
            assert words in out
            assert words in page
        assert {path.name for path in (folder / "figures").iterdir()} == {
            f"runs-{score}.{kind}" for score in ("accuracy", "loss") for kind in ("png", "svg")
        }
        numbers = json.loads((folder / "metrics.json").read_text("utf-8"))
        accuracy = [row for row in rows() if row[0] == "resnet"]
        (mean,) = [
            row["value"]
            for row in numbers
            if (row["task"], row["reader"], row["metric"]) == ("accuracy", "resnet", "mean")
        ]
        assert mean == pytest.approx(np.mean([row[2] for row in accuracy]), abs=1e-6)
        # Each p is the page's own, however small it is.
        found = {
            (row["task"], row["reader"], row["group"], row["metric"]): row["value"]
            for row in numbers
        }
        compared = compare_runs(read(tmp_path), paired=True)
        for each in compared:
            name = each.score.name
            for end, way in (("p_holm", "holm"), ("q_bh", "q")):
                whole = found[name, "every system", "all", f"f_{end}"]
                assert whole == pytest.approx(getattr(each.adjusted, way), rel=1e-5)
            for pair in each.pairs:
                key = (name, pair.first, f"minus={pair.second}")
                assert found[*key, "mean_difference_p"] == pytest.approx(pair.p, rel=1e-5)
                assert found[*key, "mean_difference"] == pytest.approx(pair.estimate, abs=1e-6)
        # A table of runs knows nothing of patients.
        assert {(row["n_patients"], row["n_knees"]) for row in numbers} == {(0, 0)}

    def test_independent_runs_of_one_score(self, tmp_path: Path) -> None:
        words = ("runs", write(tmp_path, rows()), "-o", tmp_path / "out", "--independent")
        status, out, _ = run(*words, "--score", "loss")
        assert status == 0
        for said in ("one-way", "Kruskal–Wallis", "Levene", "Welch's t-test of pairs", "η²"):
            assert said in out
        # As where names of runs have nothing in common.
        other = [(system, f"{system}-{name}", a, b) for system, name, a, b in rows()]
        assert "one-way" in run("runs", write(tmp_path, other), *words[2:4])[1]
        assert "accuracy" not in out
        assert "Mauchly" not in out

    def test_the_published_example_of_pingouin(self, tmp_path: Path) -> None:
        # Its data set "rm_anova_wide", as in test_anova: rows are units, columns conditions.
        lines = [
            f"{condition},{unit},{value}"
            for unit, row in enumerate(PINGOUIN)
            for condition, value in zip(("Before", "1 week", "2 week", "3 week"), row, strict=True)
        ]
        path = tmp_path / "runs.csv"
        path.write_text("\n".join(("system,run,score", *lines)) + "\n", "utf-8")
        status, out, _ = run("runs", path, "-o", tmp_path / "out")
        said = re.sub(r" +", " ", out)
        assert status == 0
        # p 0.006557, epsilon 0.694329 with p 0.016699, W 0.306784, and Friedman's 0.009165.
        assert "F(3, 24) = 5.20 0.0066 " in said
        assert "(ε 0.694) F(2.08, 16.66) = 5.20 0.0167 0.0167" in said
        assert "χ² = 11.53 0.0092 Kendall's W 0.427" in said
        assert "Mauchly 0.307" in said

    def test_splits_are_never_tested_plainly(self, tmp_path: Path) -> None:
        words = ("runs", write(tmp_path, rows()), "-o", tmp_path / "out")
        status, out, _ = run(*words, "--train-size", 700, "--test-size", 150)
        assert status == 0
        assert "Corrected resampled t-test of pairs" in out
        assert "neither is given" in out
        for absent in ("Paired t-test", "F(", "Friedman"):
            assert absent not in out
        assert "Give --train-size" not in out
        # Without sizes the page asks for them.
        assert "Give --train-size" in run(*words)[1]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--train-size", 700), "both or neither"),
            (("--test-size", 150), "both or neither"),
            (("--train-size", 7, "--test-size", 1, "--independent"), "neither --paired nor"),
            (("--paired", "--independent"), "neither --paired nor"),
            (("--train-size", 0, "--test-size", 1), "greater than or equal to 1"),
        ],
    )
    def test_half_an_option_is_wrong_usage(
        self, tmp_path: Path, words: tuple[object, ...], said: str
    ) -> None:
        path = write(tmp_path, rows())
        status, out, err = run("runs", path, "-o", tmp_path / "out", *words)
        assert (status, out) == (2, "")
        assert said in re.sub(r"[\s│]+", " ", err)
        assert not (tmp_path / "out").exists()

    def test_a_bad_table_is_one_sentence(self, tmp_path: Path) -> None:
        path = write(tmp_path, rows((10, 9, 10)))
        status, out, err = run("runs", path, "-o", tmp_path / "out")
        assert (status, out) == (2, "")
        assert err.startswith("kellgren: table.invalid: 'resnet' has no run 'seed-9'")
        assert err.count("\n") == 1
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("change", [lambda row: row, lambda row: (row[0], row[1], 0.5, 1.0)])
    def test_two_runs_each_and_no_variance_still_make_a_page(
        self, tmp_path: Path, change: Callable[[Row], Row]
    ) -> None:
        few = [change(row) for row in rows((2, 2, 2))]
        for words in ((), ("--independent",), ("--train-size", 7, "--test-size", 1)):
            status, out, err = run("runs", write(tmp_path, few), "-o", tmp_path / "out", *words)
            assert (status, err) == (0, "")
            assert "nan" not in out.lower()
