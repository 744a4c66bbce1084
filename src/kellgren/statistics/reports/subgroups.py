"""The answers by side, and by what a table says of people and machines: a section of the report."""

from dataclasses import replace

from kellgren.statistics.document import Picture, Section, Table
from kellgren.statistics.figures import Estimate, forest_figure
from kellgren.statistics.reports.measured import Measured
from kellgren.statistics.reports.writing import TITLES, Writer, table_of

_MANY = (
    "Every covariate of the truth is divided by, and nothing is corrected for looking at so many "
    "groups, which overlap: a difference between two of them is a hint to be tested elsewhere."
)


def subgroups_section(found: Measured, writer: Writer) -> Section:
    """One headline of every subgroup, in a table and a figure."""
    head = "quadratic_kappa" if found.task.ordinal else "accuracy"
    rows = [m for m in found.subgroups if m.metric == head]
    words = [f"Not shown: {one}." for one in found.left_out]
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    if rows:
        words.insert(0, _MANY)
        tables = (table_of([replace(m, metric=m.group) for m in rows], caption=TITLES[head]),)
        own = found.summary.metric(head)
        estimates = [Estimate("all", own.value, own.low, own.high)]
        estimates += [Estimate(m.group, m.value, m.low, m.high) for m in rows]
        figure = forest_figure(estimates, task=found.task, label=TITLES[head], reference=own.value)
        words_below = f"{TITLES[head]} by group"
        pictures = (writer.draw(figure, found.figure_name("subgroups"), words_below),)
    return Section("Subgroups", tuple(words), tables, pictures)
