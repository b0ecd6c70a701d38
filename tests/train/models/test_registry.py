"""Backbones by name: networks that train, are written, and are found again by their tensors."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import save_file

from train.config import Stage, TrainConfig
from train.configs.overrides import with_values
from train.errors import RunError
from train.models.backbone import BLOCKS, backbone_of
from train.models.load import load_network
from train.models.registry import MODELS, WITH_BACKBONE, build


@pytest.mark.parametrize("model", WITH_BACKBONE)
@pytest.mark.parametrize("backbone", BLOCKS)
def test_a_file_of_weights_tells_its_backbone(tmp_path: Path, model: str, backbone: str) -> None:
    torch.manual_seed(4)
    network = build(model, backbone=backbone).eval()
    assert backbone_of(network.state_dict()) == backbone
    path = tmp_path / "w.safetensors"
    save_file(network.state_dict(), path, metadata={"size": "64"})
    loaded = load_network(model, path).network
    crop = torch.randint(0, 256, (1, 1, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.equal(loaded(crop).points, network(crop).points)


def test_the_default_backbone_is_that_of_the_name() -> None:
    """The same numbers as ever: weights and the order in which they are drawn."""
    for model in WITH_BACKBONE:
        torch.manual_seed(9)
        first = build(model).state_dict()
        torch.manual_seed(9)
        named = build(model, backbone="resnet18").state_dict()
        assert first.keys() == named.keys()
        assert all(torch.equal(first[name], named[name]) for name in first)


def test_a_deeper_backbone_has_more_weights() -> None:
    count = {name: sum(p.numel() for p in build("resnet18", backbone=name).parameters()) for name in BLOCKS}
    # K. He et al., CVPR 2016, table 1: ResNet34 has 8 more blocks, 21.8 against 11.7 million weights.
    assert count["resnet34"] - count["resnet18"] == pytest.approx(10.1e6, rel=0.01)


def test_other_networks_have_no_backbone() -> None:
    for model in set(MODELS) - set(WITH_BACKBONE):
        assert backbone_of(build(model).state_dict()) == ""
        with pytest.raises(RunError, match=f"{model} has no backbone to choose"):
            build(model, backbone="resnet34")
        with pytest.raises(RunError, match="has no backbone to choose, only resnet18 and resnet18-plain"):
            TrainConfig(model, (Stage(64, 1, 1e-3),), backbone="resnet34")


def test_a_recipe_sets_the_backbone_by_its_name() -> None:
    config = TrainConfig("resnet18", (Stage(64, 1, 1e-3),))
    assert with_values(config, ["backbone=resnet34"]).backbone == "resnet34"
    with pytest.raises(RunError, match="backbone must be resnet18 or resnet34, got 'vgg'"):
        with_values(config, ["backbone=vgg"])
