import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from typing import Never

import torch
from torch import Tensor

from tracker.inference.weights import load_manifest
from train.configs.augmentation import LAST_STEPS, augmentation
from train.configs.landmarks import RECIPE
from train.configs.loading import shipped_config
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe
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
    found = report(shipped, tiny_300w, RECIPE)
    assert sum(row.count for row in found.table) == 68 * found.faces
    assert found.error_in_worst <= found.possible
    assert found.to_dict()["calibration"] == {
        "intercept": found.calibration.intercept,
        "slope": found.calibration.slope,
    }
    json.dumps(found.to_dict())
    assert report(shipped, tiny_300w, RECIPE, disturbed=True).table != found.table


def test_calibration_sees_no_test_face(
    tiny_300w: Path, shipped: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unseen(_: object) -> Never:
        raise AssertionError("a test face was read")

    monkeypatch.setattr("train.evaluation.quality.test_faces", unseen)
    assert calibrate(shipped, tiny_300w, RECIPE).slope > 0


def test_the_augmentation_of_the_run_is_used(tiny_300w: Path, shipped: Loaded) -> None:
    """Covered points have wide maps and large errors, so that another recipe gives another calibration."""
    still = SampleRecipe(
        GeometryPolicy(angle_std_deg=0, scale_std=0, shift_std=0, mirror=0), PhotometricPolicy(*[0.0] * 7)
    )
    covered = replace(still, photometry=replace(still.photometry, occlusion=1.0))
    assert calibrate(shipped, tiny_300w, still) != calibrate(shipped, tiny_300w, covered)
    every = replace(still, background=1.0)  # crops without a face are left out
    assert calibrate(shipped, tiny_300w, every) == calibrate(shipped, tiny_300w, still)


def test_shipped_models_are_calibrated_as_their_last_step_was_trained(tmp_path: Path) -> None:
    assert set(LAST_STEPS) == {model.name for model in load_manifest().values() if model.kind == "landmarks"}
    for model, recipe in LAST_STEPS.items():
        last = shipped_config(recipe)
        assert last.model == model
        assert augmentation(model, None, shipped=True) == last.recipe
        assert augmentation(model, None) == shipped_config(model).recipe
    config = tmp_path / "mine.py"
    config.write_text(
        "from dataclasses import replace\n"
        "from train.configs.unet import CONFIG as SHIPPED\n"
        "CONFIG = replace(SHIPPED, recipe=replace(SHIPPED.recipe, background=0.77))\n"
    )
    assert augmentation("unet", config, shipped=True).background == 0.77


def test_a_network_without_maps_has_no_quality(tiny_300w: Path) -> None:
    class Flat(ResNet18Landmarks):
        def forward(self, crop: Tensor) -> LandmarkOutput:
            return super().forward(crop)._replace(maps=None)

    with pytest.raises(RunError, match="no maps"):
        calibrate(Loaded(Flat().eval(), 64), tiny_300w, RECIPE)
    assert ImmLandmarks("nose-fan")(torch.zeros(1, 1, 60, 80)).maps is None
