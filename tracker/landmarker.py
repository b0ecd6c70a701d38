"""An exported landmark model behind one verb: crops in, points out.

The contract, whatever the network inside: input ``crop`` uint8 ``(N, 1, 224, 224)`` raw grey
levels; outputs ``points`` float32 ``(N, 68, 2)`` in crop pixels and ``presence`` float32 ``(N,)``,
the probability that the crop holds a face.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.types import N_POINTS, FloatArray, ImageArray

if TYPE_CHECKING:
    from tracker.backends import Session


class Landmarker(Protocol):
    """Locates the 68 points in crops."""

    def locate(self, crops: ImageArray) -> tuple[FloatArray, FloatArray]:
        """``(N, 224, 224)`` grey uint8 -> points ``(N, 68, 2)`` in crop pixels, presence ``(N,)`` 0..1."""
        ...


class OnnxLandmarker:
    """A model that keeps the contract, on any :class:`~tracker.backends.Session`.

    Opening runs one empty crop, so that a graph that breaks the contract fails here, with a
    :class:`~tracker.errors.WeightsError`, and the first real frame does not pay for warming up.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        outputs = session.run(np.zeros((1, 1, CROP_SIZE, CROP_SIZE), np.uint8))
        shapes = [output.shape for output in outputs]
        if shapes != [(1, N_POINTS, 2), (1,)]:
            raise WeightsError(f"a landmark model must return (N, {N_POINTS}, 2) and (N,), got {shapes}")

    def locate(self, crops: ImageArray) -> tuple[FloatArray, FloatArray]:
        points, presence = self._session.run(crops[:, None])
        return points, presence


class FakeLandmarker:
    """Answers every crop with the same points and a presence that the test sets; counts its crops."""

    def __init__(self, points_crop: FloatArray, presence: float = 1.0) -> None:
        self.points_crop = points_crop
        self.presence = presence
        self.crops_seen = 0

    def locate(self, crops: ImageArray) -> tuple[FloatArray, npt.NDArray[np.float32]]:
        count = len(crops)
        self.crops_seen += count
        return np.tile(self.points_crop, (count, 1, 1)), np.full(count, self.presence, np.float32)
