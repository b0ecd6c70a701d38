"""Contents and order of the HTML report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracker.types import FloatArray
from train.evaluation.figures import error_curves, filter_grid, part_bars, training_curves
from train.evaluation.html import Page
from train.evaluation.pictures import Tile, face_tile, photograph, ranked, tile_grid
from train.evaluation.predictions import Line
from train.evaluation.results import Evaluation, scores
from train.evaluation.tables import cells, explain, header, part_cells, part_header
from train.training.log import Log

EXTREMES = 12
MOST_PHOTOGRAPHS = 24


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything that a report can show; values that are empty or None are skipped.

    ``examples`` are augmented training samples, ``filters`` ``(F, H, W)`` the first layer, and ``own`` the
    tracker's line for each image (file name) in the folder ``own_folder``.
    """

    model: str
    weights: str
    evaluations: Sequence[Evaluation]
    log: Log | None = None
    filters: FloatArray | None = None
    examples: Sequence[Tile] = ()
    own_folder: Path | None = None
    own: dict[str, Line] = field(default_factory=dict)


def render(contents: Contents) -> str:
    """Return the report as one HTML file.

    It shows faces of the data, so its place is where the data may be. Raises :class:`~train.errors.DataError`
    if a picture cannot be read.
    """
    page = Page(f"Evaluation of {contents.model}", f"Weights: {contents.weights}")
    _summary(page, contents.evaluations)
    if contents.log is not None:
        page.heading("Training")
        page.figure(training_curves(contents.log), "The training log, epoch by epoch.")
    for evaluation in contents.evaluations:
        _extremes(page, evaluation)
    if contents.filters is not None:
        page.heading("First layer")
        page.figure(filter_grid(contents.filters), "Kernels of the first convolution, on one scale.")
    if contents.examples:
        page.heading("Training samples")
        page.figure(tile_grid(contents.examples), "Augmented, with their labels, as training sees them.")
    _photographs(page, contents)
    return page.render()


def _summary(page: Page, evaluations: Sequence[Evaluation]) -> None:
    page.heading("Accuracy")
    measure = evaluations[0].measure
    for evaluation in evaluations:
        rows = scores(evaluation)
        page.table(evaluation.condition, header(measure), [cells(measure, row) for row in rows])
    page.text(explain(measure))
    page.figure(error_curves(evaluations), "Share of faces whose error is at most that on the x axis.")
    if len(measure.parts) > 1:
        page.heading("Error by part")
        for evaluation in evaluations:
            caption = f"{evaluation.condition}: mean error, {measure.unit}"
            page.table(caption, part_header(measure), [part_cells(row) for row in scores(evaluation)])
        page.figure(part_bars(evaluations), "Mean error over the points of each part, all faces found.")


def _extremes(page: Page, evaluation: Evaluation) -> None:
    page.heading(f"Best and worst faces: {evaluation.condition}")
    for worst in (False, True):
        rows = ranked(evaluation, EXTREMES, worst)
        names = ", ".join(f"{evaluation.subsets[row]}/{evaluation.images[row].name}" for row in rows)
        caption = f"{'Worst' if worst else 'Best'} first; truth green, prediction red: {names}"
        page.figure(tile_grid([face_tile(evaluation, row) for row in rows]), caption)


def _photographs(page: Page, contents: Contents) -> None:
    if contents.own_folder is None:
        return
    page.heading("Own pictures")
    for name, line in list(contents.own.items())[:MOST_PHOTOGRAPHS]:
        if line.error is not None:
            page.text(f"{name}: {line.error}")
            continue
        found = f"{len(line.faces)} face{'' if len(line.faces) == 1 else 's'}"
        page.figure(photograph(contents.own_folder / name, line.faces), f"{name}: {found}")
    if len(contents.own) > MOST_PHOTOGRAPHS:
        page.text(f"The first {MOST_PHOTOGRAPHS} of {len(contents.own)} pictures.")
