"""Files of claims: what they may hold, and errors that teach."""

import re
from pathlib import Path

import pytest

from kellgren import errors
from kellgren.statistics.claims import Outcome, check_claims

HEAD = 'paper = "mine"\ntitle = "A title"\ncitation = "A journal"\n'
CLAIM = '[[claims]]\nsays = "It adds up"\nwhere = "Table 1"\n'
SUM = 'check = "sum"\nparts = [1, 2]\ntotal = 3\n'


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + CLAIM + SUM, "utf-8")
    return path


def rewrite(path: Path, *parts: str) -> Path:
    path.write_text("".join(parts), "utf-8")
    return path


def test_a_claim_in_short(written: Path) -> None:
    (verdict,) = check_claims(written)
    assert (verdict.paper, verdict.says, verdict.where) == ("mine", "It adds up", "Table 1")
    assert verdict.outcome is Outcome.FOLLOWS
    assert check_claims(str(written)) == (verdict,)


def test_a_folder_is_read_by_name(written: Path) -> None:
    other = written.with_name("a.toml")
    rewrite(other, HEAD.replace("mine", "another"), CLAIM, SUM)
    assert [verdict.paper for verdict in check_claims(written.parent)] == ["another", "mine"]


def test_readings_have_names_and_may_be_stretched(written: Path) -> None:
    short, far = 'name = "short"\n', 'name = "far"\nstretched = true\n'
    wrong = SUM.replace("3", "4")
    text = CLAIM + "[[claims.readings]]\n" + short + wrong + "[[claims.readings]]\n" + far + SUM
    (verdict,) = check_claims(rewrite(written, HEAD, text))
    assert [reading.name for reading in verdict.readings] == ["short", "far"]
    assert verdict.outcome is Outcome.CONTRADICTS


def test_no_digit_is_lost(written: Path) -> None:
    text = 'check = "mean"\nvalues = [0.830, 0.84]\nmean = 8.35e-01\n'
    (verdict,) = check_claims(rewrite(written, HEAD, CLAIM, text))
    (row,) = verdict.readings[0].rows
    assert row.published == "8.35e-01"
    # 0.8295 to 0.8305, and 0.835 to 0.845
    assert row.recomputed == "0.8350 [0.8322, 0.8378]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SUM.replace("total", "totl"), r"claim 1 (It adds up), sum, totl: no such key here"),
        (SUM.replace('"sum"', '"sums"'), r"no such check; there are 'sum', 'shares'"),
        (SUM.replace("3", '"3"'), r"a number with the digits that are printed, such as 0.830"),
        (SUM.replace("3", "true"), r"not True"),
        (SUM.replace("[1, 2]", "[]"), r"claim 1 (It adds up), sum, parts: "),
        (SUM + "rows = [['a', [1], 1]]\n", r"give either parts and total, or rows"),
        (SUM + "times = [1]\n", r"times: one for each part"),
        ("", r"needs the key check, or a table readings"),
        ('check = "whole_count"\nrows = [["a", 97.0, 0]]\n', r"whole_count, rows, 1, 3: "),
        (
            'check = "whole_count"\nrows = [["a", 97.0, 7.0]]\n',
            r"a whole number of cases, such as 300",
        ),
        ('check = "shares"\nrows = [["a", 1, 1]]\n', r"claim 1 (It adds up), shares, of: this key"),
        (SUM.replace("3", "nan"), r"is no TOML in UTF-8 (nan is no number that a paper prints)"),
        (SUM.replace("3", "3 4"), r"is no TOML in UTF-8"),
        (
            '[[claims.readings]]\nstretched = true\ncheck = "sum"\nparts = [1]\ntotal = 1\n',
            r"the first is what the paper says, and is not stretched",
        ),
        ("[[claims.readings]]\nname = 'a'\n", r"reading 1: a reading needs the key check"),
        (
            (
                'check = "margins"\ntruth = [1, 2]\nrow_percent = [[50, 50]]\n'
                'measures = { kappa = 0.5 }\nclaimed = "kappa"\n'
            ),
            r"a row and a column for every grade",
        ),
        ('check = "change"\nbefore = 0\nafter = 1\nchange = 1\nunit = "points"\n', r"above nought"),
        ('check = "change"\nbefore = 9\nafter = 1\nchange = 1\nunit = "%"\n', r"'per cent'"),
        ('check = "anova"\nmeans = [1, 2]\nspreads = [1, 1]\nn = [2, 2]\n', r"give f, p or below"),
        (
            'check = "anova"\nmeans = [1, 2]\nspreads = [1]\nn = [2, 2]\np = 0.5\n',
            r"one of each for every group",
        ),
        ('check = "mean"\nvalues = [1]\nweights = [0]\nmean = 1\n', r"one must be above nought"),
        ('check = "quotient"\ndividend = 1\ndivisor = 0\nquotient = 1\n', r"must not be nought"),
        ('check = "multiple"\nvalues = [1]\nof = 0\n', r"of must be above nought"),
        (
            'check = "confusion"\nmatrix = [[1, 2], [3]]\nmeasures = { accuracy = 0.5 }\n',
            r"as many columns as rows",
        ),
        (
            'check = "confusion"\nmatrix = [[0, 0], [0, 0]]\nmeasures = { accuracy = 0.5 }\n',
            r"it holds no knee",
        ),
        (
            'check = "margins"\ntruth = [1, 2]\nmeasures = { kappa = 0.5 }\nclaimed = "accuracy"\n',
            r"must be one of the measures",
        ),
        (
            'check = "margins"\ntruth = [0, 2]\nmeasures = { kappa = 0.5 }\nclaimed = "kappa"\n',
            r"at least two grades must occur",
        ),
        (
            'check = "youden"\nof = 5\nrows = [["a", 1, 1, 1]]\n',
            r"positives and of: both or neither",
        ),
        (
            'check = "youden"\nof = 5\npositives = [5]\nrows = [["a", 1, 1, 1]]\n',
            r"each below of",
        ),
        (
            'check = "spread"\nn = 3\nlowest = 1\nrows = [["a", 1, 1]]\n',
            r"lowest must lie below highest",
        ),
    ],
)
def test_a_file_that_breaks_the_layout_says_where_and_what_is_allowed(
    written: Path, text: str, message: str
) -> None:
    rewrite(written, HEAD, CLAIM, text)
    with pytest.raises(errors.TableError, match=re.escape(message)) as raised:
        check_claims(written)
    assert str(raised.value).startswith("mine.toml: ")
    assert "docs/how-to/check-a-papers-numbers.md" in str(raised.value)


def test_a_wrong_reading_is_named(written: Path) -> None:
    readings = "[[claims.readings]]\n" + SUM + "[[claims.readings]]\n" + SUM.replace("3", "'3'")
    rewrite(written, HEAD, CLAIM, readings)
    with pytest.raises(errors.TableError, match=r"claim 1 \(It adds up\), reading 2, sum, total: "):
        check_claims(written)


def test_a_missing_key_of_the_file_itself(written: Path) -> None:
    rewrite(written, HEAD.replace("title", "titel"), CLAIM, SUM)
    with pytest.raises(errors.TableError, match=r"mine\.toml: title: this key is missing"):
        check_claims(written)
    rewrite(written, HEAD, CLAIM.replace('where = "Table 1"', ""), SUM)
    with pytest.raises(errors.TableError, match=r"claim 1 \(It adds up\), where: this key"):
        check_claims(written)


def test_what_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(errors.FileMissing, match="no such file"):
        check_claims(tmp_path / "none.toml")
    with pytest.raises(errors.FileMissing, match=r"holds no file that ends in \.toml"):
        check_claims(tmp_path)
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(errors.TableError, match="no TOML in UTF-8"):
        check_claims(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(errors.FileUnreadable, match="cannot be read"):
        check_claims(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        'check = "sum"\nrows = [["a", [1, 2], 3]]\n',
        'check = "shares"\nof = 4\nrows = [["a", 1, 25]]\n',
        'check = "whole_count"\npercent = false\nrows = [["a", 3.50, 20]]\n',
        'check = "mean"\nvalues = [1.0, 3.0]\nweights = [3, 1]\nmean = 1.5\n',
        'check = "spread"\nn = 4\nhighest = 5\nrows = [["a", 2.0, 1.5]]\n',
        'check = "change"\nbefore = 50\nafter = 40\nchange = 10\nunit = "points"\n',
        'check = "anova"\nmeans = [1, 9]\nspreads = [1, 1]\nn = [9, 9]\nbelow = 0.01\n',
        'check = "confusion"\nmatrix = [[4, 1], [0, 5]]\nmeasures = { accuracy = 90 }\n',
        (
            'check = "margins"\ntruth = [5, 5]\nrow_percent = [[80, 20], [0, 100]]\n'
            'measures = { accuracy = 0.90 }\nclaimed = "accuracy"\n'
        ),
        'check = "youden"\nrows = [["a", 97, 88, 0.85]]\n',
        'check = "youden"\nof = 20\npositives = [10]\nrows = [["a", 90, 80, 0.70]]\n',
        'check = "roc_point"\nrows = [["a", 97, 88, 0.97]]\n',
        'check = "same"\nshares = true\ncolumns.a = [83.5, 0.835]\n',
        'check = "bound"\nrelation = "at_least"\nlimit = 0.8\nrows = [["a", 0.81]]\n',
        'check = "interval"\nrows = [["a", 0.8, 0.7, 0.9]]\n',
        'check = "quotient"\ndividend = 1\ndivisor = 3\nquotient = 0.33\n',
        'check = "multiple"\nvalues = [6]\nof = 3\n',
    ],
    ids=lambda text: text.split('"')[1],
)
def test_every_check_can_be_asked_for(written: Path, text: str) -> None:
    (verdict,) = check_claims(rewrite(written, HEAD, CLAIM, text))
    assert verdict.outcome in {Outcome.FOLLOWS, Outcome.CONSISTENT}


def test_what_cannot_be_checked_is_listed_with_its_reason(written: Path) -> None:
    text = 'check = "not_checkable"\nreason = "not printed"\n'
    (verdict,) = check_claims(rewrite(written, HEAD, CLAIM, text))
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert verdict.readings[0].rows[0].note == "not printed"
