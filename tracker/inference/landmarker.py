"""An exported landmark model behind one verb: crops in, points out.

The contract, whatever the network inside: input ``crop`` uint8 ``(N, 1, 224, 224)`` raw grey
levels; outputs ``points`` float32 ``(N, 68, 2)`` in crop pixels, ``presence`` float32 ``(N,)``, the
probability that the crop holds a face, and, of models that judge it, ``quality`` float32 ``(N, 68)``, the
probability that each point is good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.types import N_POINTS, FloatArray, ImageArray

if TYPE_CHECKING:
    from tracker.inference.backends import Session


class Located(NamedTuple):
    """The answer to N crops: ``points_crop`` ``(N, 68, 2)`` in crop pixels, ``presence`` ``(N,)`` 0..1, and
    ``quality`` ``(N, 68)`` 0..1, None from models that do not judge it."""

    points_crop: FloatArray
    presence: FloatArray
    quality: FloatArray | None = None


class Landmarker(Protocol):
    """Locates the 68 points in crops."""

    def locate(self, crops: ImageArray) -> Located:
        """Of ``(N, 224, 224)`` grey uint8."""
        ...


class OnnxLandmarker:
    """A model that keeps the contract, on any :class:`~tracker.inference.backends.Session`.

    Opening runs one empty crop, so that a graph that breaks the contract fails here, with a
    :class:`~tracker.errors.WeightsError`, and the first real frame does not pay for warming up. Where the
    runtime prepares each batch size, so do batches of up to ``faces`` crops.
    """

    def __init__(self, session: Session, faces: int = 1) -> None:
        self._session = session
        for count in range(faces if session.prepares_each_shape else 1, 0, -1):
            outputs = session.run(np.zeros((count, 1, CROP_SIZE, CROP_SIZE), np.uint8))
        shapes = [output.shape for output in outputs]
        contract = [(1, N_POINTS, 2), (1,), (1, N_POINTS)]
        if shapes not in (contract, contract[:2]):
            raise WeightsError(
                f"a landmark model must return (N, {N_POINTS}, 2), (N,) and may (N, {N_POINTS}), got {shapes}"
            )

    def locate(self, crops: ImageArray) -> Located:
        return Located(*self._session.run(crops[:, None]))


class FakeLandmarker:
    """Answers every crop with the points, presence and quality that the test sets; counts its crops."""

    def __init__(
        self, points_crop: FloatArray, presence: float = 1.0, quality: FloatArray | None = None
    ) -> None:
        self.points_crop = points_crop
        self.presence = presence
        self.quality = quality
        self.crops_seen = 0

    def locate(self, crops: ImageArray) -> Located:
        count = len(crops)
        self.crops_seen += count
        points, presence = np.tile(self.points_crop, (count, 1, 1)), np.full(count, self.presence, np.float32)
        return Located(points, presence, None if self.quality is None else np.tile(self.quality, (count, 1)))
