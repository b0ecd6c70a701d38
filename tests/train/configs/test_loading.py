import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("torch")

from train.config import Stage, TrainConfig
from train.configs import (
    face58,
    nose,
    resnet18,
    resnet18_plain,
    resnet18_settled,
    resnet18_taught,
    resnet18_turned,
    unet,
    unet_light,
    unet_light_settled,
    unet_light_turned,
    unet_mri,
    unet_taught,
    unet_turned,
)
from train.configs.loading import Changes, load_config
from train.configs.overrides import with_values
from train.errors import RunError
from train.models.heatmap import HeatmapCodec
from train.models.losses import LandmarkLoss

TAUGHT = (resnet18, resnet18_plain, resnet18_taught, unet, unet_light, unet_mri, unet_taught)
TURNED = (resnet18_settled, resnet18_turned, unet_light_settled, unet_light_turned, unet_turned)


@pytest.mark.parametrize("module", [*TAUGHT, *TURNED, nose, face58])
def test_shipped_recipes_load_like_a_users_file(module: ModuleType) -> None:
    assert module.__file__
    assert load_config(Path(module.__file__)) == module.CONFIG
    header = module.__doc__
    assert header
    assert all(word in header for word in ("Command", "Time", "Expect"))
    time = header[header.index("Time ") : header.index("Expect ")]
    assert re.search(r"\bcores?\b", time), "a recipe states its time on a plain CPU"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sets no CONFIG"),
        ("CONFIG = 3", "sets no CONFIG"),
        ("CONFIG = (", "SyntaxError"),
        ("CONFIG = missing", "NameError"),
        ("import missing_module_xyz", "missing_module_xyz"),
        ("from train.config import *\nCONFIG = TrainConfig('m', ())", "stages"),
    ],
)
def test_an_unusable_config_is_refused_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "c.py"
    path.write_text(text)
    with pytest.raises(RunError, match=expected) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none\.py"):
        load_config(tmp_path / "none.py")


def test_changes_of_a_recipe_apply_to_each_stage() -> None:
    config = TrainConfig("m", (Stage(64, 5, 1e-3), Stage(128, 1, 4e-3)), batch_size=8)
    changed = Changes(epochs=2, batch_size=16, lr=2e-3, size=96).apply(config)
    assert changed.stages == (Stage(96, 2, 5e-4), Stage(96, 2, 2e-3))
    assert changed.batch_size == 16
    assert Changes().apply(config) == config


def test_single_values_are_set_by_their_path() -> None:
    config = TrainConfig("m", (Stage(64, 5, 1e-3), Stage(128, 1, 4e-3)))
    values = (
        "weight_decay=0",
        "optimizer=sgd",
        "stages.1.peak_lr=1e-2",
        "stages.0.sets=lfpw, helen",
        "recipe.photometry.blur=0.5",
        "loss.codec.sigma=2",
        "repeats.helen=3",
    )
    changed = with_values(config, values)
    assert (changed.weight_decay, changed.optimizer) == (0.0, "sgd")
    assert changed.stages == (Stage(64, 5, 1e-3, ("lfpw", "helen")), Stage(128, 1, 1e-2))
    assert changed.recipe.photometry == replace(config.recipe.photometry, blur=0.5)
    assert changed.loss == LandmarkLoss(codec=HeatmapCodec(2.0))
    assert changed.repeats == {"helen": 3}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("weight_decay", "has no value"),
        ("weight=1", "choose one of model, stages, batch_size"),
        ("batch_size=1.5", "whole number"),
        ("batch_size=many", "whole number"),
        ("batch_size=True", "whole number"),
        ("batch_size=0", "batch_size >= 1"),
        ("weight_decay=a+b", "expected a number"),
        ("optimizer=adam", "optimizer must be adamw or sgd"),
        ("stages.2.epochs=1", "count from 0"),
        ("stages.epochs=1", "count from 0"),
        ("recipe=1", "set one of its fields, after a dot: geometry"),
        ("recipe.occluders=1", "in a file for --config"),
        ("seed.x=1", "nothing is below int"),
        ("stages.0.epochs=0", "a stage needs"),
    ],
)
def test_a_value_that_cannot_be_set_is_refused_in_one_line(setting: str, expected: str) -> None:
    with pytest.raises(RunError, match=expected) as caught:
        with_values(TrainConfig("m", (Stage(64, 5, 1e-3),)), [setting])
    assert "\n" not in str(caught.value)
