"""Scores as table rows: for the screen, for JSON and for the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from train import files
from train.evaluation.bootstrap import RESAMPLES
from train.evaluation.results import Evaluation, Measure, Score, scores

_PIPE_WIDTH = 120  # columns if standard output is not a terminal, so that a log keeps every row on one line


def header(measure: Measure) -> list[str]:
    """Return the headings of :func:`cells`."""
    error = "NME" if measure.unit == "%" else "px"
    box = ["box NME"] if measure.n_points > 1 else []
    rates = [f"FR{measure.failure:g} %"] if measure.unit == "%" else [f"within {measure.failure:g} px, %"]
    area = f"AUC@{measure.limit:g} %" if measure.unit == "%" else f"AUC@{measure.limit:g} px, %"
    return ["subset", "faces", "misses", f"{error} mean", "95 %", "median", *box, *rates, area]


def long_header(measure: Measure) -> list[str]:
    """Return the headings of :func:`cells` in words, for a page that is as wide as they need."""
    unit = measure.unit
    error = "NME" if unit == "%" else "distance"
    box = ["mean NME by box, %"] if measure.n_points > 1 else []
    rate = f"faces {'above' if unit == '%' else 'within'} {measure.failure:g} {unit}, %"
    means = [f"mean {error}, {unit}", "95 % interval of the mean", f"median {error}, {unit}"]
    return ["subset", "faces", "not found", *means, *box, rate, f"AUC to {measure.limit:g} {unit}, %"]


def cells(measure: Measure, score: Score) -> list[str]:
    """Format one score as text, in the order of :func:`header`."""
    box = [number(score.box_mean)] if measure.n_points > 1 else []
    rate = score.failure_rate if measure.unit == "%" else 1 - score.failure_rate
    interval = f"{number(score.mean_low)} to {number(score.mean_high)}"
    counts = [score.subset, str(score.faces), str(score.misses)]
    means = [number(score.mean), interval, number(score.median)]
    return [*counts, *means, *box, number(100 * rate), number(100 * score.auc)]


def part_header(measure: Measure) -> list[str]:
    """Return the headings of :func:`part_cells`."""
    return ["subset", *measure.parts]


def part_cells(score: Score) -> list[str]:
    """Format the mean error of each part as text, in the order of :func:`part_header`."""
    return [score.subset, *(number(value) for value in score.parts.values())]


def explain(measure: Measure) -> str:
    """Return a legend of the numbers of a table."""
    if measure.unit == "%":
        error = (
            "NME: mean distance over the points in % of the distance between the outer eye corners, of the "
            "faces found; box NME: in % of sqrt(width x height) of the label's tight box."
        )
        rates = f"FR{measure.failure:g} and AUC@{measure.limit:g}: a miss is a failure."
    else:
        error = "px: distance in pixels of a picture 640 wide, of the faces found."
        rates = f"Within {measure.failure:g} px, and the area under the curve of errors: a miss is a failure."
    return (
        f"{error} 95 %: percentile bootstrap interval of the mean ({RESAMPLES} resamples of people). {rates}"
    )


def long_explain(measure: Measure) -> str:
    """Return a legend of the numbers under :func:`long_header`."""
    if measure.unit == "%":
        error = (
            "NME, the normalised mean error, is the mean distance of the points from their labels in % of "
            "the distance between the outer eye corners, over the faces found; by box, it is in % of "
            "sqrt(width x height) of the labels' tight box."
        )
    else:
        error = "Distances are in pixels of a picture of 640x480, over the faces found."
    unit, which = measure.unit, "above" if measure.unit == "%" else "within"
    return (
        f"{error} The interval is a percentile bootstrap of the mean, with {RESAMPLES} resamples of people. "
        f"Faces {which} {measure.failure:g} {unit} are a share of all faces, and the AUC is the area under "
        f"the curve below up to {measure.limit:g} {unit}, in % of what faces without any error would have; "
        "in both, a face that is not found counts as one with an endless error."
    )


def print_scores(evaluations: Sequence[Evaluation]) -> None:
    """Print a table of scores and one of parts for each condition."""
    console = open_console()
    for evaluation in evaluations:
        measure, rows = evaluation.measure, scores(evaluation)
        console.print(table(evaluation.condition, header(measure), [cells(measure, row) for row in rows]))
        if len(measure.parts) > 1:
            title = f"{evaluation.condition}: mean error by part, {measure.unit}"
            console.print(table(title, part_header(measure), [part_cells(row) for row in rows]))
    console.print(explain(evaluations[0].measure), style="dim", markup=False, highlight=False)


def to_json(
    model: str,
    weights: str | None,
    evaluations: Sequence[Evaluation],
    headline: Sequence[Score],
    complete: bool,
    details: Mapping[str, Any] | None = None,
) -> str:
    """Serialise all scores as one JSON object.

    ``scores`` are the ``headline`` rows, the ones to quote for the model, all faces last; ``complete`` says
    that they cover the whole test set; ``conditions`` holds the rows of each condition. ``details`` are
    further entries. Missing values are null.
    """
    measure = evaluations[0].measure
    report = {
        "model": model,
        "weights": weights,
        "unit": measure.unit,
        "complete": complete,
        "scores": [row(measure, score) for score in headline],
        "conditions": {e.condition: [row(measure, score) for score in scores(e)] for e in evaluations},
        **(details or {}),
    }
    return files.to_json(report)


def row(measure: Measure, score: Score) -> Mapping[str, Any]:
    """Convert one score to a dict for JSON.

    Its keys are such as ``nme_mean``, ``failure_rate_10`` and ``auc_8``.
    """
    error = "nme" if measure.unit == "%" else "distance_px"
    values: dict[str, Any] = {
        "subset": score.subset,
        "faces": score.faces,
        "misses": score.misses,
        f"{error}_mean": score.mean,
        f"{error}_mean_95": [score.mean_low, score.mean_high],
        f"{error}_median": score.median,
        f"auc_{measure.limit:g}": score.auc,
        "parts": dict(score.parts),
    }
    if measure.n_points > 1:
        values["box_nme_mean"] = score.box_mean
    if measure.unit == "%":
        values[f"failure_rate_{measure.failure:g}"] = score.failure_rate
    else:
        values[f"share_within_{measure.failure:g}_px"] = 1 - score.failure_rate
    return values


def open_console() -> Console:
    """Return the terminal on standard output, or a wide one for a file or a pipe."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=_PIPE_WIDTH)


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table for :func:`open_console`; the first column is text, the others are numbers."""
    built = Table(title=title, title_justify="left", title_style="bold")
    for place, heading in enumerate(headings):
        built.add_column(heading, justify="right" if place else "left")
    for texts in rows:
        built.add_row(*texts)
    return built


def number(value: float) -> str:
    """Format a number with two digits; NaN is a dash."""
    return "-" if math.isnan(value) else f"{value:.2f}"
