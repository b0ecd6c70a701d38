"""Pictures of the user's own: faces found by the tracker, points located by the network that is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tracker.types import FloatArray, ImageArray
from train.data.pictures import read_picture
from train.errors import DataError, RunError
from train.evaluation.families import Family
from train.evaluation.own_detector import tracked
from train.evaluation.predictions import Line
from train.files import replace
from train.progress import progress_bar

if TYPE_CHECKING:
    from train.models.load import Loaded

FINDER = "resnet18"
"""Shipped model whose points place the crops of a network that the tracker does not run."""

_NAMED = 3


def own_pictures(folder: Path, model: str, family: Family, loaded: Loaded | None) -> dict[str, Line]:
    """Return the faces in each picture of ``folder``, by file name, with the points of ``model``.

    Without ``loaded`` they are the tracker's own. With it, the tracker finds the faces with its shipped
    model, and the network locates its points in crops that are placed as in its own evaluation. Raises
    :class:`~train.errors.RunError` if the tracker fails or a point is not finite, and
    :class:`~train.errors.DataError` if there is no face in any picture.
    """
    lines = tracked(folder, FINDER if loaded else model)
    found = {}
    with progress_bar("own pictures", len(lines)) as advance:
        for name, line in lines.items():
            found[name] = _line(folder / name, line, family, loaded)
            advance()
    if not any(line.faces for line in found.values()):
        reasons = remarks(found)
        more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
        raise DataError(f"--images {folder} shows no face: {'; '.join(reasons[:_NAMED])}{more}")
    return found


def remarks(lines: Mapping[str, Line]) -> tuple[str, ...]:
    """Return a remark about each picture in which no face was found, or which could not be read."""
    return tuple(f"{name}: {line.error or 'no face found'}" for name, line in lines.items() if not line.faces)


def write_marked(out: Path, folder: Path, lines: Mapping[str, Line]) -> None:
    """Write each picture of ``folder`` that has faces as ``out/NAME.png``, with their points drawn.

    Raises :class:`~train.errors.RunError` if one cannot be written.
    """
    from train.evaluation.figures import png
    from train.evaluation.pictures import photograph

    for name, line in lines.items():
        if line.faces:
            replace(out / f"{name}.png", png(photograph(folder / name, line.faces)))


def _line(path: Path, line: Line, family: Family, loaded: Loaded | None) -> Line:
    if not line.faces:
        return line
    try:
        image = read_picture(path, upright=True)
    except DataError:  # the tracker reads more formats
        return Line((), "not an image that OpenCV can read")
    if loaded is None:
        return line
    return Line(tuple(_located(image, face, family, loaded) for face in line.faces))


def _located(image: ImageArray, face: FloatArray, family: Family, loaded: Loaded) -> FloatArray:
    """Return the network's points ``(P, 2)`` on the ``face`` that the tracker located, in image pixels."""
    import torch

    from train.data.dataset import from_unit

    crop, square = family.cut(image, face, loaded.size)
    with torch.inference_mode():
        points = loaded.network(torch.from_numpy(crop)[None, None]).points[0].double()
    if not torch.isfinite(points).all():
        raise RunError("the network gives points that are not finite: its weights are of no use")
    return np.asarray(square.to_frame(from_unit(points, loaded.size).numpy()))
