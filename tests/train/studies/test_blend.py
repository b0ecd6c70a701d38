"""Blending: exact at both ends, and the mean of the folded weights in between."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from train.cli.main import main
from train.errors import RunError
from train.models.fold import fold_normalisation
from train.models.load import load_network
from train.models.registry import build
from train.models.trained import FROM_SHIPPED, goes_back_to_shipped
from train.studies.blend import blend
from train.training.run import write_weights

MODEL, SIZE = "unet-light", 96


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("weights")
    paths = folder / "old.safetensors", folder / "new.safetensors"
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        network = build(MODEL)
        with torch.no_grad():  # normalisation that is not the identity
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.weight.uniform_(-1.5, 1.5)
                    module.bias.normal_()
                    assert module.running_mean is not None
                    assert module.running_var is not None
                    module.running_mean.normal_()
                    module.running_var.uniform_(0.5, 2)
        write_weights(network, SIZE, path)
    return paths


@torch.inference_mode()
def output(network: nn.Module) -> torch.Tensor:
    crops = torch.from_numpy(torch.arange(SIZE * SIZE).remainder(251).to(torch.uint8).numpy())
    points = network(crops.reshape(1, 1, SIZE, SIZE)).points
    assert isinstance(points, torch.Tensor)
    return points


@pytest.mark.parametrize(("share", "number"), [(0.0, 0), (1.0, 1)])
def test_all_or_nothing_computes_as_that_network(files: tuple[Path, Path], share: float, number: int) -> None:
    old, new = files
    loaded = blend(MODEL, new, share, old)
    expected = output(load_network(MODEL, files[number]).network)
    # Float32 rounding through some twenty layers.
    torch.testing.assert_close(output(loaded.network), expected, atol=1e-4, rtol=1e-4)
    assert loaded.size == SIZE


def test_folded_weights_are_the_mean_of_both(files: tuple[Path, Path]) -> None:
    old, new = (load_network(MODEL, path).network for path in files)
    mixed = copy.deepcopy(blend(MODEL, files[1], 0.25, files[0]).network).eval()
    for network in (old, new, mixed):
        fold_normalisation(network)
    states = [network.state_dict() for network in (old, new, mixed)]
    for name, value in states[2].items():
        expected = 0.75 * states[0][name] + 0.25 * states[1][name]
        torch.testing.assert_close(value, expected, atol=1e-4, rtol=1e-4, msg=name)


def test_a_share_out_of_range_and_another_model_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(RunError, match=r"must be in 0\.\.1, got 1\.5"):
        blend(MODEL, files[1], 1.5, files[0])
    with pytest.raises(RunError, match="does not hold resnet18 weights"):
        blend("resnet18", files[1], 0.5, files[0])


@pytest.mark.parametrize("shipped", [True, False])
def test_a_mixture_tells_whether_it_goes_back_to_a_shipped_model(
    files: tuple[Path, Path], tmp_path: Path, shipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = files
    tuned, out = tmp_path / "tuned.safetensors", tmp_path / "out.safetensors"
    write_weights(load_network(MODEL, new).network, SIZE, tuned, {FROM_SHIPPED: shipped})
    words = ("train", "blend", MODEL, "--tuned", tuned, "--base", old, "--out", out)
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert goes_back_to_shipped(out) is shipped
