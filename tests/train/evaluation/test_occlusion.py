from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from tests.tiny import face_points, write_face
from tracker.geometry import CropTransform
from tracker.types import FloatArray
from train.data.dataset import to_unit
from train.evaluation.breakdown_tables import occlusion_cells, print_breakdowns, to_dict
from train.evaluation.occlusion import CHANGES, occlusion
from train.models.heatmap import HeatmapCodec
from train.models.load import Loaded
from train.models.output import LandmarkOutput

SIZE = 64


class MaskAware(nn.Module):
    """Network that knows the points; maps of the lower face are wide, and presence is low in a dark crop."""

    def __init__(self, points: FloatArray) -> None:
        super().__init__()
        crop = CropTransform.from_points(points, size=SIZE)
        self.points = torch.from_numpy(to_unit(crop.to_crop(points), SIZE)).float()
        maps = HeatmapCodec().encode(self.points, 16).clamp(min=1e-30).log()
        low = torch.tensor(points[:, 1] > points[30, 1])
        self.maps = torch.where(low[:, None, None], maps / 4, maps)

    def forward(self, crops: Tensor) -> LandmarkOutput:
        count = len(crops)
        logit = crops.float().mean(dim=(1, 2, 3)) - 40
        return LandmarkOutput(self.points.expand(count, -1, -1), logit, self.maps.expand(count, -1, -1, -1))


def test_covered_points_are_told_by_their_quality(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    face = write_face(tmp_path / "a", "face", face_points())
    calls: list[None] = []
    rows = occlusion(Loaded(MaskAware(face.points), SIZE), [face] * 3, lambda: calls.append(None))
    assert len(calls) == 3 * len(CHANGES)
    assert [(row.change, row.faces) for row in rows] == [("plain", 3), ("mask", 3), ("half light", 3)]
    assert [row.mean for row in rows] == pytest.approx([0, 0, 0], abs=1e-3)
    assert rows[0].present == 1
    assert rows[1].quality_auc > 0.8
    assert np.isnan([rows[0].quality_auc, rows[2].quality_auc]).all()
    assert occlusion_cells(rows)[0] == ["plain", "3", "0.00", "100.00", "-"]
    assert to_dict([], rows)["occlusion"]["mask"]["quality_auc"] == rows[1].quality_auc
    print_breakdowns([], rows)
    said = capsys.readouterr().out
    assert "quality AUC" in said
    assert "Bias" not in said


def test_a_face_is_always_changed_in_the_same_way(tmp_path: Path) -> None:
    face = write_face(tmp_path / "a", "face", face_points())
    loaded = Loaded(MaskAware(face.points), SIZE)
    first, second = (occlusion(loaded, [face] * 2)[1] for _ in range(2))
    assert first == second
