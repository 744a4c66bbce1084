"""What each data set that the project knows can teach a system of KL grades, or why it cannot."""

from types import MappingProxyType

KL_TEACHERS = MappingProxyType(
    {
        "kneeKL299": "yes",
        "phantom": "yes",
        "digital_knee_xray": (
            "two experts and no one truth, a grade for a picture and not for each of its knees, no "
            "sides, and no patients to hold back"
        ),
        "whole_films": "no grades, and a licence that some report as research use only",
    }
)
"""Data set → ``yes`` or the reason, for `System.teaches_from`."""
