"""Systems, bundles and summaries as plain text for a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from kellgren.grading import Bundle
from kellgren.systems import Recipe, System

if TYPE_CHECKING:
    from kellgren.statistics.summary import Summary

_SHOWN = (
    "accuracy",
    "balanced_accuracy",
    "quadratic_kappa",
    "mean_absolute_error",
    "mean_squared_error",
    "auc",
    "expected_calibration_error",
    "set_coverage",
    "mean_set_size",
)


def list_systems(systems: Iterable[System]) -> str:
    """One line a system."""
    return _columns([(s.name, s.title, s.doi or "ours") for s in systems])


def describe_system(system: System) -> str:
    """Everything a system's record says: use, variants, fidelities side by side, teachers."""
    recipes = list(system.recipes.items())
    table = [("", *(fidelity for fidelity, _ in recipes))]
    table += [
        (field.name, *(_cell(getattr(recipe, field.name)) for _, recipe in recipes))
        for field in fields(Recipe)
    ]
    return "\n\n".join(
        [
            f"{system.name}: {system.title}\ndoi: {system.doi or 'none, a network of ours'}",
            f"Use: {system.statement_of_use}\nLimits: {system.limits}",
            "Tasks: " + ", ".join(task.name for task in system.tasks),
            "Variants (the first is the default)\n" + _columns(list(system.variants.items())),
            "Fidelities\n" + _columns(table),
            "Can be taught by\n" + _columns(list(system.teaches_from.items())),
        ]
    )


def describe_bundle(bundle: Bundle) -> str:
    """A bundle's record for a person: origin, calibration, what was measured, hashes."""
    record = bundle.record
    lines = [
        ("name", f"{record.name} {record.version}"),
        ("system", f"{record.system}, {record.fidelity}, {record.variant}"),
        ("doi", record.doi or "none"),
        ("use", record.statement_of_use),
        ("limits", record.limits),
        ("members", ", ".join(f"seed {m.seed} at {m.iteration}" for m in record.members)),
        ("fusion", record.fusion),
        ("taught by", record.taught_by or "the truth alone"),
        ("explanation", record.explanation),
        ("sha256", bundle.sha256),
    ]
    for source in record.trained_on:
        counts = ", ".join(f"{name} {count}" for name, count in source.counts.items())
        lines.append(("trained on", f"{source.name} ({source.kind}, {source.licence}): {counts}"))
    for task in record.tasks:
        plan = record.conformal[task.name]
        temperature = f"temperature {record.temperature[task.name]:.3f}"
        lines.append(
            (task.name, f"{temperature}, sets at {plan.coverage:.0%} with q = {plan.q:.4f}")
        )
    measured = [
        (f"{r.on} {r.task}", r.metric, _interval(r.value, r.low, r.high), f"n = {r.n_knees}")
        for r in record.results
    ]
    return _columns(lines) + ("\n\nMeasured\n" + _columns(measured) if measured else "")


def describe_summary(summary: "Summary") -> str:
    """The head of an evaluation: the main numbers with intervals, and the confusion matrix."""
    rows: list[tuple[str, ...]] = []
    for metric in summary.metrics:
        if metric.metric == "n_refused" and metric.group != "all":
            refused = metric.group.removeprefix("status=")
            rows.append(("not graded", f"{metric.value:.0f}", refused))
        if metric.group == "all" and metric.metric in _SHOWN:
            name = metric.metric + (f" (≥ {metric.cut})" if metric.cut is not None else "")
            value = _interval(metric.value, metric.low, metric.high)
            rows.append((name, value, f"{metric.n_knees} knees of {metric.n_patients} patients"))
    labels = summary.task.classes
    matrix = [("true \\ given", *labels)]
    matrix += [
        (label, *(str(count) for count in counts))
        for label, counts in zip(labels, summary.confusion.tolist(), strict=True)
    ]
    return f"{summary.task.title}, {summary.reader}\n{_columns(rows)}\n\n{_columns(matrix)}"


def _interval(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{value:.3f}"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _cell(value: object) -> str:
    names = getattr(type(value), "__dataclass_fields__", None)
    if names is None:
        return str(value)
    return ", ".join(f"{name} {getattr(value, name)}" for name in names)


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns; a last column of prose may be as long as it likes."""
    if not rows:
        return ""
    widths = [min(max(len(row[index]) for row in rows), 48) for index in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(c.ljust(w) for c, w in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip()
        for row in rows
    )
