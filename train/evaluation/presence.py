"""Reliability of presence, on validation faces and other crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader

from train.configs.landmarks import RECIPE
from train.data.dataset import FaceCrops
from train.data.readers import LabelledFace
from train.errors import DataError, RunError
from train.models.load import Loaded
from train.models.quality import calibration_error
from train.progress import OnRead

EDGES = (0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0)
"""Limits of the table's rows; most values are near 0 or near 1."""

_BATCH = 32


@dataclass(frozen=True)
class PresenceRow:
    """The crops whose presence lies between two edges: number, mean presence, true share of faces."""

    low: float
    high: float
    count: int
    predicted: float
    actual: float


@dataclass(frozen=True)
class PresenceReport:
    """Reliability of presence as a predictor of a face.

    ``missed`` is the share of faces with a presence below one half, ``invented`` that of other crops above;
    ``calibration_error`` is :func:`train.models.quality.calibration_error` of the rows.
    """

    faces: int
    others: int
    missed: float
    invented: float
    calibration_error: float
    table: tuple[PresenceRow, ...]

    def to_dict(self) -> dict[str, object]:
        """Convert to a dict for JSON."""
        return asdict(self)


def presence_report(
    loaded: Loaded, faces: Sequence[LabelledFace], draws: int, on_draw: OnRead = lambda: None
) -> PresenceReport:
    """Measure the presence that ``loaded`` predicts for ``draws`` random crops of each face.

    As in training, crops are augmented: half of them hold the face, the others lie beside it, far too near,
    too far or turned over, or are synthetic patterns. Raises :class:`~train.errors.DataError` without faces,
    :class:`~train.errors.RunError` for a network that does not predict presence.
    """
    if not faces:
        raise DataError("no face of this data validates, so presence cannot be judged")
    crops = FaceCrops(faces, loaded.size, replace(RECIPE, background=0.5), seed=1)
    said, true = [], []
    for draw in range(draws):
        presence, is_face = _predict(loaded, crops.at(loaded.size, draw))
        said.append(presence)
        true.append(is_face)
        on_draw()
    return summarise(np.concatenate(said), np.concatenate(true))


def summarise(presence: npt.NDArray[np.float64], is_face: npt.NDArray[np.bool_]) -> PresenceReport:
    """Summarise ``presence`` ``(N,)``, 0..1, of crops with and without a face."""
    places = np.clip(np.searchsorted(EDGES, presence, side="right") - 1, 0, len(EDGES) - 2)
    table = []
    for place, (low, high) in enumerate(pairwise(EDGES)):
        inside = places == place
        if inside.any():
            actual = float(is_face[inside].mean())
            table.append(PresenceRow(low, high, int(inside.sum()), float(presence[inside].mean()), actual))
    return PresenceReport(
        faces=int(is_face.sum()),
        others=int((~is_face).sum()),
        missed=_share(presence[is_face] < 0.5),
        invented=_share(presence[~is_face] >= 0.5),
        calibration_error=calibration_error(table),
        table=tuple(table),
    )


def _share(which: npt.NDArray[np.bool_]) -> float:
    return float(which.mean()) if len(which) else 0.0


@torch.inference_mode()
def _predict(loaded: Loaded, crops: FaceCrops) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    said, true = [], []
    for pictures, _, is_face in DataLoader(crops, _BATCH):
        logit = loaded.network(pictures).presence_logit
        if logit is None:
            raise RunError("this network does not judge presence")
        said += logit.double().sigmoid().tolist()
        true += is_face.bool().tolist()
    return np.array(said), np.array(true)
