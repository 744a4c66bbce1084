"""The time, passed in wherever it is written down."""

import os
from datetime import UTC, datetime

from kellgren import errors


def written(time: datetime) -> str:
    """A time in UTC as every file of ours has it: ISO 8601, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> datetime:
    """The time in UTC, or what SOURCE_DATE_EPOCH says, for outputs that repeat byte for byte.

    Raises
    ------
    EnvironmentInvalid
        SOURCE_DATE_EPOCH is no time.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError) as error:  # as the number and the system have it
        raise errors.EnvironmentInvalid(
            f"SOURCE_DATE_EPOCH is {fixed!r}, which is no time. Set it to the seconds since 1970, "
            "such as 1763700000, or unset it."
        ) from error
