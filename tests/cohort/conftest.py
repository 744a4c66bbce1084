"""Small films of every kind with a table, and the folder that they are prepared into."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kellgren.anatomy import KL, Laterality
from kellgren.cohort import Output
from kellgren.cohort.listed import list_films
from kellgren.cohort.prepare import Cutting, Prepared, prepare_films
from kellgren.datasets.phantom import Leg, PhantomFilm, sample_knee, write_film
from kellgren.datasets.table import TRUTH, Row, write_table

L, R, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN
CUTTING = Cutting()


@pytest.fixture(scope="session")
def draw_film() -> Callable[..., None]:
    """Writes a film of few pixels, with tag or place to tell the sides."""
    return _draw


@pytest.fixture(scope="session")
def answer() -> Callable[..., Row]:
    """A row of a table beside the folder ``films``: name, side, grade, and any other column."""
    return _answer


@pytest.fixture(scope="session")
def listed_rows() -> tuple[Row, ...]:
    """The rows of `listed_films`."""
    return ROWS


@pytest.fixture(scope="session")
def listed_films(tmp_path_factory: pytest.TempPathFactory, phantoms: Path) -> Path:
    """The manifest of films of every kind."""
    root = tmp_path_factory.mktemp("listed")
    for seed, (name, sides) in enumerate(DRAWN.items()):
        _draw(root / "films" / name, *sides, seed=seed)
    noise = np.random.default_rng(0).integers(0, 255, (300, 200), dtype=np.uint8)
    Image.fromarray(noise).save(root / "films" / "fog.png")
    shutil.copy(min(phantoms.parent.glob("images/*L.png")), root / "films" / "cut.png")
    (root / "films" / "empty.dcm").touch()
    (root / "films" / "letter.dcm").write_text("Dear colleague", encoding="utf-8")
    write_table(ROWS, root / "manifest.csv")
    return root / "manifest.csv"


@pytest.fixture(scope="session")
def prepare() -> Callable[..., Prepared]:
    """Prepares a manifest or folder of films."""
    return _prepare


@pytest.fixture(scope="session")
def prepared(listed_films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that it became."""
    folder = tmp_path_factory.mktemp("prepared") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1763700000")
        _prepare(listed_films, folder)
    return folder


def _draw(path: Path, *sides: Laterality, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    legs = tuple(
        Leg(sample_knee(rng, laterality=side), (100.0 + 180.0 * index, 220.0), 80.0)
        for index, side in enumerate(sides)
    )
    size = (450, 370 if len(sides) > 1 else 220)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_film(PhantomFilm(legs=legs, size=size, spacing_mm=0.9, seed=seed), path)


def _answer(name: str, side: Laterality = UNKNOWN, value: int | None = None, **more: object) -> Row:
    row = Row(
        dataset="drawn",
        path=f"films/{name}",
        kind="film",
        patient=f"P-{Path(name).stem}",
        exam="baseline",
        laterality=side,
        split="train",
        synthetic=True,
        task="" if value is None else KL.name,
        reader="" if value is None else TRUTH,
        value=value,
    )
    return replace(row, **more)  # type: ignore[arg-type] # any column


ROWS = (
    _answer("both.dcm", R, 1, image="IM-1"),
    _answer("both.dcm", L, 2, image="IM-1"),
    _answer("both.dcm", L, 3, image="IM-1", reader="AB"),
    _answer("both.dcm", UNKNOWN, 0, image="IM-1", task="view"),
    _answer("cut.png", L, 0, kind="region"),
    _answer("cut.png", L, 2, kind="region", task="jsn_medial"),
    _answer("empty.dcm", R, 1),
    _answer("empty.dcm", L, 1),
    _answer("fog.png", R, 4),
    _answer("gone.dcm", L, 0),
    _answer("half.dcm", R, 2, covariates={"sex": "f"}),
    _answer("left.dcm", UNKNOWN, 4),
    _answer("letter.dcm"),
    _answer("more.dcm", R, 3),
    _answer("more.dcm", L, 3),
    _answer("other.dcm", L, 3, sha256="0" * 64),
    _answer("unsided.dcm", UNKNOWN, 2),
    _answer("wrong.dcm", L, 1),
)
DRAWN = {
    "both.dcm": (R, L),
    "half.dcm": (R, L),
    "left.dcm": (L,),
    "more.dcm": (L,),
    "other.dcm": (L,),
    "unsided.dcm": (R, L),
    "wrong.dcm": (R,),
}


def _prepare(
    source: Path,
    folder: Path,
    *,
    cutting: Cutting = CUTTING,
    resume: bool = False,
    workers: int = 1,
    boxes: Path | None = None,
    watch: Callable[[int, int], None] = lambda *_: None,
) -> Prepared:
    return prepare_films(
        list_films(source, boxes=boxes),
        cutting,
        output=Output(folder, resume),
        workers=workers,
        watch=watch,
    )
