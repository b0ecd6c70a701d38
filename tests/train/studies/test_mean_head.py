from pathlib import Path

import numpy as np
import pytest

from tests.train.data.test_head import seen
from tracker.scheme.ibug68 import MIRROR
from train.data.faces import GUESSED, VISIBLE, LabelledFace
from train.data.half_faces import HALF_LEFT, HALF_RIGHT
from train.data.head_shape import HEAD_MM
from train.studies.mean_head import mean_head


def face(yaw: float, half: bool = False) -> LabelledFace:
    visibility = np.full(68, VISIBLE, np.int8)
    if half:
        visibility[~np.isin(np.arange(68), HALF_RIGHT if yaw > 0 else HALF_LEFT)] = GUESSED
    return LabelledFace(Path("face.jpg"), seen(yaw), "afw", visibility=visibility if half else None)


def test_the_head_is_found_again_from_its_projections_and_a_distorted_start() -> None:
    faces = [face(yaw) for yaw in (-35, -10, 0, 12, 30)] + [face(yaw, half=True) for yaw in (55, -70, 80)]
    first = HEAD_MM * (1, 1, 0.8)
    found = mean_head(faces, first)
    assert np.abs(found - HEAD_MM).max() < 3
    assert np.abs(found - HEAD_MM).max() < 0.5 * np.abs(first - HEAD_MM).max()


def test_the_result_is_symmetric_with_eye_corners_90_mm_apart() -> None:
    found = mean_head([face(5), face(30)])
    assert np.abs(found[MIRROR] - found * (-1, 1, 1)).max() < 1e-9
    assert np.linalg.norm(found[45] - found[36]) == pytest.approx(90, rel=1e-12)
