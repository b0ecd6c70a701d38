import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from train.evaluation.architecture import Block, blocks, in_words, is_folded
from train.models.fold import fold_normalisation
from train.models.imm import SPECS
from train.models.registry import MODELS, WITHOUT_MAPS, build


@pytest.mark.parametrize("model", MODELS)
def test_blocks_have_all_parameters_and_the_work_that_torch_counts(model: str) -> None:
    """Torch counts the operations themselves, twice a multiply-add, with the means over the maps."""
    size = SPECS[model].size if model in SPECS else 64
    hw = (size * 3 // 4, size) if model in SPECS else (size, size)
    network = build(model)
    found = blocks(network, hw)
    assert sum(block.parameters for block in found) == sum(p.numel() for p in network.parameters())
    assert len({block.name for block in found}) == len(found) <= 24
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        output = network.eval()(torch.zeros(1, 1, *hw))
    read = 0 if model in WITHOUT_MAPS else 3 * output.maps.numel()
    assert 2 * (sum(block.multiply_adds for block in found) + read) == counter.get_total_flops()


def test_rows_of_a_small_network_are_exact() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU())
            self.pool = nn.MaxPool2d(2)
            self.points = nn.Linear(4 * 2 * 3, 2)
            self.spare = nn.Linear(5, 1)

        def forward(self, crop: torch.Tensor) -> torch.Tensor:
            x = self.pool(self.pool(self.block(crop.float())))
            found: torch.Tensor = self.points(x.flatten(1))
            return found

    network = Two().train()
    assert blocks(network, (16, 24)) == (
        Block("block", "convolution 3x3 (stride 2), ReLU", (4, 8, 12), 40, 4 * 8 * 12 * 9),
        Block("pool", "maximum pooling 2x2 (used 2 times)", (4, 2, 3), 0, 0),
        Block("points", "linear", (2,), 50, 48),
        Block("spare", "linear", (), 6, 0),
    )
    assert network.training  # it is left as it was


def test_an_exported_network_is_shown_as_it_is() -> None:
    network = build("unet-light").eval()
    assert not is_folded(network)
    fold_normalisation(network)
    assert is_folded(network)
    found = blocks(network, (64, 64))
    assert sum(block.parameters for block in found) == sum(p.numel() for p in network.parameters())
    assert found[0].layers == "2 x (convolution 3x3, ReLU)"
    assert not any("Identity" in block.layers for block in found)


def test_repeated_layers_are_said_once() -> None:
    twice = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Conv2d(1, 1, 3), nn.ReLU())
    assert in_words(twice) == "2 x (convolution 3x3, ReLU)"
    assert in_words(nn.Sequential(nn.ReLU(), nn.Tanh())) == "ReLU, Tanh"
