"""Sheet of validation pictures with the points that a network in training predicts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from tracker.scheme.value import Scheme
from tracker.types import FloatArray, ImageArray
from train.data.dataset import Sample, from_unit
from train.errors import RunError
from train.files import replace
from train.training.task import Crops

PREDICTIONS = "predictions.png"
"""Name of the sheet in a run's folder."""

_COUNT, _COLUMNS, _SIDE, _GAP, _HEADING = 12, 4, 240, 4, 26
_TRUE, _PREDICTED = (80, 220, 60), (0, 140, 255)
_SHIFT = 4  # OpenCV takes positions in sixteenths of a pixel


@torch.inference_mode()
def write_predictions(model: nn.Module, crops: Crops, out: Path, epoch: int, scheme: Scheme) -> None:
    """Write the sheet of ``crops``, spread over all of them, after ``epoch`` epochs to the folder ``out``.

    Labels are green circles, predicted points orange dots, joined by the edges of ``scheme``. Raises
    :class:`RunError` if the sheet cannot be written.
    """
    chosen = np.linspace(0, len(crops) - 1, min(_COUNT, len(crops))).round().astype(int).tolist()
    samples = [crops[index] for index in chosen]
    device = next(model.parameters()).device
    model.eval()
    found = model(torch.stack([crop for crop, _, _ in samples]).to(device)).points.float().cpu()
    pairs = zip(samples, found, strict=True)
    sheet = _sheet([_tile(sample, points, scheme) for sample, points in pairs])
    title = f"epoch {epoch}: labels green, predictions orange"
    cv2.putText(sheet, title, (8, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    done, png = cv2.imencode(".png", sheet)
    if not done:
        raise RunError(f"{out / PREDICTIONS} cannot be encoded")
    replace(out / PREDICTIONS, png.tobytes())


def _tile(sample: Sample, predicted: torch.Tensor, scheme: Scheme) -> ImageArray:
    """Draw one crop with its label and the prediction ``(P, 2)`` in crop sides: ``(240, 240, 3)`` BGR."""
    crop, truth, _ = sample
    tile = cv2.resize(crop[0].numpy(), (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
    tile = cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR)
    for start, end in scheme.edges:
        places = _places(predicted)
        cv2.line(tile, places[start], places[end], _PREDICTED, 1, cv2.LINE_AA, _SHIFT)
    for place in _places(truth[:, :2]):
        cv2.circle(tile, place, 4 << _SHIFT, _TRUE, 1, cv2.LINE_AA, _SHIFT)
    for place in _places(predicted):
        cv2.circle(tile, place, 2 << _SHIFT, _PREDICTED, -1, cv2.LINE_AA, _SHIFT)
    return np.asarray(tile, np.uint8)


def _places(points: torch.Tensor) -> list[tuple[int, int]]:
    """Return points in crop sides as OpenCV's sixteenths of a pixel of a tile, kept near it."""
    pixels: FloatArray = from_unit(points.double(), _SIDE).numpy()
    x_y = (pixels.clip(-_SIDE, 2 * _SIDE) * 2**_SHIFT).round().astype(int)
    return [(int(x), int(y)) for x, y in x_y]


def _sheet(tiles: list[ImageArray]) -> ImageArray:
    """Arrange tiles of one size in rows on white, below a heading."""
    columns, step = min(len(tiles), _COLUMNS), _SIDE + _GAP
    rows = -(-len(tiles) // columns)
    sheet = np.full((_HEADING + rows * step, max(columns * step, 2 * step), 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = _HEADING + row * step, column * step
        sheet[top : top + _SIDE, left : left + _SIDE] = tile
    return sheet
