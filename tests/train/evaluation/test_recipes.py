import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import save_file

from train.config import TrainConfig
from train.configs.loading import shipped_config
from train.configs.turned import SETTLED
from train.evaluation.recipes import Recipe, find_recipe, setting_groups, stage_rows
from train.models.heatmap import HeatmapCodec, KernelCodec
from train.models.losses import LandmarkLoss
from train.models.output import LandmarkOutput
from train.models.registry import MODELS
from train.training.record import CONFIG, KIND, describe

UNET = shipped_config("unet")


def record(config: TrainConfig = UNET) -> dict[str, object]:
    """Return a record as a run writes it, as far as the report reads it."""
    return {
        "kind": KIND,
        "model": config.model,
        "recipe": json.loads(json.dumps(describe(config))),
        "data": {},
    }


def write(path: Path, metadata: dict[str, str]) -> Path:
    save_file({"weight": torch.zeros(1)}, path, metadata={"size": "128", **metadata})
    return path


def test_the_record_in_the_weights_comes_first(tmp_path: Path) -> None:
    other = replace(UNET, seed=7)
    (tmp_path / CONFIG).write_text(json.dumps(record(other)))
    with_record = write(tmp_path / "unet.safetensors", {"run": json.dumps(record())})
    found = find_recipe("unet", with_record)
    assert found.seed == 0
    assert "record of the run in unet.safetensors" in found.source
    beside = find_recipe("unet", write(tmp_path / "bare.safetensors", {}))
    assert beside.seed == 7
    assert "From config.json" in beside.source
    assert beside.record is not None


NO_RECORDS = [
    "",
    "[]",
    "{",
    '{"kind": "training run", "model": "unet"}',
    '{"kind": "training run", "model": "unet", "recipe": "unet"}',
    '{"kind": "other", "model": "unet", "recipe": {}}',
]


@pytest.mark.parametrize("metadata", NO_RECORDS)
def test_without_a_record_the_shipped_recipe_is_shown_and_said_to_be(tmp_path: Path, metadata: str) -> None:
    (tmp_path / CONFIG).write_text(json.dumps(record(shipped_config("resnet18"))))  # of another model
    found = find_recipe("unet", write(tmp_path / "u.safetensors", {"run": metadata}))
    assert found.record is None
    assert "Neither u.safetensors nor its folder holds a record" in found.source
    assert "train/configs/unet.py" in found.source
    assert found.values == describe(UNET)
    (tmp_path / CONFIG).write_text('{"kind": "training run", "model": "unet"}')
    (tmp_path / "unet.onnx").write_bytes(b"no safetensors file")
    for name in ("gone.onnx", "unet.onnx"):
        assert find_recipe("unet", tmp_path / name).record is None


@pytest.mark.parametrize("model", MODELS)
def test_each_shipped_recipe_is_shown_and_its_augmentation_is_known(model: str) -> None:
    found = find_recipe(model, None)
    file = found.source.partition("train/configs/")[2].partition(".py")[0]
    root = Path(__file__).resolve().parents[3]
    assert (root / "train" / "configs" / f"{file}.py").is_file()
    config = shipped_config(file)
    assert found.samples == config.recipe
    assert isinstance(config.loss, LandmarkLoss)
    assert found.codec == config.loss.codec
    assert [row[1:3] for row in stage_rows(found)] == [[str(s.size), str(s.epochs)] for s in config.stages]
    groups = setting_groups(found)
    assert list(groups) == ["Optimisation", "Loss", "Augmentation"]
    assert not any("_" in name for names in groups.values() for name in names)


def test_settings_are_named_with_their_units() -> None:
    groups = setting_groups(find_recipe("resnet18", None))
    assert groups["Augmentation"]["crop: rotation, standard deviation, degrees"] == "12"
    assert groups["Augmentation"]["chance of a face mask"] == "0.12"
    assert groups["Loss"]["target of a map: sigma, cells of the map"] == "1"
    assert groups["Optimisation"]["batch size, pictures"] == "32"
    assert not any("map" in name for name in setting_groups(find_recipe("nose-fan", None))["Loss"])


def my_loss(output: LandmarkOutput, points: torch.Tensor, is_face: torch.Tensor) -> torch.Tensor:
    return (output.points - points).abs().sum() * is_face.sum()


def test_a_loss_of_the_users_has_no_target() -> None:
    found = Recipe(describe(replace(UNET, loss=my_loss)), "")
    assert found.codec is None
    assert setting_groups(found)["Loss"] == {"loss": "my_loss"}


def test_augmentation_and_target_survive_the_record() -> None:
    loss = LandmarkLoss(codec=KernelCodec(9, 50))
    found = Recipe(json.loads(json.dumps(describe(replace(UNET, recipe=SETTLED, loss=loss)))), "")
    assert found.samples == SETTLED
    assert found.codec == KernelCodec(9, 50)
    assert Recipe(describe(UNET), "").codec == HeatmapCodec(1.5)


@pytest.mark.parametrize(
    "change",
    [
        {"class": "MyRecipe"},
        {"more": 1},
        {"background": 7.0},
        {"background": None},
        {"geometry": "MyGeometry()"},
        {"occluders": {"class": "MyOccluders", "mask": 1.0}},
    ],
)
def test_augmentation_of_another_program_is_not_guessed(change: dict[str, object]) -> None:
    """A class, a field or a value that this program does not have must not become something else."""
    values = describe(UNET)
    values["recipe"] |= change
    assert Recipe(values, "").samples is None


def test_a_record_with_other_values_than_a_run_writes_is_shown_as_it_is() -> None:
    stages = ["one", {"size": None, "peak_lr": "high"}]
    odd = Recipe({"stages": stages, "seed": "x", "loss": 3, "recipe": None}, "")
    assert stage_rows(odd) == [["1", "None", "", "high", "all that are read"]]
    assert (odd.seed, odd.samples, odd.codec) == (0, None, None)
    assert setting_groups(odd)["Loss"] == {"loss": "3"}
