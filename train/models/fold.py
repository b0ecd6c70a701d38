"""Merging of batch normalisation into the convolution before it, as in exported networks."""

from __future__ import annotations

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_normalisation(module: nn.Module) -> None:
    """Merge each batch normalisation that follows a convolution into it, in place.

    Pairs are neighbours in order of registration, which in torchvision's ResNets is also the order of
    computation. ``module`` must be in evaluation mode.
    """
    children = list(module.named_children())
    for (name, first), (next_name, second) in pairwise(children):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(first, second))
            setattr(module, next_name, nn.Identity())
    for _, child in children:
        fold_normalisation(child)


def normalised_convolutions(
    module: nn.Module, prefix: str = ""
) -> list[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """List the pairs that :func:`fold_normalisation` would merge, with the convolution's dotted name."""
    children = list(module.named_children())
    pairs = [
        (f"{prefix}{name}", first, second)
        for (name, first), (_, second) in pairwise(children)
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d)
    ]
    return pairs + [p for name, child in children for p in normalised_convolutions(child, f"{prefix}{name}.")]
