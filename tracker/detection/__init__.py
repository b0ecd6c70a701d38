"""Face detectors: a picture in, boxes out."""

from __future__ import annotations

from typing import Protocol

from tracker.types import FaceBox, ImageArray


class FaceDetector(Protocol):
    """Finds faces; each adapter reports the same box, whatever its network was trained on."""

    def detect(self, image_bgr: ImageArray, turn: int | None = None) -> list[FaceBox]:
        """Faces in ``image_bgr`` ``(H, W, 3)`` uint8, best score first.

        ``turn`` None searches the whole picture and every close-up of it: right for a still image.
        In a video, 0, 1, 2, ... from detection to detection searches the whole picture and the few
        close-ups whose turn it is, so that small faces are found too and no frame pays for all.
        A detector without close-ups ignores it.

        Each box is the adapter's estimate of the tight box around the 68 landmarks, measured with
        the head upright: ``roll_rad`` says how far the head is turned about the box's centre.
        """
        ...


class FakeDetector:
    """Reports the boxes it was given, every time, and keeps the turns it was asked for."""

    def __init__(self, *boxes: FaceBox) -> None:
        self.boxes = list(boxes)
        self.turns: list[int | None] = []

    def detect(self, image_bgr: ImageArray, turn: int | None = None) -> list[FaceBox]:  # noqa: ARG002
        self.turns.append(turn)
        return list(self.boxes)
