"""Transposed convolutions as ordinary ones."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from train.models.unet import UNetLandmarks  # noqa: E402
from train.models.upsampling import ShuffledUpsampling, shuffle_upsampling, with_transposed  # noqa: E402


def test_the_result_is_that_of_the_transposed_convolution() -> None:
    torch.manual_seed(0)
    transposed = nn.ConvTranspose2d(5, 3, kernel_size=2, stride=2)
    x = torch.randn(2, 5, 4, 6)
    # Sums of five products each, in another order.
    assert torch.allclose(ShuffledUpsampling(transposed)(x), transposed(x), atol=1e-6)


def test_tensors_of_an_exported_network_start_a_network_in_training() -> None:
    torch.manual_seed(0)
    network = UNetLandmarks(features=2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    shuffle_upsampling(network)
    shuffled = dict(network.state_dict())
    assert any(shuffled[name].shape != tensor.shape for name, tensor in before.items())
    back = with_transposed(shuffled)
    assert back.keys() == before.keys()
    assert all(torch.equal(back[name], before[name]) for name in before)


def test_other_transposed_convolutions_stay() -> None:
    network = nn.Sequential(nn.ConvTranspose2d(2, 2, kernel_size=3, stride=2))
    shuffle_upsampling(network)
    assert isinstance(network[0], nn.ConvTranspose2d)
