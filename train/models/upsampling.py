"""Upsampling by transposed convolutions, in the form that exported networks have.

A transposed convolution of kernel and stride 2 is a 1x1 convolution to four times as many channels whose
outputs are moved to the four pixels of each cell (W. Shi et al., "Real-Time Single Image and Video
Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016). Runtimes have fast
eight-bit kernels for ordinary convolutions only.
"""

from __future__ import annotations

from torch import Tensor, nn

_FACTOR = 2


class ShuffledUpsampling(nn.Module):
    """The same as ``transposed``, a ``ConvTranspose2d`` of kernel and stride 2 without padding."""

    def __init__(self, transposed: nn.ConvTranspose2d) -> None:
        super().__init__()
        assert transposed.bias is not None
        weight, bias = transposed.weight.detach(), transposed.bias.detach()
        inputs, outputs = weight.shape[:2]
        kernel = weight.permute(1, 2, 3, 0).reshape(_FACTOR**2 * outputs, inputs, 1, 1).contiguous()
        self.weight = nn.Parameter(kernel)
        self.bias = nn.Parameter(bias.repeat_interleave(_FACTOR**2))

    def forward(self, x: Tensor) -> Tensor:
        """Upsample ``(N, C, H, W)`` to ``(N, outputs, 2 H, 2 W)``."""
        return nn.functional.pixel_shuffle(nn.functional.conv2d(x, self.weight, self.bias), _FACTOR)


def shuffle_upsampling(module: nn.Module) -> None:
    """Replace each transposed convolution of kernel and stride 2 in ``module``, in place."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.ConvTranspose2d) and child.kernel_size == child.stride == (_FACTOR, _FACTOR):
            setattr(module, name, ShuffledUpsampling(child))
        else:
            shuffle_upsampling(child)


def with_transposed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return ``tensors`` of an exported network with those of its upsampling as a network in training has.

    They are recognised by their name, ``upconv`` and a number.
    """
    found = dict(tensors)
    for name, tensor in tensors.items():
        if name.startswith("upconv") and name.endswith(".weight"):
            outputs, inputs = tensor.shape[0] // _FACTOR**2, tensor.shape[1]
            kernel = tensor.reshape(outputs, _FACTOR, _FACTOR, inputs).permute(3, 0, 1, 2)
            bias = name.replace(".weight", ".bias")
            found[name], found[bias] = kernel.contiguous(), tensors[bias][:: _FACTOR**2].contiguous()
    return found
