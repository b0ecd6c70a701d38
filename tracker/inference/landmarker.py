"""Landmark models: crops in, landmarks out.

Each exported model, whatever the network inside, has one input ``crop``, uint8 ``(N, 1, 224, 224)`` grey
levels, and these outputs: ``points`` float32 ``(N, P, 2)`` in crop pixels, P the number of points of
its scheme; ``presence`` float32 ``(N,)``, the probability that the crop shows a face; and, if the model
estimates it, ``quality`` float32 ``(N, P)``, the probability that each point is good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.types import FloatArray, ImageArray

if TYPE_CHECKING:
    from tracker.inference.sessions import Session


class Located(NamedTuple):
    """Landmarks in N crops.

    ``points_crop`` ``(N, P, 2)`` are in crop pixels, ``presence`` ``(N,)`` and ``quality`` ``(N, P)`` are
    probabilities 0..1; ``quality`` is None from models that do not estimate it.
    """

    points_crop: FloatArray
    presence: FloatArray
    quality: FloatArray | None = None


class Landmarker(Protocol):
    """Locates the landmarks of its ``scheme`` in crops."""

    @property
    def scheme(self) -> Scheme:
        """Landmarks that are located."""
        ...

    def locate(self, crops: ImageArray) -> Located:
        """Return the landmarks in ``crops``, ``(N, 224, 224)`` grey uint8."""
        ...


class OnnxLandmarker:
    """A landmark model in a :class:`~tracker.inference.sessions.Session`.

    The constructor runs the model on an empty crop, so that the first frame does not wait for the runtime to
    warm up; if the runtime prepares each batch size, it runs batches of up to ``faces`` crops. Raises
    :class:`~tracker.errors.WeightsError` if the model's outputs have other shapes than required.
    """

    def __init__(self, session: Session, faces: int = 1, scheme: Scheme = IBUG68) -> None:
        self.scheme = scheme
        self._session = session
        for count in range(faces if session.prepares_each_shape else 1, 0, -1):
            outputs = session.run(np.zeros((count, 1, CROP_SIZE, CROP_SIZE), np.uint8))
        shapes = [output.shape for output in outputs]
        count = scheme.n_points
        required = [(1, count, 2), (1,), (1, count)]
        if shapes not in (required, required[:2]):
            raise WeightsError(
                f"a landmark model of {scheme} must return (N, {count}, 2), (N,) and may (N, {count}), "
                f"got {shapes}"
            )

    def locate(self, crops: ImageArray) -> Located:
        """Return the landmarks in ``crops``, ``(N, 224, 224)`` grey uint8."""
        return Located(*self._session.run(crops[:, None]))


class FakeLandmarker:
    """Landmarker that returns the same points, presence and quality for each crop, and counts crops."""

    def __init__(
        self,
        points_crop: FloatArray,
        presence: float = 1.0,
        quality: FloatArray | None = None,
        scheme: Scheme = IBUG68,
    ) -> None:
        self.points_crop = points_crop
        self.presence = presence
        self.quality = quality
        self.scheme = scheme
        self.crops_seen = 0

    def locate(self, crops: ImageArray) -> Located:
        """Return the given landmarks for each of ``crops``."""
        count = len(crops)
        self.crops_seen += count
        points, presence = np.tile(self.points_crop, (count, 1, 1)), np.full(count, self.presence, np.float32)
        return Located(points, presence, None if self.quality is None else np.tile(self.quality, (count, 1)))
