"""Appearance: another person is told from light, noise and motion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.faces import astronaut
from tests.shapes import face_points
from tests.tracks import look
from tracker.geometry import CropTransform, Raster
from tracker.tracking.appearance import Appearance, Look
from tracker.tracking.settings import IdentitySettings
from tracker.types import FloatArray, ImageArray, Landmarks

IDENTITY = IdentitySettings()
POINTS = face_points((186, 135), 105)


def known(person: int = 1, frames: int = 10) -> Appearance:
    """A person who was seen in some frames, with a little noise."""
    appearance = Appearance(look(person), look(person))
    for frame in range(frames):
        appearance.update(look(person, 0.1 + 0.01 * (frame % 2)))
    return appearance


def altered(image: ImageArray, gain: float | FloatArray, noise: float = 0.0) -> ImageArray:
    grain = np.random.default_rng(0).normal(0, noise, image.shape)
    return np.asarray((image * gain + grain).clip(0, 255), np.uint8)


def test_light_from_one_side_and_less_of_it_hardly_change_a_look() -> None:
    face = astronaut()
    side = np.linspace(1, 0.4, face.shape[1])[None, :, None]
    for changed in (altered(face, 0.5), altered(face, side), altered(face, 1.0, noise=8)):
        alike = Look.at(Raster(face), Landmarks(POINTS)).likeness(Look.at(Raster(changed), Landmarks(POINTS)))
        assert alike is not None
        assert alike > 0.8


def test_a_shifted_and_turned_face_looks_the_same() -> None:
    matrix = cv2.getRotationMatrix2D((186, 135), -10, 1.1)
    turned = np.asarray(cv2.warpAffine(astronaut(), matrix, (400, 400)), np.uint8)
    points = POINTS @ matrix[:, :2].T + matrix[:, 2]
    before, after = (
        Look.at(Raster(astronaut()), Landmarks(POINTS)),
        Look.at(Raster(turned), Landmarks(points)),
    )
    assert (before.likeness(after) or 0) > 0.9
    assert before.shape_change(after) < 0.002


def test_a_dark_noisy_picture_proves_nothing() -> None:
    dark = Look.at(Raster(altered(astronaut(), 0.02, noise=1)), Landmarks(POINTS))
    assert Look.at(Raster(astronaut()), Landmarks(POINTS)).likeness(dark) is None
    assert not Appearance(look(1), look(1)).is_replaced(dark, IDENTITY)


def test_another_person_replaces_a_known_one() -> None:
    assert known().is_replaced(look(2), IDENTITY)
    assert not known().is_replaced(look(1, 0.3), IDENTITY)


def test_another_look_with_the_same_points_is_no_other_person() -> None:
    assert not known().is_replaced(Look(look(2).cells, known().last.shape), IDENTITY)


def test_a_face_that_always_changes_much_gives_no_evidence() -> None:
    appearance = known()
    for seed in range(2, 12):
        appearance.update(look(seed))
    assert not appearance.is_replaced(look(20), IDENTITY)


def published_cells(grey: ImageArray) -> FloatArray:
    """Local contrast normalised by OpenCV's Gaussian blur, in double precision."""
    levels = grey.astype(np.float64)
    fine = levels - cv2.GaussianBlur(levels, (0, 0), 3.0)
    contrast = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 3.0))
    cells = fine / (contrast + 2.0)
    cells -= cells.mean()
    return np.asarray(cells / np.linalg.norm(cells) if contrast.mean() >= 2.0 else np.zeros((32, 32)))


@pytest.mark.parametrize("gain", [1.0, 0.3, 0.0])
def test_cells_are_normalised_by_a_gaussian_blur(gain: float) -> None:
    image = altered(astronaut(), gain, noise=4)
    crop = CropTransform.from_points(POINTS, size=32)
    seen = Look.at(Raster(image), Landmarks(POINTS))
    assert np.abs(seen.cells - published_cells(crop.cut(image))).max() < 1e-6
    assert np.abs(seen.shape - (crop.to_crop(POINTS) - 15.5) / 32).max() < 1e-12


def test_looks_together_are_those_of_each_alone_and_a_blank_one_is_blank() -> None:
    crop = CropTransform.from_points(POINTS, size=32)
    images = [astronaut(), np.full_like(astronaut(), 90), altered(astronaut(), 0.4)]
    together = Look.through([(image, crop) for image in images], [crop.to_unit(POINTS)] * 3)
    assert [one.is_blank for one in together] == [False, True, False]
    for one, image in zip(together, images, strict=True):
        assert np.array_equal(one.cells, Look.at(Raster(image), Landmarks(POINTS)).cells)
    assert Look.through([], []) == []


def test_looks_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes that do not fit"):
        Look(np.zeros((31, 32), np.float32), np.zeros((68, 2)))
    with pytest.raises(ValueError, match="shapes that do not fit"):
        Look(np.zeros((32, 32), np.float32), np.zeros((67, 2)))
