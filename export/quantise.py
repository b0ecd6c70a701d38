"""Quantisation of a landmark model to eight-bit convolutions, which are smaller and often faster.

Static post-training quantisation in ONNX Runtime's QDQ format: activations uint8, kernels int8 with a scale
for each output channel (U8S8). Only convolutions, with the ReLU and pooling behind them, are quantised: the
resampling of the crop, and the maps' softmax and mean, which give the points, stay in float32. B. Jacob et
al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR
2018.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from export.resample import KERNEL
from tracker.types import ImageArray

QUANTISED = ["Conv", "Relu", "MaxPool"]
"""Operators with eight-bit inputs and outputs.

A ReLU among them lets a convolution write its output in the range that is left behind the ReLU, in one step
and with half the rounding error.
"""


class _Crops(CalibrationDataReader):  # type: ignore[misc]  # the runtime ships no types for it
    """Reader of crops ``(N, 224, 224)`` one by one for the calibration."""

    def __init__(self, crops: ImageArray) -> None:
        self._left: Iterator[ImageArray] = iter(crops)

    def get_next(self) -> dict[str, npt.NDArray[np.uint8]] | None:
        """Return the next crop as model input, None after the last."""
        crop = next(self._left, None)
        return None if crop is None else {"crop": crop[None, None]}


def quantise(model: Path, target: Path, crops: ImageArray) -> None:
    """Write ``model`` with eight-bit convolutions to ``target``, with the same contract.

    The range of each activation is its minimum and maximum on ``crops`` ``(N, 224, 224)`` uint8. Kernels use
    seven bits: where a processor adds two products of bytes in sixteen bits (AVX2, AVX512 without VNNI),
    eight would overflow, and the result would depend on the processor.
    """
    with tempfile.TemporaryDirectory() as scratch:
        plain, prepared = Path(scratch) / "plain.onnx", Path(scratch) / "prepared.onnx"
        onnx.save(with_float_weights(onnx.load(model)), plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            _Crops(crops),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTISED,
            nodes_to_exclude=_resampling(prepared),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )


def is_convolution(node: onnx.NodeProto) -> bool:
    """Return whether ``node`` is a convolution of the network, not the resampling of the crop."""
    return node.op_type == "Conv" and KERNEL not in node.input


def _resampling(model: Path) -> list[str]:
    return [node.name for node in onnx.load(model).graph.node if KERNEL in node.input]


def with_float_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace the float16 kernels of ``model`` by their float32 values, in place."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        tensor = tensors.get(node.input[0]) if node.op_type == "Cast" else None
        if tensor is None:
            nodes.append(node)
        else:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
