from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tracker.drawing.theme import (
    FACE_COLORS,
    INK,
    Color,
    badge_height,
    color_of,
    corner_width,
    dot_radius,
    line_width,
    picture_scale,
    pill_height,
    ring_width,
)
from tracker.types import FloatArray

# Matrices of Viénot, Brettel & Mollon (1999), in linear RGB.
SEEN_BY = {
    "all": np.eye(3),
    "protan": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deutan": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}


def linear(color: Color) -> FloatArray:
    """Return linear RGB of a BGR colour."""
    return np.asarray((np.array(color)[::-1] / 255) ** 2.2)


def lab(rgb: FloatArray) -> FloatArray:
    """Return CIE L*a*b* of linear sRGB under D65."""
    xyz = rgb @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    x, y, z = np.cbrt(np.clip(xyz / (0.9505, 1.0, 1.089), 0.008856, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_colours_differ_for_all_eyes(eyes: str) -> None:
    seen = [lab(np.clip(SEEN_BY[eyes] @ linear(color), 0, 1)) for color in FACE_COLORS]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 25  # 2 is just visible


@pytest.mark.parametrize("color", FACE_COLORS)
def test_dark_text_is_legible_on_every_colour(color: Color) -> None:
    luminance, ink = (float(linear(one) @ (0.2126, 0.7152, 0.0722)) for one in (color, INK))
    assert (luminance + 0.05) / (ink + 0.05) > 4  # WCAG asks for 3 for large text, 4.5 for small


def test_colours_of_consecutive_ids_differ_and_repeat() -> None:
    assert 4 <= len(FACE_COLORS) <= 6
    assert len({color_of(i) for i in range(1, len(FACE_COLORS) + 1)}) == len(FACE_COLORS)
    assert color_of(1) == color_of(len(FACE_COLORS) + 1)


@pytest.mark.parametrize("size", [dot_radius, ring_width, line_width, corner_width, pill_height])
def test_sizes_grow_with_the_face_between_limits(size: type) -> None:
    sizes = [size(face) for face in (5, 20, 80, 160, 240, 400, 1000)]
    assert sizes == sorted(sizes)
    assert sizes[0] == sizes[1] > 0
    assert sizes[-1] == sizes[-2]
    assert size(4000.0, 2.0) == 2 * size(4000.0)


def test_the_sizes_are_those_of_the_design() -> None:
    assert (dot_radius(170), dot_radius(10), dot_radius(900)) == (2.0, 0.9, 3.2)
    assert (line_width(260), line_width(900)) == (2.0, 2.2)
    assert (badge_height(720), badge_height(240), badge_height(2160)) == (30, 24, 90)
    assert picture_scale((480, 640)) == picture_scale((1080, 1920)) == 1
    assert picture_scale((2160, 3840)) == 2
