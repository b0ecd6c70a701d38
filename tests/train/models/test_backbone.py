"""Weights of torchvision's ResNet18 in networks that see one grey channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import pad

from train.models.backbone import MEAN, features
from train.models.load import warm_start
from train.models.plain import PlainResNet18
from train.models.resnet18 import ResNet18Landmarks
from train.models.vision import import_models

IMAGENET_MEAN = torch.tensor((0.485, 0.456, 0.406))[:, None, None]
IMAGENET_STD = torch.tensor((0.229, 0.224, 0.225))[:, None, None]
STEM_BORDER = 3
"""Pixels that the first convolution looks beyond the picture."""


@pytest.fixture(scope="module")
def published() -> nn.Module:
    """torchvision's network with other statistics than a new one's, as if it were trained on pictures."""
    torch.manual_seed(11)
    network = import_models().resnet18().train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(4, 3, 64, 64) * 1.5 + 0.5)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.3, 0.3)
    assert isinstance(network, nn.Module)
    return network.eval()


@pytest.fixture(scope="module")
def grey() -> Tensor:
    """Two pictures of smooth tones, ``(2, 1, 96, 96)`` grey levels."""
    rng = np.random.default_rng(4)
    coarse = torch.from_numpy(rng.uniform(0, 255, (2, 1, 12, 12)).astype(np.float32))
    return nn.functional.interpolate(coarse, size=(96, 96), mode="bilinear").round()


def as_imagenet(levels: Tensor) -> Tensor:
    """Grey levels as RGB, normalised as torchvision's weights want it: ``(N, 3, H, W)``."""
    return (levels.expand(-1, 3, -1, -1) / 255 - IMAGENET_MEAN) / IMAGENET_STD


def no_crops() -> Tensor:
    raise AssertionError("only exported models need crops")


def started(published: nn.Module, folder: Path, network: nn.Module, suffix: str) -> nn.Module:
    """Start ``network`` from a file as torchvision publishes it (.pth), or its safetensors form."""
    path = folder / f"resnet18-f37072fd{suffix}"
    state = {name: tensor.contiguous() for name, tensor in published.state_dict().items()}
    if suffix == ".pth":
        torch.save(state, path)
    else:
        save_file(state, path, metadata={"format": "pt"})
    taken = warm_start(network, path, no_crops)
    assert taken.share > 0.9
    return network.eval().get_submodule("backbone")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_grey_picture_gives_what_it_gives_as_rgb(
    published: nn.Module, grey: Tensor, tmp_path: Path, suffix: str
) -> None:
    """The summed kernels compute the same on one channel as the original on three, in every layer.

    The original's first convolution sees MEAN beyond the edge, which is what zeros mean to the other.
    """
    backbone = started(published, tmp_path, ResNet18Landmarks(), suffix)
    part = dict(published.named_children())
    stem = part["conv1"]
    assert isinstance(stem, nn.Conv2d)
    with torch.inference_mode():
        found = features(backbone, grey)
        wider = as_imagenet(pad(grey, [STEM_BORDER] * 4, value=MEAN))
        x = torch.relu(part["bn1"](nn.functional.conv2d(wider, stem.weight, stride=2)))
        expected = [x]
        x = part["maxpool"](x)
        for layer in ("layer1", "layer2", "layer3", "layer4"):
            x = part[layer](x)
            expected.append(x)
    for got, wanted in zip(found, expected, strict=True):
        assert (got - wanted).abs().max() < 1e-4 * wanted.abs().max()
        assert wanted.std() > 0.01


def test_away_from_the_edge_it_gives_what_the_original_gives(
    published: nn.Module, grey: Tensor, tmp_path: Path
) -> None:
    """With its own border, of the mean colour, the original differs at the very edge only."""
    backbone = started(published, tmp_path, PlainResNet18(), ".pth")
    part = dict(published.named_children())
    with torch.inference_mode():
        got = features(backbone, grey)[0]
        wanted = torch.relu(part["bn1"](part["conv1"](as_imagenet(grey))))
    inner = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    assert (got - wanted)[inner].abs().max() < 1e-4 * wanted.abs().max()


def test_a_network_of_one_channel_is_taken_as_it_is(grey: Tensor, tmp_path: Path) -> None:
    """torchvision's network with one input channel and 136 outputs is the plain model by other names."""
    torch.manual_seed(2)
    own = import_models().resnet18(num_classes=136).eval()
    own.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    torch.save({"model": own.state_dict()}, tmp_path / "mine.pt")
    network = PlainResNet18().eval()
    taken = warm_start(network, tmp_path / "mine.pt", no_crops)
    assert taken.share == 1.0
    with torch.inference_mode():
        wanted = own((grey - MEAN) / 64).reshape(-1, 68, 2)
        assert (network(grey).points - wanted).abs().max() < 1e-4


def test_imagenet_weights_are_converted_when_they_are_downloaded(
    published: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The download itself belongs to torchvision."""
    from train.models import backbone

    class Models:
        get_model_weights = staticmethod(import_models().get_model_weights)

        @staticmethod
        def get_model(name: str, weights: object) -> nn.Module:
            assert name == "resnet18"
            assert weights is not None
            copy: nn.Module = import_models().resnet18()
            copy.load_state_dict(published.state_dict())
            return copy

    monkeypatch.setattr(backbone, "import_models", lambda: Models)
    found = backbone.grey_resnet(pretrained=True).state_dict()
    expected = backbone.grey_imagenet(published.state_dict())
    assert found.keys() == {name for name in expected if not name.startswith("fc.")}
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())
