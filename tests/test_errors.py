"""The tree of errors is the one that is drawn, and every code names one of them."""

import copy
import pickle
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from kellgren import errors
from kellgren.errors import KellgrenError

LINE = re.compile(r"    (?P<stem>[│├└─ ]*)(?P<name>[A-Z]\w+)( +(?P<code>[a-z_.]+)(?= {2}|$))?.*")


class Drawn(NamedTuple):
    name: str
    parent: str | None
    code: str | None


def drawn() -> Iterator[Drawn]:
    """The tree in the module's docstring."""
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = LINE.fullmatch(line)
        if found:
            depth = len(found["stem"]) // 4
            parent = above[depth - 1] if depth else None
            above[depth:] = [found["name"]]
            yield Drawn(found["name"], parent, found["code"])


def real(parent: type[KellgrenError] = KellgrenError) -> Iterator[type[KellgrenError]]:
    """The tree as Python knows it."""
    yield parent
    for child in parent.__subclasses__():
        if child.__module__.startswith("kellgren."):
            yield from real(child)


def test_the_drawn_tree_is_the_real_one() -> None:
    parents = {line.name: line.parent for line in drawn()}
    assert parents == {
        kind.__name__: None if kind is KellgrenError else kind.__bases__[0].__name__
        for kind in real()
    }
    assert all(len(kind.__bases__) == 1 for kind in real())


def test_the_drawn_codes_are_the_real_ones() -> None:
    kinds = {kind.__name__: kind for kind in real()}
    for name, _, code in drawn():
        if code is None:
            # Never raised itself: what is raised stands below it.
            assert kinds[name].__subclasses__(), name
        else:
            assert kinds[name].code == code


def test_codes_are_unique_and_dotted() -> None:
    codes = [kind.__dict__["code"] for kind in real()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", code) for code in codes)


@pytest.mark.parametrize("kind", list(real()), ids=lambda kind: kind.__name__)
def test_what_may_succeed_later_is_said_in_the_drawing(kind: type[KellgrenError]) -> None:
    drawing = errors.__doc__ or ""
    (line,) = re.findall(rf"^.* {kind.__name__}(?: .*)?$", drawing, re.MULTILINE)
    assert kind.retry == ("tried again" in line or "likewise" in line)


MADE_OF: dict[type[KellgrenError], tuple[str, ...]] = {
    errors.ExtraMissing: ("train", "kellgren train"),
    errors.WholeFilmsUnsupported: (),
}
"""What constructors take that are given no sentence."""


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", list(real()), ids=lambda kind: kind.__name__)
def test_every_error_comes_out_of_a_worker_as_it_was(
    kind: type[KellgrenError], protocol: int
) -> None:
    error = kind(*MADE_OF.get(kind, ("film.png: not a film. Give another.",)))
    error.add_note("seen in a worker")
    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):  # noqa: S301 – our own bytes
        assert type(again) is kind
        assert str(again) == str(error) != ""
        assert again.args == error.args
        assert (again.code, again.retry) == (kind.code, kind.retry)
        assert again.__notes__ == ["seen in a worker"]


def test_a_missing_extra_names_the_command() -> None:
    error = errors.ExtraMissing("train", "kellgren train")
    assert str(error).startswith("kellgren train needs")
    assert "pip install 'kellgren[train]'" in str(error)
