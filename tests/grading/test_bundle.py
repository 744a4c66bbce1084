"""A bundle is loaded as it was exported, or refused by name."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kellgren import errors
from kellgren.anatomy import KL
from kellgren.bundles import store as place
from kellgren.bundles.store import FAST_MODEL, MODEL, RECORD, shipped
from kellgren.grading import Bundle, Grader, load_bundle
from kellgren.grading.bundle import parse_record

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(real_bundle: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(real_bundle, tmp_path / "copy"))


def zipped(folder: Path, target: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(target, "w", method) as archive:
        for item in sorted(folder.iterdir()):
            archive.write(item, item.name)
    return target


def edited(folder: Path, edit: Edit) -> Path:
    record = json.loads((folder / RECORD).read_bytes())
    edit(record)
    (folder / RECORD).write_text(json.dumps(record), encoding="utf-8")
    return folder


class TestWhole:
    def test_folder_and_zip_are_the_same_bundle(self, real_bundle: Path, tmp_path: Path) -> None:
        of_folder = load_bundle(real_bundle)
        of_zip = load_bundle(zipped(real_bundle, tmp_path / "bundle.zip"))
        assert of_zip.record == of_folder.record
        assert of_zip.sha256 == of_folder.sha256
        assert of_zip.contents == of_folder.contents
        assert of_zip.contents.keys() == {MODEL}

    def test_its_hash_is_that_of_the_records_bytes(self, real_bundle: Path) -> None:
        content = (real_bundle / RECORD).read_bytes()
        loaded = load_bundle(real_bundle)
        assert loaded.sha256 == hashlib.sha256(content).hexdigest()
        assert loaded.reference.sha256 == loaded.sha256
        assert (loaded.reference.name, loaded.reference.version) == ("tiny-real", "0.1.0")

    def test_what_is_written_is_what_was_read(self, real_bundle: Path) -> None:
        content = (real_bundle / RECORD).read_bytes()
        assert parse_record(content, "here").to_bytes() == content

    def test_whether_it_is_synthetic_follows_from_what_it_learned(
        self, real_bundle: Path, synthetic_bundle: Path
    ) -> None:
        assert not load_bundle(real_bundle).record.synthetic
        assert load_bundle(synthetic_bundle).record.synthetic

    def test_a_second_graph_may_be_there(self, folder: Path, model: bytes) -> None:
        (folder / FAST_MODEL).write_bytes(model)
        digest = hashlib.sha256(model).hexdigest()
        edited(folder, lambda record: record["files"].update({FAST_MODEL: digest}))
        assert load_bundle(folder).contents.keys() == {MODEL, FAST_MODEL}


class TestTampered:
    @pytest.mark.parametrize("index", [0, 1, 1000, 20_000, -1])
    @pytest.mark.parametrize("bit", [0, 7])
    def test_one_bit_of_the_graph(self, folder: Path, index: int, bit: int) -> None:
        content = bytearray((folder / MODEL).read_bytes())
        content[index] ^= 1 << bit
        (folder / MODEL).write_bytes(content)
        with pytest.raises(errors.BundleTampered, match=r"model\.onnx is not the file"):
            load_bundle(folder)

    @pytest.mark.parametrize("end", [0, 100, -1])
    def test_a_graph_cut_short(self, folder: Path, end: int) -> None:
        (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:end])
        with pytest.raises(errors.BundleTampered, match=r"model\.onnx"):
            load_bundle(folder)

    @pytest.mark.parametrize("name", ["notes.txt", ".hidden", FAST_MODEL, "bundle.json.bak"])
    def test_an_added_file(self, folder: Path, name: str) -> None:
        (folder / name).write_bytes(b"more")
        with pytest.raises(errors.BundleTampered, match="does not belong"):
            load_bundle(folder)
        with pytest.raises(errors.BundleTampered, match="does not belong"):
            load_bundle(zipped(folder, folder.parent / "b.zip"))

    def test_an_added_folder(self, folder: Path) -> None:
        (folder / "more").mkdir()
        (folder / "more" / "code.py").write_text("print()", encoding="utf-8")
        with pytest.raises(errors.BundleTampered, match="more does not belong"):
            load_bundle(folder)

    def test_a_missing_graph(self, folder: Path) -> None:
        (folder / MODEL).unlink()
        with pytest.raises(errors.BundleTampered, match=r"model\.onnx is missing"):
            load_bundle(folder)
        with pytest.raises(errors.BundleTampered, match=r"model\.onnx is missing"):
            load_bundle(zipped(folder, folder.parent / "b.zip"))

    def test_a_missing_record(self, folder: Path) -> None:
        (folder / RECORD).unlink()
        with pytest.raises(errors.BundleInvalid, match=r"holds no bundle\.json"):
            load_bundle(folder)


class TestRecord:
    @pytest.mark.parametrize(
        "part",
        [
            lambda record: record,
            lambda record: record["region"],
            lambda record: record["tasks"][0],
            lambda record: record["conformal"][KL.name],
            lambda record: record["members"][1],
            lambda record: record["trained_on"][0],
            lambda record: record["requires"],
        ],
        ids=["top", "region", "task", "conformal", "member", "trained_on", "requires"],
    )
    def test_unknown_fields_are_refused_wherever_they_stand(self, folder: Path, part: Edit) -> None:
        def edit(record: dict[str, Any]) -> None:
            chosen = part(record)
            assert isinstance(chosen, dict)
            chosen["threshold"] = 1

        with pytest.raises(errors.BundleInvalid, match="threshold"):
            load_bundle(edited(folder, edit))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("format", 2),
            ("version", "1.0"),
            ("version", "v1.0.0"),
            ("name", "../tiny"),
            ("name", "Tiny"),
            ("kind", "localiser"),
            ("fusion", "median"),
            ("tasks", []),
            ("temperature", {}),
            ("bias", {"kl": [0.0, 0.1]}),
            ("bias", {"jsn_medial": [0.0] * 5}),
            ("bias", {"kl": [0.0, 0.0, 0.0, 0.0, float("inf")]}),
            ("temperature", {"kl": 0.0}),
            ("temperature", {"kl": 1.0, "jsn_medial": 1.0}),
            ("conformal", {}),
            ("conformal", {"kl": {"method": "contiguous_mass", "coverage": 0.9, "q": 1.5}}),
            ("conformal", {"kl": {"method": "other", "coverage": 0.9, "q": 0.5}}),
            ("files", {}),
            ("files", {"model.onnx": "0" * 63}),
            ("files", {"model.onnx": "0" * 64, "../model.onnx": "0" * 64}),
            ("region", {"side": None}),
        ],
        ids=str,
    )
    def test_what_breaks_the_contract_is_refused(
        self, folder: Path, field: str, value: object
    ) -> None:
        with pytest.raises(errors.BundleInvalid, match=r"bundle\.json"):
            load_bundle(edited(folder, lambda record: record.update({field: value})))

    @pytest.mark.parametrize("field", ["name", "region", "temperature", "trained_on", "files"])
    def test_what_is_needed_cannot_be_left_out(self, folder: Path, field: str) -> None:
        with pytest.raises(errors.BundleInvalid, match=field):
            load_bundle(edited(folder, lambda record: record.pop(field)))

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
    def test_numbers_that_json_lacks_are_refused(self, folder: Path, number: str) -> None:
        text = (folder / RECORD).read_text("utf-8")
        spoilt = text.replace('"kl": 1.5', f'"kl": {number}')
        assert spoilt != text
        (folder / RECORD).write_text(spoilt, encoding="utf-8")
        with pytest.raises(errors.BundleInvalid):
            load_bundle(folder)

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 5000], ids=repr
    )
    def test_what_is_no_record_is_refused(self, folder: Path, content: bytes) -> None:
        (folder / RECORD).write_bytes(content)
        with pytest.raises(errors.BundleInvalid):
            load_bundle(folder)

    def test_a_graph_that_is_none_is_refused_when_it_is_opened(self, bundle: Bundle) -> None:
        with pytest.raises(errors.BundleInvalid, match="ONNX"):
            Grader(Bundle(bundle.record, bundle.sha256, {MODEL: b"no graph"}))


class TestZip:
    @pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "..\\x", "in/model.onnx"])
    def test_a_name_that_leads_elsewhere_is_refused_and_written_nowhere(
        self, real_bundle: Path, tmp_path: Path, name: str
    ) -> None:
        inner = tmp_path / "inner"
        inner.mkdir()
        path = zipped(real_bundle, inner / "b.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"payload")
        with pytest.raises(errors.BundleTampered, match="does not belong"):
            load_bundle(path)
        assert [item.name for item in tmp_path.rglob("*")] == ["inner", "b.zip"]

    # zipfile warns of what this archive is made to hold
    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_files_of_one_name_are_refused(self, real_bundle: Path, tmp_path: Path) -> None:
        path = zipped(real_bundle, tmp_path / "b.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(MODEL, b"another")
        with pytest.raises(errors.BundleInvalid, match="more than once"):
            load_bundle(path)

    def test_a_bomb_is_refused_by_the_size_it_declares(
        self, real_bundle: Path, tmp_path: Path
    ) -> None:
        path = zipped(real_bundle, tmp_path / "b.zip", zipfile.ZIP_STORED)
        content = bytearray(path.read_bytes())
        # The uncompressed size of the second entry of the central directory (PKZIP 4.3.12).
        second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
        content[second + 24 : second + 28] = (4_000_000_000).to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(errors.BundleInvalid, match="4000000000 bytes"):
            load_bundle(path)

    def test_a_size_declared_too_small_does_not_help_a_bomb(
        self, real_bundle: Path, tmp_path: Path
    ) -> None:
        path = zipped(real_bundle, tmp_path / "b.zip")
        content = bytearray(path.read_bytes())
        second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
        content[second + 24 : second + 28] = (10).to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(errors.BundleTampered):
            load_bundle(path)

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_a_damaged_byte_is_refused_by_name_or_harmless(
        self, real_bundle: Path, tmp_path: Path, method: int
    ) -> None:
        path = zipped(real_bundle, tmp_path / "b.zip", method)
        whole, expected = path.read_bytes(), load_bundle(path)
        # Every 997th byte, and every third of the directory at the end.
        end = whole.index(b"PK\x01\x02")
        refused = 0
        for index in (*range(0, end, 997), *range(end, len(whole), 3)):
            content = bytearray(whole)
            content[index] ^= 0xFF
            path.write_bytes(content)
            try:
                found = load_bundle(path)
            except errors.BundleError:
                refused += 1
            else:  # dates, permissions and the like
                assert found.sha256 == expected.sha256
                assert found.contents == expected.contents
        assert refused >= len(range(997, end, 997))


class TestNames:
    def test_shipped_bundles_are_found_by_name(
        self, real_bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(place, "SHIPPED", real_bundle.parent)
        assert shipped() == ("tiny-real",)
        assert load_bundle("tiny-real").record.name == "tiny-real"

    @pytest.mark.parametrize("name", ["", ".", "none-such", "../bundles", "a.zip"])
    def test_a_name_that_is_none_lists_what_there_is(
        self, real_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(place, "SHIPPED", real_bundle.parent)
        (tmp_path / "empty").mkdir()
        monkeypatch.chdir(tmp_path / "empty")
        (tmp_path / "empty" / "a.zip").write_bytes(b"no zip")
        with pytest.raises((errors.BundleNotFound, errors.BundleInvalid)) as caught:
            load_bundle(name)
        assert "tiny-real" in str(caught.value) or "holds no bundle.json" in str(caught.value)

    def test_a_folder_without_a_record_ships_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "draft").mkdir()
        monkeypatch.setattr(place, "SHIPPED", tmp_path)
        assert shipped() == ()
        with pytest.raises(errors.BundleNotFound, match="none"):
            load_bundle("draft")

    @pytest.mark.parametrize("name", shipped("grader"))
    def test_what_ships_is_whole_small_and_learned_from_people(self, name: str) -> None:
        loaded = load_bundle(name)
        assert loaded.record.name == name
        assert sum(map(len, loaded.contents.values())) <= 25_000_000
        assert not loaded.record.synthetic
        assert loaded.record.results
        assert loaded.record.self_test.keys() == {task.name for task in loaded.record.tasks}
