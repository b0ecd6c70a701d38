"""The plain ResNet18, which is torchvision's but for the input channel and the number of outputs."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from train.errors import RunError
from train.models.load import load_heatmap_network
from train.models.plain import PlainResNet18
from train.models.vision import import_models


def test_it_is_torchvisions_network_with_136_outputs() -> None:
    """Names and shapes are the original's, except for the first kernel's channels."""
    own = PlainResNet18().backbone.state_dict()
    original = import_models().resnet18(num_classes=136).state_dict()
    assert list(own) == list(original)
    differing = [name for name, tensor in own.items() if tensor.shape != original[name].shape]
    assert differing == ["conv1.weight"]
    assert own["conv1.weight"].shape == (64, 1, 7, 7)


def test_outputs_are_x_and_y_of_each_point() -> None:
    network = PlainResNet18().eval()
    with torch.no_grad():
        network.backbone.get_parameter("fc.weight").zero_()
        network.backbone.get_parameter("fc.bias").copy_(torch.arange(136))
        output = network(torch.zeros(2, 1, 64, 96, dtype=torch.uint8))
    assert output.points.shape == (2, 68, 2)
    assert output.points[1, 3].tolist() == [6, 7]
    assert output.presence_logit is None
    assert output.maps is None


def test_it_draws_no_maps() -> None:
    with pytest.raises(RunError, match="resnet18-plain draws no maps"):
        load_heatmap_network("resnet18-plain")
