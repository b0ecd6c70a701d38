"""Fit of the rule by which a crop is placed around a box of the shipped detector, for any scheme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracker.geometry import upright_square
from tracker.inference.opening import open_blazeface
from tracker.scheme.value import CropRule, Scheme
from tracker.types import FaceBox, FloatArray, Frame
from train.data.pictures import read_picture
from train.data.readers import LabelledFace
from train.progress import progress_bar

LEAST_FOUND = 0.3
"""Share of faces that the detector must find: with fewer, the pictures show something else than faces."""

LEAST_FACES = 5
"""Number of faces that it must find."""

_DECIMALS = 4


@dataclass(frozen=True)
class CropFit:
    """The ``rule`` for a scheme, fitted to the ``found`` of ``faces`` if ``fitted``."""

    rule: CropRule
    faces: int
    found: int
    fitted: bool

    def __str__(self) -> str:
        if not self.fitted:
            return (
                f"the shipped detector finds {self.found} of {self.faces} labelled faces: the crop is not "
                "fitted to its boxes; use the model with a detector of your own, or with --detector none"
            )
        right, down = self.rule.box_shift
        return (
            f"the crop is {self.rule.box_margin:.2f} times the detector's box, moved by {right:+.2f} and "
            f"{down:+.2f} of it: fitted on {self.found} of {self.faces} faces"
        )


def fit_crop(faces: Sequence[LabelledFace], scheme: Scheme) -> CropFit:
    """Fit the rule of ``scheme`` to the boxes of the shipped detector on labelled ``faces``.

    Margin and shift are medians over the faces, of the square of the canonical crop in the axes of the box.
    Raises :class:`~train.errors.DataError` for a picture that cannot be read.
    """
    detector = open_blazeface(threads=0)
    pairs = []
    with progress_bar("fitting the crop to the detector", len(faces)) as advance:
        for face in faces:
            frame = Frame(read_picture(face.image, colour=True))
            boxes = detector.detect(frame, detector.views(frame.image_hw))
            if (box := _around(boxes, face.points)) is not None:
                pairs.append(_in_box(box, face.points, scheme))
            advance()
    if len(pairs) < max(LEAST_FACES, LEAST_FOUND * len(faces)):
        return CropFit(scheme.crop, len(faces), len(pairs), fitted=False)
    side, right, down = np.median(pairs, axis=0).round(_DECIMALS).tolist()
    margin = round(scheme.crop.margin * side, _DECIMALS)
    rule = replace(scheme.crop, box_margin=margin, box_shift=(right, down))
    return CropFit(rule, len(faces), len(pairs), fitted=True)


def _around(boxes: Sequence[FaceBox], points: FloatArray) -> FaceBox | None:
    """Return the box that overlaps the label's most; None if none holds the middle of the points."""
    label = FaceBox.around(points)
    x, y = label.center
    holding = [box for box in boxes if box.x0 < x < box.x1 and box.y0 < y < box.y1]
    return max(holding, key=label.iou, default=None)


def _in_box(box: FaceBox, points: FloatArray, scheme: Scheme) -> tuple[float, float, float]:
    """Return side and centre (right, down) of the points' upright square, in longer sides of ``box``."""
    (x, y), side, _ = upright_square(points, scheme)
    longer = max(box.width, box.height)
    dx, dy = x - box.center[0], y - box.center[1]
    cos, sin = math.cos(box.roll_rad), math.sin(box.roll_rad)
    return side / longer, (cos * dx + sin * dy) / longer, (cos * dy - sin * dx) / longer
