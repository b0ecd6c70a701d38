"""Sheets of samples as a run sees them: the same pictures plain and augmented, with their points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tracker.types import ImageArray
from train.config import Stage, TrainConfig
from train.data.dataset import Sample, from_unit
from train.data.faces import VISIBLE
from train.errors import RunError
from train.files import replace
from train.training.folder import SAMPLES
from train.training.task import Crops, Task

_COUNT, _COLUMNS, _SIDE, _GAP = 24, 6, 192, 4
_SEEN, _HIDDEN, _WORDS = (80, 220, 60), (0, 160, 255), (255, 255, 255)
_SHIFT = 4  # OpenCV takes positions in sixteenths of a pixel


def write_samples(out: Path, config: TrainConfig, task: Task, crops: Crops) -> None:
    """Write the two sheets of ``crops`` to ``out``, pictures spread over all that the stages train on.

    Each is shown as in the first epoch of its first stage. Visible points are green, covered and guessed ones
    orange. Raises :class:`RunError` if a sheet cannot be written.
    """
    chosen = _chosen(config, task)
    for name, source in zip(SAMPLES, (crops.plain(), crops), strict=True):
        tiles = [_tile(source.at(stage.size, epoch)[index]) for index, stage, epoch in chosen]
        done, png = cv2.imencode(".png", _sheet(tiles))
        if not done:
            raise RunError(f"{out / name} cannot be encoded")
        replace(out / name, png.tobytes())


def _chosen(config: TrainConfig, task: Task) -> list[tuple[int, Stage, int]]:
    """Choose pictures, each with the first stage that trains on it and that stage's first epoch."""
    first: dict[int, tuple[Stage, int]] = {}
    epoch = 0
    for stage in config.stages:
        for index in task.indices(stage):
            first.setdefault(index, (stage, epoch))
        epoch += stage.epochs
    known = sorted(first)
    places = np.linspace(0, len(known) - 1, min(_COUNT, len(known))).round().astype(int)
    return [(known[place], *first[known[place]]) for place in places]


def _tile(sample: Sample) -> ImageArray:
    """Draw one sample, ``(H, 192, 3)`` BGR."""
    crop, points, is_face = sample
    height, width = crop.shape[-2:]
    scale = _SIDE / width
    side = (_SIDE, round(height * scale))
    tile = cv2.cvtColor(cv2.resize(crop[0].numpy(), side, interpolation=cv2.INTER_LINEAR), cv2.COLOR_GRAY2BGR)
    if not is_face:
        cv2.putText(tile, "no face", (6, side[1] - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _WORDS, 1, cv2.LINE_AA)
        return np.asarray(tile, np.uint8)
    at = from_unit(points[:, :2].double(), width).numpy()
    at[:, 1] -= (width - height) / 2  # a whole picture lacks the rows of the square above and below it
    radius = 1.5 if len(at) > 1 else 4.0
    for number, (x, y) in enumerate((at + 0.5) * scale - 0.5):
        seen = points.shape[1] == 2 or points[number, 2] == VISIBLE
        center = round(x * 2**_SHIFT), round(y * 2**_SHIFT)
        colour = _SEEN if seen else _HIDDEN
        cv2.circle(tile, center, round(radius * 2**_SHIFT), colour, -1, cv2.LINE_AA, _SHIFT)
    return np.asarray(tile, np.uint8)


def _sheet(tiles: Sequence[ImageArray]) -> ImageArray:
    """Arrange tiles of one width in rows on white."""
    height = max(len(tile) for tile in tiles) + _GAP
    rows = -(-len(tiles) // _COLUMNS)
    sheet = np.full((rows * height, min(len(tiles), _COLUMNS) * (_SIDE + _GAP), 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _COLUMNS)
        top, left = row * height, column * (_SIDE + _GAP)
        sheet[top : top + len(tile), left : left + _SIDE] = tile
    return sheet
