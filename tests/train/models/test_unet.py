from collections import OrderedDict
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from train.errors import RunError
from train.models.fold import fold_normalisation
from train.models.heatmap import KernelCodec
from train.models.load import warm_start
from train.models.losses import LandmarkLoss
from train.models.reading import peak_height
from train.models.unet import UNetLandmarks


@pytest.mark.parametrize(("stride", "side"), [(1, 66), (2, 34), (4, 18)])
def test_maps_have_the_requested_resolution(stride: int, side: int) -> None:
    output = UNetLandmarks(features=4, stride=stride).eval()(torch.zeros(2, 1, 64, 64, dtype=torch.uint8))
    assert output.maps.shape == (2, 68, side, side)
    assert output.points.shape == (2, 68, 2)
    assert output.presence_logit.shape == (2,)


def test_another_stride_is_refused() -> None:
    with pytest.raises(RunError, match="1/3"):
        UNetLandmarks(stride=3)


def parameters_of(features: int, stride: int) -> int:
    """Count two 3x3 convolutions and their normalisation a block, a 2x2 transposed one, maps and presence."""

    def block(inputs: int, outputs: int) -> int:
        return 9 * inputs * outputs + 9 * outputs * outputs + 2 * 2 * outputs

    widths = [features * 2**level for level in range(5)]
    last = {1: 0, 2: 1, 4: 2}[stride]
    encoder = sum(block(inputs, outputs) for inputs, outputs in zip([1, *widths], widths, strict=False))
    decoder = sum(8 * w * w + w + block(2 * w, w) for w in widths[last:4])
    return int(encoder + decoder + (9 * widths[last] + 1) * 68 + 69)


@pytest.mark.parametrize(("features", "stride"), [(32, 1), (32, 2), (8, 4)])
def test_the_number_of_parameters_matches_the_published_architecture(features: int, stride: int) -> None:
    network = UNetLandmarks(features, stride)
    assert sum(p.numel() for p in network.parameters()) == parameters_of(features, stride)


def test_an_untrained_network_predicts_the_middle_of_the_crop() -> None:
    torch.manual_seed(0)
    points = UNetLandmarks(features=4).eval()(torch.zeros(1, 1, 64, 64)).points
    assert points.abs().max().item() < 0.02


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_every_parameter_has_a_gradient(stride: int) -> None:
    torch.manual_seed(0)
    network = UNetLandmarks(4, stride).train()
    crops, points = torch.rand(4, 1, 64, 64) * 255, torch.rand(4, 68, 2) - 0.5
    loss = LandmarkLoss(codec=KernelCodec())(network(crops), points, torch.tensor([1.0, 1, 1, 0]))
    parameters = dict(network.named_parameters())
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    for name, gradient in zip(parameters, gradients, strict=True):
        assert torch.isfinite(gradient).all(), name
        assert gradient.any(), name


def test_grey_levels_may_be_bytes_or_floats() -> None:
    levels = torch.randint(0, 256, (1, 1, 64, 64), dtype=torch.uint8)
    network = UNetLandmarks(features=4).eval()
    with torch.inference_mode():
        by_bytes, by_floats = (network(crop).maps for crop in (levels, levels.float()))
    assert torch.equal(by_bytes, by_floats)


def test_a_size_that_is_not_a_multiple_of_16_is_refused() -> None:
    with pytest.raises(RuntimeError, match="size"):
        UNetLandmarks(features=4).eval()(torch.zeros(1, 1, 72, 72))


def test_folding_changes_nothing() -> None:
    torch.manual_seed(0)
    network = UNetLandmarks(features=4)
    crops = torch.rand(3, 1, 64, 64) * 255
    network.train()(crops)
    with torch.inference_mode():
        before = network.eval()(crops).maps
        fold_normalisation(network)
        after = network(crops).maps
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert torch.allclose(before, after, atol=1e-4)


def test_peak_height_is_the_log_ratio_to_a_flat_map() -> None:
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 1, 2, 3] = 1000.0
    assert peak_height(maps)[0].tolist() == pytest.approx(
        [0.0, torch.log(torch.tensor(16.0)).item()], abs=1e-5
    )


def brain_mri(features: int = 32, inputs: int = 3, outputs: int = 1) -> OrderedDict[str, Tensor]:
    """Return random weights with the names and shapes of the published checkpoint."""
    widths = [features * 2**level for level in range(5)]
    shapes: dict[str, tuple[int, ...]] = {}

    def block(module: str, name: str, inputs: int, width: int) -> None:
        for number, channels in ((1, inputs), (2, width)):
            shapes[f"{module}.{name}conv{number}.weight"] = (width, channels, 3, 3)
            for field in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{module}.{name}norm{number}.{field}"] = (width,)
            shapes[f"{module}.{name}norm{number}.num_batches_tracked"] = ()

    for level in range(4):
        block(
            f"encoder{level + 1}",
            f"enc{level + 1}",
            inputs if level == 0 else widths[level - 1],
            widths[level],
        )
    block("bottleneck", "bottleneck", widths[3], widths[4])
    for level in range(3, -1, -1):
        shapes[f"upconv{level + 1}.weight"] = (widths[level + 1], widths[level], 2, 2)
        shapes[f"upconv{level + 1}.bias"] = (widths[level],)
        block(f"decoder{level + 1}", f"dec{level + 1}", 2 * widths[level], widths[level])
    shapes["conv.weight"], shapes["conv.bias"] = (outputs, features, 1, 1), (outputs,)
    return OrderedDict(
        (name, torch.rand(shape) if shape else torch.tensor(7)) for name, shape in shapes.items()
    )


def no_crops() -> Tensor:
    raise AssertionError("only exported models need crops")


def test_the_brain_mri_checkpoint_is_copied(tmp_path: Path) -> None:
    published = brain_mri()
    torch.save(published, tmp_path / "unet.pt")
    network = UNetLandmarks(32, stride=1)
    maps = network.maps.weight.clone()
    taken = warm_start(network, tmp_path / "unet.pt", no_crops).names
    state = network.state_dict()
    assert taken == published.keys() - {"conv.weight", "conv.bias"}  # the last layer is new
    first = published["encoder1.enc1conv1.weight"]
    assert torch.allclose(state["encoder1.enc1conv1.weight"], first.mean(dim=1, keepdim=True))
    for name, tensor in published.items():
        if name not in ("encoder1.enc1conv1.weight", "conv.weight", "conv.bias"):
            assert torch.equal(state[name], tensor), name
    assert torch.equal(network.maps.weight, maps)


def test_a_shorter_decoder_takes_the_levels_that_it_has(tmp_path: Path) -> None:
    torch.save(brain_mri(), tmp_path / "unet.pt")
    network = UNetLandmarks(32, stride=4)
    taken = warm_start(network, tmp_path / "unet.pt", no_crops).names
    assert taken == brain_mri().keys() & set(network.state_dict())


@pytest.mark.parametrize("damage", ["narrow", "other", "cut", "missing", "code"])
def test_other_files_are_refused_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "unet.pt"
    if damage == "narrow":
        torch.save(brain_mri(features=8), path)
    elif damage == "other":
        torch.save({"weights": torch.zeros(3)}, path)
    elif damage == "cut":
        torch.save(brain_mri(), path)
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "code":  # a pickled module could run any code when it is loaded
        torch.save(nn.Linear(2, 2), path)
    with pytest.raises(RunError, match=r"unet\.pt") as caught:
        warm_start(UNetLandmarks(32), path, no_crops)
    assert "\n" not in str(caught.value)
