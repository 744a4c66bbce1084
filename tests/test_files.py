"""A file is there whole, or as it was before."""

import os
import stat
from pathlib import Path

import pytest

from kellgren import errors
from kellgren.files import named_if_refused, refuse_foreign, write_atomically


class PowerCutError(Exception):
    """Stands for whatever stops a program in the midst of a file."""


def write_and_fail(path: Path) -> None:
    with write_atomically(path) as stream:
        stream.write("new")
        stream.flush()
        raise PowerCutError


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file_that_was_not_finished_changes_nothing(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "table.csv"
    if before is not None:
        path.write_text(before)
    with pytest.raises(PowerCutError):
        write_and_fail(path)
    assert names(tmp_path) == ([] if before is None else [path.name])
    if before is not None:
        assert path.read_text() == before


def test_the_old_file_stands_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with write_atomically(path) as stream:
        stream.write("new")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == [path.name]


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    text, content = "één\r\nzwei\n", bytes(range(256))
    with write_atomically(tmp_path / "made" / "on" / "the way" / "text") as stream:
        stream.write(text)
    with write_atomically(tmp_path / "bytes", binary=True) as raw:
        raw.write(content)
    assert (tmp_path / "made" / "on" / "the way" / "text").read_bytes() == text.encode()
    assert (tmp_path / "bytes").read_bytes() == content


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_a_file_has_the_permissions_that_the_users_mask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with write_atomically(tmp_path / "shared") as stream:
            stream.write("for the group")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o640


def test_what_the_system_refuses_has_a_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(errors.OutputError, match="file: cannot be written"),
        named_if_refused(tmp_path / "file"),
    ):
        (tmp_path / "file").mkdir()


class TestForeign:
    @pytest.mark.parametrize("exists", [False, True])
    def test_an_empty_place_is_free(self, tmp_path: Path, *, exists: bool) -> None:
        folder = tmp_path / "out"
        if exists:
            folder.mkdir()
        refuse_foreign(folder, ours=False, what="cohort")
        assert folder.exists() is exists

    def test_only_what_is_ours_may_be_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        refuse_foreign(tmp_path, ours=True, what="cohort")
        with pytest.raises(errors.OutputError, match="no earlier cohort"):
            refuse_foreign(tmp_path, ours=False, what="cohort")

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(errors.OutputError, match="cannot be written"):
            refuse_foreign(tmp_path / "file", ours=False, what="cohort")
