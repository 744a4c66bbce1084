"""Who may import whom: the last column of DESIGN.md's table, read from the source itself."""

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "kellgren"

MAY_IMPORT: dict[str, set[str]] = {
    "anatomy": set(),
    "errors": set(),
    "files": {"errors"},
    "clock": {"errors"},
    "bundles": {"errors", "records"},
    "imaging": {"anatomy", "errors", "files"},
    "records": {"anatomy", "errors", "imaging"},
    "localise": {"anatomy", "errors", "imaging", "records", "bundles"},
    "grading": {"anatomy", "errors", "imaging", "records", "bundles"},
    "datasets": {"anatomy", "clock", "errors", "files", "imaging"},
    "statistics": {"anatomy", "errors", "files", "records", "datasets"},
    "reporting": {"anatomy", "errors", "files", "imaging", "records", "datasets"},
    "systems": {"anatomy", "errors", "imaging", "networks"},
    "networks": {"errors"},
    "training": {
        *("anatomy", "errors", "files", "imaging", "records", "datasets", "statistics"),
        *("bundles", "localise", "grading", "systems", "networks", "selfcheck"),
        "__init__",  # for the version
    },
    "pipeline": {"anatomy", "clock", "errors", "imaging", "records", "localise", "grading"},
    "cohort": {
        *("anatomy", "errors", "files", "clock", "imaging", "records", "datasets"),
        *("bundles", "localise", "grading", "pipeline", "reporting"),
    },
    "evaluation": {
        *("anatomy", "errors", "files", "records", "datasets", "statistics"),
        *("localise", "grading", "pipeline", "report", "model_card"),
    },
    "model_card": {"files", "records", "grading", "statistics"},
    "report": {
        *("anatomy", "errors", "datasets", "grading", "reporting", "statistics", "model_card"),
    },
    "selfcheck": {"errors", "anatomy", "bundles", "imaging", "datasets", "localise", "grading"},
    "describe": {"bundles", "localise", "grading", "systems", "statistics"},
    "api": {"anatomy", "errors", "records", "bundles", "grading", "cohort"},
    "__init__": {"anatomy", "errors", "records", "grading", "api"},
    "__main__": {"cli"},
    "cli": {
        *("anatomy", "errors", "files", "clock", "bundles", "datasets", "localise", "grading"),
        *("systems", "training", "cohort", "evaluation", "selfcheck", "describe", "reporting"),
        *("report", "statistics"),
        "__init__",
    },
}
"""Room → the rooms it may import, whether at its top or inside a function.

``systems`` names ``networks`` inside `build` only, which `test_systems_build_where_torch_is`
watches. ``statistics`` may know the tidy table (``datasets``), but no image.
"""

PUBLIC_ONLY: dict[str, set[str]] = {
    "cohort": {"grading"},
    "reporting": {"grading"},
    "pipeline": {"grading", "localise"},
    "evaluation": {"localise"},
}
"""Room → rooms whose inside it must not know: it imports what their ``__init__`` offers."""

TORCH = {"torch", "torchvision", "timm", "safetensors", "onnx", "accelerate"}
TORCH_ROOMS = {"networks", "training"}
STATISTICS = {"scipy", "sklearn", "matplotlib", "pyarrow"}
STATISTICS_ROOMS = {"statistics", "training"}


@dataclasses.dataclass(frozen=True)
class Import:
    """One import statement's target, and where it stands."""

    path: Path
    line: int
    target: str
    names: tuple[str, ...]
    inside: tuple[str, ...]
    """The functions around it, outermost first."""
    for_types: bool
    """Under ``if TYPE_CHECKING``."""

    @property
    def importer(self) -> str:
        first = self.path.relative_to(PACKAGE).parts[0]
        return first.removesuffix(".py")

    @property
    def room(self) -> str | None:
        """The room of ours that is imported."""
        top, *rest = self.target.split(".")
        if top != "kellgren":
            return None
        if rest:
            return rest[0]
        # 'from kellgren import errors', or a name of the package itself
        rooms = [name if name in MAY_IMPORT else "__init__" for name in self.names]
        return rooms[0] if rooms else "__init__"

    def __str__(self) -> str:
        return f"{self.path.relative_to(PACKAGE)}:{self.line} imports {self.target}"


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_names() -> set[str]:
    return {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in sources()}


def imports(path: Path) -> Iterator[Import]:
    yield from _imports(ast.parse(path.read_text("utf-8")), path, (), for_types=False)


def _imports(
    node: ast.AST, path: Path, inside: tuple[str, ...], *, for_types: bool
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(path, child.lineno, alias.name, (), inside, for_types)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{path}:{child.lineno}: say where it comes from"
            # One each, as 'from kellgren import clock, errors' names two rooms.
            for alias in child.names:
                target = child.module or ""
                yield Import(path, child.lineno, target, (alias.name,), inside, for_types)
        else:
            deeper, typing = inside, for_types
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                deeper = (*inside, child.name)
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                typing = True
            yield from _imports(child, path, deeper, for_types=typing)


ALL = [found for path in sources() for found in imports(path)]


def of_rooms() -> list[Import]:
    return [found for found in ALL if found.room is not None and found.room != found.importer]


def test_the_table_has_every_room_and_no_other() -> None:
    assert room_names() == MAY_IMPORT.keys()
    assert set().union(*MAY_IMPORT.values()) <= MAY_IMPORT.keys()


def test_the_imports_were_found() -> None:
    # Or everything below would hold of nothing.
    assert len(of_rooms()) > 150
    assert {found.importer for found in of_rooms()} > {"cli", "cohort", "grading", "statistics"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_knows_only_whom_it_may(room: str) -> None:
    wrong = [
        str(found)
        for found in of_rooms()
        if found.importer == room and found.room not in MAY_IMPORT[room]
    ]
    assert wrong == []


@pytest.mark.parametrize("room", PUBLIC_ONLY)
def test_a_room_knows_no_others_inside(room: str) -> None:
    wrong = [
        str(found)
        for found in of_rooms()
        if found.importer == room
        and found.room in PUBLIC_ONLY[room]
        and found.target != f"kellgren.{found.room}"
    ]
    assert wrong == []


def test_no_two_rooms_need_each_other() -> None:
    needs = {room: {f.room for f in of_rooms() if f.importer == room} for room in MAY_IMPORT}
    both = {
        tuple(sorted((one, str(other))))
        for one, others in needs.items()
        for other in others
        if other is not None and one in needs[other]
    }
    assert both == set()


def test_torch_is_named_only_where_training_is() -> None:
    wrong = [
        str(found)
        for found in ALL
        if found.target.split(".")[0] in TORCH
        and found.importer not in TORCH_ROOMS
        and not found.for_types
        and not (found.importer == "systems" and found.inside == ("build",))
        and not (found.importer == "cli" and found.inside)
    ]
    assert wrong == []


def test_systems_build_where_torch_is() -> None:
    """A system's record can be read without torch: networks are imported inside ``build``."""
    found = [f for f in of_rooms() if f.importer == "systems" and f.room == "networks"]
    assert found
    assert all(each.inside == ("build",) for each in found)


def test_the_command_line_imports_rooms_where_it_needs_them() -> None:
    """So that ``--help`` and ``grade`` stay quick."""
    at_the_top = [
        str(found)
        for found in of_rooms()
        if found.importer == "cli"
        and not found.inside
        and not found.for_types
        and found.room not in {"errors", "bundles", "__init__"}
    ]
    assert at_the_top == []


def test_the_package_itself_imports_nothing_of_weight() -> None:
    here = [found for found in ALL if found.importer == "__init__" and not found.for_types]
    assert {found.target for found in here} == {"importlib.metadata", "typing", "importlib"}


def test_statistics_libraries_stay_in_their_rooms() -> None:
    wrong = [
        str(found)
        for found in ALL
        if found.target.split(".")[0] in STATISTICS
        and found.importer not in STATISTICS_ROOMS
        and not found.for_types
        and not (found.importer == "datasets" and found.target.startswith("pyarrow"))
    ]
    assert wrong == []


def test_only_the_command_line_prints() -> None:
    wrong = []
    for path in sources():
        if path.is_relative_to(PACKAGE / "cli"):
            continue
        wrong += [
            str(found)
            for found in imports(path)
            if found.target.split(".")[0] in {"typer", "click", "rich"}
        ]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            words = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
            if words in {"print", "sys.stdout", "sys.stderr", "builtins.print", "os.write"}:
                wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno} says {words}")  # type: ignore[attr-defined] # an expression
    assert wrong == []


def test_a_forbidden_import_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "spoilt.py"
    path.write_text(
        "from kellgren import clock, errors\n"
        "def build():\n    import torch.nn\n"
        "if TYPE_CHECKING:\n    from kellgren.grading.bundle import Bundle\n",
        encoding="utf-8",
    )
    found = list(imports(path))
    assert [each.room for each in found] == ["clock", "errors", None, "grading"]
    assert [each.inside for each in found] == [(), (), ("build",), ()]
    assert [each.for_types for each in found] == [False, False, False, True]
