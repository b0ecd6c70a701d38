"""Best and worst faces of an evaluation, with labels and predictions on them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tracker.geometry import CropTransform
from train.data.pictures import read_picture
from train.evaluation.results import Evaluation
from train.evaluation.tiles import Item, Marks, Style, Tile

_VIEW_PX = 256
_VIEW_MARGIN = 1.6
_SMALLEST_VIEW, _LARGEST_VIEW = 0.45, 2.5
_STYLES: tuple[Style, ...] = ("answer", "other")


def ranked(evaluation: Evaluation, count: int, worst: bool) -> list[int]:
    """Return the rows of the ``count`` faces with the smallest error, or with the largest (misses first)."""
    order = np.argsort(evaluation.errors, kind="stable")
    return [int(row) for row in (order[::-1] if worst else order)[:count]]


def face_item(answers: Mapping[str, Evaluation], row: int) -> Item:
    """Cut the face ``row`` from its image, with its label and the points of one or two ``answers``.

    These are evaluations of the same faces, by name. The caption has the error of each, and the image's name.
    Raises :class:`~train.errors.DataError` if the image cannot be read.
    """
    first = next(iter(answers.values()))
    image, truth = read_picture(first.images[row]), first.truth[row]
    low, high = truth.min(axis=0), truth.max(axis=0)
    # One point has no extent, so show a part of the image around it.
    smallest = _SMALLEST_VIEW * max(image.shape) if len(truth) == 1 else 0.0
    side = max(_VIEW_MARGIN * float((high - low).max()), smallest)
    x, y = center = (low + high) / 2
    # An answer that is far off is in view as well, unless the face would become too small.
    reach = np.concatenate([np.abs(answer.predicted[row] - center).ravel() for answer in answers.values()])
    farthest = float(np.nanmax(reach, initial=0.0))
    side = max(side, min(2.1 * farthest, _LARGEST_VIEW * side))
    view = CropTransform((float(x), float(y)), side, size=_VIEW_PX)
    errors = ", ".join(f"{name} {error_text(answer, row)}".strip() for name, answer in answers.items())
    name = f"{first.subsets[row]}/{first.images[row].name}"
    marks = [
        Marks(view.to_crop(answer.predicted[row]), style)
        for answer, style in zip(answers.values(), _STYLES, strict=False)
        if np.isfinite(answer.errors[row])
    ]
    alt = f"Face in {name}, error {errors}, with labelled and predicted points"
    tile = Tile(view.cut(image), alt, (Marks(view.to_crop(truth), "label"), *marks))
    return Item((tile,), f"{errors} · {name}")


def error_text(evaluation: Evaluation, row: int) -> str:
    """Return the error of the face ``row`` in words, such as ``3.21 %`` or ``not found``."""
    error = evaluation.errors[row]
    return f"{error:.2f} {evaluation.measure.unit}" if np.isfinite(error) else "not found"
