"""New faces: detected boxes are located twice, checked, and kept once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tracker.geometry import CropTransform
from tracker.tracking.crops import CropOfImage, crop_around
from tracker.tracking.duplicates import overlaps_any
from tracker.tracking.settings import MinConfidence
from tracker.types import FaceBox, ImageArray, Landmarks

Locate = Callable[[Sequence[CropOfImage]], Sequence[Landmarks]]


class NewFaceSearch:
    """The search for new faces in one picture.

    ``boxes`` are the detector's, ``known`` those of faces that are followed already. At most ``slots`` faces
    are ``found``, the largest boxes first; a box that turns out to hold no face, or a face that is known,
    takes no slot from the boxes after it.
    """

    def __init__(
        self,
        image: ImageArray,
        boxes: Iterable[FaceBox],
        known: Iterable[FaceBox],
        slots: int,
        least: MinConfidence,
        same_iou: float,
    ) -> None:
        self.image = image
        self.found: list[Landmarks] = []
        self._waiting = sorted(boxes, key=lambda box: box.area, reverse=True)
        self._known = list(known)
        self._slots = slots
        self._least = least
        self._same_iou = same_iou

    def next_boxes(self) -> list[FaceBox]:
        """Return the boxes to locate next, one for each free slot; none when the search has ended."""
        free = self._slots - len(self.found)
        batch, self._waiting = self._waiting[:free], self._waiting[free:]
        return batch

    def take(self, faces: Iterable[Landmarks]) -> None:
        """Keep those of the located ``faces`` that are confident and not known yet."""
        for face in faces:
            if not self._least.accepts(face):
                continue  # its points may be anything, and make no box
            box = FaceBox.around(face.points_frame)
            if not overlaps_any(box, self._known, self._same_iou):
                self.found.append(face)
                self._known.append(box)


def find_new_faces(searches: Sequence[NewFaceSearch], locate: Locate) -> list[list[Landmarks]]:
    """Run ``searches`` to their end and return what each found.

    ``locate`` returns the landmarks in crops. In each round it gets the crops of all searches together, so
    that they go through the model in one batch.
    """
    while any(rounds := [search.next_boxes() for search in searches]):
        crops = [
            (search.image, CropTransform.from_box(box))
            for search, boxes in zip(searches, rounds, strict=True)
            for box in boxes
        ]
        faces = iter(_locate_twice(crops, locate))
        for search, boxes in zip(searches, rounds, strict=True):
            search.take([next(faces) for _ in boxes])
    return [search.found for search in searches]


def _locate_twice(crops: Sequence[CropOfImage], locate: Locate) -> Sequence[Landmarks]:
    """Return the landmarks in ``crops``; a first answer places the crop for the second."""
    first = locate(crops)
    return locate(
        [(image, crop_around(face, crop)) for face, (image, crop) in zip(first, crops, strict=True)]
    )
