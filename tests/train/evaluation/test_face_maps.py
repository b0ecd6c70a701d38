import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from tests.tiny import template
from tests.train.evaluation.examples import labelled
from train.data.dataset import Sample
from train.evaluation.face_maps import TARGET, face_maps, map_cells, targets
from train.models.heatmap import RING, HeatmapCodec
from train.models.load import Loaded
from train.models.output import LandmarkOutput
from train.models.registry import build

POINTS = torch.from_numpy(0.5 * template()).float()


class Crops:
    """Grey crops of 64 px with the template's points."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Sample:
        return torch.full((1, 64, 64), 90, dtype=torch.uint8), POINTS, torch.tensor(1.0)

    def to_image(self, index: int, points: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        raise NotImplementedError


class Drawing(torch.nn.Module):
    """Network whose maps are the targets of the template."""

    def forward(self, crop: torch.Tensor) -> LandmarkOutput:
        maps = HeatmapCodec(1.0).encode(POINTS[None].expand(len(crop), -1, -1), 32).clamp(min=1e-20).log()
        return LandmarkOutput(HeatmapCodec.decode(maps), torch.zeros(len(crop)), maps)


def test_best_and_worst_faces_have_their_crop_all_maps_and_the_map_of_the_worst_point() -> None:
    faces = labelled([f"lfpw/{i}.png" for i in range(6)])
    predicted = faces.truth + np.arange(6)[:, None, None]
    predicted[:, 8] += 20.0  # of all points, the chin is off the most
    evaluation = faces.evaluated("label box", predicted)
    loaded = Loaded(Drawing(), 64)
    best, worst = (face_maps(loaded, Crops(), evaluation, which) for which in (False, True))
    assert [item.caption.rpartition("/")[2] for item in best] == ["0.png", "1.png", "2.png", "3.png"]
    assert [item.caption.rpartition("/")[2] for item in worst] == ["5.png", "4.png", "3.png", "2.png"]
    for item in (*best, *worst):
        assert "jaw point 8 is off by" in item.caption
        crop, together, single = item.tiles
        assert [marks.style for marks in crop.marks] == ["label", "answer"]
        assert crop.marks[0].points == pytest.approx(crop.marks[1].points, abs=0.1)
        assert [len(marks.points) for marks in single.marks] == [1, 1]
        warm = np.ptp(together.picture.astype(int), axis=2)  # 0 where the grey crop is untouched
        x, y = crop.marks[0].points.round().astype(int).T
        assert warm[y, x].min() > 20
        alone = np.ptp(single.picture.astype(int), axis=2)
        at = single.marks[0].points[0]
        rows, columns = np.nonzero(alone > 20)
        assert np.hypot(columns - at[0], rows - at[1]).max() < 256 / 32 * 5


def test_targets_are_as_wide_as_their_captions_say() -> None:
    """Half of the peak's height is 1.18 sigma away; both targets are drawn 256 px wide."""
    common, own = targets(np.full((64, 64), 90, np.uint8), POINTS, 32, HeatmapCodec(1.5))
    assert "sigma 10 px in a kernel of 60 px" in common.caption
    assert "224 x 224 cells" in common.caption
    assert "sigma 1.5 cells, or 10.5 px of a 224 px crop, on 32 x 32 cells" in own.caption
    for item, reach in ((common, 30 / 224), (own, None)):
        touched = np.ptp(item.tiles[1].picture.astype(int), axis=2) > 0
        rows, columns = np.nonzero(touched)
        if reach is not None:  # cut to its kernel, by a cell more or less
            assert np.ptp(rows) == pytest.approx(2 * reach * 256, abs=6)
            assert np.ptp(columns) == pytest.approx(2 * reach * 256, abs=6)
        assert np.array([columns.mean(), rows.mean()]) == pytest.approx(
            (POINTS[30].numpy() + 0.5) * 256 - 0.5, abs=3
        )
    assert (TARGET.sigma_px, TARGET.kernel_px) == (10, 60)


def test_a_loss_without_target_leaves_the_common_one() -> None:
    assert len(targets(np.zeros((64, 64), np.uint8), POINTS, 32, None)) == 1


@pytest.mark.parametrize(("model", "cells"), [("resnet18", 16), ("unet-light", 16), ("unet", 32)])
def test_the_size_of_maps_is_that_of_the_network(model: str, cells: int) -> None:
    network = build(model).eval()
    assert map_cells(Loaded(network, 64)) == cells
    with torch.inference_mode():
        maps = network(torch.zeros(1, 1, 64, 64)).maps
    assert maps.shape[-1] == cells + 2 * RING


def test_heat_is_drawn_over_the_cells_that_it_covers() -> None:
    (item,) = targets(np.full((64, 64), 90, np.uint8), torch.zeros(68, 2), 32, None)
    picture = cv2.cvtColor(item.tiles[0].picture, cv2.COLOR_BGR2RGB).astype(int)
    assert picture[128, 128].sum() > 600  # the peak, in the middle, is nearly white
    assert picture[0, 0].tolist() == [90, 90, 90]
    assert picture == pytest.approx(picture[::-1, ::-1], abs=6)
