from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from tests.tiny import face_points, write_face
from tracker.geometry import CropTransform
from tracker.types import FloatArray
from train.data.dataset import to_unit
from train.data.faces import LabelledFace
from train.evaluation.turned import (
    area_under_curve,
    changed,
    half_lit,
    locate,
    masked,
)
from train.models.heatmap import HeatmapCodec
from train.models.load import Loaded
from train.models.output import LandmarkOutput

SIZE = 64


class Fixed(nn.Module):
    """Network that answers the same points, presence and maps to every crop."""

    def __init__(self, points: FloatArray, logit: float = 2.0, maps: bool = True) -> None:
        super().__init__()
        crop = CropTransform.from_points(points, size=SIZE)
        self.points = torch.from_numpy(to_unit(crop.to_crop(points), SIZE)).float()
        self.maps = HeatmapCodec().encode(self.points, 16).clamp(min=1e-30).log() if maps else None
        self.logit = logit

    def forward(self, crops: Tensor) -> LandmarkOutput:
        count = len(crops)
        maps = None if self.maps is None else self.maps.expand(count, -1, -1, -1)
        points = self.points.expand(count, -1, -1)
        return LandmarkOutput(points, torch.full((count,), self.logit), maps)


@pytest.fixture
def face(tmp_path: Path) -> LabelledFace:
    return write_face(tmp_path / "a", "face", face_points())


@pytest.mark.parametrize("change", [masked, half_lit])
def test_drawings_do_not_move_the_truth(face: LabelledFace, change: object) -> None:
    assert callable(change)
    figures, area = changed(Loaded(Fixed(face.points, logit=-1.0), SIZE), [face], change)
    assert figures.error_percent == pytest.approx(0, abs=1e-3)
    assert figures.found == 0
    assert np.isnan(area) == (change is half_lit)


def test_without_maps_there_is_an_error_and_no_quality(face: LabelledFace) -> None:
    loaded = Loaded(Fixed(face.points, maps=False), SIZE)
    seen = locate(loaded, [np.zeros((SIZE, SIZE), np.uint8)])
    assert np.isnan(seen.spread).all()
    figures, area = changed(loaded, [face], masked)
    assert figures.error_percent == pytest.approx(0, abs=1e-3)
    assert np.isnan(area)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=20))
def test_the_area_is_the_chance_that_a_positive_scores_higher(cases: list[tuple[int, bool]]) -> None:
    score, positive = (np.array(values) for values in zip(*cases, strict=True))
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in score[positive] for b in score[~positive]]
    area = area_under_curve(score.astype(float), positive)
    assert area == pytest.approx(np.mean(wins)) if wins else np.isnan(area)
