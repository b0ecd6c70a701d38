"""The user's own pictures with predicted points, for the private report, never for the repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from tracker.types import FloatArray
from train.data.pictures import read_picture
from train.evaluation.tiles import edges

COLOUR = "#ff9f1c"

_LONGEST_PX = 720


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
        lines = [points[list(edge)] for edge in edges(len(points))]
        axes.add_collection(LineCollection(lines, colors=COLOUR, linewidths=0.8))
        area = 5.0 if len(points) > 1 else 40.0  # a single point must be visible in a whole picture
        axes.scatter(points[:, 0], points[:, 1], s=area, color=COLOUR, linewidths=0)
    return figure
