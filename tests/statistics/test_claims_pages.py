"""The pages that verdicts become, the five papers, and the command."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kellgren.cli.auditing import audit_claims
from kellgren.statistics.claims import (
    Outcome,
    check_claims,
    claims_page,
    describe_claims,
    read_papers,
)
from kellgren.statistics.claims.check import Check
from kellgren.statistics.claims.confusion import FIGURES
from kellgren.statistics.claims.margins import MEASURES
from kellgren.statistics.claims.report import claims_document, claims_metrics

DOCS = Path(__file__).parents[2] / "docs"
CLAIMS = DOCS / "claims"
HOW_TO = DOCS / "how-to" / "check-a-papers-numbers.md"
COMMAND = f"kellgren audit claims {CLAIMS.relative_to(DOCS.parent)}"

RIGHT = """
paper = "mine"
title = "A | title"
citation = "A journal"
note = "Read in part."

[[claims]]
says = "It adds up"
where = "Table 1"
quote = "1 and 2 | 3"
check = "sum"
parts = [1, 2]
total = 3
"""
WRONG = RIGHT.replace("total = 3", "total = 4")

app = typer.Typer()
app.command()(audit_claims)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(RIGHT, "utf-8")
    return path


def checks() -> dict[str, type[Check]]:
    return {
        kind.model_fields["check"].annotation.__args__[0]: kind  # type: ignore[union-attr] # a Literal
        for kind in Check.__subclasses__()
    }


def test_the_page_of_the_five_papers_is_what_the_command_makes() -> None:
    page = (DOCS / "claims.md").read_text("utf-8")
    assert page == claims_page(read_papers(CLAIMS)), f"run {COMMAND} -o DIR"


def found(paper: str, says: str) -> Outcome:
    verdicts = check_claims(CLAIMS / f"{paper}.toml")
    (verdict,) = (verdict for verdict in verdicts if says in verdict.says)
    return verdict.outcome


@pytest.mark.parametrize(
    ("paper", "says", "outcome"),
    [
        ("olsson2021", "KL grades of the training set", Outcome.CONTRADICTS),
        ("olsson2021", "6,103 examinations", Outcome.FOLLOWS),
        ("olsson2021", "mean AUC", Outcome.CONTRADICTS),
        ("rohani2025", "ANOVA of accuracy", Outcome.CONTRADICTS),
        ("rohani2025", "ANOVA of precision", Outcome.CONSISTENT),
        ("rohani2025", "ANOVA of recall", Outcome.CONTRADICTS),
        ("tiulpin2018", "ResNet-34 was fine-tuned", Outcome.CONTRADICTS),
        ("tiulpin2020", "print the same kappas", Outcome.CONTRADICTS),
        ("tiulpin2020", "Kappa of FO-M goes", Outcome.CONSISTENT),
        ("zhang2026", "drops by 4.04", Outcome.CONSISTENT),
    ],
)
def test_the_worked_cases(paper: str, says: str, outcome: Outcome) -> None:
    assert found(paper, says) is outcome


def test_whole_rows_of_table_3_cannot_have_been_exchanged() -> None:
    for verdict in check_claims(CLAIMS / "tiulpin2020.toml"):
        if "as in the abstract" in verdict.says:
            by_name = {reading.name: reading.outcome for reading in verdict.readings}
            assert by_name["whole rows exchanged"] is Outcome.CONTRADICTS


def test_every_claim_says_where_it_stands() -> None:
    for path in sorted(CLAIMS.glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        assert content["paper"] == path.stem
        assert len({claim["says"] for claim in content["claims"]}) == len(content["claims"])


def test_the_examples_of_the_how_to_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"^```toml\n(.*?)^```$", HOW_TO.read_text("utf-8"), re.M | re.S)
    Path("mine.toml").write_text(example, "utf-8")
    verdicts = check_claims("mine.toml")
    assert {verdict.outcome for verdict in verdicts} == {Outcome.FOLLOWS, Outcome.CONSISTENT}
    assert [verdict.as_printed for verdict in verdicts].count(False) == 1


def test_the_how_to_names_every_check_with_its_keys() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", HOW_TO.read_text("utf-8"), re.M)
    documented = {check: set(re.findall(r"`(\w+)`", keys)) for check, keys in rows}
    common = {"check", *Check.model_fields}
    assert documented == {name: set(kind.model_fields) - common for name, kind in checks().items()}


def test_the_how_to_names_every_measure() -> None:
    text = HOW_TO.read_text("utf-8")
    named = re.findall(r"`(\w+)`", text[text.index("Measures of `confusion` are") :])[1:]
    assert tuple(name for name in named if name != "margins") == FIGURES
    assert FIGURES[: len(MEASURES)] == MEASURES


def test_the_how_to_explains_every_verdict() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| [^`]", HOW_TO.read_text("utf-8"), re.M)
    assert [row for row in rows if row not in {"verdict", "check"}] == list(Outcome)


def test_the_table_survives_what_a_file_holds(written: Path) -> None:
    page = claims_page(read_papers(written))
    assert "A | title. A journal\n\nRead in part.\n" in page
    assert "| It adds up | Table 1: “1 and 2 \\| 3” | 3 | 3 | **follows** |" in page
    assert "What contradicts" not in page


def test_contradictions_stand_first(written: Path) -> None:
    written.write_text(WRONG, "utf-8")
    page = claims_page(read_papers(written))
    assert "- mine: It adds up. Printed 4, recomputed 3.\n" in page
    assert page.index("## What contradicts") < page.index("## mine")


def test_what_holds_in_other_words_than_printed_says_so(written: Path) -> None:
    change = 'check = "change"\nbefore = 50\nafter = 40\nchange = 10\nunit = "per cent"\n'
    written.write_text(RIGHT[: RIGHT.index("check")] + change, "utf-8")
    page = claims_page(read_papers(written))
    assert "## What holds, but not as printed\n\n- mine: It adds up. As per cent of the" in page
    assert "Another reading, percentage points: follows.\n" in page
    assert "| **follows**, not as printed |" in page


def test_the_terminal_has_a_line_for_each_claim_and_the_counts(written: Path) -> None:
    text = describe_claims(check_claims(written))
    assert "  follows        It adds up. Printed 3, recomputed 3.\n" in text
    assert text.endswith("\n1 follows, 0 consistent, 0 not checkable, 0 contradicts")
    for line in describe_claims(check_claims(CLAIMS), width=72).splitlines():
        assert len(line) <= 72


@pytest.mark.parametrize(("text", "status"), [(RIGHT, 0), (WRONG, 1)])
def test_the_command_writes_page_and_data_and_tells_by_its_status(
    written: Path, text: str, status: int
) -> None:
    written.write_text(text, "utf-8")
    output = written.parent / "out"
    for _ in range(2):  # an earlier audit is replaced
        done = CliRunner().invoke(app, [str(written), "-o", str(output)])
        assert done.exit_code == status
        assert done.stdout.endswith(f"See {output / 'claims.md'}\n")
    assert sorted(path.name for path in output.iterdir()) == [
        *("claims.json", "claims.md", "metrics.json", "report.html")
    ]
    page = (output / "report.html").read_text("utf-8")
    assert f"<td>{['follows', 'contradicts'][status]}</td><td>It adds up</td>" in page
    assert "<td>Table 1: “1 and 2 | 3”</td>" in page
    assert "<img" not in page
    rows = json.loads((output / "metrics.json").read_text("utf-8"))
    counts = {(row["reader"], row["metric"], row["group"]): row["value"] for row in rows}
    assert counts == {
        ("mine", "n_claims", "all"): 1,
        ("mine", "n_claims", "verdict=follows"): 1 - status,
        ("mine", "n_claims", "verdict=consistent"): 0,
        ("mine", "n_claims", "verdict=not checkable"): 0,
        ("mine", "n_claims", "verdict=contradicts"): status,
        ("mine", "n_not_as_printed", "all"): 0,
    }
    (claim,) = json.loads((output / "claims.json").read_text("utf-8"))
    assert (claim["paper"], claim["outcome"]) == ("mine", ["follows", "contradicts"][status])
    assert claim["readings"][0]["rows"][0]["recomputed"] == "3"


def test_the_report_of_the_five_papers_has_every_claim_the_worst_first() -> None:
    papers = read_papers(CLAIMS)
    document = claims_document(papers)
    for paper, section in zip(papers, document.sections[1:], strict=True):
        (table,) = section.tables
        assert sorted(row[1] for row in table.rows) == sorted(v.says for v in paper.verdicts)
        words = [row[0].removesuffix(", not as printed") for row in table.rows]
        ranks = [Outcome(word).rank for word in words]
        assert ranks == sorted(ranks, reverse=True)
    by_paper = {
        (row.reader, row.group): row.value
        for row in claims_metrics(papers)
        if row.metric == "n_claims"
    }
    for paper in papers:
        parts = [by_paper[paper.name, f"verdict={outcome}"] for outcome in Outcome]
        assert by_paper[paper.name, "all"] == sum(parts) == len(paper.verdicts)
    otherwise = [row.value for row in claims_metrics(papers) if row.metric == "n_not_as_printed"]
    shown = sum(
        "not as printed" in row[0] for s in document.sections[1:] for row in s.tables[0].rows
    )
    assert sum(otherwise) == shown > 0


def test_an_audit_of_an_earlier_version_is_replaced(written: Path) -> None:
    output = written.parent / "out"
    output.mkdir()
    (output / "claims.md").write_text("earlier", "utf-8")
    (output / "figures").mkdir()
    (output / "figures" / "mine.txt").write_text("kept", "utf-8")
    done = CliRunner().invoke(app, [str(written), "-o", str(output)])
    assert done.exit_code == 0
    assert "It adds up" in (output / "claims.md").read_text("utf-8")
    assert (output / "figures" / "mine.txt").read_text("utf-8") == "kept"


def test_the_command_without_a_folder_prints_only(written: Path) -> None:
    done = CliRunner().invoke(app, [str(written)])
    assert done.exit_code == 0
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_nothing_else_is_overwritten(written: Path) -> None:
    done = CliRunner().invoke(app, [str(written), "-o", str(written.parent)])
    assert "holds no earlier audit of claims" in str(done.exception)
    assert written.read_text("utf-8") == RIGHT
