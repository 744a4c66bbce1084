"""Write the pages of docs/reference that are made from the code, so that they cannot lie.

Run ``python scripts/write_reference.py`` after a change of the command line, the errors, the
systems or the records; a test fails while a page is behind.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperGroup
from typer.models import OptionInfo

from kellgren import errors
from kellgren.cli import app
from kellgren.describe import describe_system
from kellgren.files import write_atomically
from kellgren.records import GateCode
from kellgren.reporting import schema
from kellgren.reporting.wording import GATE_WORDS, WARNING_WORDS
from kellgren.systems import SYSTEMS

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
MADE = "<!-- Made by scripts/write_reference.py. Change the code instead. -->\n\n"

_CLI = """\
# The command line

{about}

Results go to stdout, everything else to stderr. Every command answers `-h`; `kellgren --version`
prints the version.

| exit status | means |
|---|---|
| 0 | done; for `grade`: every knee was graded |
| 1 | done, but not all is well: some knees were not graded, or a check failed |
| 2 | wrong usage, or an [error](error-codes.md) that concerns the whole command |
| 130 | stopped from the keyboard; `grade -o` and `train` go on with `--resume` |
| 141 | whoever read the output stopped reading |

`SOURCE_DATE_EPOCH` fixes every time that is written down, so that repeating a command repeats its
bytes.
"""

_ERRORS = """\
# Codes

## Errors

A code is stable between versions. It stands in `error.code` of the JSON, in the `status` column of
tables, and before the sentence on stderr. What begins with `file.` concerns one file: a batch
records it and goes on. *Retried* means that `--resume` tries the file again; other refusals stay.

| code | class | what happened | retried |
|---|---|---|---|
{rows}

The classes form a tree, drawn at the top of `kellgren/errors.py`; `except kellgren.KellgrenError`
catches them all.

## Warnings

They stand beside the grades of a knee that was graded. A gate code may stand there too, of a knee
that was graded with `--force`.

| code | what it means |
|---|---|
{warnings}

## Gate codes

They say why a film (`NO_KNEE`, `NOT_A_RADIOGRAPH`) or a knee (the others) was not graded although
it could be read, or, with `--force`, in spite of what it was graded. What each asks exactly, and
how often it is wrong, stands in [What is refused](../explanation/what-is-refused.md).

| code | what happened, and what to do |
|---|---|
{gate}
"""

_SYSTEMS = """\
# Systems

What `kellgren systems NAME` prints: a system's use and limits, its variants, and its fidelities
side by side. `paper` is what was published, `released` what the authors' code does, `modern` the
same architecture with our best training.
"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument or option of a command: what typer knows of it, and its type."""

    name: str
    words: tuple[str, ...]
    is_option: bool
    kind: Any
    default: object
    help: str
    metavar: str


def pages() -> dict[str, str]:
    """Every made page: its file name below docs/reference, and what it should hold."""
    return {
        "cli.md": MADE + _cli(),
        "error-codes.md": MADE + _errors(),
        "systems.md": MADE + _systems(),
        "film-result.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
    }


def options() -> dict[str, set[str]]:
    """The options that each verb of the command line knows, such as ``-o`` and ``--output``."""
    return {
        verb: {"-h", "--help"} | {w for p in _parameters(verb, run) if p.is_option for w in p.words}
        for verb, run in _commands().items()
    }


def _commands() -> dict[str, Callable[..., object]]:
    """Every verb, and after those every pair of words such as ``audit claims``."""
    groups = [("", app)]
    groups += [
        (f"{group.typer_instance.info.name} ", group.typer_instance)
        for group in app.registered_groups
        if group.typer_instance is not None
    ]
    return {
        before + (command.name or command.callback.__name__): command.callback
        for before, group in groups
        for command in group.registered_commands
        if command.callback is not None
    }


def _parameters(verb: str, run: Callable[..., object]) -> list[Parameter]:
    command: Any = typer.main.get_command(app)
    for word in verb.split():
        if not isinstance(command, TyperGroup):
            raise TypeError(f"{verb}: no word follows here")
        command = command.commands[word]
    words = {known.name: tuple(known.opts) for known in command.params}
    found = []
    for name, parameter in inspect.signature(run).parameters.items():
        if get_origin(parameter.annotation) is not Annotated:
            raise TypeError(f"{verb}: {name} is not Annotated")
        kind, info = get_args(parameter.annotation)[:2]
        found.append(
            Parameter(
                name=name,
                words=tuple(sorted(words[name], key=len)),
                is_option=isinstance(info, OptionInfo),
                kind=kind,
                default=parameter.default,
                help=_line(info.help),
                metavar=(info.metavar or name.upper()) + ("…" if _repeated(kind) else ""),
            )
        )
    return found


def _cli() -> str:
    head = _CLI.format(about=_line(app.info.help if isinstance(app.info.help, str) else ""))
    return "\n".join([head, *(_command(verb, run) for verb, run in _commands().items())])


def _command(verb: str, run: Callable[..., object]) -> str:
    parameters = _parameters(verb, run)
    arguments = [p for p in parameters if not p.is_option]
    named = [p for p in parameters if p.is_option]
    usage = " ".join(
        [
            f"kellgren {verb}",
            *(p.metavar if _required(p) else f"[{p.metavar}]" for p in arguments),
            *(f"{p.words[0]} {_value(p.kind)}" for p in named if _required(p)),
            *(["[OPTIONS]"] if any(not _required(p) for p in named) else []),
        ]
    )
    parts = [f"## kellgren {verb}", inspect.getdoc(run) or "", f"```text\n{usage}\n```"]
    parts += [_table("argument", {p.metavar: p for p in arguments})] if arguments else []
    parts += [_table("option", {_option(p): p for p in named})] if named else []
    return "\n\n".join(parts) + "\n"


def _table(what: str, parameters: dict[str, Parameter]) -> str:
    rows = [f"| `{shown}` | {_default(p)} | {p.help} |" for shown, p in parameters.items()]
    return "\n".join([f"| {what} | default | |", "|---|---|---|", *rows])


def _required(parameter: Parameter) -> bool:
    return parameter.default is inspect.Parameter.empty


def _default(parameter: Parameter) -> str:
    if _required(parameter):
        return "required"
    if parameter.default is None or parameter.default is False:
        return ""
    return f"`{parameter.default}`"


def _option(parameter: Parameter) -> str:
    return f"{', '.join(parameter.words)} {_value(parameter.kind)}".strip()


def _value(kind: Any) -> str:  # noqa: ANN401 - any type that a parameter may have
    if get_origin(kind) is Literal:
        return "·".join(get_args(kind))
    if get_origin(kind) is list:
        return f"{_value(get_args(kind)[0])} …"
    inner = [part for part in get_args(kind) if part is not type(None)]
    words = {bool: "", int: "N", float: "X", Path: "PATH", str: "TEXT"}
    return _value(inner[0]) if inner else words[kind]


def _repeated(kind: Any) -> bool:  # noqa: ANN401 - any type that a parameter may have
    return any(get_origin(part) is list for part in (kind, *get_args(kind)))


def _line(text: str | None) -> str:
    """Text on one line, fit for a cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|")


def _errors() -> str:
    return _ERRORS.format(
        rows="\n".join(_error(kind) for kind in _raised(errors.KellgrenError)),
        warnings="\n".join(f"| `{code}` | {words} |" for code, words in WARNING_WORDS.items()),
        gate="\n".join(f"| `{code}` | {GATE_WORDS[code]} |" for code in get_args(GateCode)),
    )


def _error(kind: type[errors.KellgrenError]) -> str:
    sentence = _line((inspect.getdoc(kind) or "").partition("\n\n")[0])
    return f"| `{kind.code}` | `{kind.__name__}` | {sentence} | {'yes' if kind.retry else ''} |"


def _raised(kind: type[errors.KellgrenError]) -> Iterator[type[errors.KellgrenError]]:
    """Every class below, in the order of the module, but those that only group others."""
    for below in kind.__subclasses__():
        kinds = below.__subclasses__()
        if not kinds or not all(one.code.startswith(f"{below.code}.") for one in kinds):
            yield below
        yield from _raised(below)


def _systems() -> str:
    described = (f"## {s.name}\n\n```text\n{describe_system(s)}\n```\n" for s in SYSTEMS.values())
    return "\n".join([_SYSTEMS, *described])


def main() -> None:
    """Write every page."""
    for name, content in pages().items():
        with write_atomically(REFERENCE / name) as stream:
            stream.write(content)


if __name__ == "__main__":
    main()
