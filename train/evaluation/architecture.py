"""Layers of a network as a table: output shapes, parameters and multiply-adds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

MOST_LEAVES = 8
"""Number of layers up to which a block is one row; a larger one is shown part by part."""


@dataclass(frozen=True)
class Block:
    """One row: a layer or a block of ``layers``, in words, and what it does for one picture.

    ``shape`` is that of its output, channels, rows and columns, or units; empty if the network does not use
    it, and of the last use of a layer that it uses several times. ``multiply_adds`` counts those of
    convolutions and linear layers.
    """

    name: str
    layers: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@torch.inference_mode()
def blocks(network: nn.Module, picture_hw: tuple[int, int]) -> tuple[Block, ...]:
    """Return the blocks of ``network`` for a grey picture of ``picture_hw`` pixels, in order of creation.

    The parameters of all blocks together are those of the network. The network is left as it is.
    """
    shapes: dict[nn.Module, tuple[int, ...]] = {}
    work: dict[nn.Module, int] = {}
    uses: Counter[nn.Module] = Counter()

    def look(module: nn.Module, inputs: Any, output: Any) -> None:
        uses[module] += 1
        if isinstance(output, Tensor):
            shapes[module] = tuple(output.shape[1:])
            work[module] = work.get(module, 0) + _multiply_adds(module, inputs[0], output)

    training = network.training
    hooks = [module.register_forward_hook(look) for module in network.modules()]
    network.eval()(torch.zeros(1, 1, *picture_hw, dtype=torch.uint8))
    for hook in hooks:
        hook.remove()
    network.train(training)
    return tuple(
        Block(
            name,
            in_words(module) + (f" (used {uses[module]} times)" if uses[module] > 1 else ""),
            shapes.get(module, ()),
            sum(tensor.numel() for tensor in module.parameters()),
            sum(work.get(part, 0) for part in module.modules()),
        )
        for name, module in _rows("", network, shapes)
    )


def is_folded(network: nn.Module) -> bool:
    """Return whether ``network`` has its normalisations merged into the convolutions, as exported ones do."""
    return any(
        isinstance(first, nn.Conv2d) and isinstance(second, nn.Identity)
        for module in network.modules()
        for first, second in pairwise(module.children())
    )


def in_words(module: nn.Module) -> str:
    """Return the layers of ``module`` in words, such as ``2 x (convolution 3x3, ReLU)``."""
    words = [_layer(leaf) for leaf in _leaves(module) if not isinstance(leaf, nn.Identity)]
    half = len(words) // 2
    if half and words == 2 * words[:half]:
        return f"2 x ({', '.join(words[:half])})"
    return ", ".join(words)


def _rows(
    prefix: str, module: nn.Module, shapes: dict[nn.Module, tuple[int, ...]]
) -> list[tuple[str, nn.Module]]:
    """Return the modules that are shown, with their dotted names."""
    found = []
    for name, child in module.named_children():
        leaf = not list(child.children())
        if not leaf and (child not in shapes or len(_leaves(child)) > MOST_LEAVES):
            found += _rows(f"{prefix}{name}.", child, shapes)
        elif not isinstance(child, nn.Identity) and (child in shapes or list(child.parameters())):
            found.append((f"{prefix}{name}", child))
    return found


def _leaves(module: nn.Module) -> list[nn.Module]:
    return [part for part in module.modules() if not list(part.children())]


def _multiply_adds(module: nn.Module, taken: Tensor, output: Tensor) -> int:
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    if isinstance(
        module, nn.ConvTranspose2d
    ):  # each input value meets the kernel once for each output channel
        return taken.numel() * module.out_channels // module.groups * math.prod(module.kernel_size)
    if isinstance(module, nn.Conv2d):
        return output.numel() * module.in_channels // module.groups * math.prod(module.kernel_size)
    return 0


def _layer(module: nn.Module) -> str:
    match module:
        case nn.Conv2d() | nn.ConvTranspose2d():
            kind = "transposed convolution" if isinstance(module, nn.ConvTranspose2d) else "convolution"
            stride = "" if set(module.stride) == {1} else f" (stride {module.stride[0]})"
            return f"{kind} {_size(module.kernel_size)}{stride}"
        case nn.MaxPool2d():
            return f"maximum pooling {_size(module.kernel_size)}"
        case nn.BatchNorm2d():
            return "batch normalisation"
        case nn.Linear():
            return "linear"
        case _:
            return type(module).__name__


def _size(kernel: int | Sequence[int]) -> str:
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    return f"{rows}x{columns}"
