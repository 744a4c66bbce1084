"""``--cropped``: the picture is the region."""

from kellgren.anatomy import Laterality
from kellgren.imaging import Radiograph, RegionSpec, whole_picture
from kellgren.localise.localiser import Found


class WholePicture:
    """One knee a picture, from edge to edge."""

    @property
    def reference(self) -> None:
        """Nothing learned looks."""
        return

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        """The whole picture as one knee."""
        known = laterality is not None and laterality is not Laterality.UNKNOWN
        return (
            Found(
                frame=whole_picture(film, spec),
                laterality=laterality if known and laterality else Laterality.UNKNOWN,
                laterality_source="user" if known else "unknown",
                scale_source="whole_picture",
            ),
        )
