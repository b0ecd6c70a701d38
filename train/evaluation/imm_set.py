"""Test people of the IMM Face Database as the test faces of its networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from tracker.geometry import CropTransform, roll_of
from tracker.scheme.imm58 import IMM58
from tracker.types import FloatArray, ImageArray
from train.data.asf import N_SHOTS, Shot
from train.data.framed import Framing, mirrored_border
from train.data.image_size import image_size
from train.data.imm import ImmCrops, imm_shots, middle_rows, test_shots
from train.data.splits import IMM_PEOPLE, TEST_PEOPLE
from train.errors import DataError
from train.evaluation.labelled import LabelledSet
from train.evaluation.results import Measure
from train.metrics import Float64Array, normaliser
from train.models.imm import imm_spec
from train.progress import OnRead
from train.training.imm import NEAR_PX, WIDTH_PX

_PARTS = {
    "jaw": ("jaw",),
    "eyes": ("right_eye", "left_eye"),
    "brows": ("right_brow", "left_brow"),
    "mouth": ("mouth",),
    "nose": ("nose",),
}
"""Parts of :data:`~tracker.scheme.imm58.IMM58` by the names under which their errors are told."""

FACE_58 = Measure(
    "%",
    failure=10.0,
    limit=8.0,
    parts={name: tuple(i for part in parts for i in IMM58.parts[part]) for name, parts in _PARTS.items()},
)
NOSE = Measure("px", failure=NEAR_PX, limit=2 * NEAR_PX, parts={"nose": (0,)})

FRAMING = Framing(width=3.19, offset=(0.011, 0.093))
"""Average position of the face in the pictures of people 1-32, whom the shipped networks were trained on."""


def read_test(model: str, data: Path) -> LabelledSet:
    """Read the shots of people 33-40 with the points that ``model`` predicts.

    The measure is the nose's distance in pixels of 640x480, or the NME in per cent of the distance between
    the outer eye corners. The subset's name tells if some of the 48 shots are missing. Raises
    :class:`~train.errors.DataError` if the database, or these people, are not below ``data``.
    """
    shots = test_shots(imm_shots(data))
    if not shots:
        raise DataError(f"{data}: the IMM Face Database there has none of {IMM_PEOPLE}")
    every = {(person, shot) for person in TEST_PEOPLE for shot in range(1, N_SHOTS + 1)}
    complete = {(shot.person, shot.shot) for shot in shots} == every
    subset = IMM_PEOPLE if complete else f"{len(shots)} shots of {IMM_PEOPLE}"
    points = np.array([shot.points for shot in shots])
    keep = imm_spec(model).keep
    one_point = len(keep) == 1
    return LabelledSet(
        measure=NOSE if one_point else FACE_58,
        labels=tuple(shots),
        subsets=(subset,) * len(shots),
        truth=points[:, list(keep)],
        normaliser=_pixel(shots) if one_point else normaliser(points, IMM58),
        alone="whole picture",
        people=tuple(shot.person for shot in shots),
    )


def crops(model: str, labelled: LabelledSet, size: int, on_read: OnRead) -> ImmCrops:
    """Return the whole pictures, ``size`` wide, as the input of ``model``."""
    shots = cast(Sequence[Shot], labelled.labels)
    return ImmCrops(shots, size, imm_spec(model).keep, on_read=on_read)


def cut(image: ImageArray, points: FloatArray, size: int) -> tuple[ImageArray, CropTransform]:
    """Cut a face with iBUG's ``points`` ``(P, 2)`` from a grey picture, framed as in the database.

    Returns the picture ``(3/4 size, size)``, in which the head is upright and has the average position, and
    the square that it is the middle of, in pixels of ``image``. The tight boxes of iBUG's points and of
    the 58 of a face have the same size within 3 %.
    """
    bordered, pad = mirrored_border(image, points)
    square = FRAMING.around(points + pad, size, roll_of(points))
    picture = np.ascontiguousarray(square.cut(bordered)[middle_rows(size)])
    x, y = square.center
    return picture, replace(square, center=(x - pad, y - pad))


def _pixel(shots: Sequence[Shot]) -> Float64Array:
    """Return the size of one pixel of a picture 640 wide, in pixels of each shot's own picture."""
    return np.array([image_size(shot.image)[0] / WIDTH_PX for shot in shots])
