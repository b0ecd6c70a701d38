"""Landmark models: crops in, landmarks out.

Each exported model, whatever the network inside, has one input ``crop``, uint8 ``(N, 1, 224, 224)`` grey
levels, and these outputs: ``points`` float32 ``(N, 68, 2)`` in crop pixels; ``presence`` float32 ``(N,)``,
the probability that the crop shows a face; and, if the model estimates it, ``quality`` float32 ``(N, 68)``,
the probability that each point is good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.types import N_POINTS, FloatArray, ImageArray

if TYPE_CHECKING:
    from tracker.inference.sessions import Session


class Located(NamedTuple):
    """Landmarks in N crops.

    ``points_crop`` ``(N, 68, 2)`` are in crop pixels, ``presence`` ``(N,)`` and ``quality`` ``(N, 68)`` are
    probabilities 0..1; ``quality`` is None from models that do not estimate it.
    """

    points_crop: FloatArray
    presence: FloatArray
    quality: FloatArray | None = None


class Landmarker(Protocol):
    """Locates the 68 landmarks in crops."""

    def locate(self, crops: ImageArray) -> Located:
        """Return the landmarks in ``crops``, ``(N, 224, 224)`` grey uint8."""
        ...


class OnnxLandmarker:
    """A landmark model in a :class:`~tracker.inference.sessions.Session`.

    The constructor runs the model on an empty crop, so that the first frame does not wait for the runtime to
    warm up; if the runtime prepares each batch size, it runs batches of up to ``faces`` crops. Raises
    :class:`~tracker.errors.WeightsError` if the model's outputs have other shapes than required.
    """

    def __init__(self, session: Session, faces: int = 1) -> None:
        self._session = session
        for count in range(faces if session.prepares_each_shape else 1, 0, -1):
            outputs = session.run(np.zeros((count, 1, CROP_SIZE, CROP_SIZE), np.uint8))
        shapes = [output.shape for output in outputs]
        required = [(1, N_POINTS, 2), (1,), (1, N_POINTS)]
        if shapes not in (required, required[:2]):
            raise WeightsError(
                f"a landmark model must return (N, {N_POINTS}, 2), (N,) and may (N, {N_POINTS}), got {shapes}"
            )

    def locate(self, crops: ImageArray) -> Located:
        """Return the landmarks in ``crops``, ``(N, 224, 224)`` grey uint8."""
        return Located(*self._session.run(crops[:, None]))


class FakeLandmarker:
    """Landmarker that returns the same points, presence and quality for each crop, and counts crops."""

    def __init__(
        self, points_crop: FloatArray, presence: float = 1.0, quality: FloatArray | None = None
    ) -> None:
        self.points_crop = points_crop
        self.presence = presence
        self.quality = quality
        self.crops_seen = 0

    def locate(self, crops: ImageArray) -> Located:
        """Return the given landmarks for each of ``crops``."""
        count = len(crops)
        self.crops_seen += count
        points, presence = np.tile(self.points_crop, (count, 1, 1)), np.full(count, self.presence, np.float32)
        return Located(points, presence, None if self.quality is None else np.tile(self.quality, (count, 1)))
