"""Errors of a network for points of one's own, on labelled faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tracker.types import FloatArray
from train.data.dataset import FaceCrops
from train.data.readers import LabelledFace
from train.metrics import Float64Array, failure_rate, nme_percent, normaliser, point_distances
from train.models.trained import Trained
from train.training.points import error_unit

_BATCH = 16
_WORST = 5


@dataclass(frozen=True, eq=False)
class PointScores:
    """Normalised mean error of each face ``(N,)`` in per cent, and the means of each part, in ``unit``.

    ``images`` are the names of the pictures. Crops are placed by the labels, so that no detector matters.
    """

    unit: str
    nme: Float64Array
    parts: dict[str, float]
    images: tuple[str, ...]

    @property
    def worst(self) -> list[tuple[str, float]]:
        """The pictures with the largest errors, largest first."""
        order = np.argsort(-self.nme, kind="stable")[:_WORST]
        return [(self.images[index], float(self.nme[index])) for index in order]

    def rows(self) -> list[tuple[str, str]]:
        """Return the figures as pairs of name and text."""
        unit = self.unit
        rows = [
            ("faces", str(len(self.nme))),
            ("mean error (NME)", f"{self.nme.mean():.2f} {unit}"),
            ("median", f"{np.median(self.nme):.2f} {unit}"),
            ("90th percentile", f"{np.percentile(self.nme, 90):.2f} {unit}"),
            ("error above 10 %", f"{100 * failure_rate(self.nme):.1f} % of the faces"),
        ]
        return rows + [(name, f"{value:.2f} {unit}") for name, value in self.parts.items()]

    def to_dict(self) -> dict[str, object]:
        """Convert to a dict for JSON."""
        faces = dict(zip(self.images, map(float, self.nme), strict=True))
        return {"unit": self.unit, "nme_mean": float(self.nme.mean()), "parts": self.parts, "faces": faces}


@torch.inference_mode()
def point_scores(
    trained: Trained, faces: Sequence[LabelledFace], on_read: Callable[[], object] = lambda: None
) -> PointScores:
    """Measure ``trained`` on ``faces`` with the points of its scheme, on crops that the labels place."""
    scheme, loaded = trained.scheme, trained.loaded
    crops = FaceCrops(faces, loaded.size, on_read=on_read, scheme=scheme)
    found: list[FloatArray] = []
    labels: list[FloatArray] = []
    for start in range(0, len(crops), _BATCH):
        batch = [crops[index] for index in range(start, min(start + _BATCH, len(crops)))]
        pictures, points, _ = zip(*batch, strict=True)
        found.append(loaded.network(torch.stack(pictures)).points.float().numpy())
        labels += [one.numpy() for one in points]
    predicted, truth = np.concatenate(found), np.stack(labels)
    each = 100 * point_distances(predicted, truth) / normaliser(truth, scheme)[:, None]
    parts = {name: float(each[:, list(points)].mean()) for name, points in scheme.parts.items()}
    names = tuple(face.image.name for face in faces)
    return PointScores(error_unit(scheme), nme_percent(predicted, truth, scheme), parts, names)
