import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from train.errors import RunError
from train.models.imm import SPECS, ImmLandmarks
from train.models.registry import build

# Filters and kernels as weights/*.md list them, then the parameters by hand: of each convolution
# filters * (inputs * kernel^2 + 1), of the linear layers outputs * (inputs + 1). Half a kernel of padding and
# pooling leave 10 x 7 cells of 80 x 60, and 7 x 5 of 240 x 180.
BY_HAND = {
    "nose-funnel": (
        [(12, 7), (24, 5), (32, 3)],
        12 * (1 * 49 + 1) + 24 * (12 * 25 + 1) + 32 * (24 * 9 + 1) + 150 * (32 * 70 + 1) + 2 * 151,
    ),
    "nose-fan": (
        [(12, 3), (24, 5), (32, 7)],
        12 * (1 * 9 + 1) + 24 * (12 * 25 + 1) + 32 * (24 * 49 + 1) + 150 * (32 * 70 + 1) + 2 * 151,
    ),
    "face58": (
        [(12, 10), (20, 7), (25, 5), (30, 5), (32, 5)],
        (12 * (1 * 100 + 1) + 20 * (12 * 49 + 1) + 25 * (20 * 25 + 1) + 30 * (25 * 25 + 1))
        + (32 * (30 * 25 + 1) + 500 * (32 * 35 + 1) + 116 * 501),
    ),
}
SHAPES = {"nose-funnel": (60, 80, 1), "nose-fan": (60, 80, 1), "face58": (180, 240, 58)}
MODELS = sorted(BY_HAND)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(3)


@pytest.mark.parametrize("model", MODELS)
def test_the_layers_match_the_model_cards(model: str) -> None:
    layers, _ = BY_HAND[model]
    network = build(model)
    assert isinstance(network, ImmLandmarks)
    stages = list(network.features.children())
    convolutions = [module for module in stages[::3] if isinstance(module, nn.Conv2d)]
    shapes = [(convolution.out_channels, convolution.kernel_size) for convolution in convolutions]
    assert shapes == [(filters, (size, size)) for filters, size in layers]
    assert all(isinstance(module, nn.ReLU) for module in stages[1::3])
    assert all(isinstance(module, nn.MaxPool2d) and module.kernel_size == 2 for module in stages[2::3])
    assert (len(stages), len(convolutions)) == (3 * len(layers), len(layers))


@pytest.mark.parametrize("model", MODELS)
def test_the_number_of_parameters_matches_a_hand_count(model: str) -> None:
    assert sum(p.numel() for p in build(model).parameters()) == BY_HAND[model][1]


@pytest.mark.parametrize("model", MODELS)
def test_pictures_become_points(model: str) -> None:
    height, width, points = SHAPES[model]
    pictures = torch.randint(0, 256, (3, 1, height, width), dtype=torch.uint8)
    output = build(model)(pictures)
    assert output.points.shape == (3, points, 2)
    assert output.points.dtype == torch.float32
    assert output.presence_logit is None
    assert output.maps is None


@pytest.mark.parametrize("model", MODELS)
def test_an_untrained_network_predicts_the_start_points(model: str) -> None:
    height, width, points = SHAPES[model]
    start = np.random.default_rng(0).uniform(-0.4, 0.4, (points, 2))
    pictures = torch.randint(0, 256, (2, 1, height, width), dtype=torch.uint8)
    answer = ImmLandmarks(model, start)(pictures).points.detach().numpy()
    assert np.abs(answer - start).max() < 1e-7
    assert torch.all(build(model)(pictures).points == 0)


@pytest.mark.parametrize("model", MODELS)
def test_every_layer_learns(model: str) -> None:
    """After one step away from the start, each parameter has a gradient."""
    height, width, _ = SHAPES[model]
    network = ImmLandmarks(model)
    pictures = torch.randint(0, 256, (4, 1, height, width), dtype=torch.uint8)
    nn.init.normal_(network.points.weight, std=0.01)
    network(pictures).points.sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_coordinates_are_float32_under_autocast() -> None:
    start = np.full((1, 2), 0.4 + 2**-12)  # between two numbers of bfloat16
    network = ImmLandmarks("nose-fan", start)
    with torch.autocast("cpu", torch.bfloat16):
        points = network(torch.zeros(1, 1, 60, 80)).points
    assert points.dtype == torch.float32
    assert np.abs(points.detach().numpy() - start).max() < 1e-7


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(RunError, match=r"nose-cone.*nose-funnel, nose-fan, face58"):
        ImmLandmarks("nose-cone")
    assert set(SPECS) == set(BY_HAND)
