from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("torch")

from train.config import Stage, TrainConfig
from train.configs import resnet18, resnet18_taught, unet, unet_light, unet_mri, unet_taught
from train.configs.loading import load_config, shortened
from train.errors import RunError


@pytest.mark.parametrize("module", [resnet18, resnet18_taught, unet, unet_light, unet_mri, unet_taught])
def test_shipped_recipes_load_like_a_users_file(module: ModuleType) -> None:
    assert module.__file__
    assert load_config(Path(module.__file__)) == module.CONFIG
    header = module.__doc__
    assert header
    assert all(word in header for word in ("Command", "Time", "Expect"))


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


def test_a_dry_run_shortens_each_stage_and_lengthens_none() -> None:
    config = TrainConfig("m", (Stage(64, 5, 1e-3), Stage(64, 1, 1e-3)))
    assert [stage.epochs for stage in shortened(config, 2).stages] == [2, 1]
    assert shortened(config, 0) == config
