"""A tiny IMM Face Database: drawn faces with exact labels, in files like the real ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.tiny import own_skin
from tracker.types import FloatArray, ImageArray

HW = (120, 160)
"""Height and width of the pictures in pixels."""

PEOPLE = (1, 2, 30, 33, 34)


def template_58() -> FloatArray:
    """Return an upright, exactly symmetric face ``(58, 2)``, one unit wide, in the order of the files."""
    jaw = _arc(13, (0.0, 0.0), (0.5, 0.6), np.pi, 0.0)
    eye = _arc(8, (0.22, -0.1), (0.1, 0.05), 0.0, -7 * np.pi / 4)
    brow = np.column_stack([np.linspace(0.08, 0.4, 5), [-0.22, -0.26, -0.28, -0.26, -0.2]])
    mouth = _arc(8, (0.0, 0.32), (0.2, 0.08), -np.pi, 3 * np.pi / 4)
    side = np.array([[-0.06, -0.1], [-0.07, 0.0], [-0.1, 0.06], [-0.11, 0.12], [-0.06, 0.15]])
    nose = np.concatenate([side, [[0.0, 0.17]], side[::-1] * (-1, 1)])
    return np.concatenate([jaw, eye, eye * (-1, 1), brow, brow * (-1, 1), mouth, nose])


def draw_shot(points: FloatArray, hw: tuple[int, int] = HW) -> ImageArray:
    """Draw dark points on a lighter face, ``(H, W, 3)`` BGR, different for different points."""
    image = own_skin(points, points, hw)
    for x, y in points[13:]:
        cv2.circle(image, (round(x), round(y)), 1, (30, 25, 20), -1)
    return image


def write_shot(folder: Path, name: str, image: ImageArray, points: FloatArray) -> Path:
    """Write ``name.png`` and ``name.asf``, and return the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(folder / f"{name}.png"), image)
    relative = points / image.shape[1::-1]
    rows = [f"0 \t0 \t{x:.8f} \t{y:.8f} \t{i} \t{i} \t{i}" for i, (x, y) in enumerate(relative)]
    label = folder / f"{name}.asf"
    label.write_text("\n".join(["# drawn", "58", *rows, f"{name}.png", ""]))
    return label


def write_imm(root: Path, people: tuple[int, ...] = PEOPLE, shots: int = 6) -> Path:
    """Write ``shots`` drawn shots of each of ``people`` to ``root/imm_face_db``; return ``root``."""
    rng = np.random.default_rng(58)
    for person in people:
        for shot in range(1, shots + 1):
            center = (80 + rng.uniform(-10, 10), 60 + rng.uniform(-6, 6))
            points = center + rng.uniform(40, 55) * template_58()
            write_shot(root / "imm_face_db", f"{person:02d}-{shot}m", draw_shot(points), points)
    return root


def _arc(
    count: int, center: tuple[float, float], radii: tuple[float, float], start: float, stop: float
) -> FloatArray:
    angle = np.linspace(start, stop, count)
    return np.column_stack([center[0] + radii[0] * np.cos(angle), center[1] + radii[1] * np.sin(angle)])
