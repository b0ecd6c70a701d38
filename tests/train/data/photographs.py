"""Pictures without drawn faces, which differ as photographs do, in the folders of 300-W."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tests.tiny import HW, face_points
from tracker.types import FloatArray, ImageArray
from train.data.readers import LabelledFace, write_pts

TRAINING = ("lfpw/trainset", "helen/trainset", "afw")
"""Training folders of 300-W."""


def photograph(seed: int, hw: tuple[int, int] = HW) -> ImageArray:
    """Return a picture of soft random spots ``(H, W, 3)``, different for each seed."""
    spots = np.random.default_rng(seed).integers(0, 256, (18, 24, 3), np.uint8)
    return np.asarray(cv2.resize(spots, hw[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def write_photograph(
    path: Path, image: ImageArray, points: FloatArray | None = None, subset: str = "lfpw", person: str = ""
) -> LabelledFace:
    """Write ``image`` and its labels, by default those of the drawn face."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    points = face_points() if points is None else points
    write_pts(path.with_suffix(".pts"), points)
    return LabelledFace(path, points, subset, person)


def write_sets(root: Path, folders: Sequence[str]) -> Path:
    """Write one photograph to each of ``folders`` of a 300-W below ``root``; return ``root``."""
    for number, folder in enumerate(folders):
        stem = f"image_{number}" if folder.startswith("lfpw") else f"{number}_1"
        write_photograph(root / folder / f"{stem}.jpg", photograph(200 + number))
    return root
