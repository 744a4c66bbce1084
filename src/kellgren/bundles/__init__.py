"""The bundles that ship: one folder each, as ``kellgren export`` wrote it."""

from pathlib import Path

FOLDER = Path(__file__).parent
DEFAULT = "tiulpin2018-modern"
"""What grades where nobody names a bundle."""
