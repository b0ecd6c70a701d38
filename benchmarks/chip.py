"""Measured peak of a processor: the highest rate of arithmetic, and on a GPU the speed of its memory.

On a GPU that is the rate of a matrix product in torch. On a CPU a product of matrices and a convolution,
large enough to keep the instruction set busy, run through every backend in the precision in question:
float32, or eight bits as in the shipped models (activations uint8, kernels int8). torch's product in float32
is another candidate. The best rate counts, so that no library's weak kernel passes for the processor's limit.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from tracker.inference.backends import open_session
from tracker.system.machine import cpu_flags, describe_machine
from tracker.types import FloatArray

_CHANNELS, _PICTURE = 512, 28
_GPU_SIDE, _CPU_SIDE = 8192, 1024
_REPEATS = 20
_OPSET, _IR = 17, 9


@dataclass(frozen=True)
class Chip:
    """Measured speed of the processor that runs the model, in operations and bytes per second.

    ``flops`` is the highest rate in ``precision`` of those tried, a multiplication with addition counted as
    two, and ``measured_by`` says of what. ``bytes_s`` is that of a copy, reading and writing counted; None on
    a CPU, whose caches may hold all of a network's operands.
    """

    name: str
    precision: str
    flops: float
    bytes_s: float | None
    measured_by: str


@dataclass(frozen=True)
class Probe:
    """A graph of one operator with one input ``x``, and the operations that it takes."""

    name: str
    model: onnx.ModelProto
    x: FloatArray | npt.NDArray[np.uint8]
    operations: float


def measure_gpu(precision: str, side: int = _GPU_SIDE) -> Chip:
    """Time a product of two square matrices of ``side`` and a large copy on the GPU.

    In float32 without TF32, as in the tracker; every precision but ``fp16`` is timed as float32.
    """
    device = torch.device("cuda")
    with torch.inference_mode():
        kind = torch.float16 if precision == "fp16" else torch.float32
        matrix = torch.randn(side, side, device=device).to(kind)
        source = torch.zeros(16 * side * side, dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        product_s = _gpu_seconds(lambda: torch.mm(matrix, matrix))
        copy_s = _gpu_seconds(lambda: target.copy_(source))
    rate, bytes_s = 2 * side**3 / product_s, 2 * source.numel() / copy_s
    return Chip(torch.cuda.get_device_name(device), precision, rate, bytes_s, "matrix product, torch")


def measure_cpu(precision: str, threads: int, backends: Sequence[str], side: int = _CPU_SIDE) -> Chip:
    """Time the :func:`probes` on each of ``backends`` with ``threads``, and in float32 torch's product.

    Matrices are square, of ``side``. ``int8`` is timed in eight bits, every other precision as float32. The
    shortest of some twenty calls counts. Raises :class:`~tracker.errors.BackendError` for a backend that does
    not open.
    """
    rates = dict(_backend_rates(probes(precision, side), threads, backends))
    if precision != "int8":
        torch.set_num_threads(threads)
        with torch.inference_mode():
            matrix = torch.randn(side, side)
            seconds = _shortest(lambda: torch.mm(matrix, matrix))
        rates["matrix product, torch"] = 2 * side**3 / seconds
    best = max(rates, key=lambda name: rates[name])
    flags = " ".join(cpu_flags())
    name = f"{describe_machine()['cpu']} ({flags}), {threads} thread{'' if threads == 1 else 's'}"
    return Chip(name, precision, rates[best], None, best)


def probes(precision: str, side: int = _CPU_SIDE) -> list[Probe]:
    """Return a product of square matrices of ``side`` and a convolution of 3x3 pixels, in ``precision``."""
    rng = np.random.default_rng(0)
    kernel = (_CHANNELS, _CHANNELS, 3, 3)
    shapes = {
        "matrix product": ("MatMul", (side, side), (side, side), 2.0 * side**3),
        "3x3 convolution": (
            "Conv",
            (1, _CHANNELS, _PICTURE, _PICTURE),
            kernel,
            2.0 * float(np.prod(kernel)) * _PICTURE**2,
        ),
    }
    found = []
    for name, (operator, shape, weights_shape, operations) in shapes.items():
        weights = rng.integers(-63, 64, weights_shape).astype(np.int8)
        codes = rng.integers(0, 256, shape).astype(np.uint8)
        x = codes if precision == "int8" else (codes / 255).astype(np.float32)
        found.append(Probe(name, _graph(operator, weights, x), x, operations))
    return found


def _graph(
    operator: str, weights: npt.NDArray[np.int8], x: FloatArray | npt.NDArray[np.uint8]
) -> onnx.ModelProto:
    """Return the operator on ``x``: in float32, or between (de)quantisations that runtimes merge with it."""
    attributes: dict[str, Any] = {"pads": [1, 1, 1, 1]} if operator == "Conv" else {}
    if x.dtype == np.uint8:
        nodes = [
            helper.make_node("DequantizeLinear", ["x", "x_scale", "x_zero"], ["x_real"]),
            helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["w_real"]),
            helper.make_node(operator, ["x_real", "w_real"], ["y_real"], **attributes),
            helper.make_node("QuantizeLinear", ["y_real", "y_scale", "x_zero"], ["y"]),
        ]
        constants: dict[str, npt.NDArray[np.generic]] = {
            "w": weights,
            "w_scale": np.array(0.001, np.float32),
            "w_zero": np.array(0, np.int8),
            "x_scale": np.array(0.02, np.float32),
            "x_zero": np.array(128, np.uint8),
            "y_scale": np.array(0.05, np.float32),
        }
    else:
        nodes = [helper.make_node(operator, ["x", "w"], ["y"], **attributes)]
        constants = {"w": (0.001 * weights).astype(np.float32)}
    return _model(nodes, constants, x)


def _model(
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, npt.NDArray[np.generic]],
    x: FloatArray | npt.NDArray[np.uint8],
) -> onnx.ModelProto:
    kind = TensorProto.UINT8 if x.dtype == np.uint8 else TensorProto.FLOAT
    places = [helper.make_tensor_value_info(name, kind, x.shape) for name in ("x", "y")]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "probe", places[:1], places[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)


def _backend_rates(
    tried: Sequence[Probe], threads: int, backends: Sequence[str]
) -> Iterator[tuple[str, float]]:
    """Yield the operations per second of each probe on each backend."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.onnx"
        for probe in tried:
            onnx.save(probe.model, path)
            for backend in backends:
                session = open_session(path, backend, threads)
                seconds = _shortest(lambda: session.run(probe.x))  # noqa: B023 - called at once
                yield f"{probe.name}, {backend}", probe.operations / seconds


def _shortest(work: Callable[[], object]) -> float:
    """Return the seconds of the shortest call: other programs can only make one longer."""
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _gpu_seconds(work: Callable[[], object], repeats: int = 10) -> float:
    work()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / repeats
