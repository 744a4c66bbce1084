"""A file is there whole, or as it was before."""

import os
import stat
from pathlib import Path

import pytest

from kellgren.files import write_atomically


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
