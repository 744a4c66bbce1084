"""``--cropped``: the picture is the region."""

from kellgren.anatomy import Laterality
from kellgren.imaging import Radiograph, RegionSpec, whole_picture
from kellgren.localise.localiser import Found
from kellgren.localise.sides import sides


class WholePicture:
    """One knee a picture, from edge to edge."""

    @property
    def reference(self) -> None:
        """Nothing learned looks."""
        return

    @property
    def synthetic(self) -> bool:
        """Nothing learned looks."""
        return False

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        """The whole picture as one knee."""
        rows, columns = film.shape
        (side,) = sides([(columns / 2.0, rows / 2.0)], film.header, laterality)
        return (
            Found(
                frame=whole_picture(film, spec),
                laterality=side.laterality,
                laterality_source=side.source,
                scale_source="whole_picture",
                warnings=side.warnings,
            ),
        )
