"""Latency of inference against the processor's limits of arithmetic and memory (roofline model).

A convolution must multiply, and on a GPU must read and write its operands once. The time that this takes at
the processor's peak, measured in the same run (:mod:`benchmarks.chip`), is a lower limit of the latency of
calls one after another. Small networks at batch 1 stay far from the limit of a GPU, where launching each
layer dominates. On a CPU only arithmetic counts, since caches may hold the operands.
S. Williams, A. Waterman, D. Patterson, "Roofline", CACM 52, 2009.

    python -m benchmarks.limits                      # all models in all precisions on the CPU
    python -m benchmarks.limits --backend cuda --model resnet18 --model unet --batch 1 --batch 8
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Annotated

import numpy as np
import onnx
import typer
from onnx import TensorProto
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.chip import Chip, measure_cpu, measure_gpu
from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from benchmarks.timing import call_times
from export.landmarks import noise_crops
from export.quantise import is_convolution, with_float_weights
from tracker.inference.backends import BACKENDS, open_session
from tracker.inference.sessions import Session
from tracker.inference.weights import ModelFile, find_model, load_manifest
from train.progress import progress_bar

_BYTES = {"fp16": 2, "int8": 1}
_WARM_UP = 30


@dataclass(frozen=True)
class Work:
    """Work of the convolutions: operations and bytes of activations per crop, bytes of kernels per call."""

    flops: float
    activation_bytes: float
    kernel_bytes: float

    @property
    def gmac(self) -> float:
        """Multiplications with addition per crop, in units of 10**9."""
        return self.flops / 2e9


@dataclass(frozen=True)
class Subject:
    """A model's file, opened on a backend."""

    backend: str
    file: ModelFile
    session: Session


@dataclass(frozen=True)
class Latency:
    """Latency of one model at one batch size, and the limits of the chip, in milliseconds per call.

    ``gmac`` is the work of the convolutions per crop; ``memory_ms`` None where only arithmetic limits.
    """

    backend: str
    model: str
    precision: str
    batch: int
    gmac: float
    median_ms: float
    p95_ms: float
    arithmetic_ms: float
    memory_ms: float | None

    @property
    def share(self) -> float:
        """The higher limit divided by the median, 0..1."""
        return max(self.arithmetic_ms, self.memory_ms or 0.0) / self.median_ms


def main(  # noqa: PLR0913 - options of the command line
    backend: Annotated[
        list[str] | None,
        typer.Option(help="cpu, openvino or cuda; repeat. Default: those for CPUs that are installed."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Landmark model; repeat. Default: all.")] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(help="fp32, fp16 or int8; repeat. Default: all that the backend has use for."),
    ] = None,
    batch: Annotated[list[int] | None, typer.Option(min=1, help="Crops a call; repeat for several.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the processor.")] = 2,
    runs: Annotated[int, typer.Option(min=1, help="Calls of each.")] = 300,
    json_path: JsonOption = None,
) -> None:
    """Hold the latency of models against the limits of arithmetic and memory of the chip."""
    check_outputs(json_path)
    backends = backend or cpu_backends()
    models = model or [one.name for one in load_manifest().values() if one.kind == "landmarks"]
    subjects = [
        Subject(name, file, open_session(file.verified(), name, threads))
        for name in backends
        for one in models
        for file in files_for(find_model(one, "landmarks"), name, precision)
    ]
    chips = measure_chips(subjects, threads)
    found = measure(subjects, chips, batch or [1], runs)
    Console().print(_table(found, list(chips.values())))
    write_report(
        json_path,
        threads=threads,
        chips=[asdict(chip) for chip in chips.values()],
        latencies=[{**asdict(one), "share": one.share} for one in found],
    )


def cpu_backends() -> list[str]:
    """Return the names of the installed backends that run on a CPU."""
    return [
        name
        for name in BACKENDS
        if name == "cpu" or (name == "openvino" and importlib.util.find_spec("openvino") is not None)
    ]


def files_for(model: ModelFile, backend: str, precisions: Sequence[str] | None) -> list[ModelFile]:
    """Return the files of ``model`` in ``precisions``; by default its own and the variants for ``backend``.

    Raises :class:`~tracker.errors.WeightsError` for a precision that the model does not come in.
    """
    if precisions:
        return [model.in_precision(precision) for precision in precisions]
    return [model, *(one for one in model.variants.values() if backend in one.meta["suits"])]


def measure_chips(subjects: Sequence[Subject], threads: int) -> dict[tuple[bool, str], Chip]:
    """Measure the peak for each precision, by whether it is of the GPU, and the precision."""
    kinds = dict.fromkeys(_chip_of(one) for one in subjects)
    on_cpu = [name for name in dict.fromkeys(one.backend for one in subjects) if name != "cuda"]
    chips = {}
    with progress_bar("measuring the processor", len(kinds)) as advance:
        for is_gpu, precision in kinds:
            chip = measure_gpu(precision) if is_gpu else measure_cpu(precision, threads, on_cpu)
            chips[is_gpu, precision] = chip
            advance()
    return chips


def _chip_of(subject: Subject) -> tuple[bool, str]:
    return subject.backend == "cuda", subject.file.precision


def measure(
    subjects: Sequence[Subject], chips: Mapping[tuple[bool, str], Chip], batches: Sequence[int], runs: int
) -> list[Latency]:
    """Time each model at each batch size; ``chips`` are those of :func:`measure_chips`."""
    found = []
    with progress_bar("timing", len(subjects) * len(batches)) as advance:
        for subject in subjects:
            work = count_work(subject.file)
            for size in batches:
                found.append(time_calls(subject, work, size, runs, chips[_chip_of(subject)]))
                advance()
    return found


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
        if not is_convolution(node):
            continue
        before, kernel, after = (shapes[name] for name in (node.input[0], node.input[1], node.output[0]))
        flops += 2.0 * float(np.prod(kernel)) * float(np.prod(after[2:]))
        activations += size * float(np.prod(before) + np.prod(after))
        kernels += size * float(np.prod(kernel))
    return Work(flops, activations, kernels)


def time_calls(subject: Subject, work: Work, batch: int, runs: int, chip: Chip) -> Latency:
    """Time ``runs`` calls of ``batch`` crops after a warm-up, with copies to and from the chip."""
    crops = noise_crops(batch)[:, None]
    times = list(islice(call_times(subject.session, crops), _WARM_UP, _WARM_UP + runs))
    moved = batch * work.activation_bytes + work.kernel_bytes
    return Latency(
        subject.backend,
        subject.file.name,
        subject.file.precision,
        batch,
        work.gmac,
        float(np.median(times)),
        float(np.percentile(times, 95)),
        1000 * batch * work.flops / chip.flops,
        None if chip.bytes_s is None else 1000 * moved / chip.bytes_s,
    )


def _table(found: Sequence[Latency], chips: Sequence[Chip]) -> Table:
    peaks = "; ".join(
        f"{chip.precision} {chip.flops / 1e12:.3g} TOP/s ({chip.measured_by})"
        + ("" if chip.bytes_s is None else f", {chip.bytes_s / 1e12:.3g} TB/s")
        for chip in chips
    )
    names = ", ".join(dict.fromkeys(chip.name for chip in chips))
    table = Table(
        caption=f"{names}. Measured peak: {peaks}; a multiplication with addition is two operations. "
        "Milliseconds of calls one after another, and the least that the convolutions take at the peak.",
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
    )
    table.add_column("model")
    with_memory = any(one.memory_ms is not None for one in found)
    limits = ("arithmetic", "memory") if with_memory else ("arithmetic",)
    for header in ("batch", "GMAC/crop", "median", "p95", *limits, "share"):
        table.add_column(header, justify="right")
    for one in found:
        figures = [one.gmac, one.median_ms, one.p95_ms, one.arithmetic_ms]
        cells = [f"{figure:.3f}" for figure in figures]
        if with_memory:
            cells.append("" if one.memory_ms is None else f"{one.memory_ms:.3f}")
        label = f"{one.model} {one.precision}, {one.backend}"
        table.add_row(label, str(one.batch), *cells, f"{one.share:.0%}")
    return table


if __name__ == "__main__":
    run_command(main)
