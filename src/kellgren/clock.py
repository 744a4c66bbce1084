"""The time, passed in wherever it is written down."""

import os
from datetime import UTC, datetime


def now() -> datetime:
    """The time in UTC, or what SOURCE_DATE_EPOCH says, for outputs that repeat byte for byte."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.now(UTC) if fixed is None else datetime.fromtimestamp(int(fixed), UTC)
