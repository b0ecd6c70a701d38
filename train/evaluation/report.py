"""Contents and order of the HTML report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tracker.types import FloatArray
from train.evaluation.extremes import face_item, ranked
from train.evaluation.figures import error_curves, filter_grid, part_bars
from train.evaluation.html import Page
from train.evaluation.material import Material
from train.evaluation.pictures import photograph
from train.evaluation.predictions import Line
from train.evaluation.report_model import add_model
from train.evaluation.report_pairs import add_maps, add_pair
from train.evaluation.results import Condition, Evaluation, Score, scores
from train.evaluation.tables import cells, long_explain, long_header, number, part_cells, part_header
from train.evaluation.tiles import Style
from train.training.curves import draw_curves
from train.training.log import Log

EXTREMES = 12
MOST_PHOTOGRAPHS = 24

LEGEND: Mapping[str, Style] = {"label": "label", "prediction": "answer"}

_CONDITIONS: Mapping[Condition, str] = {
    "label box": "Label box: the network alone, on crops that the labels place.",
    "whole picture": "Whole picture: the network alone, on the picture as it is.",
    "own detector": "Own detector: the tracker as it is used, on whole pictures; a face that it does not "
    "find counts as failed.",
}


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything that a report can show; values that are empty or None are skipped.

    ``filters`` are the kernels ``(F, H, W)`` of the first layer, ``own`` is the tracker's line for each image
    (file name) in the folder ``own_folder``.
    """

    model: str
    weights: str
    evaluations: Sequence[Evaluation]
    log: Log | None = None
    filters: FloatArray | None = None
    material: Material | None = None
    own_folder: Path | None = None
    own: dict[str, Line] = field(default_factory=dict)


def render(contents: Contents) -> str:
    """Return the report as one HTML file.

    It shows faces of the data, so its place is where the data may be. Raises :class:`~train.errors.DataError`
    if a picture cannot be read.
    """
    page = Page(f"Evaluation of {contents.model}", _lead(contents))
    by_condition: dict[str, Evaluation] = {
        evaluation.condition: evaluation for evaluation in contents.evaluations
    }
    _accuracy(page, by_condition)
    material = contents.material
    if material is not None and material.pair is not None:
        add_pair(page, material.pair)
    for evaluation in contents.evaluations:
        _extremes(page, evaluation)
    if material is not None and material.maps is not None:
        add_maps(page, material.maps)
    if contents.log is not None or material is not None:
        _training(page, contents)
    if material is not None:
        add_model(page, contents.model, material)
    if contents.filters is not None:
        _filters(page, contents.filters)
    _photographs(page, contents)
    return page.render()


def _lead(contents: Contents) -> str:
    points = contents.evaluations[0].measure.n_points
    finds = "one point, where the nose meets the upper lip" if points == 1 else f"{points} points of a face"
    return (
        f"{contents.model} locates {finds}. Weights: {contents.weights}. This page shows faces of the data "
        "sets: keep it private."
    )


def _accuracy(page: Page, evaluations: Mapping[str, Evaluation]) -> None:
    page.heading("Accuracy")
    for evaluation in evaluations.values():
        page.text(_in_short(evaluation, scores(evaluation)[-1]))
    measure = next(iter(evaluations.values())).measure
    for name, evaluation in evaluations.items():
        found = scores(evaluation)
        page.table(
            name.capitalize(), long_header(measure), [cells(measure, row) for row in found], len(found) > 1
        )
    page.text(
        " ".join([long_explain(measure), *(_CONDITIONS[one.condition] for one in evaluations.values())])
    )
    caption = (
        "The higher and the farther left, the better: share of faces whose error is at most that below. "
        "Faces to the right of a dotted line count as failed."
    )
    page.plot(
        partial(error_curves, evaluations), "Cumulative error distribution, one panel a subset", caption
    )
    if len(measure.parts) > 1:
        page.subheading("By part of the face")
        for name, evaluation in evaluations.items():
            rows = [part_cells(row) for row in scores(evaluation)]
            caption = f"{name.capitalize()}: mean error of each part, {measure.unit}"
            page.table(caption, part_header(measure), rows, len(rows) > 1)
        caption = "Mean error over the points of each part, of all faces that were found."
        page.plot(partial(part_bars, evaluations), "Bars of the mean error of each part of the face", caption)


def _in_short(evaluation: Evaluation, score: Score) -> str:
    of = "% of the distance between the outer eye corners" if evaluation.measure.unit == "%" else "pixels"
    return (
        f"{evaluation.condition.capitalize()}: {number(score.mean)} {of} on average over {score.faces} test "
        f"faces ({score.subset}), {score.misses} of them not found."
    )


def _extremes(page: Page, evaluation: Evaluation) -> None:
    page.heading(f"Best and worst faces: {evaluation.condition}")
    for worst in (False, True):
        rows = ranked(evaluation, EXTREMES, worst)
        page.subheading(f"The {len(rows)} with the {'largest' if worst else 'smallest'} error")
        page.gallery([face_item({"": evaluation}, row) for row in rows], LEGEND)


def _training(page: Page, contents: Contents) -> None:
    page.heading("Training curves")
    if contents.log is None:
        page.text(
            "No log of the run was found: curves are drawn for weights in the folder of their run, where "
            "training leaves log.csv, or for a log that --log names."
        )
        return
    unit = contents.evaluations[0].measure.error_name
    caption = (
        "Epoch 0 is the network before training. Training: mean over the epoch, on augmented pictures. "
        "Validation: the averaged weights at its end, on plain pictures of the validation set."
    )
    alt = "Loss and its terms, validation error, learning rate and speed over the epochs"
    page.plot(partial(draw_curves, contents.log, unit), alt, caption)


def _filters(page: Page, filters: FloatArray) -> None:
    page.heading("First layer")
    count, height, width = filters.shape
    what = f"The {count} kernels of {height}x{width} pixels of the first convolution"
    caption = f"{what}, on one scale: grey is 0, white positive, black negative."
    page.plot(partial(filter_grid, filters), what, caption)


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
