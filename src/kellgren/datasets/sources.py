"""Where the data sets that the project knows come from, and under which licence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A data set's name, a reference that a reader can follow, and its licence."""

    name: str
    reference: str
    licence: str


SOURCES = {
    source.name: source
    for source in (
        Source(
            "kneeKL299",
            "Chen P., Mendeley Data, doi:10.17632/56rmx5bjcr.1; baseline films of the "
            "Osteoarthritis Initiative",
            "CC BY 4.0",
        ),
        Source(
            "digital_knee_xray",
            "Gornale S., Patravali P., Mendeley Data, doi:10.17632/t9ndx37v5h.1",
            "CC BY 4.0",
        ),
        Source(
            "whole_films",
            "Wani, Arora, Mendeley Data, doi:10.17632/fxjm8fb6mw",
            "reported as CC BY 4.0 and as research use only",
        ),
        Source("phantom", "kellgren phantom", "Apache-2.0"),
    )
}


def of(dataset: str) -> Source:
    """The source of a data set; one that we do not know keeps its name and an unstated licence."""
    return SOURCES.get(dataset, Source(dataset, "a user's own manifest", "not stated"))
