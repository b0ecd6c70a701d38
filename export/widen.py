"""Widening of a convolutional ONNX graph: channels in multiples of the runtime's block, the same results.

Kernels for AVX-512 work on blocks of 16 channels. Where a network has 24, 28 or 42, the runtime computes
whole blocks all the same, or falls back to slower kernels and changes the layout back and forth. Here the
missing channels are added as zeros, so that every sum has the same terms, and zeros besides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from tracker.errors import WeightsError

BLOCK = 16
"""Channels in a block of ONNX Runtime's layout for AVX-512; half of it for AVX2."""

_CHANNELS = 1  # axis of NCHW


def widen(
    nodes: Sequence[onnx.NodeProto], initializers: Sequence[onnx.TensorProto], keep: set[str]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return copies of ``nodes`` and ``initializers`` with channels in multiples of :data:`BLOCK`.

    Tensors that ``keep`` names have their channels, as those have that enter the first convolution. Weights
    may be stored in another type and cast. Raises :class:`~tracker.errors.WeightsError` for a graph with
    other operators between its convolutions than ReLU, maximum pooling, addition and padding.
    """
    return _Widener(initializers, keep).run(nodes)


class _Widener:
    """One pass over the nodes; ``_width`` and ``_real`` are the channels of each tensor after and before."""

    def __init__(self, initializers: Sequence[onnx.TensorProto], keep: set[str]) -> None:
        self._values = {tensor.name: numpy_helper.to_array(tensor) for tensor in initializers}
        self._stored: dict[str, str] = {name: name for name in self._values}
        self._keep = keep
        self._real: dict[str, int] = {}
        self._width: dict[str, int] = {}

    def run(self, nodes: Sequence[onnx.NodeProto]) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        widened = [copy for node in nodes for copy in self._node(node)]
        used = {name for node in widened for name in node.input}
        values = [(name, value) for name, value in self._values.items() if name in used]
        return widened, [numpy_helper.from_array(value, name) for name, value in values]

    def _node(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the nodes in place of ``node``: none for a padding that is not needed any more."""
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        source, target = node.input[0], node.output[0]
        if node.op_type == "Cast" and source in self._stored:
            self._stored[target] = source
        elif node.op_type == "Conv":
            self._convolution(copy)
        elif source in self._width:
            return self._follow(copy, source, target)
        return [copy]

    def _follow(self, node: onnx.NodeProto, source: str, target: str) -> list[onnx.NodeProto]:
        real, width = self._real[source], self._width[source]
        if node.op_type == "Pad":
            real, width = self._pad(node, real, width)
            if not self._values[node.input[1]].any():
                node = helper.make_node("Identity", [source], [target])
        elif node.op_type == "Add":
            if width != self._width[node.input[1]]:
                raise WeightsError(f"{target} adds {width} and {self._width[node.input[1]]} channels")
        elif node.op_type not in ("Relu", "MaxPool"):
            if real != width:
                raise WeightsError(f"{node.op_type} cannot be widened: add {source} to the names to keep")
            return [node]
        self._real[target], self._width[target] = real, width
        return [node]

    def _convolution(self, node: onnx.NodeProto) -> None:
        kernel, bias = (self._stored[name] for name in node.input[1:3])
        outputs, inputs = self._values[kernel].shape[:2]
        width = outputs if node.output[0] in self._keep else _in_blocks(outputs)
        groups = next((attribute for attribute in node.attribute if attribute.name == "group"), None)
        if groups is not None and groups.i > 1:
            if groups.i != outputs or inputs != 1:
                raise WeightsError(f"{node.output[0]} has groups of several channels, which is not supported")
            groups.i = width
        else:
            inputs = self._width.get(node.input[0], inputs)
        self._values[kernel] = _zeros_behind(self._values[kernel], (width, inputs))
        self._values[bias] = _zeros_behind(self._values[bias], (width,))
        self._real[node.output[0]], self._width[node.output[0]] = outputs, width

    def _pad(self, node: onnx.NodeProto, real: int, width: int) -> tuple[int, int]:
        """Let ``node`` add as many channels as are missing; return their numbers behind it."""
        pads = self._values[node.input[1]].copy()
        after = len(pads) // 2 + _CHANNELS
        if pads[_CHANNELS]:
            raise WeightsError(f"{node.output[0]} has channels put before others, which is not supported")
        real += int(pads[after])
        pads[after] = _in_blocks(real) - width
        self._values[node.input[1]] = pads
        return real, _in_blocks(real)


def _in_blocks(channels: int) -> int:
    return -(-channels // BLOCK) * BLOCK


def _zeros_behind(value: npt.NDArray[np.generic], shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    """Return ``value`` with zeros behind it on its first axes, which have ``shape`` then."""
    wider = np.zeros((*shape, *value.shape[len(shape) :]), value.dtype)
    wider[tuple(slice(size) for size in value.shape)] = value
    return wider
