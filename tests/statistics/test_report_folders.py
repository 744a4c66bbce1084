"""What stands in a report's folder: the same again, nothing of an earlier one, nothing lost."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up_answers import FEW, UNSEEN, tables

from kellgren import errors
from kellgren.anatomy import KL
from kellgren.statistics.document import Document
from kellgren.statistics.figures.style import new_figure
from kellgren.statistics.reports.answers import report_answers
from kellgren.statistics.reports.writing import CARD, CARD_MARK, Writer, is_card


@pytest.fixture
def last(tmp_path: Path) -> Path:
    """A report that stands."""
    folder = tmp_path / "r"
    report_answers(*tables(), Writer(folder), tasks=(KL,), looked=UNSEEN, settings=FEW)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_again_gives_the_same_bytes(last: Path, tmp_path: Path) -> None:
    truth, answers = tables()
    order = np.random.default_rng(1).permutation(len(answers))
    shuffled = [answers[i] for i in order]
    again = tmp_path / "again"
    report_answers(truth, shuffled, Writer(again), tasks=(KL,), looked=UNSEEN, settings=FEW)
    files = sorted(path.relative_to(last) for path in last.rglob("*") if path.is_file())
    for name in files:
        assert (again / name).read_bytes() == (last / name).read_bytes()


def test_a_report_replaces_a_report_and_nothing_else(last: Path) -> None:
    truth, answers = tables()
    bare = [replace(row, probabilities=()) for row in answers]
    report_answers(truth, bare, Writer(last), tasks=(KL,), looked=UNSEEN, settings=FEW)
    names = {path.name.split("-")[0] for path in (last / "figures").iterdir()}
    assert names == {"confusion", "subgroups"}
    foreign = last.parent / "mine"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("mine")
    with pytest.raises(errors.OutputError):
        Writer(foreign)


def test_what_belonged_to_an_earlier_report_goes_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    card, notes = folder / CARD, folder / "notes.txt"
    Writer(folder).finish(Document("t", ()), [])
    notes.write_text("mine", "utf-8")
    card.write_text(f"# m 1\n\n{CARD_MARK}`0`.\n", "utf-8")
    assert is_card(card)
    Writer(folder).finish(Document("t", ()), [])
    assert not card.exists()
    # A person's file of that name, and one that is no text.
    for content in (b"# my model\n\nnotes\n", b"", b"\xff\xfe"):
        card.write_bytes(content)
        Writer(folder).finish(Document("t", ()), [])
        assert card.read_bytes() == content
    assert notes.read_text("utf-8") == "mine"


class TestFailed:
    """What fails leaves the last report as it was."""

    def test_by_wrong_tables(self, last: Path) -> None:
        before = contents(last)
        truth, answers = tables()
        strangers = [replace(row, patient="X" + row.patient) for row in answers]
        with pytest.raises(errors.TableError):
            report_answers(truth, strangers, Writer(last), tasks=(KL,), looked=UNSEEN, settings=FEW)
        assert contents(last) == before

    def test_after_figures_were_drawn(self, last: Path) -> None:
        before = contents(last)
        picture = Writer(last).draw(new_figure(), "confusion-kl-model-m-1", "another")
        assert picture.file.removeprefix("figures/") in {Path(name).name for name in before}
        assert contents(last) == before

    def test_without_room_for_the_figures(
        self, last: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = contents(last)
        writer = Writer(last)
        writer.draw(new_figure(), "confusion-kl-model-m-1", "one")

        def full(path: Path, content: bytes) -> int:
            raise OSError(errno.ENOSPC, f"No space left for {len(content)} bytes", str(path))

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            writer.finish(Document("t", ()), [])
        assert contents(last) == before
