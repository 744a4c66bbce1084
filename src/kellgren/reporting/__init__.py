"""Results become what people and programs read: JSON lines, tables, overlays and web pages."""

from kellgren.reporting.film_overlay import draw_film
from kellgren.reporting.html import write_report
from kellgren.reporting.json_lines import from_json, schema, to_json
from kellgren.reporting.overlay import draw_overlay, write_overlay
from kellgren.reporting.tables import tidy_rows, write_grades
from kellgren.reporting.tint import tint

__all__ = [
    "draw_film",
    "draw_overlay",
    "from_json",
    "schema",
    "tidy_rows",
    "tint",
    "to_json",
    "write_grades",
    "write_overlay",
    "write_report",
]
