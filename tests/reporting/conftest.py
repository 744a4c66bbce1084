from collections.abc import Callable

import numpy as np
import pytest

from kellgren.anatomy import Laterality
from kellgren.records import BundleReference, FilmResult, Gate, Knee, Prediction, RegionFrame

BUNDLE = BundleReference("kl-tiulpin2018", "1.0.0", "9f" * 32)


def _predict(*shares: float, members: tuple[int, ...] = (), ordinal: bool = True) -> Prediction:
    millionths = np.rint(np.asarray(shares) / sum(shares) * 1e6)
    millionths[-1] = 1e6 - millionths[:-1].sum()
    values = tuple(round(float(value) / 1e6, 6) for value in millionths)
    grade = int(np.argmax(values))
    expected = round(sum(index * share for index, share in enumerate(values)), 6)
    return Prediction(grade, values, expected if ordinal else None, members or (grade,), 0.9)


def _knee(
    kl: Prediction | None = None,
    *,
    laterality: Laterality = Laterality.RIGHT,
    mirrored: bool = False,
    grades: dict[str, Prediction] | None = None,
    warnings: tuple[str, ...] = (),
    gate: Gate | None = None,
    attention_png: str | None = None,
) -> Knee:
    sign = -1.0 if mirrored else 1.0
    own = {} if kl is None else {"kl": kl}
    return Knee(
        laterality,
        "unknown" if laterality is Laterality.UNKNOWN else "tag",
        RegionFrame(((sign, 0.0, 0.0), (0.0, 1.0, 0.0)), 224),
        "spacing",
        (-3.5, 10.0, 1020.5, 1034.0),
        confidence=0.987654,
        gate=gate or Gate(),
        warnings=warnings,
        kl=kl,
        grades={**own, **(grades or {})},
        attention_png=attention_png,
    )


@pytest.fixture
def predict() -> Callable[..., Prediction]:
    """A prediction from shares of any sum."""
    return _predict


@pytest.fixture
def make_knee() -> Callable[..., Knee]:
    """A right knee, KL 2 unless told."""

    def make(**changes: object) -> Knee:
        shares = {"kl": _predict(0.05, 0.28, 0.62, 0.04, 0.01, members=(1, 2)), **changes}
        return _knee(**shares)  # type: ignore[arg-type]  # a factory of keywords

    return make


@pytest.fixture
def make_film(make_knee: Callable[..., Knee]) -> Callable[..., FilmResult]:
    """A film with one right knee unless told."""

    def make(source: str = "visit/film.png", **changes: object) -> FilmResult:
        given = {"knees": (make_knee(),), **changes}
        when = "2025-11-21T07:40:00Z"
        return FilmResult(source, "ab" * 32, BUNDLE, when, **given)  # type: ignore[arg-type] # as above

    return make


HOSTILE = (
    "<script>alert(1)</script>.png",
    '"onerror="alert(1).png',
    "' onload='x.png",
    "=cmd|'/c calc'!A1.png",
    "+1.png",
    "-1.png",
    "@SUM(A1).png",
    "\t=1.png",
    "  =1.png",
    "＝1.png",
    "'quoted.png",
    "line\nbreak.png",
    "line\u2028break.png",
    "\u202egnp.exe",
    "bytes\udcff.png",
    "$style ${body} {0} %s.png",
    "javascript:alert(1)",
    "膝.png",
    "nul\0.png",
)


@pytest.fixture(params=HOSTILE, ids=ascii)
def hostile(request: pytest.FixtureRequest) -> str:
    """A file name of someone who means harm, or of another alphabet."""
    return str(request.param)


@pytest.fixture
def hostile_names() -> tuple[str, ...]:
    """All of them."""
    return HOSTILE
