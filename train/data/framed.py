"""300-W faces reframed as pictures like those of the IMM Face Database, with its 58 points.

The database has 40 people, too few for a network to generalise from. 300-W has thousands in all kinds of
light, but other points, and faces that take up another share of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.geometry import CropTransform
from tracker.scheme.placing import rotation
from tracker.types import N_POINTS, FaceBox, FloatArray, ImageArray
from train.data.asf import N_ASF_POINTS, Shot
from train.data.image_size import image_size
from train.data.picture_file import PictureFile
from train.data.pictures import read_picture
from train.data.readers import LabelledFace
from train.errors import DataError
from train.metrics import inter_ocular
from train.progress import OnRead

_RIDGE = 0.1
"""Regularisation, chosen among 1e-3, 1e-2, 0.1 and 1 by the error on people it was not fitted on."""

_REACH = 1.0
"""Width of the mirrored border around a picture, in longer sides of the face box."""

_KEPT = 1.7
"""Part of the bordered picture that is kept, in picture widths: as far as augmented crops reach."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A grey image ``(H, W)`` uint8, points ``(58, 2)`` in its pixels, and the square of it to show."""

    image: ImageArray
    points: FloatArray
    frame: CropTransform


@dataclass(frozen=True, eq=False)
class PointMap:
    """Linear map from iBUG's points to 58.

    Each of the 58 is the centroid of iBUG's plus a weighted sum of their offsets from it. ``weights`` is
    ``(P, 58)``, the same for x and y, so the map commutes with every similarity transform. Raises
    :class:`~train.errors.DataError` for another shape.
    """

    weights: FloatArray

    def __post_init__(self) -> None:
        if self.weights.shape != (N_POINTS, N_ASF_POINTS) or not np.isfinite(self.weights).all():
            raise DataError(f"expected finite weights ({N_POINTS}, {N_ASF_POINTS}), got {self.weights.shape}")

    @classmethod
    def fit(cls, points_68: FloatArray, points_58: FloatArray) -> PointMap:
        """Fit by ridge regression over N faces with both kinds of points, ``(N, P, 2)`` and ``(N, 58, 2)``.

        All faces have the same weight, whatever their size.
        """
        center = points_68.mean(axis=1, keepdims=True)
        size = inter_ocular(points_68)[:, None, None]
        known, wanted = (
            np.moveaxis((points - center) / size, 2, 0).reshape(-1, points.shape[1])
            for points in (points_68, points_58)
        )
        return cls(np.linalg.solve(known.T @ known + _RIDGE * np.eye(N_POINTS), known.T @ wanted))

    def convert(self, points_68: FloatArray) -> FloatArray:
        """Convert points ``(..., P, 2)`` to ``(..., 58, 2)`` in the same frame."""
        center = points_68.mean(axis=-2, keepdims=True)
        return np.asarray(center + np.swapaxes(self.weights, 0, 1) @ (points_68 - center))


@dataclass(frozen=True)
class Framing:
    """Average position of the face in a picture.

    ``width`` is the picture's width over the longer side of the points' tight box, ``offset`` the box's
    middle in picture widths from the picture's middle.
    """

    width: float
    offset: tuple[float, float]

    @classmethod
    def of(cls, shots: Sequence[Shot]) -> Framing:
        """Average over ``shots``.

        Raises :class:`~train.errors.DataError` if the size of an image cannot be read.
        """
        widths, offsets = [], []
        for shot in shots:
            width, height = image_size(shot.image)
            box = FaceBox.around(shot.points)
            widths.append(width / max(box.width, box.height))
            offsets.append((np.array(box.center) - ((width - 1) / 2, (height - 1) / 2)) / width)
        x, y = np.mean(offsets, axis=0)
        return cls(float(np.mean(widths)), (float(x), float(y)))

    def around(self, points: FloatArray, size: int, angle: float = 0.0) -> CropTransform:
        """Return the square in which the face with ``points`` ``(P, 2)`` has this position.

        It is turned by ``angle``, in radians clockwise on screen, which makes a head so inclined upright.
        """
        turn = rotation(angle)
        box = FaceBox.around(points @ turn)
        side = self.width * max(box.width, box.height)
        x, y = turn @ (np.array(box.center) - side * np.array(self.offset))
        return CropTransform((float(x), float(y)), side, angle, size)


def mirrored_border(image: ImageArray, points: FloatArray) -> tuple[ImageArray, int]:
    """Extend a grey ``image`` by its mirror image, by the size of the face with ``points`` ``(P, 2)``.

    Returns it with the width of the border in pixels. A black one would give away where the face is.
    """
    box = FaceBox.around(points)
    pad = round(_REACH * max(box.width, box.height))
    return np.asarray(cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT_101), np.uint8), pad


def framed_picture(face: LabelledFace, point_map: PointMap, framing: Framing, size: int) -> Picture:
    """Convert ``face`` to a picture like those of the database, stored at twice the ``size`` that is shown.

    300-W images are cut close to the face, so they are extended by :func:`mirrored_border`. Raises
    :class:`~train.errors.DataError` if the image cannot be read.
    """
    points = point_map.convert(face.points)
    image, pad = mirrored_border(read_picture(face.image), points)
    points = points + pad
    frame = framing.around(points, size)
    kept = CropTransform(frame.center, _KEPT * frame.side, 0.0, round(2 * _KEPT * size))
    points = kept.to_crop(points)
    return Picture(kept.cut(image), points, framing.around(points, size))


def framed_pictures(
    faces: Sequence[LabelledFace], point_map: PointMap, framing: Framing, size: int, on_read: OnRead
) -> list[Picture]:
    """Convert each of ``faces`` as :func:`framed_picture` does; ``on_read`` is called after each.

    Their images are views of a :class:`~train.data.picture_file.PictureFile`, not in this process's memory.
    Raises :class:`~train.errors.DataError` if one cannot be read, and :class:`~train.errors.RunError` if that
    file cannot be written.
    """
    labels: list[tuple[FloatArray, CropTransform]] = []

    def images() -> Iterator[ImageArray]:
        for face in faces:
            picture = framed_picture(face, point_map, framing, size)
            labels.append((picture.points, picture.frame))
            yield picture.image
            on_read()

    file = PictureFile.write(images())
    return [Picture(file[number], *label) for number, label in enumerate(labels)]
