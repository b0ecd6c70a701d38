"""Comparison of every file of a model on every backend with torch, in pixels and NME."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from export.landmarks import PARITY_PX, Contract
from tracker.errors import BackendError
from tracker.geometry import CROP_SIZE, CropTransform
from tracker.inference.backends import open_session
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import ModelFile
from tracker.types import FloatArray
from train.data.dataset import FaceCrops
from train.data.faces import LabelledFace
from train.metrics import nme_percent
from train.models.load import load_network
from train.progress import OnRead

BATCH = 8


@dataclass(frozen=True)
class ParityRow:
    """Result of one file on one backend against torch in float32, over the same crops.

    ``largest_px`` and ``mean_px`` are distances of points in crop pixels; ``nme_percent`` is the mean over
    the faces, from the label box, and ``loss`` its excess over torch's. If the backend does not open,
    ``refusal`` gives the reason and the figures are NaN.
    """

    model: str
    precision: str
    backend: str
    provider: str = ""
    largest_px: float = float("nan")
    mean_px: float = float("nan")
    nme_percent: float = float("nan")
    loss: float = float("nan")
    refusal: str = ""

    @property
    def holds(self) -> bool:
        """True if points stay within :data:`~export.landmarks.PARITY_PX`, as they must in float32."""
        return self.largest_px <= PARITY_PX


class Faces:
    """Labelled faces as crops, read once: ``crops`` uint8 ``(N, 224, 224)`` and their ``transforms``."""

    def __init__(self, faces: Sequence[LabelledFace], on_read: OnRead = lambda: None) -> None:
        read = FaceCrops(faces, CROP_SIZE, on_read=on_read)
        self.crops = np.stack([read[i][0][0].numpy() for i in range(len(read))])
        self.transforms = [CropTransform.from_points(face.points, size=CROP_SIZE) for face in faces]
        self._truth = np.stack([face.points for face in faces])

    def nme(self, points_crop: FloatArray) -> float:
        """Return the mean NME in per cent of ``(N, P, 2)`` points in crop pixels."""
        pairs = zip(self.transforms, points_crop, strict=True)
        return float(nme_percent(np.stack([t.to_frame(p) for t, p in pairs]), self._truth).mean())


def compare(
    model: ModelFile, backends: Sequence[str], faces: Faces, on_done: OnRead = lambda: None
) -> Iterator[ParityRow]:
    """Run ``model`` on each of ``backends``, and its variants on the backends that they suit.

    ``on_done`` is called after each row. Raises :class:`~tracker.errors.WeightsError` for a damaged file.
    """
    reference = torch_points(model, faces)
    for file in (model, *model.variants.values()):
        path = file.verified()
        for backend in backends:
            if file is not model and backend not in file.meta["suits"]:
                continue
            try:
                session = open_session(path, backend)
            except BackendError as error:
                yield ParityRow(model.name, file.precision, backend, refusal=str(error))
            else:
                points = locate(OnnxLandmarker(session), faces)
                apart = np.linalg.norm(points - reference, axis=-1)
                nme = faces.nme(points)
                figures = (float(apart.max()), float(apart.mean()), nme, nme - faces.nme(reference))
                yield ParityRow(model.name, file.precision, backend, session.provider, *figures)
            on_done()


def torch_points(model: ModelFile, faces: Faces) -> FloatArray:
    """Run the weights inside the model's file in torch: ``(N, P, 2)`` in crop pixels."""
    loaded = load_network(model.name, model.verified())
    contract = Contract(loaded.network, loaded.size).eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(faces.crops), BATCH):
            found.append(contract(torch.from_numpy(faces.crops[start : start + BATCH, None]))[0].numpy())
    return np.concatenate(found)


def locate(landmarker: OnnxLandmarker, faces: Faces) -> FloatArray:
    """Return the points of ``faces`` that ``landmarker`` finds, ``(N, P, 2)`` in crop pixels."""
    starts = range(0, len(faces.crops), BATCH)
    return np.concatenate([landmarker.locate(faces.crops[i : i + BATCH]).points_crop for i in starts])
