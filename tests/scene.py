"""A scripted scene that is detector and landmark model at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.shapes import canonical_points, face_box
from tracker.inference.detection.views import View, whole_picture
from tracker.inference.landmarker import Located
from tracker.scheme.ibug68 import IBUG68
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, ImageArray

BLANK: ImageArray = np.zeros((480, 640, 3), np.uint8)


class Scene:
    """People drawn as discs, each of its own grey level, in pictures of 640x480.

    ``people`` maps grey levels from 50 on to the centres of the discs; ``hidden`` ones are not drawn. The
    detector reports a box of ``size`` pixels around each, or ``boxes``. The landmark model recognises people
    by the grey level in the middle of the crop and answers with points around the disc's centre, so that the
    whole way from frame to crop and back is exercised.
    """

    scheme = IBUG68

    def __init__(self, people: dict[int, tuple[float, float]] | None = None) -> None:
        self.people = people or {}
        self.hidden: set[int] = set()
        self.size = 120.0
        self.boxes: list[FaceBox] | None = None
        self.close_ups: list[View] = []
        self.background: ImageArray = np.broadcast_to(np.linspace(0, 49, 640), (480, 640)).astype(np.uint8)
        self.presence = 0.9
        self.score = 1.0
        self.points_coincide = False
        self.looks: list[Sequence[View] | None] = []
        self.batches: list[int] = []
        self.last_crops: ImageArray = np.zeros((0, 224, 224), np.uint8)

    @property
    def crops_located(self) -> int:
        """Crops that the landmark model has seen."""
        return sum(self.batches)

    def frame(self, index: int, fps: float = 30.0) -> Frame:
        """Draw the scene as it is now."""
        ys, xs = np.mgrid[:480, :640]
        image = self.background.copy()
        for level, (x, y) in self.people.items():
            if level not in self.hidden:
                image[(xs - x) ** 2 + (ys - y) ** 2 < 20**2] = level
        return Frame(np.repeat(image[..., None], 3, axis=2), index, index / fps, "scene")

    def tracker(self, settings: TrackerSettings | None = None) -> FaceTracker:
        """Return a tracker of this scene."""
        return FaceTracker(self, self, settings)

    def run(self, tracker: FaceTracker, steps: int, start: int = 0) -> list[FrameResult]:
        """Step ``tracker`` through frames of the scene, which stands still."""
        return [tracker.step(self.frame(start + i)) for i in range(steps)]

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        return [whole_picture(image_hw), *self.close_ups]

    def detect(
        self,
        frame: Frame,
        views: Sequence[View] | None = None,
    ) -> list[FaceBox]:
        self.looks.append(views)
        if self.boxes is not None:
            return self.boxes
        seen = [self.people[k] for k in sorted(self.people) if (frame.image_bgr == k).any()]
        return [replace(face_box(place, self.size), score=self.score) for place in seen]

    def locate(self, crops: ImageArray) -> Located:
        self.batches.append(len(crops))
        self.last_crops = crops
        answers = [self._answer(crop) for crop in crops]
        return Located(np.array([points for points, _ in answers]), np.array([score for _, score in answers]))

    def _answer(self, crop: ImageArray) -> tuple[FloatArray, float]:
        if self.points_coincide:
            return np.full((68, 2), 111.5), 0.1
        middle = crop[72:152, 72:152]
        levels = [k for k in self.people if (middle == k).any()]
        if not levels:
            return canonical_points(), 0.1
        ys, xs = np.nonzero(crop == levels[0])
        return canonical_points() - 111.5 + [xs.mean(), ys.mean()], self.presence


def ids(result: FrameResult) -> list[int]:
    """The ids of a result's faces."""
    return [face.id for face in result.faces]
