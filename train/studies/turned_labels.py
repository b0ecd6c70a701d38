"""Pseudo-labels of turned and masked faces that have a box or five points only.

A teacher sees each face in several views, turned and mirrored, from crops that follow its own answer. Where
the views agree the label is accepted: H. Dong et al., "Supervision-by-Registration", CVPR 2018, use agreement
between frames in a like way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tracker.geometry import CROP_MARGIN, CropTransform, mirror_points
from tracker.types import N_POINTS, FaceBox, FloatArray, ImageArray
from train.data.dataset import from_unit
from train.data.faces import COVERED, GUESSED, VISIBLE, image_below
from train.data.head import fit_camera
from train.data.head_shape import HEAD_MM
from train.data.pictures import read_picture
from train.data.sides import (
    Side,
    group_side,
    half_side,
    person_side,
    photograph_side,
    wider_photograph,
)
from train.data.tables import file_name, point_columns, points_of, read_table
from train.data.text import coordinate
from train.evaluation.own_detector import tracked_images
from train.progress import OnRead
from train.studies.pseudo_labels import PseudoLabel

MASKED, GROUPS = "masked", "groups"

MASK_POINTS = np.array([*range(2, 15), *range(30, 36), *range(48, 68)], np.intp)
"""Points that a worn mask covers: jaw, lower nose and mouth."""

_TURNS_DEG = (-18.0, 0.0, 18.0)
_ROUNDS = 3
_MIN_PRESENCE = 0.5
_MAX_APART = 0.03
"""Largest accepted median distance between views, in sides of the tight box."""
_MAX_APART_IN_BOX = 0.06
"""The same for a face whose box people drew: small ones are blurred, and presence learns from all of them."""
_MIN_IOU = 0.3
"""Least IoU of the tight box and a box that people drew, which begins at the forehead."""
_MIN_HEIGHT = 18.0
"""Pixels of the lowest box of a group photograph that is labelled."""
_SURE_APART = 0.035
"""A point whose views lie further apart is only guessed."""
_TURNED_DEG = 40.0
"""From this yaw on the far half of the face is only guessed."""


@dataclass(frozen=True)
class Guess:
    """A face to label: image, rough crop, and true if it wears a mask.

    ``box`` is the one that people drew around the face, in image pixels, if there is any.
    """

    image: Path
    crop: CropTransform
    masked: bool = False
    box: FaceBox | None = None


def side_of(name: str) -> Side:
    """Return the side of the picture ``name`` of the folders ``profiles``, ``masked`` and ``groups``.

    Of ``mask_*`` half are held out. ``maskbox_*`` show few people, so all of them train.
    """
    stem = Path(name).stem
    if stem.startswith(("cfp_", "hand_cfp_")):
        return person_side(stem.split("_")[-2])
    if stem.startswith("maskbox_"):
        return Side.TRAINING
    if stem.startswith("mask_"):
        return half_side(f"masked/{stem}")
    if stem.startswith("wider_"):
        return photograph_side(wider_photograph(stem))
    if stem.startswith("aflw80_"):
        return photograph_side(f"aflw/{stem.rpartition('-')[2]}")
    return group_side(name)


def guesses(data: Path, side: Side) -> list[Guess]:
    """Find the faces of one side below ``data`` that have a box or five points, or that the tracker finds.

    Raises :class:`~train.errors.DataError` if one of the folders deviates from its layout.
    """
    found = [*_boxes(data / "profiles", "wider_"), *_five_points(data / "profiles")]
    found += [*_boxes(data / MASKED, "maskbox_"), *_masks(data / MASKED), *_boxes(data / GROUPS, "")]
    return [guess for guess in found if side_of(guess.image.name) is side]


def _boxes(folder: Path, prefix: str) -> Iterator[Guess]:
    for where, cells in read_table(folder / "labels.csv", ["file", "x0", "y0", "x1", "y1"]):
        if not cells["file"].startswith(prefix):
            continue
        box = FaceBox(*(coordinate(where, cells[name]) for name in ("x0", "y0", "x1", "y1")))
        if box.height < _MIN_HEIGHT:
            continue
        crop = CropTransform.from_box(box)
        # Boxes begin at the forehead, iBUG's points at the brows.
        center = (crop.center[0], crop.center[1] + 0.08 * box.height)
        image = image_below(where, folder, cells["file"])
        masked = prefix.startswith("mask")
        yield Guess(image, CropTransform(center, 0.9 * crop.side), masked, None if masked else box)


def _five_points(folder: Path) -> Iterator[Guess]:
    """Read ``points5.csv``: centres of the eyes, tip of the nose, corners of the mouth."""
    for row in read_table(folder / "points5.csv", ["file", *point_columns(5)]):
        points, name = points_of(row, 5), file_name(row, "aflw80_")
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        x, y = ((eyes + mouth) / 2).tolist()
        side = 2.1 * CROP_MARGIN * max(float(np.ptp(points[:, 0])), float(np.linalg.norm(mouth - eyes)))
        yield Guess(image_below(row[0], folder, name), CropTransform((x, y), side))


def _masks(folder: Path) -> Iterator[Guess]:
    """Find the faces of pictures with a mask but without a box with the tracker."""
    images = sorted(folder.glob("mask_*.jpg"))
    for name, line in tracked_images(images, "resnet18").items():
        if line.faces:
            yield Guess(folder / name, CropTransform.from_points(line.faces[0]), masked=True)


def label_turned(
    teacher: nn.Module, size: int, found: Sequence[Guess], on_face: OnRead = lambda: None
) -> Iterator[PseudoLabel]:
    """Label the faces that the views of ``teacher``, for crops of ``size`` pixels, agree about.

    ``spread_percent`` of a label is the median distance between views in per cent of the tight box. Raises
    :class:`~train.errors.DataError` for an image that cannot be read.
    """
    for guess in found:
        label = _label(teacher, size, guess)
        on_face()
        if label is not None:
            yield label


def _label(teacher: nn.Module, size: int, guess: Guess) -> PseudoLabel | None:
    image, crop = read_picture(guess.image), guess.crop
    for _ in range(_ROUNDS):
        views, presence = look(teacher, image, crop, size)
        points = np.asarray(np.median(views, axis=0))
        if np.ptp(points, axis=0).min() <= 0:
            return None
        crop = CropTransform.from_points(points)
    box = FaceBox.around(points)
    apart = np.linalg.norm(views - points, axis=2).mean(axis=0) / max(box.width, box.height)
    middle = float(np.median(apart))
    if not (_in_box(box, middle, guess.box) if guess.box else _is_sure(presence, middle)):
        return None
    seen = np.full(N_POINTS, VISIBLE, np.int8)
    if guess.masked:
        seen[MASK_POINTS] = COVERED
    seen[(apart > _SURE_APART) | hidden(points)] = GUESSED
    return PseudoLabel(guess.image, points, 1.0 if guess.box else presence, 100 * middle, seen)


def _is_sure(presence: float, apart: float) -> bool:
    return presence >= _MIN_PRESENCE and apart <= _MAX_APART


def _in_box(found: FaceBox, apart: float, drawn: FaceBox) -> bool:
    """Return whether the face ``found`` is the one that people drew a box around: presence is not asked."""
    return apart <= _MAX_APART_IN_BOX and found.iou(drawn) >= _MIN_IOU


def hidden(points: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of ``points`` ``(P, 2)`` lie on the far half of a strongly turned face."""
    yaw = float(fit_camera(points, np.ones(N_POINTS, bool)).yaw_deg)
    if abs(yaw) < _TURNED_DEG:
        return np.zeros(N_POINTS, bool)
    return np.asarray(HEAD_MM[:, 0] * yaw > 0)


@torch.inference_mode()
def look(teacher: nn.Module, image: ImageArray, crop: CropTransform, size: int) -> tuple[FloatArray, float]:
    """Return the teacher's points ``(V, P, 2)`` in ``image`` from each view around ``crop``, and presence.

    Views are turned by some degrees to both sides, each also mirrored; presence is the median.
    """
    crops = [CropTransform(crop.center, crop.side, crop.angle + np.radians(t), size) for t in _TURNS_DEG]
    cut = torch.from_numpy(np.stack([view.cut(image) for view in crops]))[:, None]
    output = teacher(torch.cat([cut, cut.flip(-1)]))
    points = output.points.double().numpy()
    points[len(crops) :] = [mirror_points(one, width=1) for one in points[len(crops) :]]
    views = [view.to_frame(from_unit(one, size)) for view, one in zip(crops * 2, points, strict=True)]
    return np.stack(views), float(output.presence_logit.sigmoid().median())
