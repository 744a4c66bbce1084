"""Which films there are, what they are called, and what is known of them."""

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.cohort import find_films
from kellgren.cohort.journal import NAME
from kellgren.datasets.table import TRUTH, Row, write_table

_NAMES = st.lists(
    st.sampled_from([b"a", b"\\", b"udce9", b"\xe9", b"\xc3\xa9", b"\n", b"u", b"dce9"]),
    min_size=1,
    max_size=6,
).map(b"".join)
"""Of letters, backslashes, bytes that are no UTF-8, and what those look like when written."""

LEFT, RIGHT, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN


@pytest.fixture
def lay(tmp_path: Path) -> Callable[..., Path]:
    """Files of a folder; what is in them does not matter here."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "films" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return tmp_path / "films"

    return make


Lay = Callable[..., Path]


def sources(*paths: Path) -> list[str]:
    return [film.source for film in find_films(paths, laterality=None, manifest=None)]


class TestFolders:
    def test_they_are_searched_to_the_bottom_in_the_order_of_their_names(self, lay: Lay) -> None:
        folder = lay("b.png", "a/z.png", "a/b/c/deep.tif", "a.png", "c", "Z.JPG")
        assert sources(folder) == ["Z.JPG", "a/b/c/deep.tif", "a/z.png", "a.png", "b.png", "c"]

    def test_what_is_plainly_no_film_is_left_out(self, lay: Lay) -> None:
        folder = lay(
            "a.png",
            ".DS_Store",
            "._a.png",
            ".thumbnails/a.png",
            "deep/.git/objects/a.png",
            "Thumbs.db",
            "desktop.ini",
            "manifest.csv",
            "deep/readers.parquet",
            "result.json",
            "journal.jsonl",
            "report.html",
        )
        assert sources(folder) == ["a.png"]

    def test_what_is_named_is_always_tried(self, lay: Lay) -> None:
        folder = lay(".hidden.png", "manifest.csv")
        assert sources(folder / ".hidden.png", folder / "manifest.csv", folder / "none.png") == [
            ".hidden.png",
            "manifest.csv",
            "none.png",
        ]

    def test_overlays_of_an_earlier_batch_are_no_films(self, lay: Lay) -> None:
        folder = lay("a.png", f"results/{NAME}", "results/overlays/a-0123456789.png")
        assert sources(folder) == ["a.png"]

    def test_an_empty_folder_holds_none(self, tmp_path: Path) -> None:
        assert find_films([tmp_path], laterality=None, manifest=None) == ()

    def test_a_pipe_does_not_hang_the_batch(self, lay: Lay) -> None:
        folder = lay("a.png")
        os.mkfifo(folder / "pipe.png")
        assert sources(folder) == ["a.png"]

    def test_links_are_followed_and_dead_ones_listed(self, lay: Lay, tmp_path: Path) -> None:
        folder = lay("a.png")
        (tmp_path / "elsewhere" / "site").mkdir(parents=True)
        (tmp_path / "elsewhere" / "site" / "b.png").write_bytes(b"x")
        (folder / "link").symlink_to(tmp_path / "elsewhere")
        (folder / "dead.png").symlink_to(tmp_path / "nowhere")
        # Round in a circle, and to where the search began.
        (tmp_path / "elsewhere" / "site" / "again").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / "site" / "home").symlink_to(folder)
        assert sources(folder) == ["a.png", "dead.png", "link/site/b.png"]

    def test_a_link_takes_no_films_from_the_folder_that_it_leads_to(
        self, lay: Lay, tmp_path: Path
    ) -> None:
        folder = lay("site/deep/x.png", "site/y.png", "a/z.png")
        before = sources(folder)
        # They sort before what they lead to.
        (folder / "a" / "again").symlink_to(folder / "site")
        (folder / "a" / "deeper").symlink_to(folder / "site" / "deep")
        assert sources(folder) == before
        # From the link's own place it is the way there.
        assert sources(folder / "a") == ["again/deep/x.png", "again/y.png", "z.png"]
        (folder / "a" / "above").symlink_to(tmp_path)
        assert sources(folder) == before

    @pytest.mark.parametrize("target", [".", "..", "../films", "a", "b/../a"])
    def test_no_link_leads_round_for_ever(self, lay: Lay, target: str) -> None:
        folder = lay("a/x.png", "b/y.png")
        (folder / "a" / "loop").symlink_to(folder / target)
        (folder / "b" / "loop").symlink_to(folder / target)
        (folder / "a" / "self").symlink_to("self")
        assert sources(folder) == ["a/self", "a/x.png", "b/y.png"]

    def test_a_link_to_an_earlier_batch_is_none(self, lay: Lay, tmp_path: Path) -> None:
        folder = lay("a.png", "x")
        (tmp_path / "results" / "overlays").mkdir(parents=True)
        (tmp_path / "results" / NAME).touch()
        (tmp_path / "results" / "overlays" / "a-0123456789.png").touch()
        (folder / "earlier").symlink_to(tmp_path / "results")
        assert sources(folder) == ["a.png", "x"]

    def test_folders_deeper_than_the_system_goes_are_not_passed_over(
        self, lay: Lay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = lay("a.png")
        monkeypatch.chdir(folder)
        for _ in range(25):  # of 200 letters; a path has 4096 at most
            os.mkdir("d" * 200)  # noqa: PTH102 - Path would ask for the whole path
            monkeypatch.chdir("d" * 200)
        film, unseen = sources(folder)
        assert film == "a.png"
        # The first of them that could not be listed.
        assert 10 < unseen.count("d" * 200) < 25
        assert set(unseen) == {"d", "/"}

    def test_a_folder_that_cannot_be_listed_is_not_passed_over(
        self, lay: Lay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = lay("a.png", "secret/b.png")
        scan = os.scandir

        def refuse(path: str) -> Iterator[Any]:
            if str(path).endswith("secret"):
                raise PermissionError(13, "Permission denied", str(path))
            return scan(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert sources(folder) == ["a.png", "secret"]

    def test_a_name_of_any_bytes_is_text(self, lay: Lay) -> None:
        folder = lay("膝.png")
        path = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
        path.write_bytes(b"x")
        found = find_films([folder], laterality=None, manifest=None)
        assert {film.source for film in found} == {"膝.png", "caf\\udce9.png"}
        for film in found:
            film.source.encode()  # goes into journals and tables
            assert film.path.read_bytes() == b"x"

    @given(st.lists(_NAMES, min_size=2, max_size=2, unique=True))
    def test_two_names_are_two_sources(self, names: list[bytes]) -> None:
        films = find_films([Path(os.fsdecode(name)) for name in names])
        one, other = (film.source for film in films)
        assert one != other
        for source in (one, other):
            source.encode()

    def test_usual_names_are_written_as_they_are(self, lay: Lay) -> None:
        names = ["a\\b.png", "a\nb.png", "caf\\u00e9.png", "café.png"]
        assert sources(lay(*names)) == sorted(names)


class TestNames:
    @pytest.mark.parametrize("length", [260, 5000])
    def test_one_that_is_too_long_is_for_whoever_reads_it(self, lay: Lay, length: int) -> None:
        assert sources(lay("a.png") / ("x" * length)) == ["x" * length]

    def test_two_films_of_one_name_are_refused(self, lay: Lay) -> None:
        folder = lay("a/knee.png", "b/knee.png")
        assert sources(folder) == ["a/knee.png", "b/knee.png"]
        with pytest.raises(errors.OutputError, match=r"would both be called 'knee\.png'"):
            sources(folder / "a", folder / "b")

    def test_a_film_given_twice_is_refused(self, lay: Lay) -> None:
        folder = lay("a.png")
        with pytest.raises(errors.OutputError, match="both be called"):
            sources(folder, folder / "a.png")

    def test_folders_and_files_go_together_in_the_order_given(self, lay: Lay) -> None:
        folder = lay("z.png", "sub/b.png", "sub/a.png")
        assert sources(folder / "z.png", folder / "sub") == ["z.png", "a.png", "b.png"]


@pytest.fixture
def manifest(lay: Lay) -> Path:
    """Three films and one question too many; the manifest lies above them."""
    folder = lay("a.png", "b.png", "deep/c.png", "unlisted.png")
    row = Row(task="kl", reader=TRUTH, value=1)
    rows = [
        dataclasses.replace(
            row, path="films/a.png", image="a", patient="P1", laterality=LEFT, task=task
        )
        for task in ("kl", "jsn_medial")
    ]
    rows += [
        dataclasses.replace(row, path="films/b.png", image="b", laterality=RIGHT),
        dataclasses.replace(row, path="films/deep/c.png", image="c", patient="P3"),
        dataclasses.replace(row, image="without a picture", patient="P4"),
    ]
    write_table(rows, folder.parent / "m.csv")
    return folder.parent / "m.csv"


class TestManifests:
    def test_they_give_sides_and_subjects(self, manifest: Path) -> None:
        found = find_films([manifest.parent / "films"], laterality=None, manifest=manifest)
        assert [(film.source, film.laterality, film.subject) for film in found] == [
            ("a.png", LEFT, "P1"),
            ("b.png", RIGHT, None),
            ("deep/c.png", None, "P3"),
            ("unlisted.png", None, None),
        ]

    def test_one_of_other_pictures_is_an_error(self, manifest: Path, tmp_path: Path) -> None:
        copied = tmp_path / "copy" / "films"
        shutil.copytree(manifest.parent / "films", copied)
        with pytest.raises(errors.TableError) as caught:
            find_films([copied], manifest=manifest)
        for said in (
            f"{manifest}: the manifest names 0 of 4 pictures",
            "relative to its own folder",
            f"the first leads to {manifest.parent / 'films' / 'a.png'}",
        ):
            assert said in str(caught.value)
        # as the error advises
        beside = Path(shutil.copy(manifest, tmp_path / "copy"))
        assert find_films([copied], manifest=beside)[0].subject == "P1"

    def test_one_without_paths_is_an_error(self, lay: Lay, tmp_path: Path) -> None:
        (tmp_path / "m.csv").write_text("image,laterality\na,left\n", encoding="utf-8")
        with pytest.raises(errors.TableError, match=r"0 of 1 pictures.*no row has one"):
            find_films([lay("a.png")], manifest=tmp_path / "m.csv")

    def test_one_of_some_of_the_pictures_is_a_log_line(
        self, manifest: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        films = manifest.parent / "films"
        find_films([films / "a.png", films / "b.png"], manifest=manifest)
        find_films([], manifest=manifest)
        assert caplog.messages == []
        find_films([films], manifest=manifest)
        (said,) = caplog.messages
        assert said.startswith(f"{manifest}: the manifest names 3 of 4 pictures; ")

    def test_what_the_user_says_goes_before(self, manifest: Path) -> None:
        found = find_films([manifest.parent / "films"], laterality=RIGHT, manifest=manifest)
        assert {film.laterality for film in found} == {RIGHT}
        assert found[0].subject == "P1"

    def test_without_paths_they_list_the_films(self, manifest: Path) -> None:
        found = find_films([], laterality=None, manifest=manifest)
        assert [film.source for film in found] == ["films/a.png", "films/b.png", "films/deep/c.png"]
        assert all(film.path.is_file() for film in found)

    def test_however_a_path_is_written(
        self, manifest: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(manifest.parent / "films" / "deep")
        found = find_films([Path("../a.png")], laterality=None, manifest=Path("../../m.csv"))
        assert [(film.source, film.subject) for film in found] == [("a.png", "P1")]

    def test_a_path_and_a_side_are_enough(self, lay: Lay) -> None:
        folder = lay("a.png", "b.png", "deep/a.png")
        table = folder / "sides.csv"
        table.write_text("path,laterality\na.png,left\nb.png,left\ndeep/a.png,right\n", "utf-8")
        found = find_films([], laterality=None, manifest=table)
        assert [(film.source, film.laterality) for film in found] == [
            ("a.png", LEFT),
            ("b.png", LEFT),
            ("deep/a.png", RIGHT),
        ]

    def test_a_path_that_is_none_is_an_error(self, lay: Lay) -> None:
        table = lay("a.png") / "sides.csv"
        table.write_text("path,laterality\na\0.png,left\n", "utf-8")
        with pytest.raises(errors.TableError, match="no path"):
            find_films([], laterality=None, manifest=table)

    @pytest.mark.parametrize("name", ["none.csv", f"{'n' * 300}.csv"])
    def test_one_that_is_not_there_is_an_error(self, lay: Lay, name: str) -> None:
        with pytest.raises(errors.TableError, match="no such table"):
            find_films([lay("a.png")], laterality=None, manifest=Path(name))
