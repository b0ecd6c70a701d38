"""The checkpoint of a run, also of one that was interrupted, is a file of weights like any other."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

import torch

from train.config import Stage
from train.configs.nose import CONFIG
from train.errors import RunError
from train.models.load import load_network
from train.models.losses import LandmarkLoss, Loss
from train.models.registry import build
from train.models.run_checkpoint import VERSION, read_averaged
from train.training.imm import train_imm
from train.training.options import LAST, RunOptions
from train.training.run import write_weights

TINY = replace(CONFIG, model="nose-fan", stages=(Stage(80, 3, 1e-3),), batch_size=4)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def run(tiny_imm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    train_imm(TINY, tiny_imm, 8, RunOptions(out))
    return out


def test_the_checkpoint_of_a_finished_run_is_the_network_that_it_wrote(run: Path) -> None:
    kept, written = (load_network("nose-fan", run / name) for name in (LAST, "nose-fan.safetensors"))
    assert kept.size == written.size == 80
    for name, tensor in written.network.state_dict().items():
        assert torch.equal(kept.network.state_dict()[name], tensor)


def test_an_interrupted_run_can_be_used_as_it_is(
    tiny_imm: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of the second epoch, the weights are the averages after the first."""
    real, steps = LandmarkLoss.with_terms, []

    def interrupt(*args: Any) -> Loss:
        steps.extend([1] * torch.is_grad_enabled())
        if len(steps) == 4:  # two steps an epoch
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(LandmarkLoss, "with_terms", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_imm(TINY, tiny_imm, 8, RunOptions(tmp_path))
    network = load_network("nose-fan", tmp_path / LAST).network
    assert not network.training
    finished = load_network("nose-fan", run / LAST).network
    assert not torch.equal(network.get_parameter("points.weight"), finished.get_parameter("points.weight"))


def checkpoint(path: Path, **changes: Any) -> Path:
    """Write a checkpoint of a run of two stages with one weight."""
    stages = [{"size": 64, "epochs": 2}, {"size": 128, "epochs": 3}]
    state = {
        "version": VERSION,
        "config": json.dumps({"model": "unet", "stages": stages}),
        "averaged": {"n_averaged": torch.tensor(5), "module.a.weight": torch.ones(2)},
        "epoch": 2,
    }
    torch.save(state | changes, path)
    return path


@pytest.mark.parametrize(("epoch", "size"), [(1, 64), (2, 64), (3, 128), (5, 128)])
def test_the_crop_size_is_that_of_the_last_finished_epoch(tmp_path: Path, epoch: int, size: int) -> None:
    found, weights = read_averaged(checkpoint(tmp_path / "last.ckpt", epoch=epoch), "unet")
    assert found == size
    assert {name: tensor.tolist() for name, tensor in weights.items()} == {"a.weight": [1, 1]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"version": 1}, "of another version of this program"),
        ({"config": '{"model": "nose-fan", "stages": []}'}, "it is the checkpoint of a run of nose-fan"),
        ({"epoch": 9}, "more epochs than its recipe has"),
        ({}, "Missing key"),  # one weight is no U-Net
    ],
)
def test_another_checkpoint_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    path = checkpoint(tmp_path / "last.ckpt", **changes)
    with pytest.raises(RunError, match=rf"last\.ckpt does not hold unet weights: .*{expected}") as caught:
        load_network("unet", path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 7, 2000, 100_000])
def test_a_damaged_checkpoint_is_refused_in_one_line(run: Path, tmp_path: Path, kept: int) -> None:
    damaged = tmp_path / "last.ckpt"
    damaged.write_bytes((run / LAST).read_bytes()[:kept])
    with pytest.raises(RunError, match="it is damaged, or no checkpoint of a run") as caught:
        load_network("nose-fan", damaged)
    assert "\n" not in str(caught.value)


def test_other_files_of_torch_are_no_checkpoint(tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": torch.ones(2)}}, tmp_path / "a.ckpt")
    with pytest.raises(RunError, match="no checkpoint of a run of this program"):
        load_network("unet", tmp_path / "a.ckpt")


def test_before_the_first_epoch_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"last\.ckpt.*No such file"):
        load_network("unet", tmp_path / "last.ckpt")


@pytest.mark.parametrize(
    ("model", "file", "owner"),
    [
        ("nose-fan", "nose-funnel.safetensors", "nose-funnel"),
        ("face58", "nose-fan.safetensors", "nose-fan"),
        ("resnet18", "unet-light.onnx", "unet-light"),
        ("unet", "resnet18.onnx", "resnet18"),
    ],
)
def test_weights_of_another_model_are_named(model: str, file: str, owner: str) -> None:
    path = Path(__file__).resolve().parents[3] / "weights" / file
    with pytest.raises(RunError, match=f"does not hold {model} weights: they are of {owner}$"):
        load_network(model, path)


@pytest.mark.parametrize("model", ["resnet18", "unet-light", "face58"])
def test_weights_for_points_of_ones_own_are_named_with_what_takes_them(tmp_path: Path, model: str) -> None:
    write_weights(build("unet-light", 9), 64, tmp_path / "own.safetensors", {})
    with pytest.raises(
        RunError,
        match=r"of unet-light for 9 points of your own, which `python -m train points-error` measures and "
        r"`python -m export landmarks --out MODEL\.onnx` exports$",
    ):
        load_network(model, tmp_path / "own.safetensors")
