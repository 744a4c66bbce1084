"""``kellgren prepare`` as someone types it."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from kellgren.anatomy import Laterality
from kellgren.cli import app
from kellgren.cohort.journal import NAME
from kellgren.cohort.prepare import MANIFEST, REJECTS
from kellgren.datasets.table import Row, read_table, write_table
from kellgren.imaging import read_film
from kellgren.reporting import from_json
from kellgren.systems import SYSTEMS, system

L, R = Laterality.LEFT, Laterality.RIGHT

Draw = Callable[..., None]
Answer = Callable[..., Row]

pytestmark = pytest.mark.usefixtures("fixed_time")


def rejects(folder: Path) -> list[tuple[str, str, str]]:
    with (folder / REJECTS).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert all(row["what_to_do"].endswith(".") for row in rows)
    return [(row["source"], row["laterality"], row["code"]) for row in rows]


class TestCommand:
    def run(self, *words: object) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["prepare", *map(str, words)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    def test_it_counts_what_is_there_and_what_is_lost(
        self, listed_films: Path, prepared: Path, tmp_path: Path, listed_rows: Sequence[Row]
    ) -> None:
        status, out, err = self.run(listed_films, "-o", tmp_path / "out")
        assert (status, err) == (1, "")
        first, second = out.splitlines()
        films = len({row.path for row in listed_rows})
        assert first == f"9 regions of {films} films, 6 with truth: {tmp_path / 'out' / MANIFEST}"
        assert second.startswith(
            f"{len(rejects(prepared))} rejects (3 NO_TRUTH, 2 file.empty, 2 NO_KNEE, "
        )
        assert second.endswith(f"): {tmp_path / 'out' / REJECTS}")
        assert rejects(tmp_path / "out") == rejects(prepared)

    def test_nothing_lost_is_status_zero(
        self, tmp_path: Path, draw_film: Draw, answer: Answer
    ) -> None:
        draw_film(tmp_path / "films" / "a.dcm", R, L)
        write_table([answer("a.dcm", R, 1)], tmp_path / "manifest.csv")
        status, out, _ = self.run(tmp_path / "manifest.csv", "-o", tmp_path / "out")
        assert status == 0
        assert "1 rejects (1 NO_TRUTH)" in out
        status, out, _ = self.run(tmp_path / "films", "-o", tmp_path / "bare")
        assert status == 0
        assert "2 regions of 1 films, 0 with truth" in out
        assert "0 rejects: " in out

    def test_a_system_says_how_much_its_regions_show(
        self, tmp_path: Path, draw_film: Draw, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draw_film(tmp_path / "films" / "a.dcm", L)
        ours = system("tiulpin2018")
        recipe = ours.recipes["paper"]
        region = replace(recipe.region, side=110.0, side_unit="mm_detector", align_plateau=True)
        wide = replace(ours, recipes={"paper": replace(recipe, region=region)})
        monkeypatch.setitem(SYSTEMS, "wide", wide)
        words = ("--system", "wide", "--fidelity", "paper")
        assert self.run(tmp_path / "films", "-o", tmp_path / "out", *words)[0] == 0
        header, film = (tmp_path / "out" / NAME).read_text("utf-8").splitlines()
        assert json.loads(header)["align_plateau"]
        (knee,) = from_json(film).knees
        (a, _, _), (c, _, _) = knee.region.matrix
        assert 512 * 0.9 * math.hypot(a, c) == pytest.approx(110.0)
        places = [knee.landmarks[f"tibial_plateau_image_{end}"] for end in ("left", "right")]
        (x0, y0), (x1, y1) = places
        assert math.atan2(c, a) == pytest.approx(math.atan2(y1 - y0, x1 - x0))

    def test_sides_and_spacing_can_be_said(self, tmp_path: Path, draw_film: Draw) -> None:
        draw_film(tmp_path / "films" / "a.dcm", L)
        pixels = read_film(tmp_path / "films" / "a.dcm").pixels
        (tmp_path / "films" / "a.dcm").unlink()
        Image.fromarray((pixels / 16).astype(np.uint8)).save(tmp_path / "films" / "a.png")
        words = ("--laterality", "left", "--spacing-mm", 0.9, "--side-mm", 90)
        status, _, _ = self.run(tmp_path / "films", "-o", tmp_path / "out", *words)
        assert status == 0
        (row,) = read_table(tmp_path / "out" / MANIFEST)
        assert row.laterality is L
        assert row.pixel_spacing_row_mm == pytest.approx(90.0 / 512, abs=1e-6)
        assert not row.synthetic

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (("--side", 1.5, "--side-mm", 120), "give one of"),
            (("--side", 1.5, "--system", "tiulpin2018"), "give one of"),
            (("--system", "tiulpin1918"), "training.invalid"),
            (("--system", "mobilenetv2", "--fidelity", "paper"), "has the fidelities modern"),
            (("--size-px", 10), "64"),
            (("--localiser", "none"), "bundle.not_found"),
        ],
        ids=str,
    )
    def test_wrong_usage_is_status_two(
        self, listed_films: Path, tmp_path: Path, words: Sequence[object], reason: str
    ) -> None:
        status, out, err = self.run(listed_films, "-o", tmp_path / "out", *words)
        assert (status, out) == (2, "")
        assert reason in " ".join(err.replace("│", " ").split())
        assert not (tmp_path / "out").exists()

    def test_where_there_is_nothing_it_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "films").mkdir()
        status, _, err = self.run(tmp_path / "films", "-o", tmp_path / "out")
        assert (status, "no films there" in err) == (2, True)
