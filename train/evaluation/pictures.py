"""Pictures of faces with points drawn on them, for the private report, never for the repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tracker.geometry import CropTransform
from tracker.types import FloatArray, ImageArray
from train.data.pictures import read_picture
from train.evaluation.results import Evaluation

if TYPE_CHECKING:
    from train.data.dataset import Sample

TRUTH_COLOUR, PREDICTED_COLOUR = "#35c759", "#ff3b30"

_VIEW_PX = 200
_VIEW_MARGIN = 1.6
_SMALLEST_VIEW = 0.6
_LONGEST_PX = 720


@dataclass(frozen=True, eq=False)
class Tile:
    """A grey or RGB picture with points in its pixels, ``(P, 2)`` each, and a short title."""

    picture: ImageArray
    title: str = ""
    truth: FloatArray | None = None
    predicted: FloatArray | None = None


def tile_grid(tiles: Sequence[Tile], columns: int = 6) -> Figure:
    """Arrange ``tiles`` in rows: true points green, predicted points red."""
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    figure = Figure(figsize=(1.75 * columns, 1.95 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        axes.set_axis_off()
    for axes, tile in zip(panels, tiles, strict=False):
        _draw(axes, tile)
        axes.set_title(tile.title, fontsize=8, parse_math=False)
    return figure


def ranked(evaluation: Evaluation, count: int, worst: bool) -> list[int]:
    """Return the rows of the ``count`` faces with the smallest error, or with the largest (misses first)."""
    order = np.argsort(evaluation.errors, kind="stable")
    return [int(row) for row in (order[::-1] if worst else order)[:count]]


def face_tile(evaluation: Evaluation, row: int) -> Tile:
    """Cut the face ``row`` from its image, with true and predicted points; the title is its error.

    Raises :class:`~train.errors.DataError` if the image cannot be read.
    """
    image = read_picture(evaluation.images[row])
    truth, predicted, error = evaluation.truth[row], evaluation.predicted[row], evaluation.errors[row]
    low, high = truth.min(axis=0), truth.max(axis=0)
    # One point has no extent, so show a part of the image around it.
    smallest = _SMALLEST_VIEW * max(image.shape) if len(truth) == 1 else 0.0
    side = max(_VIEW_MARGIN * float((high - low).max()), smallest)
    x, y = (low + high) / 2
    view = CropTransform((float(x), float(y)), side, size=_VIEW_PX)
    title = f"{error:.2f} {evaluation.measure.unit}" if np.isfinite(error) else "missed"
    picture = view.cut(image)
    return Tile(picture, title, view.to_crop(truth), view.to_crop(predicted) if np.isfinite(error) else None)


def example_tiles(examples: Sequence[Sample]) -> list[Tile]:
    """Convert samples of the training loader to tiles, with their true points."""
    from train.data.dataset import from_unit

    tiles = []
    for crop, points, is_face in examples:
        height, width = crop.shape[-2:]
        truth = from_unit(points, width).numpy() if is_face > 0 else None
        if truth is not None:
            truth[:, 1] -= (
                width - height
            ) / 2  # a whole picture lacks the rows of the square above and below it
        tiles.append(Tile(crop[0].numpy(), "face" if is_face > 0 else "no face", truth))
    return tiles


def photograph(path: Path, faces: Sequence[FloatArray]) -> Figure:
    """Draw the points ``(P, 2)`` of each of ``faces``, in image pixels, on the picture in ``path``.

    Raises :class:`~train.errors.DataError` if it cannot be read.
    """
    image = read_picture(path, colour=True, upright=True)
    height, width = image.shape[:2]
    shrink = min(1.0, _LONGEST_PX / max(height, width))
    size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
    picture = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    figure = Figure(figsize=(size[0] / 110, size[1] / 110))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    # Drawn in the coordinates of the whole image, so that points need no conversion.
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axes.imshow(np.asarray(picture, np.uint8), extent=extent, aspect="auto")
    axes.set(xlim=extent[:2], ylim=extent[2:])
    for points in faces:
        dot = 4.0 if len(points) > 1 else 30.0
        axes.scatter(points[:, 0], points[:, 1], s=dot, color=PREDICTED_COLOUR, linewidths=0)
    return figure


def _draw(axes: Axes, tile: Tile) -> None:
    axes.imshow(tile.picture, cmap="gray", vmin=0, vmax=255)
    height, width = tile.picture.shape[:2]
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    for points, colour in ((tile.truth, TRUTH_COLOUR), (tile.predicted, PREDICTED_COLOUR)):
        if points is not None:
            size = 2.5 if len(points) > 1 else 14.0  # a single point must be visible in a whole picture
            axes.scatter(points[:, 0], points[:, 1], s=size, color=colour, linewidths=0)
