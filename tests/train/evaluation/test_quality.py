import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from typing import Never

import torch
from torch import Tensor

from train.errors import RunError
from train.evaluation.quality import calibrate, report
from train.models.imm import ImmLandmarks
from train.models.load import Loaded, load_network
from train.models.output import LandmarkOutput
from train.models.resnet18 import ResNet18Landmarks


@pytest.fixture(scope="module")
def shipped() -> Loaded:
    return load_network("resnet18")


def test_the_report_is_of_the_test_faces(tiny_300w: Path, shipped: Loaded) -> None:
    found = report(shipped, tiny_300w)
    assert sum(row.count for row in found.table) == 68 * found.faces
    assert found.error_in_worst <= found.possible
    assert found.to_dict()["calibration"] == {
        "intercept": found.calibration.intercept,
        "slope": found.calibration.slope,
    }
    json.dumps(found.to_dict())
    assert report(shipped, tiny_300w, disturbed=True).table != found.table


def test_calibration_sees_no_test_face(
    tiny_300w: Path, shipped: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unseen(_: object) -> Never:
        raise AssertionError("a test face was read")

    monkeypatch.setattr("train.evaluation.quality.test_faces", unseen)
    assert calibrate(shipped, tiny_300w).slope > 0


def test_a_network_without_maps_has_no_quality(tiny_300w: Path) -> None:
    class Flat(ResNet18Landmarks):
        def forward(self, crop: Tensor) -> LandmarkOutput:
            return super().forward(crop)._replace(maps=None)

    with pytest.raises(RunError, match="no maps"):
        calibrate(Loaded(Flat().eval(), 64), tiny_300w)
    assert ImmLandmarks("nose-fan")(torch.zeros(1, 1, 60, 80)).maps is None
