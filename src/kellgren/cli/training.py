"""A manifest becomes a run, a run a bundle: ``train`` and ``export``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kellgren import errors
from kellgren.cli.progress import progress

if TYPE_CHECKING:
    from kellgren.training.loop import Step


def train(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="See 'kellgren systems'.")],
    data: Annotated[
        list[Path], typer.Option(help="Tidy table; its 'train' split teaches. A localiser: any.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run.")],
    fidelity: Annotated[
        Literal["paper", "released", "modern"],
        typer.Option(help="As printed, as in the authors' code, or our best training."),
    ] = "modern",
    variant: Annotated[str | None, typer.Option(help="See 'kellgren systems SYSTEM'.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 21,42,84. One network each.")] = None,
    init: Annotated[
        str | None, typer.Option(help="Pretrained weights: a .safetensors file or a timm name.")
    ] = None,
    teacher: Annotated[str | None, typer.Option(help="A bundle to learn from as well.")] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Fewer than the recipe has, for a trial.")
    ] = None,
    device: Annotated[str, typer.Option(help="'cpu', 'cuda', 'mps'.")] = "cpu",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    landmarks: Annotated[
        list[Path] | None, typer.Option(help="Landmarks tables, for 'localiser' only.")
    ] = None,
) -> None:
    """Teach a system, or the localiser (extra 'train'). Says how long it will take.

    Example: `kellgren train tiulpin2018 --data knees.csv -o runs/a --teacher bundles/mobilenetv2`

    Example: `kellgren train localiser --data knees.csv --landmarks landmarks/regions.csv -o runs/l`
    """
    _need_torch("kellgren train")
    if name == "localiser":
        others = {"--variant": variant, "--seeds": seeds, "--init": init, "--teacher": teacher}
        for option, value in others.items():
            if value is not None:
                raise typer.BadParameter(f"{option} is of systems; a localiser has none")
        if (fidelity, device) != ("modern", "cpu"):
            raise typer.BadParameter("a localiser has one recipe, and learns on the processor")
        _train_localiser(data, landmarks or [], output, iterations=iterations, resume=resume)
        return
    if landmarks:
        raise typer.BadParameter("--landmarks teach the localiser only")
    if len(data) != 1:
        raise typer.BadParameter(f"{name} learns from one table")
    from dataclasses import replace

    import torch

    from kellgren.describe import describe_estimate
    from kellgren.grading import load_bundle
    from kellgren.systems import system
    from kellgren.training.run import Watcher
    from kellgren.training.run import train as run

    chosen = system(name)
    if fidelity not in chosen.recipes:
        raise typer.BadParameter(f"{name} has the fidelities {', '.join(chosen.recipes)}")
    if variant is not None and variant not in chosen.variants:
        raise typer.BadParameter(f"{name} has the variants {', '.join(chosen.variants)}")
    recipe = chosen.recipes[fidelity]
    if iterations is not None:
        often = _often(iterations, recipe.validate_every)
        recipe = replace(recipe, iterations=iterations, validate_every=often)
    try:
        wanted = recipe.seeds if seeds is None else tuple(int(seed) for seed in seeds.split(","))
    except ValueError:
        raise typer.BadParameter(f"--seeds {seeds}: give whole numbers, such as 21,42,84") from None
    with (
        progress("cutting regions", None) as cutting,
        progress("asking the teacher", None) as asking,
        progress("learning", None) as learning,
    ):
        kept = run(
            chosen,
            data[0],
            output,
            fidelity=fidelity,
            variant=variant or chosen.default_variant,
            seeds=wanted,
            init=init,
            teacher=None if teacher is None else load_bundle(teacher),
            device=torch.device(device),
            resume=resume,
            recipe=recipe,
            watch=Watcher(
                cutting=cutting,
                asking=asking,
                estimated=lambda seconds: typer.echo(
                    f"estimated: {describe_estimate(seconds, len(wanted))}", err=True
                ),
                step=lambda step: _say_step(step, wanted, learning),
            ),
        )
    for best in kept:
        typer.echo(
            f"seed {best.seed}: kept iteration {best.iteration}, held-back quadratic kappa "
            f"{best.quadratic_kappa:.3f}, accuracy {best.accuracy:.3f}"
        )


def _often(iterations: int, at_most: int) -> int:
    """After how many a trial is validated: four times at least, to see where it goes."""
    return min(max(iterations // 4, 1), at_most)


def _train_localiser(
    data: list[Path], landmarks: list[Path], output: Path, *, iterations: int | None, resume: bool
) -> None:
    from dataclasses import replace

    from kellgren.training.annotated import annotated
    from kellgren.training.localiser import FirstLook, LocaliserRecipe, train_localiser

    recipe = LocaliserRecipe()
    if iterations is not None:
        often = _often(iterations, recipe.validate_every)
        recipe = replace(recipe, iterations=iterations, validate_every=often)
    if not landmarks:
        raise typer.BadParameter("a localiser learns from --landmarks")
    with progress("learning", None) as learning:

        def watch(done: int, loss: float, found: FirstLook | None) -> None:
            learning(done, recipe.iterations)
            if found is not None:
                typer.echo(
                    f"iteration {done}/{recipe.iterations}  loss {loss:.4f}  "
                    f"found {found.found:.3f}  scale right {found.scaled:.3f}  "
                    f"false {found.false:.3f}",
                    err=True,
                )

        last = train_localiser(
            annotated(data, landmarks), output, recipe=recipe, seed=21, resume=resume, watch=watch
        )
    typer.echo(f"held-back composites: {last.found:.1%} of knees found at the first look")


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the bundle.")],
    name: Annotated[str | None, typer.Option(help="Default: the folder's name.")] = None,
    version: Annotated[str, typer.Option(help="Of the bundle.")] = "0.1.0",
    results: Annotated[
        list[str] | None,
        typer.Option(help="Publish measured numbers: 'WHAT=metrics.json' of an evaluation."),
    ] = None,
) -> None:
    """Fuse a run's networks into a bundle, calibrated on patients held back from learning."""
    _need_torch("kellgren export")
    from kellgren.training.export import export_run
    from kellgren.training.export_localiser import export_localiser
    from kellgren.training.localiser import is_localiser_run
    from kellgren.training.published import read_results

    published = [row for item in results or [] for row in read_results(*item.partition("=")[::2])]
    write = export_localiser if is_localiser_run(run) else export_run
    bundle = write(run, output, name=name or output.name, version=version, results=published)
    size = sum(len(content) for content in bundle.contents.values())
    said = bundle.reference
    typer.echo(f"{output}: {said.name} {said.version}, {size / 1e6:.1f} MB")


def _need_torch(command: str) -> None:
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        raise errors.ExtraMissing("train", command)


def _say_step(step: "Step", seeds: tuple[int, ...], advance: Callable[..., None]) -> None:
    advance(seeds.index(step.seed) * step.iterations + step.iteration, len(seeds) * step.iterations)
    if step.validation is not None:
        scores = step.validation
        typer.echo(
            f"seed {scores.seed}  iteration {scores.iteration}/{step.iterations}  "
            f"loss {scores.train_loss:.3f}  held-back kappa {scores.quadratic_kappa:.3f}  "
            f"accuracy {scores.accuracy:.3f}  cross-entropy {scores.cross_entropy:.3f}",
            err=True,
        )
