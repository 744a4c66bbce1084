"""What the documentation shows can be run, found and relied on."""

import re
import runpy
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import kellgren
from kellgren.datasets.phantom import write_cohort
from kellgren.datasets.table import COLUMNS
from kellgren.reporting import from_json

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
}
MADE: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "write_reference.py"))
VERBS: dict[str, set[str]] = MADE["options"]()

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`(kellgren [a-z][^`]*)`")


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Each fenced block of a language, with the number of lines above it."""
    text = page.read_text("utf-8")
    for found in _FENCED.finditer(text):
        if found[1] == language:
            yield text.count("\n", 0, found.start(2)), found[2]


def having(language: str) -> list[str]:
    return [name for name, page in PAGES.items() if any(blocks(page, language))]


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every call of the command line, in shell blocks and in the text."""
    for _, block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("kellgren "):
                yield shlex.split(line, comments=True)
    for found in _INLINE.finditer(prose(page)):
        yield shlex.split(found[1])


def split(words: list[str]) -> tuple[str, list[str]]:
    """The verb of a call, of two words where the first one needs another, and what follows it."""
    pair = " ".join(words[1:3])
    return (pair, words[3:]) if pair in VERBS else (words[1], words[2:])


def headings(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", MADE["pages"]())
def test_made_pages_are_current(name: str) -> None:
    written = (REFERENCE / name).read_text("utf-8")
    assert written == MADE["pages"]()[name], "run scripts/write_reference.py"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_reference_and_in_a_page_written_by_hand(verb: str) -> None:
    assert f"## kellgren {verb}\n" in (REFERENCE / "cli.md").read_text("utf-8")
    by_hand = [page for page in PAGES.values() if page.parent != REFERENCE]
    assert any(split(words)[0] == verb for page in by_hand for words in commands(page))


@pytest.mark.parametrize("name", PAGES)
def test_commands_exist_with_their_options(name: str) -> None:
    for words in commands(PAGES[name]):
        verb, rest = split(words)
        assert verb in VERBS
        given = {word for word in rest if word.startswith("-")}
        assert given <= VERBS[verb], f"kellgren {verb}"


@pytest.mark.parametrize("name", having("python"))
def test_snippets_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_cohort(Path("phantoms"), 10, seed=0)
    script, lines = tmp_path / f"{PAGES[name].stem}.py", ""
    for above, block in blocks(PAGES[name], "python"):
        # As many lines above as on the page, so that a traceback names the page's own.
        lines += "\n" * (above - lines.count("\n")) + block
    script.write_text(lines, "utf-8")
    runpy.run_path(str(script))


@pytest.mark.parametrize("name", having("json"))
def test_results_that_are_shown_could_have_been_written(name: str) -> None:
    for _, block in blocks(PAGES[name], "json"):
        for knee in from_json(block).knees:
            for answer in knee.grades.values():
                assert sum(answer.probabilities) == pytest.approx(1.0)
                assert max(answer.probabilities) == answer.probabilities[answer.grade]
                mean = sum(grade * p for grade, p in enumerate(answer.probabilities))
                assert answer.expected == pytest.approx(mean)
                assert answer.grade in answer.set
                assert all(after == before + 1 for before, after in pairwise(answer.set))
            assert knee.kl == knee.grades["kl"]


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for link in _LINK.findall(prose(PAGES[name])):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (PAGES[name].parent / path).resolve() if path else PAGES[name]
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


def test_every_page_can_be_reached_from_the_index() -> None:
    index = PAGES["docs/index.md"]
    linked = {(index.parent / link).resolve() for link in _LINK.findall(prose(index))}
    assert {page for name, page in PAGES.items() if name.startswith("docs/")} <= {index, *linked}


def test_every_column_of_the_tidy_table_is_described() -> None:
    described = set(re.findall(r"`(\w+)`", PAGES["docs/contracts.md"].read_text("utf-8")))
    assert set(COLUMNS) <= described


def test_the_readme_names_every_folder_and_module() -> None:
    package = Path(kellgren.__file__).parent
    named = set(re.findall(r"`([\w./]+)`", PAGES["README.md"].read_text("utf-8")))
    folders = {f"{path.name}/" for path in package.iterdir() if path.is_dir()} - {"__pycache__/"}
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    assert folders | modules <= named
