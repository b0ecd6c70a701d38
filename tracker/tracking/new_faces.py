"""New faces: detected boxes are located twice, checked, and kept once each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from tracker.geometry import CropTransform, Raster
from tracker.inference.detection.merging import OTHER_WAY_UP_RAD
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.tracking.admission import Entry
from tracker.tracking.crops import CropOfImage, crop_around
from tracker.tracking.duplicates import best_of_rivals, confidence, overlaps_any
from tracker.tracking.sighting import detector_box
from tracker.types import FaceBox, Landmarks

_QUARTERS = (math.pi / 2, math.pi, -math.pi / 2)

_LIKELY = 0.5
"""Presence from which a crop that stands another way up is worth a second pass."""

_HOPELESS = 0.02
"""Presence in the crop around a detected box below which a second look is not worth its time.

Of 228 faces that are admitted in groups, profiles and pictures without people, on the tuning side, none has
less; half of all the boxes have.
"""

_SAME_TURNED_IOU = 0.1
"""IoU of tight boxes above which landmarks that stand another way up are those of the same face."""

Locate = Callable[[Sequence[CropOfImage]], Sequence[Landmarks]]


class NewFaceSearch:
    """The search for new faces in one picture.

    ``boxes`` are the detector's, ``known`` those of faces that are followed already, in square pixels. At
    most ``slots`` faces are ``found``, the largest boxes first; a box that turns out to hold no face, or a
    face that is known, takes no slot from the boxes after it.
    """

    def __init__(
        self,
        picture: Raster,
        boxes: Iterable[FaceBox],
        known: Iterable[FaceBox],
        slots: int,
        entry: Entry,
        same_iou: float,
    ) -> None:
        self.picture = picture
        self._image_hw = picture.square_hw
        self.found: list[Landmarks] = []
        self._waiting = sorted(boxes, key=lambda box: box.area, reverse=True)
        self._asked: list[FaceBox] = []
        self._known = list(known)
        self._slots = slots
        self._entry = entry
        self._same_iou = same_iou

    @property
    def unasked(self) -> int:
        """Number of boxes that were never located, because there was no slot left."""
        return len(self._waiting)

    def next_boxes(self) -> list[FaceBox]:
        """Return the boxes to locate next, one for each free slot; none when the search has ended."""
        free = self._slots - len(self.found)
        self._asked, self._waiting = self._waiting[:free], self._waiting[free:]
        return self._asked

    def take(self, faces: Iterable[Landmarks]) -> None:
        """Keep those of the located ``faces``, one for each box, that are confident and not known yet."""
        pairs = zip(faces, self._asked, strict=True)
        # The points of others may be anything, and make no box.
        accepted = [face for face, box in pairs if self._entry.accepts(face, box.score, self._image_hw)]
        for face in best_of_rivals(accepted, self._same_iou):
            box = detector_box(face)
            if not overlaps_any(box, self._known, self._same_iou):
                self.found.append(face)
                self._known.append(box)

    @property
    def reported(self) -> list[Landmarks]:
        """The faces found that are still within the limits of ``entry`` after they were corrected."""
        return [face for face in self.found if self._entry.least.limits.accepts(face)]

    def turned_crops(self, first: int) -> list[tuple[int, CropTransform]]:
        """Return crops in which the faces found from number ``first`` on would stand another way up.

        Each comes with the number of its face. A detector that looked at the upright picture only may have
        given any face upright key points; one that looked at all sides is doubted only about turned heads.
        There are none for schemes whose crops stay level.
        """
        crops = []
        for number, face in enumerate(self.found[first:], first):
            if face.scheme.upright is None:
                continue
            crop = CropTransform.from_points(face.points_frame, face.scheme)
            turned = abs(math.remainder(crop.angle, math.tau)) > OTHER_WAY_UP_RAD
            turns = _QUARTERS if self._entry.doubts_upright else (math.pi,) if turned else ()
            crops += [(number, replace(crop, angle=crop.angle + turn)) for turn in turns]
        return crops

    def correct(self, number: int, face: Landmarks) -> None:
        """Take ``face`` for the one found as ``number`` if it is surer, and the same."""
        found = self.found[number]
        same = FaceBox.around(face.points_frame).iou(FaceBox.around(found.points_frame)) > _SAME_TURNED_IOU
        if same and confidence(face) > confidence(found):
            self.found[number] = face


def find_new_faces(
    searches: Sequence[NewFaceSearch], locate: Locate, scheme: Scheme = IBUG68
) -> list[list[Landmarks]]:
    """Run ``searches`` to their end and return what each found.

    ``locate`` returns the landmarks of ``scheme`` in crops. In each round it gets the crops of all searches
    together, so that they go through the model in one batch.
    """
    while any(rounds := [search.next_boxes() for search in searches]):
        crops = [
            (search.picture, first_crop(box, scheme))
            for search, boxes in zip(searches, rounds, strict=True)
            for box in boxes
        ]
        faces = iter(locate_twice(crops, locate))
        counts = [len(search.found) for search in searches]
        for search, boxes in zip(searches, rounds, strict=True):
            search.take([next(faces) for _ in boxes])
        _stand_upright(searches, counts, locate)
    return [search.reported for search in searches]


def _stand_upright(searches: Sequence[NewFaceSearch], counts: Sequence[int], locate: Locate) -> None:
    """Locate the faces found since ``counts`` in turned crops, too, and keep the surest landmarks of each."""
    turned = [
        (search, number, crop)
        for search, count in zip(searches, counts, strict=True)
        for number, crop in search.turned_crops(count)
    ]
    if not turned:
        return
    first = locate([(search.picture, crop) for search, _, crop in turned])
    likely = [
        (search, number, (search.picture, crop_around(face, crop)))
        for (search, number, crop), face in zip(turned, first, strict=True)
        if face.presence >= _LIKELY
    ]
    for (search, number, _), face in zip(likely, locate([crop for _, _, crop in likely]), strict=True):
        if np.ptp(face.points_frame, axis=0).min() > 0:
            search.correct(number, face)


def first_crop(box: FaceBox, scheme: Scheme = IBUG68) -> CropTransform:
    """Return the crop for a detector's ``box``; level for schemes that do not tell a head's roll."""
    crop = CropTransform.from_box(box, scheme.crop)
    return crop if scheme.upright else CropTransform.from_box(replace(box, roll_rad=0.0), scheme.crop)


def locate_twice(crops: Sequence[CropOfImage], locate: Locate) -> Sequence[Landmarks]:
    """Return the landmarks in ``crops``; a first answer places the crop for the second.

    Where the first answer is that there is nothing like a face, it is the last.
    """
    faces = list(locate(crops))
    hopeful = [number for number, face in enumerate(faces) if face.presence >= _HOPELESS]
    second = [(crops[number][0], crop_around(faces[number], crops[number][1])) for number in hopeful]
    for number, face in zip(hopeful, locate(second) if second else (), strict=True):
        faces[number] = face
    return faces
