"""Study networks: stored at half the size, entered into the manifest, and loaded again."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from export.study import ROUNDING_SIDES, write_study
from tracker.errors import WeightsError
from tracker.inference.weights import find_model, load_manifest
from train.errors import RunError
from train.models.load import load_network
from train.models.registry import build
from train.training.run import write_weights


@pytest.fixture(params=["nose-funnel", "nose-fan", "face58"])
def trained(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """A network with different output for different pictures, like a trained one."""
    torch.manual_seed(1)
    network = build(request.param)
    torch.nn.init.normal_(network.get_parameter("points.weight"), std=0.002)
    size = 240 if request.param == "face58" else 80
    write_weights(network, size, tmp_path / "trained.safetensors")
    return request.param, tmp_path / "trained.safetensors"


@pytest.mark.slow
def test_the_float16_file_reloads_and_has_half_the_size(trained: tuple[str, Path], tmp_path: Path) -> None:
    name, checkpoint = trained
    folder = tmp_path / "weights"
    folder.mkdir()
    moved = write_study(checkpoint, name, folder)
    assert 0 < moved <= ROUNDING_SIDES
    path = load_manifest(folder)[name].verified()
    assert path.stat().st_size < 0.52 * checkpoint.stat().st_size
    assert [file.name for file in folder.iterdir() if file.suffix == ".safetensors"] == [path.name]
    shipped, exact = load_network(name, path), load_network(name, checkpoint)
    assert shipped.size == exact.size
    for key, tensor in exact.network.state_dict().items():
        assert torch.equal(shipped.network.state_dict()[key], tensor.half().float())


@pytest.mark.slow
def test_the_tracker_does_not_offer_study_models(trained: tuple[str, Path], tmp_path: Path) -> None:
    name, checkpoint = trained
    write_study(checkpoint, name, tmp_path)
    with pytest.raises(WeightsError, match=f"unknown landmarks model '{name}'"):
        find_model(name, "landmarks", tmp_path)


def test_weights_that_float16_cannot_hold_are_refused(tmp_path: Path) -> None:
    network = build("nose-fan")
    network.get_parameter("hidden.weight").data[0, 0] = 1e6  # beyond float16: it would become infinite
    torch.nn.init.ones_(network.get_parameter("points.weight"))
    write_weights(network, 80, tmp_path / "trained.safetensors")
    with pytest.raises(WeightsError, match="float16 moves a point"):
        write_study(tmp_path / "trained.safetensors", "nose-fan", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["trained.safetensors"]


def test_a_checkpoint_of_another_network_is_refused(trained: tuple[str, Path], tmp_path: Path) -> None:
    name, checkpoint = trained
    other = "face58" if name != "face58" else "nose-fan"
    with pytest.raises(RunError, match="does not hold"):
        write_study(checkpoint, other, tmp_path)
