"""What is written there once is never done again, and never lost."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kellgren import errors
from kellgren.cohort import Journal
from kellgren.cohort.journal import NAME
from kellgren.records import BundleReference, FilmResult, Problem

HEADER = {"bundle_sha256": "ab" * 32, "precision": "default", "allow_synthetic": False}


def film(source: str, code: str | None = None) -> FilmResult:
    problem = None if code is None else Problem(code, "What happened, and what to do.")
    return FilmResult(
        source, "cd" * 32, BundleReference("b", "1.0.0", "e" * 64), "2026-01-01T00:00:00Z",
        error=problem,
    )  # fmt: skip


def begun(folder: Path, *results: FilmResult, header: dict[str, Any] | None = None) -> Path:
    with Journal(folder, header or HEADER, resume=False) as journal:
        for result in results:
            journal.add(result)
    return folder / NAME


def resumed(folder: Path, header: dict[str, Any] | None = None) -> tuple[str, ...]:
    with Journal(folder, header or HEADER, resume=True) as journal:
        return tuple(result.source for result in journal.results)


def all_errors(kind: type[errors.KellgrenError]) -> Iterator[type[errors.KellgrenError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


class TestLines:
    def test_a_header_then_a_line_a_film(self, tmp_path: Path) -> None:
        path = begun(tmp_path / "new" / "results", film("b"), film("a"))
        header, *lines = path.read_text("utf-8").splitlines()
        assert json.loads(header) == {"journal": 1, **HEADER}
        assert [json.loads(line)["source"] for line in lines] == ["b", "a"]
        assert path.read_bytes().endswith(b"\n")

    def test_a_line_is_on_disk_when_add_returns(self, tmp_path: Path) -> None:
        with Journal(tmp_path, HEADER, resume=False) as journal:
            journal.add(film("a"))
            assert b'"source":"a"' in (tmp_path / NAME).read_bytes()

    def test_results_come_back_by_source_whatever_their_order(self, tmp_path: Path) -> None:
        begun(tmp_path, film("c"), film("a", "file.empty"), film("b"))
        with Journal(tmp_path, HEADER, resume=True) as journal:
            assert journal.results == (film("a", "file.empty"), film("b"), film("c"))
            assert journal.finished("c") == film("c")
            assert journal.finished("d") is None

    def test_a_second_try_replaces_the_first(self, tmp_path: Path) -> None:
        begun(tmp_path, film("a", "file.unreadable"), film("a"))
        with Journal(tmp_path, HEADER, resume=True) as journal:
            assert journal.results == (film("a"),)


class TestResume:
    @pytest.mark.parametrize("kind", list(all_errors(errors.KellgrenError)))
    def test_what_may_succeed_another_time_is_tried_again_and_refusals_stay(
        self, tmp_path: Path, kind: type[errors.KellgrenError]
    ) -> None:
        begun(tmp_path, film("a", kind.code))
        with Journal(tmp_path, HEADER, resume=True) as journal:
            assert (journal.finished("a") is None) is kind.retry

    def test_only_these_are_tried_again(self) -> None:
        again = {kind.code for kind in all_errors(errors.KellgrenError) if kind.retry}
        assert again == {"file.unreadable", "file.missing", "internal"}

    @pytest.mark.parametrize("kept", [1, 10, 200])
    def test_a_torn_last_line_is_dropped_and_written_anew(self, tmp_path: Path, kept: int) -> None:
        path = begun(tmp_path, film("a"), film("b"))
        whole = path.read_bytes()
        last = whole.rindex(b"\n", 0, -1) + 1
        path.write_bytes(whole[: last + kept])
        with Journal(tmp_path, HEADER, resume=True) as journal:
            assert journal.finished("a") is not None
            assert journal.finished("b") is None
            journal.add(film("b"))
        assert path.read_bytes() == whole

    def test_cut_anywhere_it_holds_a_beginning_of_what_it_held(self, tmp_path: Path) -> None:
        path = begun(tmp_path, film("a"), film("b"), film("c"))
        whole = path.read_bytes()
        for end in range(0, len(whole), 29):
            path.write_bytes(whole[:end])
            finished = max(whole[:end].count(b"\n") - 1, 0)
            assert resumed(tmp_path) == ("a", "b", "c")[:finished]
            assert path.read_bytes().startswith(whole[:end][: whole[:end].rfind(b"\n") + 1])

    def test_a_torn_header_begins_anew(self, tmp_path: Path) -> None:
        path = begun(tmp_path)
        whole = path.read_bytes()
        path.write_bytes(whole[:20])
        assert resumed(tmp_path, {**HEADER, "precision": "fast"}) == ()
        assert json.loads(path.read_bytes())["precision"] == "fast"

    @pytest.mark.parametrize("exists", [False, True])
    def test_where_nothing_was_begun_it_begins(self, tmp_path: Path, *, exists: bool) -> None:
        folder = tmp_path / "results"
        if exists:
            folder.mkdir()
        assert resumed(folder) == ()
        assert (folder / NAME).is_file()


class TestRefused:
    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({**HEADER, "bundle_sha256": "cd" * 32}, "bundle_sha256"),
            ({**HEADER, "precision": "fast"}, "precision"),
            ({**HEADER, "allow_synthetic": True}, "allow_synthetic"),
            ({**HEADER, "added": None, "more": 1}, "more"),
            ({"bundle_sha256": "ab" * 32}, "allow_synthetic, precision"),
        ],
    )
    def test_another_header(self, tmp_path: Path, changed: dict[str, Any], named: str) -> None:
        path = begun(tmp_path, film("a"))
        before = path.read_bytes()
        with pytest.raises(errors.JournalMismatch, match=named):
            resumed(tmp_path, changed)
        assert path.read_bytes() == before

    def test_another_version_of_journals(self, tmp_path: Path) -> None:
        path = begun(tmp_path)
        path.write_bytes(path.read_bytes().replace(b'"journal": 1', b'"journal": 2'))
        with pytest.raises(errors.JournalMismatch, match="journal"):
            resumed(tmp_path)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda lines: [b"no header", *lines[1:]],
            lambda lines: [b"[]", *lines[1:]],
            lambda lines: [b"7", *lines[1:]],
            lambda lines: [b"\xff", *lines[1:]],
            lambda lines: [lines[0], lines[1][:50], *lines[2:]],
            lambda lines: [lines[0], b"", *lines[1:]],
            lambda lines: [lines[0], lines[1], bytes(40), lines[2]],
            lambda lines: lines[1:],
        ],
    )
    def test_a_journal_damaged_before_its_end(
        self, tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]]
    ) -> None:
        path = begun(tmp_path, film("a"), film("b"))
        path.write_bytes(b"\n".join(spoil(path.read_bytes().splitlines())) + b"\n")
        before = path.read_bytes()
        with pytest.raises(errors.JournalMismatch):
            resumed(tmp_path)
        assert path.read_bytes() == before

    def test_a_folder_in_use_unless_resume_is_said(self, tmp_path: Path) -> None:
        path = begun(tmp_path, film("a"))
        before = path.read_bytes()
        with pytest.raises(errors.OutputError, match="--resume"):
            begun(tmp_path, film("a"))
        assert path.read_bytes() == before

    @pytest.mark.parametrize("resume", [False, True])
    def test_a_folder_of_someone_elses(self, tmp_path: Path, *, resume: bool) -> None:
        (tmp_path / "grades.csv").write_text("mine", encoding="utf-8")
        with pytest.raises(errors.OutputError, match="Choose another folder"):
            Journal(tmp_path, HEADER, resume=resume)
        assert [item.name for item in tmp_path.iterdir()] == ["grades.csv"]

    @pytest.mark.parametrize("resume", [False, True])
    def test_a_place_that_is_no_folder(self, tmp_path: Path, *, resume: bool) -> None:
        (tmp_path / "file").write_bytes(b"x")
        for place in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(errors.OutputError, match="cannot be written"):
                Journal(place, HEADER, resume=resume)

    def test_a_full_disk_is_a_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        with Journal(tmp_path, HEADER, resume=False) as journal:
            monkeypatch.setattr("os.fsync", full)
            with pytest.raises(errors.OutputError, match="No space left on device"):
                journal.add(film("a"))
