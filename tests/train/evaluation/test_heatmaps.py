import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from tests.tiny import template
from train.data.dataset import from_unit
from train.errors import DataError, RunError
from train.evaluation.heatmaps import draw, overlay, read_parts, softmax_maps
from train.models.heatmap import HeatmapCodec

ASTRONAUT = Path(__file__).resolve().parents[2] / "data" / "astronaut.png"
SCORES = {"model": "unet", "scores": [{"parts": {"jaw": 9.0}}, {"parts": {"jaw": 5.0, "eyes": 2.0}}]}


def test_maps_are_the_softmax_without_its_ring() -> None:
    logits = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(0))
    weights = np.exp(logits.numpy().astype(np.float64))
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    assert softmax_maps(logits) == pytest.approx(weights[:, 1:-1, 1:-1], rel=1e-5)


def test_heatmap_cells_are_drawn_over_the_pixels_that_they_cover() -> None:
    """The maps of points are bright where the points are drawn: both are in the crop's pixels."""
    points = torch.from_numpy(0.5 * template()).float()
    weights = HeatmapCodec(0.6).encode(points, 32)[:, 1:-1, 1:-1].double().numpy()
    figure = overlay(np.zeros((128, 128), np.uint8), weights, from_unit(points, 128).numpy())
    _, middle, right = figure.axes
    heat = middle.images[1]
    left, end, bottom, top = heat.get_extent()
    assert (left, end, bottom, top) == (-0.5, 127.5, 127.5, -0.5)
    cell = (end - left) / 32
    drawn = np.asarray(right.collections[0].get_offsets())
    hot = np.asarray(heat.get_array())
    for x, y in drawn:
        assert hot[int((y + 0.5) // cell), int((x + 0.5) // cell)] > 0.2


@pytest.mark.slow
def test_figures_of_a_shipped_network_are_written(tmp_path: Path) -> None:
    scores = []
    for model in ("unet", "resnet18"):
        scores.append(tmp_path / f"{model}.json")
        scores[-1].write_text(json.dumps({**SCORES, "model": model}))
    paths = draw("resnet18", ASTRONAUT, tmp_path / "out", None, scores)
    assert [path.name for path in paths] == ["heatmaps.png", "sigmas.png", "peaks.png", "models.png"]
    for path in paths:
        image = cv2.imread(str(path))
        assert image is not None
        assert image.std() > 5
    assert sorted((tmp_path / "out").iterdir()) == sorted(paths)


@pytest.mark.slow
def test_a_photograph_without_a_face_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(DataError, match="no face found"):
        draw("resnet18", tmp_path / "grey.png", tmp_path / "out", None, [])
    with pytest.raises(DataError, match="not an image"):
        draw("resnet18", tmp_path / "none.png", tmp_path / "out", None, [])
    assert not (tmp_path / "out").exists()


def test_a_network_without_maps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nose-fan draws no maps: choose one of resnet18, unet"):
        draw("nose-fan", ASTRONAUT, tmp_path / "out", None, [])


def test_scores_are_those_of_all_faces(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(SCORES))
    assert read_parts(path) == ("unet", {"jaw": 5.0, "eyes": 2.0})


@pytest.mark.parametrize("text", ["", "[]", '{"model": "a"}', '{"model": "a", "scores": []}', "\xff"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match="evaluate --json"):
        read_parts(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_parts(tmp_path / "none.json")
