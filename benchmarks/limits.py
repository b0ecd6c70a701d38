"""Latency of inference against the processor's limits of arithmetic and memory (roofline model).

A convolution must multiply, and must read and write its operands once. The time that this takes at the speed
of a large matrix product and of a large copy, both measured in the same run, is a lower limit of the latency.
Small networks at batch 1 stay far from the limit of a GPU, where launching each layer dominates.
S. Williams, A. Waterman, D. Patterson, "Roofline", CACM 52, 2009.

    python -m benchmarks.limits --backend cuda --model resnet18 --model unet --batch 1 --batch 8
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Annotated

import numpy as np
import onnx
import torch
import typer
from onnx import TensorProto
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from benchmarks.timing import call_times
from export.landmarks import noise_crops
from export.quantise import CONVOLUTIONS, with_float_weights
from tracker.inference.backends import open_session
from tracker.inference.sessions import Session
from tracker.inference.weights import ModelFile, find_model
from train.progress import progress_bar

_BYTES = {"fp16": 2, "int8": 1}
_WARM_UP = 30


@dataclass(frozen=True)
class Chip:
    """Measured speed of the processor that runs the model, in operations and bytes per second.

    ``flops`` is that of a matrix product in ``precision``, a multiplication with addition counted as two;
    ``bytes_s`` that of a copy, reading and writing counted.
    """

    name: str
    precision: str
    flops: float
    bytes_s: float


@dataclass(frozen=True)
class Work:
    """Work of the convolutions: operations and bytes of activations per crop, bytes of kernels per call."""

    flops: float
    activation_bytes: float
    kernel_bytes: float


@dataclass(frozen=True)
class Latency:
    """Latency of one model at one batch size, and the limits of the chip, in milliseconds per call."""

    model: str
    precision: str
    batch: int
    median_ms: float
    p95_ms: float
    arithmetic_ms: float
    memory_ms: float

    @property
    def share(self) -> float:
        """The higher limit divided by the median, 0..1."""
        return max(self.arithmetic_ms, self.memory_ms) / self.median_ms


def main(  # noqa: PLR0913 - options of the command line
    backend: Annotated[str, typer.Option(help="cuda or cpu, on ONNX Runtime.")] = "cuda",
    model: Annotated[list[str] | None, typer.Option(help="Landmark model; repeat for several.")] = None,
    precision: Annotated[list[str] | None, typer.Option(help="fp32, fp16; repeat for several.")] = None,
    batch: Annotated[list[int] | None, typer.Option(min=1, help="Crops a call; repeat for several.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the processor.")] = 2,
    runs: Annotated[int, typer.Option(min=1, help="Calls of each.")] = 300,
    json_path: JsonOption = None,
) -> None:
    """Hold the latency of models against the limits of arithmetic and memory of the chip."""
    if backend not in ("cuda", "cpu"):
        raise typer.BadParameter("the limits are measured with torch, on cuda or cpu")
    check_outputs(json_path)
    precisions = precision or ["fp32"]
    files = [find_model(m, "landmarks").in_precision(p) for m in model or ["resnet18"] for p in precisions]
    opened = [(file, open_session(file.verified(), backend, threads)) for file in files]
    chips = {p: measure_chip(backend, p, threads) for p in precisions}
    found = measure(opened, chips, batch or [1, 8], runs)
    Console().print(_table(found, list(chips.values())))
    write_report(
        json_path,
        chips=[asdict(chip) for chip in chips.values()],
        latencies=[{**asdict(one), "share": one.share} for one in found],
    )


def measure(
    opened: Sequence[tuple[ModelFile, Session]], chips: Mapping[str, Chip], batches: Sequence[int], runs: int
) -> list[Latency]:
    """Time each model at each batch size; ``chips`` are by precision."""
    found = []
    with progress_bar("timing", len(opened) * len(batches)) as advance:
        for file, session in opened:
            work = count_work(file)
            for size in batches:
                found.append(time_calls(file, session, work, size, runs, chips[file.precision]))
                advance()
    return found


def measure_chip(backend: str, precision: str, threads: int, side: int = 0) -> Chip:
    """Time a product of two square matrices of ``side`` (0: 8192, on a CPU 2048) and a large copy.

    In float32 without TF32, as in the tracker; ``int8`` is timed as float32.
    """
    device = torch.device(backend)
    side = side or (8192 if backend == "cuda" else 2048)
    torch.set_num_threads(threads)
    kind = torch.float16 if precision == "fp16" else torch.float32
    with torch.inference_mode():
        matrix = torch.randn(side, side, device=device).to(kind)
        source = torch.zeros(16 * side * side, dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        product_s = _seconds(lambda: torch.mm(matrix, matrix), device)
        copy_s = _seconds(lambda: target.copy_(source), device)
    name = torch.cuda.get_device_name(device) if backend == "cuda" else f"{threads} threads of this CPU"
    return Chip(name, precision, 2 * side**3 / product_s, 2 * source.numel() / copy_s)


def _seconds(work: Callable[[], object], device: torch.device, repeats: int = 10) -> float:
    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    work()
    wait()
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    wait()
    return (time.perf_counter() - started) / repeats


def count_work(file: ModelFile) -> Work:
    """Count the operations and bytes of the convolutions of a landmark model."""
    model = with_float_weights(onnx.load(file.verified()))
    graph = model.graph
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in onnx.shape_inference.infer_shapes(model, data_prop=True).graph.value_info:
        if value.type.tensor_type.elem_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
            shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    flops = activations = kernels = 0.0
    size = _BYTES.get(file.precision, 4)
    for node in graph.node:
        if node.op_type not in CONVOLUTIONS:
            continue
        before, kernel, after = (shapes[name] for name in (node.input[0], node.input[1], node.output[0]))
        # Each weight is applied once per position of the output, or of the input if that is upsampled.
        places = np.prod((after if node.op_type == "Conv" else before)[2:])
        flops += 2.0 * float(np.prod(kernel)) * float(places)
        activations += size * float(np.prod(before) + np.prod(after))
        kernels += size * float(np.prod(kernel))
    return Work(flops, activations, kernels)


def time_calls(file: ModelFile, session: Session, work: Work, batch: int, runs: int, chip: Chip) -> Latency:
    """Time ``runs`` calls of ``batch`` crops after a warm-up, with copies to and from the chip."""
    crops = noise_crops(batch)[:, None]
    times = list(islice(call_times(session, crops), _WARM_UP, _WARM_UP + runs))
    moved = batch * work.activation_bytes + work.kernel_bytes
    return Latency(
        file.name,
        file.precision,
        batch,
        float(np.median(times)),
        float(np.percentile(times, 95)),
        1000 * batch * work.flops / chip.flops,
        1000 * moved / chip.bytes_s,
    )


def _table(found: list[Latency], chips: list[Chip]) -> Table:
    measured = "; ".join(
        f"{chip.precision}: {chip.flops / 1e12:.1f} TFLOP/s, {chip.bytes_s / 1e12:.2f} TB/s" for chip in chips
    )
    table = Table(caption=f"{chips[0].name}. {measured}. Limits count convolutions only.")
    for header in ("model", "precision"):
        table.add_column(header)
    for header in ("batch", "median ms", "p95 ms", "arithmetic ms", "memory ms", "limit / median"):
        table.add_column(header, justify="right")
    for one in found:
        figures = (one.median_ms, one.p95_ms, one.arithmetic_ms, one.memory_ms)
        cells = (*(f"{figure:.3f}" for figure in figures), f"{one.share:.0%}")
        table.add_row(one.model, one.precision, str(one.batch), *cells)
    return table


if __name__ == "__main__":
    run_command(main)
