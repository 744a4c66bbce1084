"""The words that tables, overlays and reports share, and strangers' names made safe to show."""

import unicodedata
from collections.abc import Iterable

from kellgren.anatomy import KL, TASKS, Kind, Laterality, Task
from kellgren.records import (
    FilmResult,
    Gate,
    GateCode,
    Knee,
    LateralitySource,
    Prediction,
    WarningCode,
)

SIDE_WORDS: dict[Laterality, str] = {
    Laterality.RIGHT: "Right knee",
    Laterality.LEFT: "Left knee",
    Laterality.UNKNOWN: "Knee, side unknown",
}

SIDE_SOURCE_WORDS: dict[LateralitySource, str] = {
    "user": "Side as given by the user",
    "tag": "Side from the file's tag",
    "place": "Side from the place on the film",
    "landmarks": "Side from the fibula",
    "unknown": "Side unknown: graded both ways and averaged",
}

GATE_WORDS: dict[GateCode, str] = {
    "NO_KNEE": (
        "No knee was found. Give its place with --boxes, or use --cropped if the picture is the "
        "knee's region already."
    ),
    "NOT_A_RADIOGRAPH": (
        "The picture does not look like a radiograph but like a page, a drawing, noise or nothing. "
        "Export the film itself. If it is one, have it graded with --force or mark its knees with "
        "--boxes."
    ),
    "REGION_CUT": (
        "Too little of the knee's region lies on the film. Use a film that shows the whole joint, "
        "or have it graded in spite of this with --force."
    ),
    "UNDEREXPOSED": (
        "The knee is underexposed: too dark to grade. Export the film with its full range of grey "
        "levels."
    ),
    "OVEREXPOSED": (
        "The knee is overexposed: its bone is saturated. Export the film with its full range of "
        "grey levels."
    ),
    "TOO_COARSE": "Too few pixels across the knee. Export the film in its full resolution.",
}
"""What each code of the gate means, and what to do."""

WARNING_WORDS: dict[WarningCode, str] = {
    "LATERALITY_UNKNOWN": (
        "Nobody says which side the knee is. It was graded as either, and the calibrated "
        "probabilities averaged. Give --laterality or a --manifest."
    ),
    "LATERALITY_CONFLICT": (
        "What the user, the file and the place on the film say of the side is not the same. Look "
        "at the film's marker."
    ),
    "REGION_CUT": (
        "A part of the knee's region lies beyond the film, and the grade rests on the rest. An end "
        "of the plateau that lies beyond the edge is placed as the other's mirror image."
    ),
    "POLARITY_INVERTED": (
        "Bone is dark on the film, and the file does not say so. Its negative was graded, and is "
        "what the overlays show. Export the film with bright bone, or with a tag that is true."
    ),
    "FORCED": "The gate refused it, and it was graded because of --force.",
}
"""What each warning about a graded knee means."""

_BIDI_CONTROLS = frozenset(
    "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""They reorder what is shown, so that a name can pass for another (Unicode TR 36, 2.5)."""

_INVISIBLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    r"""Text from outside on one line: controls, line breaks and lone surrogates become ``\x0a``.

    Letters of every script stay. Lone surrogates are how Python holds the bytes of a file name
    that is no UTF-8; no format but its own could write them.
    """
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in _INVISIBLE or char in _BIDI_CONTROLS
        else char
        for char in text
    )


def explained(warning: str) -> str:
    """A warning's code, and what it means where it is one of a knee."""
    words = {str(code): said for code, said in GATE_WORDS.items()}
    words |= {str(code): said for code, said in WARNING_WORDS.items()}
    return f"{warning}. {words[warning]}" if warning in words else warning


def prediction_of(knee: Knee, task: Task) -> Prediction | None:
    """The knee's answer to a task, if it has one."""
    return knee.grades.get(task.name, knee.kl if task.name == KL.name else None)


def task_of(name: str, prediction: Prediction) -> Task:
    """The task by its name; for a user's own one a stand-in with the classes that were answered."""
    classes = tuple(str(index) for index in range(len(prediction.probabilities)))
    kind: Kind = "nominal" if prediction.expected is None else "ordinal"
    return TASKS.get(name, Task(name, name, kind, "knee", classes))


def class_words(task: Task, index: int) -> str:
    """A class by name: ``KL 2``, ``lateral``, or ``grade 2`` where the class is but a number."""
    if task.name == KL.name:
        return f"KL {index}"
    name = task.classes[index] if index < len(task.classes) else str(index)
    return f"grade {name}" if name.isdigit() else name


def set_words(task: Task, members: Iterable[int]) -> str:
    """A conformal set: ``KL 1–2``, ``grade 0``, or ``ap, oblique``."""
    ordered = sorted(members)
    if not task.ordinal:
        return ", ".join(class_words(task, index) for index in ordered)
    spans = ", ".join(
        str(first) if first == last else f"{first}–{last}" for first, last in runs(ordered)
    )
    return f"{'KL' if task.name == KL.name else 'grade'} {spans}" if spans else "empty"


def runs(members: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Unbroken runs (first, last) of whole numbers, ascending: 0, 2, 3 → (0, 0), (2, 3)."""
    found: list[tuple[int, int]] = []
    for index in sorted(members):
        if found and index == found[-1][1] + 1:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return tuple(found)


def percent(share: float) -> str:
    """A probability for reading. What would round to never or always is ``<1 %`` or ``>99 %``."""
    whole = round(100.0 * share)
    if whole == 0 and share > 0.0:
        return "<1 %"
    if whole == 100 and share < 1.0:
        return ">99 %"
    return f"{whole} %"


def coverage_words(prediction: Prediction) -> str:
    """The name of a set by its coverage: ``90 % set``."""
    return f"{100.0 * prediction.coverage:g} % set"


def lateral_on_left(knee: Knee) -> bool | None:
    """Whether the region shows the lateral side on the left; None if the side is unknown.

    Films are shown as if the person faced the viewer: a right knee has its lateral side, where the
    fibula is, on the viewer's left. A mirrored region shows the opposite.
    """
    if knee.laterality is Laterality.UNKNOWN:
        return None
    (a, b, _), (c, d, _) = knee.region.matrix
    mirrored = a * d - b * c < 0.0
    return (knee.laterality is Laterality.RIGHT) != mirrored


def in_words(result: FilmResult) -> str:
    """One line for a terminal: each knee's grade and set, or why there is none."""
    source = printable(result.source)
    if result.error is not None:
        return f"{source}: not graded: {result.error.code}: {printable(result.error.message)}"
    if not result.gate.graded:
        return f"{source}: {_refused(result.gate)}"
    return "\n".join(f"{source}: {_knee_in_words(knee)}" for knee in result.knees)


def _refused(gate: Gate) -> str:
    """As an error is said: the code, and what to do."""
    return "not graded: " + "; ".join(f"{code}: {GATE_WORDS[code]}" for code in gate.reasons)


def _knee_in_words(knee: Knee) -> str:
    if not knee.gate.graded:
        return f"{SIDE_WORDS[knee.laterality]}: {_refused(knee.gate)}"
    grades = "; ".join(
        f"{class_words(task_of(name, prediction), prediction.grade)} "
        f"({percent(prediction.probabilities[prediction.grade])}; "
        f"{coverage_words(prediction)} {set_words(task_of(name, prediction), prediction.set)})"
        for name, prediction in knee.grades.items()
    )
    return f"{SIDE_WORDS[knee.laterality]}: {grades}"
