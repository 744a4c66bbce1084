"""The command line: words become calls of each room's public functions."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer.core import TyperGroup

from kellgren import __version__, errors
from kellgren.bundles import DEFAULT as DEFAULT_BUNDLE

if TYPE_CHECKING:
    from kellgren.training.loop import Step


class _Commands(TyperGroup):
    """Ends every command as DESIGN.md says: errors of ours are one sentence and exit status 2."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # typer's own base
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except errors.KellgrenError as error:
            typer.echo(f"kellgren: {error.code}: {error}", err=True)
            raise typer.Exit(2) from error
        except KeyboardInterrupt:
            typer.echo("kellgren: stopped. A batch or a training goes on with --resume.", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # Whoever read our output has stopped; that is no error of ours. What is still to be
            # flushed at the end goes nowhere, see docs.python.org/3/library/signal.html#sigpipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(141) from None


app = typer.Typer(
    name="kellgren",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Grade knee osteoarthritis on plain radiographs. Research use only, not a medical device.",
)

BundleOption = Annotated[
    str, typer.Option("--bundle", "-b", help="Name of a shipped bundle, or a bundle's path.")
]


def main() -> None:
    """Run the command line."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kellgren {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    del version


@app.command()
def grade(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Pictures, or folders of them (recursive).")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Empty folder for grades.csv, overlays, report.html, journal."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON a picture on stdout.")
    ] = False,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="The pictures are cut around one knee.")
    ] = False,
    bundle: BundleOption = DEFAULT_BUNDLE,
    laterality: Annotated[
        Literal["left", "right"] | None,
        typer.Option(help="Side of every picture. Unknown sides are graded both ways."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="Tidy table with the sides and subjects of the pictures.")
    ] = None,
    precision: Annotated[
        Literal["default", "fast"],
        typer.Option(help="'fast' uses the processor's short formats (extra 'fast')."),
    ] = "default",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in the output folder of a stopped batch.")
    ] = False,
    allow_synthetic: Annotated[
        bool, typer.Option("--allow-synthetic", help="Let a phantom's bundle grade real films.")
    ] = False,
) -> None:
    """Grade pictures of knees.

    Exit status: 0 if every knee was graded, 1 if some were not (each says why), 2 for wrong usage.

    Example: `kellgren grade --cropped regions/ --laterality right -o results`
    """
    from kellgren.anatomy import Laterality
    from kellgren.cohort import Output, Settings, find_films, grade_films
    from kellgren.reporting import to_json
    from kellgren.reporting.wording import in_words

    if not paths and manifest is None:
        raise typer.BadParameter("give pictures, a folder, or --manifest")
    if resume and output is None:
        raise typer.BadParameter("--resume needs -o, the folder to go on in")
    if not cropped:
        raise errors.WholeFilmsUnsupported
    films = find_films(
        paths or [],
        laterality=None if laterality is None else Laterality(laterality),
        manifest=manifest,
    )
    if not films:
        raise typer.BadParameter("no pictures there")
    results = grade_films(
        films,
        Settings(bundle, precision, allow_synthetic),
        output=None if output is None else Output(output, resume),
        workers=workers,
    )
    refused = 0
    with _progress("grading", len(films)) as advance:
        for result in results:
            refused += not result.complete
            if as_json:
                sys.stdout.write(to_json(result) + "\n")
                sys.stdout.flush()
            elif output is None:
                typer.echo(in_words(result))
            if not result.complete and (as_json or output is not None):
                typer.echo(in_words(result), err=True)
            advance(1)
    if output is not None:
        graded = len(films) - refused
        typer.echo(f"{graded} of {len(films)} graded. Look at {output / 'report.html'}", err=True)
    raise typer.Exit(1 if refused else 0)


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the report.")] = Path(
        "demo"
    ),
) -> None:
    """Grade a few phantom knees with the shipped bundle and say where the report is."""
    import shutil

    from kellgren.cohort import Output, Settings, find_films, grade_films
    from kellgren.datasets.phantom import write_cohort
    from kellgren.reporting.wording import in_words

    marker = output / "phantoms" / "manifest.csv"
    empty = not output.exists() or (output.is_dir() and not any(output.iterdir()))
    if not empty and not marker.exists():
        raise errors.OutputError(f"{output}: is not empty and no demo. Choose another folder.")
    for ours in ("phantoms", "results"):
        shutil.rmtree(output / ours, ignore_errors=True)
    manifest = write_cohort(output / "phantoms", 6, seed=1)
    films = find_films([output / "phantoms" / "images"], laterality=None, manifest=manifest)
    results = grade_films(films, Settings(DEFAULT_BUNDLE), output=Output(output / "results"))
    for result in results:
        typer.echo(in_words(result))
    typer.echo(
        "\nPhantoms are drawings: what a bundle taught on people says of them shows how results "
        f"look, not how well it grades.\nLook at {output / 'results' / 'report.html'}"
    )


@app.command()
def check() -> None:
    """Test this installation: decoders, bundles, and an expected grade."""
    from kellgren.selfcheck import run_checks

    failed = 0
    for finding in run_checks():
        failed += not finding.passed
        typer.echo(f"{'ok    ' if finding.passed else 'FAILED'}  {finding.name}: {finding.detail}")
    raise typer.Exit(1 if failed else 0)


@app.command()
def info(
    bundle: Annotated[str, typer.Argument(help="Name or path.")] = DEFAULT_BUNDLE,
    as_json: Annotated[bool, typer.Option("--json", help="The record itself.")] = False,
) -> None:
    """Print what a bundle is, learned from, and was measured to reach."""
    from kellgren.describe import describe_bundle
    from kellgren.grading import load_bundle

    loaded = load_bundle(bundle)
    typer.echo(loaded.record.model_dump_json(indent=2) if as_json else describe_bundle(loaded))


@app.command()
def systems(
    name: Annotated[str | None, typer.Argument(help="One system, in full.")] = None,
) -> None:
    """List the published systems, or print one: variants, fidelities, what can teach it."""
    from kellgren.describe import describe_system, list_systems
    from kellgren.systems import SYSTEMS, system

    typer.echo(list_systems(SYSTEMS.values()) if name is None else describe_system(system(name)))


@app.command()
def phantom(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")],
    number: Annotated[int, typer.Option("-n", min=1, help="Knees.")],
    seed: Annotated[int, typer.Option(help="Names the cohort.")] = 0,
    sheet: Annotated[bool, typer.Option("--sheet", help="Also one picture of all.")] = False,
) -> None:
    """Draw a synthetic, fully labelled cohort of knee regions."""
    from kellgren.datasets.phantom import write_cohort

    typer.echo(write_cohort(output, number, seed=seed, sheet=sheet))


@app.command()
def manifest(
    folder: Annotated[Path, typer.Argument(help="The unpacked data set.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The table to write (.csv).")],
) -> None:
    """Read a data set into the tidy table. Known layout: kneeKL299 (doi:10.17632/56rmx5bjcr.1)."""
    from collections import Counter

    from kellgren.datasets import kneekl299
    from kellgren.datasets.table import write_table

    rows = kneekl299.read(folder, relative_to=output.parent)
    write_table(rows, output)
    for split, knees in sorted(Counter(row.split for row in rows).items()):
        patients = len({row.patient for row in rows if row.split == split})
        typer.echo(f"{split}: {knees} knees of {patients} patients")


@app.command()
def train(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="See 'kellgren systems'.")],
    data: Annotated[Path, typer.Option(help="Tidy table; its 'train' split teaches.")],
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
) -> None:
    """Teach a system (extra 'train'). Prints how long it will take before it begins.

    Example: `kellgren train tiulpin2018 --data knees.csv -o runs/a --teacher bundles/mobilenetv2`
    """
    _need_torch("kellgren train")
    from dataclasses import replace

    import torch

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
        recipe = replace(
            recipe, iterations=iterations, validate_every=min(iterations, recipe.validate_every)
        )
    try:
        wanted = recipe.seeds if seeds is None else tuple(int(seed) for seed in seeds.split(","))
    except ValueError:
        raise typer.BadParameter(f"--seeds {seeds}: give whole numbers, such as 21,42,84") from None
    with _progress("cutting regions", None) as cutting, _progress("learning", None) as learning:
        kept = run(
            chosen,
            data,
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
                estimated=lambda seconds: typer.echo(
                    f"estimated: {seconds / 3600:.1f} hours for {len(wanted)} network(s)", err=True
                ),
                step=lambda step: _say_step(step, wanted, learning),
            ),
        )
    for best in kept:
        typer.echo(
            f"seed {best.seed}: kept iteration {best.iteration}, held-back quadratic kappa "
            f"{best.quadratic_kappa:.3f}, accuracy {best.accuracy:.3f}"
        )


@app.command()
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
    from kellgren.training.published import read_results

    published = [row for item in results or [] for row in read_results(*item.partition("=")[::2])]
    bundle = export_run(run, output, name=name or output.name, version=version, results=published)
    size = sum(len(content) for content in bundle.contents.values())
    typer.echo(f"{output}: {bundle.record.name} {bundle.record.version}, {size / 1e6:.1f} MB")


@app.command()
def evaluate(
    bundle: Annotated[str, typer.Argument(help="Name or path.")],
    data: Annotated[Path, typer.Option(help="Tidy table with the truth.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the numbers.")],
    split: Annotated[str, typer.Option(help="The part of the table to score.")] = "val",
    precision: Annotated[
        Literal["default", "fast"], typer.Option(help="As for grade.")
    ] = "default",
    allow_synthetic: Annotated[
        bool, typer.Option("--allow-synthetic", help="As for grade.")
    ] = False,
) -> None:
    """Grade a split and compare with its truth (extra 'stats'). The look is counted in a ledger."""
    from kellgren import clock
    from kellgren.describe import describe_summary
    from kellgren.evaluation import evaluate as run
    from kellgren.grading import Grader, load_bundle
    from kellgren.localise import WholePicture

    grader = Grader(load_bundle(bundle), precision=precision)
    with _progress("grading", None) as advance:
        found = run(
            grader,
            data,
            output,
            split=split,
            localiser=WholePicture(),
            clock=clock.now,
            watch=advance,
            allow_synthetic=allow_synthetic,
        )
    for summary in found.summaries:
        typer.echo(describe_summary(summary))
    typer.echo(f"\nBundles scored on this split so far: {found.looks}. See {output}")


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


@contextlib.contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[..., None]]:
    """A bar with the time left on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, visible=total is not None)

        def advance(done: int, of: int | None = None) -> None:
            if of is None:
                bar.advance(task, done)
            else:
                bar.update(task, completed=done, total=of, visible=True)

        yield advance


if __name__ == "__main__":
    main()
