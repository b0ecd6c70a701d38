"""Conversion of a float TFLite graph to ONNX nodes, operator by operator.

Supports the operators of MediaPipe's face detectors and refuses all others by name. Follows the TFLite schema
(tensorflow/compiler/mlir/lite/schema/schema.fbs) and the ONNX operator reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import tflite
from onnx import helper, numpy_helper

from tracker.errors import WeightsError

Array = npt.NDArray[Any]

_DTYPES = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.FLOAT16: "<f2", tflite.TensorType.INT32: "<i4"}
_OPERATOR_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
_NCHW_AXIS = (0, 2, 3, 1)
"""Index in NCHW of each NHWC axis."""


@dataclass(frozen=True)
class TfliteGraph:
    """A TFLite graph as ONNX parts, ready to be wired into a model.

    ``nodes`` turn the float32 tensor ``input`` of ``input_shape`` (as in the file, so NHWC for an image) into
    the float32 tensors ``outputs`` (name to shape), which keep the file's names.
    """

    nodes: list[onnx.NodeProto]
    initializers: list[onnx.TensorProto]
    input: str
    input_shape: tuple[int, ...]
    outputs: dict[str, tuple[int, ...]]


def convert(model: bytes) -> TfliteGraph:
    """Convert the only subgraph of the ``.tflite`` file whose content is ``model``.

    Images stay NCHW between one transposition of the input and the reshapes that end them. Weights that the
    file stores as float16 stay float16, with a Cast that runtimes fold. Raises :class:`WeightsError` for
    other files and for graphs that cannot be converted.
    """
    if not tflite.Model.ModelBufferHasIdentifier(model, 0):
        raise WeightsError("not a TFLite file: give face_detection_short_range.tflite or the wheel it is in")
    flat = tflite.Model.GetRootAsModel(model, 0)
    if flat.SubgraphsLength() != 1 or flat.Subgraphs(0).InputsLength() != 1:
        raise WeightsError("the TFLite file must hold one graph with one input")
    return _Converter(flat).run()


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after an axis of ``size`` under TFLite's SAME rule.

    An odd one goes after.
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class _Converter:
    """One pass over the operators that collects ONNX nodes; tensors are named by their index."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._graph = model.Subgraphs(0)
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._dequantized: dict[int, int] = {}
        """Maps each float32 output of a DEQUANTIZE to the float16 constant that it reads."""

    def run(self) -> TfliteGraph:
        source = self._graph.Inputs(0)
        self._emit("Transpose", ["input"], source, perm=[0, 3, 1, 2])
        for position in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(position)
            self._handler(operator)(operator)
        outputs = {}
        for index in self._graph.OutputsAsNumpy():
            tensor = self._graph.Tensors(index)
            outputs[tensor.Name().decode()] = self._shape(index)
            self._nodes.append(helper.make_node("Identity", [_name(index)], [tensor.Name().decode()]))
        return TfliteGraph(self._nodes, self._initializers, "input", self._shape(source), outputs)

    def _handler(self, operator: Any) -> Callable[[Any], None]:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        # Files written before operator 127 existed use the deprecated 8-bit field alone.
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        handlers: dict[int, Callable[[Any], None]] = {
            tflite.BuiltinOperator.DEQUANTIZE: self._dequantize,
            tflite.BuiltinOperator.CONV_2D: self._conv,
            tflite.BuiltinOperator.DEPTHWISE_CONV_2D: self._depthwise_conv,
            tflite.BuiltinOperator.MAX_POOL_2D: self._max_pool,
            tflite.BuiltinOperator.ADD: self._add,
            tflite.BuiltinOperator.RELU: self._relu,
            tflite.BuiltinOperator.PAD: self._pad,
            tflite.BuiltinOperator.RESHAPE: self._reshape,
            tflite.BuiltinOperator.CONCATENATION: self._concatenate,
        }
        if number not in handlers:
            name = _OPERATOR_NAMES.get(number, str(number))
            raise WeightsError(f"TFLite operator {name} is not supported: add it to export/tflite.py")
        return handlers[number]

    def _dequantize(self, operator: Any) -> None:
        source, target = operator.Inputs(0), operator.Outputs(0)
        if self._graph.Tensors(source).Type() != tflite.TensorType.FLOAT16:
            raise WeightsError("DEQUANTIZE is supported for float16 weights only: use the float model")
        self._dequantized[target] = source

    def _conv(self, operator: Any) -> None:
        kernel = self._constant(operator.Inputs(1)).transpose(0, 3, 1, 2)  # OHWI to OIHW
        self._convolve(operator, _options(operator, tflite.Conv2DOptions), kernel, groups=1)

    def _depthwise_conv(self, operator: Any) -> None:
        kernel = self._constant(operator.Inputs(1)).transpose(3, 0, 1, 2)  # 1HWC to C1HW
        channels = self._shape(operator.Inputs(0))[3]
        self._convolve(operator, _options(operator, tflite.DepthwiseConv2DOptions), kernel, groups=channels)

    def _convolve(self, operator: Any, options: Any, kernel: Array, groups: int) -> None:
        _require(options.DilationHFactor() == options.DilationWFactor() == 1, "a dilated convolution")
        inputs = [
            _name(operator.Inputs(0)),
            self._weights(operator.Inputs(1), kernel),
            self._weights(operator.Inputs(2), self._constant(operator.Inputs(2))),
        ]
        window = self._window(operator, options, kernel.shape[2:])
        self._emit("Conv", inputs, operator.Outputs(0), group=groups, **window)

    def _max_pool(self, operator: Any) -> None:
        options = _options(operator, tflite.Pool2DOptions)
        window = self._window(operator, options, (options.FilterHeight(), options.FilterWidth()))
        self._emit("MaxPool", [_name(operator.Inputs(0))], operator.Outputs(0), **window)

    def _window(self, operator: Any, options: Any, kernel: Sequence[int]) -> dict[str, list[int]]:
        """Return the ONNX attributes of a window that slides over the operator's first input."""
        _require_plain(options)
        strides = [options.StrideH(), options.StrideW()]
        window: dict[str, list[int]] = {"kernel_shape": list(kernel), "strides": strides}
        if options.Padding() == tflite.Padding.SAME:
            sizes = self._shape(operator.Inputs(0))[1:3]
            before, after = zip(*map(same_padding, sizes, kernel, strides), strict=True)
            window["pads"] = [*before, *after]
        return window  # without pads, ONNX applies VALID

    def _add(self, operator: Any) -> None:
        _require_plain(_options(operator, tflite.AddOptions))
        first, second = operator.Inputs(0), operator.Inputs(1)
        _require(self._shape(first) == self._shape(second), "ADD that broadcasts")
        self._emit("Add", [_name(first), _name(second)], operator.Outputs(0))

    def _relu(self, operator: Any) -> None:
        self._emit("Relu", [_name(operator.Inputs(0))], operator.Outputs(0))

    def _pad(self, operator: Any) -> None:
        widths = self._constant(operator.Inputs(1))
        _require(widths.shape == (4, 2), "PAD of anything but an image")
        nchw = (
            widths[[0, 3, 1, 2]].T.reshape(-1).astype(np.int64)
        )  # ONNX order: all paddings before, then all after
        pads = self._initializer(f"{_name(operator.Inputs(1))}_pads", nchw)
        self._emit("Pad", [_name(operator.Inputs(0)), pads], operator.Outputs(0))

    def _reshape(self, operator: Any) -> None:
        source, target = operator.Inputs(0), operator.Outputs(0)
        _require(len(self._shape(source)) == 4 != len(self._shape(target)), "RESHAPE from or to this rank")
        nhwc = f"{_name(source)}_nhwc_for_{target}"
        self._nodes.append(helper.make_node("Transpose", [_name(source)], [nhwc], perm=[0, 2, 3, 1]))
        shape = self._initializer(f"{_name(target)}_shape", np.array(self._shape(target), np.int64))
        self._emit("Reshape", [nhwc, shape], target)

    def _concatenate(self, operator: Any) -> None:
        options = _options(operator, tflite.ConcatenationOptions)
        _require_plain(options)
        rank = len(self._shape(operator.Outputs(0)))
        axis = options.Axis() % rank
        inputs = [_name(index) for index in operator.InputsAsNumpy()]
        self._emit("Concat", inputs, operator.Outputs(0), axis=_NCHW_AXIS[axis] if rank == 4 else axis)

    def _emit(self, kind: str, inputs: Sequence[str], output: int, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(kind, inputs, [_name(output)], **attributes))

    def _shape(self, index: int) -> tuple[int, ...]:
        """Return the tensor's shape as in the file (NHWC for an image)."""
        return tuple(int(size) for size in self._graph.Tensors(index).ShapeAsNumpy())

    def _constant(self, index: int) -> Array:
        """Return the value of a constant tensor, in the type in which it is stored."""
        index = self._dequantized.get(index, index)
        tensor = self._graph.Tensors(index)
        data = self._model.Buffers(tensor.Buffer()).DataAsNumpy()
        if tensor.Type() not in _DTYPES or not isinstance(data, np.ndarray):
            raise WeightsError(f"tensor {tensor.Name().decode()} is no constant of a supported type")
        return data.view(_DTYPES[tensor.Type()]).reshape(self._shape(index))

    def _weights(self, index: int, value: Array) -> str:
        """Store ``value`` for the weight tensor ``index``, and return the name of its float32 form."""
        name = _name(index)
        if value.dtype == np.float32:
            return self._initializer(name, value)
        stored = self._initializer(f"{name}_{value.dtype.name}", value)
        self._nodes.append(helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
        return name

    def _initializer(self, name: str, value: Array) -> str:
        if all(known.name != name for known in self._initializers):  # constants may be shared
            self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def _name(index: int) -> str:
    return f"t{index}"


def _options(operator: Any, kind: Any) -> Any:
    """Return the operator's option table, read as ``kind``."""
    table = operator.BuiltinOptions()
    options = kind()
    options.Init(table.Bytes, table.Pos)
    return options


def _require_plain(options: Any) -> None:
    plain = options.FusedActivationFunction() == tflite.ActivationFunctionType.NONE
    _require(plain, "a fused activation")


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise WeightsError(f"the TFLite file uses {what}, which is not supported: extend export/tflite.py")
