"""Films become knees. Finding them on whole films is not built yet; regions come cut."""

from kellgren.localise.localiser import Found, Localiser
from kellgren.localise.whole_picture import WholePicture

__all__ = ["Found", "Localiser", "WholePicture"]
