from __future__ import annotations

import math
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from tests.noise import PLACE, is_blurred, noise
from tests.shapes import covers
from tests.strategies import floats
from tracker.drawing.heads import Head
from tracker.drawing.masks import LEAST_SCALE, MOST_SCALE, Mask, MaskKind, cover_heads
from tracker.drawing.theme import COVER
from tracker.geometry import Stretch
from tracker.types import ImageArray

KINDS: tuple[MaskKind, ...] = get_args(MaskKind)
HEAD = Head(PLACE, 50, 60, 0.3)


def covered(
    mask: Mask, image: ImageArray | None = None, head: Head = HEAD, aspect: float = 1.0
) -> ImageArray:
    canvas = noise() if image is None else image.copy()
    cover_heads(canvas, [head], mask, aspect)
    return canvas


def inside(head: Head, aspect: float = 1.0, hw: tuple[int, int] = (240, 320)) -> npt.NDArray[np.bool_]:
    """Return which pixels ``(H, W)`` of a picture lie in the ellipse."""
    y, x = np.mgrid[: hw[0], : hw[1]]
    square = Stretch.of(aspect).to_square(np.stack([x, y], axis=-1).reshape(-1, 2).astype(float))
    return covers(head, square).reshape(hw)


@pytest.mark.parametrize("kind", KINDS)
@given(x=floats(-400, 700), y=floats(-400, 600), size=floats(0.5, 900), roll=floats(-4, 4))
def test_heads_of_any_size_can_be_covered_inside_and_outside_the_picture(
    kind: MaskKind, x: float, y: float, size: float, roll: float
) -> None:
    assert covered(Mask(kind), head=Head((x, y), size, 1.2 * size, roll)).shape == (240, 320, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("place", [PLACE, (0.0, 40.0), (310.0, 235.0)])
def test_the_head_is_covered_and_nothing_else(
    kind: MaskKind, aspect: float, place: tuple[float, float]
) -> None:
    center = Stretch.of(aspect).to_square(np.array(place)).tolist()
    head = Head((center[0], center[1]), 50, 60, 0.3)
    changed = (covered(Mask(kind), head=head, aspect=aspect) != noise()).any(axis=2)
    assert changed[inside(head, aspect)].mean() > 0.99
    assert not changed[~inside(head.grown(1.3), aspect)].any()


def test_one_colour_covers_the_whole_head() -> None:
    canvas = covered(Mask("solid"))
    assert (canvas[inside(HEAD)] == COVER).all()


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_at_most_eight_patches_lie_across_a_pixelated_head(aspect: float) -> None:
    center = Stretch.of(aspect).to_square(np.array(PLACE)).tolist()
    head = Head((center[0], center[1]), 50, 60, 0.0)
    canvas = covered(Mask("pixelate"), head=head, aspect=aspect)
    reach_x, reach_y = round(48 / Stretch.of(aspect).x), round(58 / Stretch.of(aspect).y)
    row = canvas[120, max(160 - reach_x, 0) : 160 + reach_x].astype(int)
    column = canvas[max(120 - reach_y, 0) : 120 + reach_y, 160].astype(int)
    assert 3 <= 1 + np.abs(np.diff(row, axis=0)).any(axis=1).sum() <= 8
    assert 3 <= 1 + np.abs(np.diff(column, axis=0)).any(axis=1).sum() <= 9  # heads are taller than wide


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
@pytest.mark.parametrize("scale", [LEAST_SCALE, 1.0, 2.0])
def test_faces_that_differ_only_in_detail_look_the_same(kind: MaskKind, scale: float) -> None:
    # Recognition needs detail finer than a fifth of a face; here it is stripes and their negative. A smaller
    # or larger mask shows no more.
    stripes = np.zeros((240, 320, 3), np.uint8)
    stripes[:, ::2] = 255
    mask, head = Mask(kind, scale), Head(PLACE, 50, 60, 0.0)
    first, second = covered(mask, stripes, head).astype(int), covered(mask, 255 - stripes, head).astype(int)
    hidden = inside(head.grown(scale))
    assert np.abs(first - second)[hidden].max() < 40


def test_patches_move_with_the_head() -> None:
    # Patches at fixed places of a video would sample a moving face anew in every frame.
    first = covered(Mask("pixelate"))
    moved = covered(
        Mask("pixelate"), np.roll(noise(), 7, axis=1), Head((PLACE[0] + 7, PLACE[1]), 50, 60, 0.3)
    )
    np.testing.assert_array_equal(np.roll(first, 7, axis=1)[:, 20:300], moved[:, 20:300])


@pytest.mark.parametrize("kind", KINDS)
def test_two_ellipses_over_one_head_are_covered_as_one(kind: MaskKind) -> None:
    smaller = Head((PLACE[0] + 10, PLACE[1] - 20), 45, 60, 0.2)
    both = noise()
    cover_heads(both, [smaller, HEAD], Mask(kind))
    alone = covered(Mask(kind))
    middle = inside(HEAD.grown(0.8))
    np.testing.assert_allclose(both[middle].astype(int), alone[middle], atol=8)  # noise of 256 levels
    assert (both != noise()).any(axis=2)[inside(smaller)].mean() > 0.99


def test_no_patch_at_a_border_is_narrow() -> None:
    # A patch that is cut to one column would show the detail of that column.
    canvas = covered(Mask("pixelate"), head=Head((3.0, 120.0), 60, 70, 0.0))
    row = canvas[120, :60].astype(int)
    lengths = np.diff(np.flatnonzero(np.abs(np.diff(row, axis=0)).any(axis=1)), prepend=-1)
    assert lengths.min() >= 9


@pytest.mark.parametrize("kind", KINDS)
def test_grey_pictures_stay_grey(kind: MaskKind) -> None:
    grey = np.repeat(noise()[..., :1], 3, axis=2)
    canvas = covered(Mask(kind), grey)
    assert (canvas == canvas[..., :1]).all()
    assert (canvas != grey).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_scale_grows_and_shrinks_what_is_covered(kind: MaskKind) -> None:
    areas = [(covered(Mask(kind, scale)) != noise()).any(axis=2).mean() for scale in (0.5, 1.0, 1.5)]
    assert areas[0] < 0.4 * areas[1] < 0.4 * 0.6 * areas[2]


def test_smooth_patches_hide_noise() -> None:
    assert is_blurred(covered(Mask("blur")))


@pytest.mark.parametrize("scale", [0.0, 0.4, -1.0, MOST_SCALE + 1, math.nan, math.inf])
def test_other_scales_are_refused(scale: float) -> None:
    with pytest.raises(ValueError, match=r"scale must lie in 0.5..4"):
        Mask("blur", scale)


def test_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="'pixels'"):
        Mask("pixels")  # type: ignore[arg-type]
