"""Blending of a fine-tuned network with the one it started from.

M. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022: the mean of both networks' weights
keeps most of what fine-tuning taught, and most of what it cost the network in its old task.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from train.errors import RunError
from train.models.fold import fold_normalisation, normalised_convolutions
from train.models.load import Loaded, load_network, read_safetensors
from train.models.registry import build

_LEAST_SCALE = 1e-4
"""Lower limit of the size of a normalisation's scale, by which folded kernels are divided."""


def blend(model: str, tuned: Path, share: float, base: Path | None = None) -> Loaded:
    """Return the network ``model`` whose weights are ``share`` of ``tuned``'s and the rest of ``base``'s.

    ``tuned`` is a .safetensors file; ``base`` a file of either kind, None for the shipped model. The weights
    are mixed with the normalisation folded in, which both kinds of files have in common; the result has its
    normalisation, so that it can be trained further.

    Raises :class:`~train.errors.RunError` for a file that does not hold ``model``, and a ``share`` outside
    0..1.
    """
    if not 0 <= share <= 1:
        raise RunError(f"the share of the fine-tuned weights must be in 0..1, got {share}")
    new, old = load_network(model, tuned), load_network(model, base)
    if new.size != old.size:
        raise RunError(f"{tuned} is for crops of {new.size} pixels, the other model of {old.size}")
    size, tensors = read_safetensors(tuned)
    network = build(model).eval()
    network.load_state_dict({name: value.float() for name, value in tensors.items()})
    _set_folded(network, _mixed(_folded(old.network), _folded(new.network), share))
    return Loaded(network, size)


def _folded(network: nn.Module) -> dict[str, Tensor]:
    fold_normalisation(network)
    return network.state_dict()


def _mixed(old: dict[str, Tensor], new: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    return {
        name: (1 - share) * old[name] + share * value if value.is_floating_point() else value
        for name, value in new.items()
    }


@torch.no_grad()
def _set_folded(network: nn.Module, folded: dict[str, Tensor]) -> None:
    """Set the weights of ``network``, which has its normalisation, so that folding it gives ``folded``."""
    done = set()
    for name, convolution, norm in normalised_convolutions(network):
        assert norm.running_var is not None
        assert norm.running_mean is not None
        spread = (norm.running_var + norm.eps).sqrt()
        scale = norm.weight / spread
        scale = torch.where(scale.abs() < _LEAST_SCALE, torch.full_like(scale, _LEAST_SCALE), scale)
        norm.weight.copy_(scale * spread)
        convolution.weight.copy_(folded[f"{name}.weight"] / scale[:, None, None, None])
        if convolution.bias is not None:
            convolution.bias.zero_()
        norm.bias.copy_(folded[f"{name}.bias"] + norm.running_mean * scale)
        done |= {f"{name}.weight", f"{name}.bias"}
    for name, value in network.state_dict().items():
        if name in folded and name not in done:
            value.copy_(folded[name])
