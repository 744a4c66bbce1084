"""What one phantom knee is: its parameters, and the grades that follow from them.

Lengths are shares of the width of the tibial plateau, so that a grade does not depend on how large
the knee is drawn.
"""

from dataclasses import dataclass
from typing import Final

from kellgren.anatomy import (
    JSN_LATERAL,
    JSN_MEDIAL,
    KL,
    OARSI_FEATURES,
    OSTEOPHYTE_FEMORAL_LATERAL,
    OSTEOPHYTE_FEMORAL_MEDIAL,
    OSTEOPHYTE_TIBIAL_LATERAL,
    OSTEOPHYTE_TIBIAL_MEDIAL,
    Laterality,
    Task,
)

NORMAL_JOINT_SPACE: Final = 0.060
"""Chosen: 14 px of a plateau of 239 px, as between the healthy knees of kneeKL299."""

DOUBTFUL_JOINT_SPACE: Final = 0.055
"""Chosen: a pixel less than normal is all that can be doubted at 299 px."""

LARGEST_OSTEOPHYTE: Final = 0.065
"""Chosen: 5 mm beyond the margin of a plateau of 77 mm."""

POSSIBLE_OSTEOPHYTE: Final = 0.010
"""Chosen: 2 px beyond the margin, the least lipping that can be seen at 299 px."""

OSTEOPHYTES: Final = (
    OSTEOPHYTE_FEMORAL_LATERAL,
    OSTEOPHYTE_FEMORAL_MEDIAL,
    OSTEOPHYTE_TIBIAL_LATERAL,
    OSTEOPHYTE_TIBIAL_MEDIAL,
)

TASKS: Final = (KL, *OARSI_FEATURES)
"""What is known of every phantom."""


@dataclass(frozen=True, slots=True)
class PhantomKnee:
    """Every parameter of one phantom; `kellgren.datasets.phantom.draw_knee` adds nothing to them.

    Angles and places are anatomical, as of a right knee: what points to the lateral side still does
    in the other knee, which is therefore the mirrored picture.

    Parameters
    ----------
    laterality
        Left or right.
    joint_space_lateral, joint_space_medial
        Vertical distance of the bones below the middle of each condyle, in plateau widths.
    osteophyte_femoral_lateral, osteophyte_femoral_medial, osteophyte_tibial_lateral, \
osteophyte_tibial_medial
        How far each spur reaches beyond its margin, in plateau widths.
    sclerosis_lateral, sclerosis_medial
        Subchondral density added, 0 none, 1 as dense as cortical bone.
    scale
        Width of the plateau as a share of the picture's side.
    tilt_deg
        Turn of the whole leg in the picture, towards the medial side at the knee's upper end.
    shift
        (towards medial, downwards), shares of the picture's side.
    notch, spines
        Depth of the intercondylar notch and height of the spines, 1 on average.
    flare
        How fast the bones taper away from the joint, 1 on average.
    fibula
        Distance of the tip of the fibula below the plateau, in plateau widths.
    soft_tissue
        Half the width of the leg, in plateau widths.
    exposure
        1 on average; more is brighter, up to white bones without detail.
    contrast
        Steepness of the film's answer, 1 for a plain exponential.
    trabeculae
        Contrast of the spongy bone, 1 on average.
    noise_sd
        Of the white noise, in grey levels of 256.
    noise_seed
        Names the noise and the texture.

    Raises
    ------
    ValueError
        The side is unknown, or a length is negative.
    """

    laterality: Laterality
    joint_space_lateral: float
    joint_space_medial: float
    osteophyte_femoral_lateral: float = 0.0
    osteophyte_femoral_medial: float = 0.0
    osteophyte_tibial_lateral: float = 0.0
    osteophyte_tibial_medial: float = 0.0
    sclerosis_lateral: float = 0.0
    sclerosis_medial: float = 0.0
    scale: float = 0.8
    tilt_deg: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    notch: float = 1.0
    spines: float = 1.0
    flare: float = 1.0
    fibula: float = 0.28
    soft_tissue: float = 0.72
    exposure: float = 1.0
    contrast: float = 1.3
    trabeculae: float = 1.0
    noise_sd: float = 2.0
    noise_seed: int = 0

    def __post_init__(self) -> None:
        if self.laterality is Laterality.UNKNOWN:
            raise ValueError("a phantom is a left or a right knee; laterality is unknown")
        for name in ("joint_space_lateral", "joint_space_medial", *(t.name for t in OSTEOPHYTES)):
            if getattr(self, name) < 0.0:
                raise ValueError(f"{name} is {getattr(self, name)}; a length is not negative")

    @property
    def kl(self) -> int:
        """The Kellgren–Lawrence grade, see `grade`."""
        return self.grade(KL)

    def grade(self, task: Task) -> int:
        """The exact grade of one task.

        Parameters
        ----------
        task
            One of `TASKS`.

        Notes
        -----
        The six features are the nearest of the line drawings of Nagaosa 2000,
        doi:10.1136/ard.59.8.587: joint spaces of two thirds, one third and nothing of the normal
        one; osteophytes of one third, two thirds and all of the area of the largest.

        ``kl`` is the first line that holds, after the words of Kellgren and Lawrence 1957,
        doi:10.1136/ard.16.4.494; how many, how large and how narrow is chosen:

        == ======================================= ==============================================
        kl words                                   rule
        == ======================================= ==============================================
        4  large osteophytes, marked narrowing     an osteophyte of grade 2 or more, another of 1 or
                                                   more, and narrowing of grade 3
        3  multiple osteophytes, definite          two osteophytes of grade 1 or more, and narrowing
           narrowing                               of grade 1 or more
        2  definite osteophytes                    an osteophyte of grade 1 or more
        1  possible lipping, doubtful narrowing    an osteophyte of `POSSIBLE_OSTEOPHYTE` or
                                                   more, or a joint space under
                                                   `DOUBTFUL_JOINT_SPACE`
        0  none
        == ======================================= ==============================================

        A larger osteophyte and a narrower joint space never lower any grade. Sclerosis grows with
        the grade when knees are sampled, but does not make it.
        """
        if task == KL:
            return self._kl()
        if task == JSN_LATERAL:
            return _narrowing(self.joint_space_lateral)
        if task == JSN_MEDIAL:
            return _narrowing(self.joint_space_medial)
        if task in OSTEOPHYTES:
            return _osteophyte(getattr(self, task.name))
        raise ValueError(f"{task.name} is not known of a phantom; {[t.name for t in TASKS]} are")

    def _kl(self) -> int:
        osteophytes = sorted(self.grade(task) for task in OSTEOPHYTES)
        narrowest = min(self.joint_space_lateral, self.joint_space_medial)
        narrowing = _narrowing(narrowest)
        largest = max(getattr(self, task.name) for task in OSTEOPHYTES)
        second, first = osteophytes[-2:]
        if first >= 2 and second >= 1 and narrowing == 3:
            return 4
        if second >= 1 and narrowing >= 1:
            return 3
        if first >= 1:
            return 2
        return int(largest >= POSSIBLE_OSTEOPHYTE or narrowest < DOUBTFUL_JOINT_SPACE)


def _narrowing(joint_space: float) -> int:
    lost = 1.0 - joint_space / NORMAL_JOINT_SPACE
    return min(max(round(3.0 * lost), 0), 3)


def _osteophyte(size: float) -> int:
    area = (size / LARGEST_OSTEOPHYTE) ** 2
    return min(round(3.0 * area), 3)
