"""``kellgren check``: what passes, and what each failure says."""

import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from as_typed import run
from numpy.typing import NDArray

from kellgren.bundles import DEFAULT, DEFAULT_LOCALISER
from kellgren.bundles.store import MODEL, RECORD
from kellgren.imaging import Radiograph
from kellgren.imaging.dicom import apart
from kellgren.imaging.dicom.examples import EXAMPLES, Example
from kellgren.imaging.raster import decode_raster
from kellgren.selfcheck import run_checks

Pixels = NDArray[Any]


class TestCheck:
    def test_a_good_installation_passes(self, shipped: Path) -> None:
        status, out, err = run("check")
        assert (status, err) == (0, "")
        lines = out.splitlines()
        # every decoder, the localiser, and of the grader its bytes and its answer
        assert len(lines) == 4 + len(EXAMPLES) + 1 + 2
        for name in ("RLE", "JPEG", "JPEG lossless", "JPEG-LS", "JPEG 2000"):
            assert f"reads DICOM, {name}: " in out
        assert len(list(shipped.iterdir())) == 2
        assert all(line.startswith("ok ") for line in lines)
        # the files are held against the record, and the record is known by its hash alone
        for name in ("tiny-real", DEFAULT_LOCALISER):
            sha256 = hashlib.sha256((shipped / name / RECORD).read_bytes()).hexdigest()
            (line,) = [
                line for line in lines if re.match(rf"ok +(bundle|localiser) {name}: ", line)
            ]
            assert line.endswith(f", its files match its record (sha256 {sha256[:12]})")
        assert "grade of tiny-real" in out

    def test_an_installation_without_a_bundle_fails(self, shipped: Path) -> None:
        shutil.rmtree(shipped / "tiny-real")
        status, out, _ = run("check")
        assert status == 1
        (failed,) = [line for line in out.splitlines() if not line.startswith("ok ")]
        assert failed.startswith("FAILED  bundles: none ships")

    def test_a_changed_graph_fails(self, shipped: Path) -> None:
        model = shipped / "tiny-real" / MODEL
        model.write_bytes(model.read_bytes() + b" ")
        status, out, _ = run("check")
        assert status == 1
        failed = [line for line in out.splitlines() if line.startswith("FAILED")]
        assert len(failed) == 2
        assert all("BundleTampered" in line for line in failed)

    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            (lambda said: {"kl": [*said["kl"][1:], said["kl"][0]]}, "is off by 0."),
            (lambda said: {"jsn_medial": said["kl"]}, "expected jsn_medial in 5 classes"),
            (lambda said: {"kl": said["kl"][:4]}, "expected kl in 4 classes"),
            (lambda _: {}, "expected nothing"),
        ],
        ids=["other numbers", "another task", "fewer classes", "nothing"],
    )
    def test_another_grade_than_at_the_export_fails(
        self,
        shipped: Path,
        spoil: Callable[[dict[str, list[float]]], dict[str, list[float]]],
        why: str,
    ) -> None:
        path = shipped / "tiny-real" / RECORD
        record = json.loads(path.read_bytes())
        record["self_test"] = spoil(record["self_test"])
        path.write_text(json.dumps(record), encoding="utf-8")
        status, out, _ = run("check")
        assert status == 1
        (failed,) = [line for line in out.splitlines() if line.startswith("FAILED")]
        assert failed.startswith("FAILED  grade of tiny-real: BundleInvalid: tiny-real: ")
        assert why in failed
        assert failed.endswith("pip install --force-reinstall kellgren onnxruntime")

    def test_a_decoder_that_is_off_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def brighter(content: bytes, name: str) -> Radiograph:
            film = decode_raster(content, name)
            return Radiograph(film.pixels // 2 + 100, film.sha256)

        monkeypatch.setattr("kellgren.selfcheck.decode_raster", brighter)
        status, out, _ = run("check")
        assert status == 1
        assert len(re.findall(r"^FAILED  reads .*off by", out, re.MULTILINE)) == 4

    @pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
    def test_a_decoder_of_dicom_that_is_off_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch, example: Example
    ) -> None:
        def spoilt(how: Callable[[Pixels], Pixels]) -> Callable[[bytes, str], Radiograph]:
            def decode(_: bytes, name: str) -> Radiograph:
                (asked,) = [each for each in EXAMPLES if each.file == name]
                return Radiograph(how(asked.pixels) if asked == example else asked.pixels, "0")

            return decode

        for how, why in (
            (lambda pixels: pixels // 2, "off by"),
            (lambda pixels: pixels.T.copy(), "(32, 36)"),
            (lambda pixels: pixels[::-1].copy(), "off by"),
        ):
            monkeypatch.setattr("kellgren.selfcheck.decode_dicom", spoilt(how))
            decoders = list(itertools.islice(run_checks(), 4 + len(EXAMPLES)))
            (failed,) = [finding for finding in decoders if not finding.passed]
            assert failed.name == f"reads DICOM, {example.name}"
            assert why in failed.detail
            assert failed.detail.endswith(f"pip install --force-reinstall {example.package}")

    @pytest.mark.usefixtures("shipped")
    def test_without_gdcm_it_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        absent = tmp_path / "absent.py"
        absent.write_text(f"raise SystemExit({apart.ABSENT})", "utf-8")
        monkeypatch.setattr(apart, "__file__", str(absent))
        status, out, _ = run("check")
        assert status == 1
        failed = [line for line in out.splitlines() if not line.startswith("ok ")]
        assert [line.split(": ")[0] for line in failed] == [
            "FAILED  reads DICOM, JPEG lossless",
            "FAILED  reads DICOM, JPEG-LS",
        ]
        for line in failed:
            assert "python-gdcm is not installed" in line
            assert line.endswith("pip install --force-reinstall python-gdcm")

    def test_what_ships_passes(self) -> None:
        status, out, _ = run("check")
        assert status == 0
        assert f"grade of {DEFAULT}: as exported" in out
