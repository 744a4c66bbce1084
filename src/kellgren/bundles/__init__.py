"""The bundles that ship: one folder each, as ``kellgren export`` wrote it.

``store`` reads and verifies the files of any bundle, ``record`` holds what the records of all kinds
have in common, ``runtime`` runs their graphs.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
DEFAULT = "tiulpin2018-modern"
"""What grades where nobody names a bundle."""

DEFAULT_LOCALISER = "localiser"
"""What finds knees where nobody names a bundle."""
