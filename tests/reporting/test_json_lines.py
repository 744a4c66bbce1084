import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellgren.anatomy import Laterality
from kellgren.records import (
    BundleReference,
    FilmResult,
    Gate,
    Knee,
    Prediction,
    Problem,
    RegionFrame,
)
from kellgren.reporting import from_json, schema, to_json

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "film-result.schema.json"

Film = Callable[..., FilmResult]


def valid(document: object) -> bool:
    return bool(jsonschema.Draft202012Validator(schema()).is_valid(document))


@pytest.fixture
def films(make_film: Film, make_knee: Callable[..., Knee]) -> list[FilmResult]:
    jsn = Prediction(0, (0.7, 0.2, 0.06, 0.04), 0.44, (0, 1), 0.9)
    view = Prediction(0, (0.9, 0.04, 0.03, 0.02, 0.01), None, (0,), 0.95)
    return [
        make_film(),
        make_film(
            knees=(make_knee(grades={"jsn_medial": jsn}), make_knee(mirrored=True)),
            image_grades={"view": view},
            pixel_spacing_mm=(0.143, 0.143),
            spacing_source="pixel_spacing",
            synthetic=True,
            warnings=("LATERALITY_CONFLICT",),
        ),
        make_film(knees=(), gate=Gate(False, ("NO_KNEE",))),
        make_film(knees=(), error=Problem("file.empty", "film.png: no bytes. Copy it again.")),
        make_film(knees=(make_knee(kl=None, gate=Gate(False, ("REGION_CUT", "TOO_COARSE"))),)),
    ]


def test_results_follow_the_schema_and_come_back(films: list[FilmResult]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for film in films:
        line = to_json(film)
        jsonschema.validate(json.loads(line), schema())
        assert from_json(line) == film
        assert to_json(from_json(line)) == line


@given(st.lists(st.integers(1, 10**6), min_size=5, max_size=5), st.floats(0.0, 1.0))
def test_six_decimals_come_back_exactly(weights: list[int], coverage: float) -> None:
    # Whole millionths with the sum of one, as grading gives them.
    millionths = [weight * 10**6 // sum(weights) for weight in weights]
    millionths[0] += 10**6 - sum(millionths)
    shares = tuple(round(value / 10**6, 6) for value in millionths)
    answer = Prediction(2, shares, 1.5, (1, 2), round(coverage, 6))
    knee = dataclasses.replace(_plain_knee(), kl=answer, grades={"kl": answer})
    film = dataclasses.replace(_plain_film(), knees=(knee,))
    back = from_json(to_json(film))
    assert back == film
    assert sum(round(share * 10**6) for share in back.knees[0].grades["kl"].probabilities) == 10**6


def test_probabilities_are_rounded_to_six_decimals_and_places_are_not(
    make_film: Film, make_knee: Callable[..., Knee]
) -> None:
    answer = Prediction(0, (2 / 3, 1 / 3, 0.0, 0.0, 0.0), 1 / 3, (0, 1), 0.9)
    knee = dataclasses.replace(make_knee(kl=answer), box_px=(1 / 3, 0.0, 9.0, 9.0))
    document = json.loads(to_json(make_film(knees=(knee,))))
    assert document["knees"][0]["kl"]["probabilities"][:2] == [0.666667, 0.333333]
    assert document["knees"][0]["kl"]["expected"] == 0.333333
    assert document["knees"][0]["box_px"][0] == 1 / 3


def test_equal_results_give_equal_lines(
    make_film: Film, make_knee: Callable[..., Knee], predict: Callable[..., Prediction]
) -> None:
    tasks = {"jsn_medial": predict(1, 0, 0, 0), "attrition_lateral": predict(0, 1, 0, 0)}
    turned = dict(reversed(tasks.items()))
    one = make_film(knees=(make_knee(grades=tasks),))
    other = make_film(knees=(make_knee(grades=turned),))
    assert one == other
    assert to_json(one) == to_json(other)


def test_a_hostile_name_stays_on_one_ascii_line(make_film: Film, hostile: str) -> None:
    line = to_json(make_film(hostile))
    assert line.isascii()
    assert line.splitlines() == [line]
    assert json.loads(line)["source"] == hostile.encode("utf-8", "backslashreplace").decode()
    from_json(line)


def test_the_version_comes_first(make_film: Film) -> None:
    assert to_json(make_film()).startswith('{"schema":1,"source":')


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(make_film: Film, number: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        to_json(make_film(magnification=number))
    line = to_json(make_film(magnification=1.5)).replace("1.5", json.dumps(number))
    with pytest.raises(ValueError, match="Not a film result"):
        from_json(line)


@pytest.mark.parametrize("end", [1, 20, -1])
def test_a_torn_line_is_refused(make_film: Film, end: int) -> None:
    with pytest.raises(ValueError, match="Not a film result"):
        from_json(to_json(make_film())[:end])


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"notice": "A medical device."},
        {"magnification": "1.1"},
        {"source": None},
        {"pixel_spacing_mm": [0.1]},
        {"spacing_source": "guessed"},
        {"knees": {}},
        {"gate": {"graded": False, "reasons": ["NO_SUCH_CODE"]}},
        {"image_grades": {"view": {"grade": -1}}},
    ],
    ids=str,
)
def test_schema_and_reader_refuse_the_same(make_film: Film, change: dict[str, Any]) -> None:
    document = json.loads(to_json(make_film())) | change
    assert not valid(document)
    with pytest.raises(ValueError, match="Not a film result"):
        from_json(json.dumps(document))


def test_lines_of_newer_and_older_versions_are_read(make_film: Film) -> None:
    film = make_film()
    newer = json.loads(to_json(film)) | {"added_later": {"x": 1}}
    assert valid(newer)
    assert from_json(json.dumps(newer)) == film
    older = {key: newer[key] for key in ("schema", "source", "sha256", "bundle", "created")}
    assert valid(older)
    assert from_json(json.dumps(older)) == dataclasses.replace(film, knees=())


def test_the_schema_names_and_describes_what_the_records_hold() -> None:
    made = schema()
    assert list(made["properties"]) == [field.name for field in dataclasses.fields(FilmResult)]
    knee = made["$defs"]["Knee"]["properties"]
    assert list(knee) == [field.name for field in dataclasses.fields(Knee)]
    assert "attention" not in made["description"]
    assert knee["box_px"]["description"] == knee["region"]["description"]
    assert "Parameters" not in json.dumps(made)


def test_the_published_schema_is_current() -> None:
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    assert PUBLISHED.read_text(encoding="utf-8") == text


def _plain_film() -> FilmResult:

    return FilmResult("a.png", None, BundleReference("b", "1", "c"), "2025-11-21T07:40:00Z")


def _plain_knee() -> Knee:

    frame = RegionFrame(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), 224)
    return Knee(Laterality.LEFT, "user", frame, "boxes", (0.0, 0.0, 1.0, 1.0))
