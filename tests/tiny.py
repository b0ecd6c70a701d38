"""A tiny 300-W data set: drawn faces with exact labels, in the folders of the real one."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np

from tracker.types import FloatArray, ImageArray
from train.data.readers import LabelledFace, write_pts

HW = (240, 320)
"""Height and width of the pictures in pixels."""


def template() -> FloatArray:
    """Return an upright, exactly symmetric face ``(68, 2)``, about one unit wide, centred near the origin."""
    jaw = _arc(17, 0.5, 0.6, (0.0, -0.05), np.pi, 0.0)
    left_brow = np.column_stack([np.linspace(-0.42, -0.1, 5), [-0.24, -0.3, -0.32, -0.31, -0.27]])
    bridge = np.column_stack([np.zeros(4), np.linspace(-0.12, 0.12, 4)])
    base = np.column_stack([np.linspace(-0.1, 0.1, 5), [0.18, 0.2, 0.21, 0.2, 0.18]])
    left_eye = _arc(6, 0.1, -0.05, (-0.25, -0.12), np.pi, -np.pi * 2 / 3)
    right_eye = left_eye[[3, 2, 1, 0, 5, 4]] * (-1, 1)
    outer_lip = _arc(12, 0.2, -0.09, (0.0, 0.36), np.pi, -np.pi * 5 / 6)
    inner_lip = _arc(8, 0.14, -0.04, (0.0, 0.36), np.pi, -np.pi * 3 / 4)
    right_brow = left_brow[::-1] * (-1, 1)
    parts = (jaw, left_brow, right_brow, bridge, base, left_eye, right_eye, outer_lip, inner_lip)
    return np.concatenate(parts)


def face_points(
    center: tuple[float, float] = (160.0, 120.0), width: float = 120.0, roll: float = 0.0
) -> FloatArray:
    """Return the template's points, ``width`` pixels wide, rotated clockwise by ``roll`` radians."""
    cos, sin = np.cos(roll), np.sin(roll)
    turned = template() @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray(np.asarray(center) + width * turned)


def blobs(points: FloatArray, sigma: float, hw: tuple[int, int] = HW, peak: float = 220.0) -> ImageArray:
    """Draw a Gaussian of ``sigma`` pixels at each (sub-pixel) point of a black grey picture."""
    rows, columns = np.arange(hw[0])[:, None], np.arange(hw[1])[None, :]
    image = np.zeros(hw)
    for x, y in points:
        image = np.maximum(image, np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)))
    return np.rint(peak * image).astype(np.uint8)


def draw_face(points: FloatArray, hw: tuple[int, int] = HW) -> ImageArray:
    """Draw a face with dark features, ``(H, W, 3)`` BGR.

    Shading and background depend on the points, so no two pictures look the same.
    """
    image = own_skin(points, points[:27], hw)
    for x, y in points[17:]:
        cv2.circle(image, (round(x), round(y)), 2, (20, 20, 30), -1)
    return image


def own_skin(points: FloatArray, outline: FloatArray, hw: tuple[int, int]) -> ImageArray:
    """Draw shading and background that depend on ``points``, darker inside ``outline``: ``(H, W, 3)`` BGR."""
    rng = np.random.default_rng(zlib.crc32(points.tobytes()))
    ground = rng.integers(90, 256, (9, 12), np.uint8)
    image = cv2.cvtColor(cv2.resize(ground, hw[::-1], interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    hull = cv2.convexHull(outline.astype(np.float32)).astype(np.int32)
    skin = cv2.fillConvexPoly(np.zeros(hw, np.uint8), hull, 1)[..., None]
    return np.where(skin == 1, 0.7 * image, image).astype(np.uint8)


def write_face(folder: Path, name: str, points: FloatArray) -> LabelledFace:
    """Write ``name.jpg`` and ``name.pts`` of one drawn face into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / f"{name}.jpg"
    assert cv2.imwrite(str(image), draw_face(points))
    write_pts(image.with_suffix(".pts"), points)
    return LabelledFace(image, points, folder.parent.name)


def write_300w(root: Path, train: int = 24, test: int = 3) -> Path:
    """Write ``train`` faces to each training folder and ``test`` to each test folder; return ``root``."""
    rng = np.random.default_rng(68)
    counts = {"lfpw/trainset": train, "helen/trainset": train, "afw": train}
    counts |= {"lfpw/testset": test, "helen/testset": test}
    for folder, count in counts.items():
        first = 1000 if "testset" in folder else 0  # names are unique, as in the real one
        for i in range(first, first + count):
            center = (160 + rng.uniform(-20, 20), 120 + rng.uniform(-15, 15))
            points = face_points(center, rng.uniform(90, 130), rng.uniform(-0.3, 0.3))
            write_face(root / "300w" / folder, f"{folder.partition('/')[0]}_{i:04d}_1", points)
    return root


def _arc(
    count: int, x_radius: float, y_radius: float, center: tuple[float, float], start: float, stop: float
) -> FloatArray:
    angle = np.linspace(start, stop, count)
    return np.column_stack([center[0] + x_radius * np.cos(angle), center[1] + y_radius * np.sin(angle)])
