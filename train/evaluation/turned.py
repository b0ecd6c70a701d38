"""Figures of covered and half-lit faces, from label-box crops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tracker.geometry import CropTransform
from tracker.types import FloatArray, ImageArray
from train.data.dataset import from_unit
from train.data.faces import LabelledFace
from train.data.occluders import Drawn, draw_mask, half_light
from train.data.pictures import read_picture
from train.metrics import Float64Array, inter_ocular, point_distances
from train.models.load import Loaded
from train.models.quality import spread
from train.progress import OnRead

_BATCH = 32

Change = Callable[[ImageArray, FloatArray, np.random.Generator], Drawn]


@dataclass(frozen=True, eq=False)
class Seen:
    """A network's answers for N crops: ``points`` ``(N, P, 2)`` in crop pixels, presence, spread of maps.

    ``presence`` ``(N,)`` and ``spread`` ``(N, P)`` are NaN for a network that has none.
    """

    points: FloatArray
    presence: Float64Array
    spread: FloatArray


@dataclass(frozen=True)
class Figures:
    """Mean error in per cent, share 0..1 of presence above one half, and number of faces.

    ``found`` is NaN for a network without presence.
    """

    error_percent: float
    found: float
    faces: int


def changed(
    loaded: Loaded, faces: Sequence[LabelledFace], change: Change, on_face: OnRead = lambda: None
) -> tuple[Figures, float]:
    """Return figures of ``faces`` with a drawing over them, and the AUC of the maps' width for its points.

    The error is the NME in per cent of the inter-ocular distance. The AUC is that with which the spread tells
    covered points; NaN if none is covered, and for a network without maps. ``on_face`` is called after each
    face.
    """
    crops, truth, covered = [], [], []
    for number, face in enumerate(faces):
        crop = CropTransform.from_points(face.points, size=loaded.size)
        points = crop.to_crop(face.points)
        image, under = change(crop.cut(read_picture(face.image)), points, np.random.default_rng((7, number)))
        crops.append(image)
        truth.append(points)
        covered.append(under)
    seen = locate(loaded, crops, on_face)
    places = np.stack(truth)
    error = 100 * point_distances(seen.points, places).mean(axis=1) / inter_ocular(places)
    found = np.where(np.isnan(seen.presence), np.nan, seen.presence > 0.5)
    figures = Figures(float(error.mean()), float(found.mean()), len(faces))
    return figures, area_under_curve(seen.spread.ravel(), np.stack(covered).ravel())


def masked(image: ImageArray, points: FloatArray, rng: np.random.Generator) -> Drawn:
    """Draw a mask: a change for :func:`changed`."""
    return draw_mask(image, points, rng)


def half_lit(image: ImageArray, points: FloatArray, rng: np.random.Generator) -> Drawn:
    """Light one side only: a change for :func:`changed`."""
    return half_light(image, rng), np.zeros(len(points), bool)


def unchanged(image: ImageArray, points: FloatArray, _: np.random.Generator) -> Drawn:
    """Change nothing: the baseline for :func:`changed`."""
    return image, np.zeros(len(points), bool)


def area_under_curve(score: FloatArray, positive: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve of ``score`` ``(N,)`` for ``positive`` ``(N,)``.

    The chance that a positive scores above a negative (the statistic of Mann and Whitney). NaN for one class,
    and if a score is NaN.
    """
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others or np.isnan(score).any():
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


@torch.inference_mode()
def locate(loaded: Loaded, crops: Sequence[ImageArray], on_crop: OnRead = lambda: None) -> Seen:
    """Run ``loaded`` on ``crops``, each ``(S, S)`` grey uint8; ``on_crop`` is called after each."""
    found: list[Seen] = []
    for start in range(0, len(crops), _BATCH):
        batch = torch.from_numpy(np.stack(crops[start : start + _BATCH]))[:, None]
        output = loaded.network(batch)
        points = _numpy(from_unit(output.points.double(), loaded.size))
        logit, maps = output.presence_logit, output.maps
        presence = np.full(len(points), np.nan) if logit is None else _numpy(logit.double().sigmoid())
        width = np.full(points.shape[:2], np.nan) if maps is None else _numpy(spread(maps))
        found.append(Seen(points, presence, width))
        for _ in batch:
            on_crop()
    points, presence, width = (
        np.concatenate([getattr(seen, name) for seen in found]) for name in ("points", "presence", "spread")
    )
    return Seen(points, presence, width)


def _numpy(tensor: Tensor) -> Float64Array:
    return np.asarray(tensor.numpy(), np.float64)
