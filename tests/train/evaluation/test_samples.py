from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from tests.train.imm_files import write_imm
from train.configs.imm import RECIPE as IMM_RECIPE
from train.configs.landmarks import RECIPE
from train.configs.turned import RECIPE as TURNED
from train.data.faces import COVERED, VISIBLE
from train.data.imm import imm_shots
from train.data.splits import training_faces
from train.evaluation.samples import COUNT, imm_samples, landmark_samples, sample_tile, spread


def test_examples_are_drawn_in_the_pixels_of_the_crop() -> None:
    crop = torch.zeros(1, 64, 64, dtype=torch.uint8)
    points = torch.tensor([[0.0, 0.0], [-0.5, 0.25]])
    face = sample_tile((crop, points, torch.tensor(1.0)), "a")
    # The centre of 64 pixels lies between pixels 31 and 32; the crop's left edge at -0.5.
    assert face.marks[0].points == pytest.approx(np.array([[31.5, 31.5], [-0.5, 47.5]]))
    background = sample_tile((crop, points, torch.tensor(0.0)), "a")
    assert (background.marks, background.alt) == ((), "a, a crop without a face")


def test_examples_of_whole_pictures_have_their_origin_in_the_middle() -> None:
    crop = torch.zeros(1, 60, 80, dtype=torch.uint8)
    points = torch.tensor([[0.0, 0.0], [-0.5, -0.375]])
    tile = sample_tile((crop, points, torch.tensor(1.0)), "a")
    assert tile.marks[0].points == pytest.approx(np.array([[39.5, 29.5], [-0.5, -0.5]]))


def test_hidden_points_have_a_style_of_their_own() -> None:
    points = torch.tensor([[0.0, 0.0, VISIBLE], [0.1, 0.1, COVERED]])
    tile = sample_tile((torch.zeros(1, 64, 64, dtype=torch.uint8), points, torch.tensor(1.0)), "a")
    label, hidden = tile.marks
    assert (len(label.points), hidden.style, hidden.joined) == (2, "other", False)
    assert hidden.points == pytest.approx(label.points[1:])


def test_faces_are_shown_plain_and_beside_it_by_the_recipe(tiny_300w: Path) -> None:
    faces = training_faces(tiny_300w)[0]
    items = landmark_samples(faces, 64, RECIPE, seed=0)
    assert len(items) == COUNT
    assert len({item.caption for item in items}) == COUNT
    for item in items:
        plain, augmented = item.tiles
        assert plain.picture.shape == augmented.picture.shape == (64, 64)
        assert not np.array_equal(plain.picture, augmented.picture)
        assert len(plain.marks) == 1
    again = landmark_samples(faces, 64, RECIPE, seed=1)
    assert np.array_equal(items[0].tiles[0].picture, again[0].tiles[0].picture)
    assert not np.array_equal(items[0].tiles[1].picture, again[0].tiles[1].picture)


def test_another_recipe_makes_other_samples(tiny_300w: Path) -> None:
    faces = training_faces(tiny_300w)[0]
    tiles = [tile for item in landmark_samples(faces, 64, TURNED, seed=0) for tile in item.tiles]
    assert any(marks.style == "other" for tile in tiles for marks in tile.marks)  # drawn masks and hands


def test_shots_are_whole_pictures_with_the_points_of_the_network(tmp_path: Path) -> None:
    shots = imm_shots(write_imm(tmp_path, people=(1, 2), shots=2))
    items = imm_samples(shots, (52,), 80, IMM_RECIPE, seed=0)
    assert len(items) == 4
    for item in items:
        assert [tile.picture.shape for tile in item.tiles] == [(60, 80)] * 2
        assert [len(tile.marks[0].points) for tile in item.tiles] == [1, 1]


def test_values_are_spread_from_the_first_to_the_last() -> None:
    assert spread(range(100), 4) == [0, 33, 66, 99]
    assert spread("ab", 4) == ["a", "b"]
    assert spread((), 4) == []
