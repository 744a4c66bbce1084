"""A cohort of phantoms, a run that learned from it, and the bundle that the run became.

The networks are narrow and learn for four iterations: what is shown is that nothing is lost on the
way, not that they can grade.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kellgren.datasets.phantom import write_cohort
from kellgren.datasets.splits import Part
from kellgren.datasets.table import Row, read_table, write_table
from kellgren.grading import Bundle, Grader, load_bundle
from kellgren.imaging import Region, cut_region, read_raster, whole_picture
from kellgren.systems import Distillation, Fidelity, Recipe, System, system
from kellgren.training.export import export_run
from kellgren.training.loop import Validation
from kellgren.training.run import Watcher, parts_of, train

SIAMESE = system("tiulpin2018")

Told = dict[str, list[tuple[float, ...]]]
Teach = Callable[..., list[Validation]]


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """`modern`, for a minute part of its iterations."""
    return replace(
        SIAMESE.recipes["modern"],
        iterations=4,
        validate_every=2,
        batch_size=4,
        seeds=(21, 42),
        bfloat16=False,
        distillation=Distillation(weight=0.7, temperature=2.0, views=3),
    )


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven patients; the hash puts three of them to learning and one to either other part."""
    return write_cohort(tmp_path_factory.mktemp("cohort"), 14, seed=98)


@pytest.fixture(scope="session")
def parts(manifest: Path) -> dict[Part, list[Row]]:
    """Whom the cohort has for what."""
    return parts_of(read_table(manifest))


@pytest.fixture
def other_truth(manifest: Path, parts: dict[Part, list[Row]], tmp_path: Path) -> Path:
    """The same table with another grade for the first knee that calibrates."""
    first = parts["calibration"][0]
    rows = [
        replace(row, value=4 - (row.value or 0)) if row.key == first.key else row
        for row in read_table(manifest)
    ]
    write_table(rows, tmp_path / "changed.csv")
    return tmp_path / "changed.csv"


@pytest.fixture(scope="session")
def teach(manifest: Path, recipe: Recipe) -> Teach:
    """Trains as told; ``told`` gets what is told meanwhile, ``kill_at`` one of it stops."""
    ours, data = recipe, manifest

    def run(
        folder: Path,
        *,
        taught: System = SIAMESE,
        manifest: Path = data,
        variant: str = "n8-shared",
        fidelity: Fidelity = "modern",
        recipe: Recipe = ours,
        seeds: tuple[int, ...] | None = None,
        init: str | None = None,
        teacher: Bundle | None = None,
        resume: bool = False,
        told: Told | None = None,
        kill_at: tuple[object, ...] = (),
    ) -> list[Validation]:
        def tell(what: str, *numbers: float) -> None:
            if told is not None:
                told.setdefault(what, []).append(numbers)
            if (what, *numbers) == kill_at:
                raise KeyboardInterrupt

        return train(
            taught,
            manifest,
            folder,
            fidelity=fidelity,
            variant=variant,
            seeds=seeds or recipe.seeds,
            init=init,
            teacher=teacher,
            device=torch.device("cpu"),
            resume=resume,
            watch=Watcher(
                cutting=lambda done, everyone: tell("cutting", done, everyone),
                asking=lambda done, views: tell("asking", done, views),
                estimated=lambda seconds: tell("estimated", seconds),
                step=lambda step: tell("step", step.seed, step.iteration),
            ),
            recipe=recipe,
        )

    return run


@pytest.fixture(scope="session")
def told() -> Told:
    """What the run told while it learned."""
    return {}


@pytest.fixture(scope="session")
def kept(
    tmp_path_factory: pytest.TempPathFactory, teach: Teach, told: Told
) -> tuple[Path, list[Validation]]:
    """The run's folder, and the snapshots that it kept."""
    folder = tmp_path_factory.mktemp("runs") / "siamese"
    with _one_thread():
        return folder, teach(folder, told=told)


@pytest.fixture(scope="session")
def run(kept: tuple[Path, list[Validation]]) -> Path:
    """The run's folder."""
    return kept[0]


@pytest.fixture(scope="session")
def place(run: Path) -> Path:
    """The folder of its bundle."""
    target = run.parent / "bundles" / "tiny"
    with _one_thread():
        export_run(run, target, name="tiny", version="1.2.3")
    return target


@pytest.fixture(scope="session")
def exported(place: Path) -> Bundle:
    """Its bundle."""
    return load_bundle(place)


@pytest.fixture(scope="session")
def seen(manifest: Path) -> Callable[[Row, Grader], Region]:
    """What a grader's networks see of a row."""

    def cut(row: Row, grader: Grader) -> Region:
        spec = grader.bundle.record.region
        film = read_raster(manifest.parent / row.path)
        region = cut_region(film, whole_picture(film, spec), spec)
        return region if row.laterality == spec.mirror_to else region.mirror()

    return cut


@contextmanager
def _one_thread() -> Iterator[None]:
    """As `one_thread` does for a module's tests, whose fixtures come before it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
