from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from train.config import Stage, TrainConfig  # noqa: E402
from train.configs import resnet18, resnet18_taught, unet, unet_light, unet_mri, unet_taught  # noqa: E402
from train.errors import RunError  # noqa: E402
from train.training.run import load_config, resolve_precision, shortened  # noqa: E402


@pytest.mark.parametrize("module", [resnet18, resnet18_taught, unet, unet_light, unet_mri, unet_taught])
def test_shipped_recipes_load_as_a_users_file_would(module) -> None:
    assert load_config(module.__file__) == module.CONFIG
    header = module.__doc__
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
def test_a_config_that_cannot_be_used_is_one_line(tmp_path: Path, text, expected) -> None:
    path = tmp_path / "c.py"
    path.write_text(text)
    with pytest.raises(RunError, match=expected) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_a_config_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none\.py"):
        load_config(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("cuda", "cuda_native", "avx512", "amx", "expected"),
    [
        (False, False, False, False, "32-true"),
        (False, False, True, False, "bf16-mixed"),
        (False, False, False, True, "bf16-mixed"),
        (True, True, False, False, "bf16-mixed"),
        (True, False, True, True, "32-true"),
    ],
)
def test_automatic_precision_follows_the_hardware(
    monkeypatch: pytest.MonkeyPatch, cuda, cuda_native, avx512, amx, expected
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    # Emulation is what must not count.
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation or cuda_native
    )
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert resolve_precision("auto") == expected
    assert resolve_precision("32-true") == "32-true"


def test_a_dry_run_shortens_each_stage_and_lengthens_none() -> None:
    config = TrainConfig("m", (Stage(64, 5, 1e-3), Stage(64, 1, 1e-3)))
    assert [stage.epochs for stage in shortened(config, 2).stages] == [2, 1]
    assert shortened(config, 0) == config
