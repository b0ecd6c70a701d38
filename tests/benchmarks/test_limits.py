"""Latency against the limits of arithmetic and memory."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch
import typer
from onnx import numpy_helper
from torch import nn
from typer.testing import CliRunner

from benchmarks import limits
from benchmarks.chip import Chip, measure_cpu, probes
from benchmarks.limits import Latency, Subject, count_work, cpu_backends, files_for, time_calls
from tracker.errors import BackendError, WeightsError
from tracker.inference.backends import open_session
from tracker.inference.weights import find_model
from train.models.load import load_network

app = typer.Typer()
app.command()(limits.main)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "unet", "unet-light"])
def test_work_equals_the_count_of_torch(name: str) -> None:
    """torch counts layer by layer while the network runs."""
    loaded = load_network(name)
    counted = {"flops": 0.0, "floats": 0.0, "kernels": 0.0}

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        assert isinstance(layer.weight, torch.Tensor)
        picture = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        counted["flops"] += 2 * layer.weight.numel() * picture.shape[2] * picture.shape[3]
        counted["floats"] += inputs[0].numel() + output.numel()
        counted["kernels"] += layer.weight.numel()

    for layer in loaded.network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        loaded.network(torch.zeros(1, 1, loaded.size, loaded.size))
    work = count_work(find_model(name, "landmarks"))
    assert work.flops == counted["flops"]
    assert work.activation_bytes == 4 * counted["floats"]
    assert work.kernel_bytes == 4 * counted["kernels"]
    assert work.gmac == counted["flops"] / 2e9
    small = count_work(find_model(name, "landmarks").in_precision("int8"))
    assert (small.flops, small.kernel_bytes) == (work.flops, counted["kernels"])


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_chip_has_a_plausible_speed(precision: str) -> None:
    chip = measure_cpu(precision, threads=1, backends=cpu_backends(), side=256)
    assert 1e8 < chip.flops < 1e14
    assert chip.precision == precision
    assert chip.bytes_s is None
    what, _, by = chip.measured_by.partition(", ")
    assert what in ("matrix product", "3x3 convolution")
    assert by in (*cpu_backends(), "torch")
    assert by != "torch" or precision == "fp32"


def test_probes_compute_what_they_count() -> None:
    """The products by numpy, in float64, of the values that the codes stand for."""
    side = 64
    for precision, within in (("fp32", 1e-4), ("int8", 0.5001)):
        product, convolution = probes(precision, side)
        assert product.operations == 2 * side**3
        assert convolution.operations == 2 * 9 * 512 * 512 * 28 * 28
        (weights,) = (w for w in product.model.graph.initializer if w.name == "w")
        w = 1e-3 * np.round(numpy_helper.to_array(weights) / (1 if precision == "int8" else 1e-3))
        x = product.x.astype(float) if precision == "fp32" else 0.02 * (product.x.astype(float) - 128)
        found = run(product.model, product.x)
        expected = x @ w if precision == "fp32" else np.clip((x @ w) / 0.05 + 128, 0, 255)
        assert np.abs(found.astype(float) - expected).max() <= within


def run(model: onnx.ModelProto, x: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    (y,) = ort.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    return np.asarray(y)


@pytest.mark.parametrize("threads", [1, 2])
def test_eight_bits_run_as_eight_bits(threads: int, tmp_path: Path) -> None:
    """ONNX Runtime writes the graph it runs: no convolution or product of real numbers is left."""
    for probe in probes("int8", 64):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.optimized_model_filepath = str(tmp_path / "run.onnx")
        ort.InferenceSession(probe.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        operators = {node.op_type for node in onnx.load(tmp_path / "run.onnx").graph.node}
        assert operators & {"QLinearConv", "QLinearMatMul"}
        assert operators.isdisjoint({"Conv", "MatMul", "DequantizeLinear"})


def test_the_files_of_a_backend_are_those_it_has_use_for() -> None:
    model = find_model("resnet18", "landmarks")
    assert [one.precision for one in files_for(model, "cpu", None)] == ["fp32", "int8"]
    assert [one.precision for one in files_for(model, "cuda", None)] == ["fp32"]
    assert [one.precision for one in files_for(model, "cuda", ["int8"])] == ["int8"]


@pytest.mark.slow
def test_limits_grow_with_the_batch_except_for_kernels() -> None:
    file, chip = find_model("unet-light", "landmarks"), Chip("a chip", "fp32", 1e12, 1e11, "a product")
    subject = Subject("cpu", file, open_session(file.verified(), "cpu", 1))
    one, four = (time_calls(subject, count_work(file), batch, 3, chip) for batch in (1, 4))
    assert one.arithmetic_ms == pytest.approx(1000 * count_work(file).flops / 1e12)
    assert four.arithmetic_ms == pytest.approx(4 * one.arithmetic_ms)
    assert one.memory_ms is not None
    assert four.memory_ms is not None
    assert one.memory_ms < four.memory_ms < 4 * one.memory_ms
    assert 0 < one.median_ms <= one.p95_ms


def test_the_share_is_that_of_the_higher_limit() -> None:
    assert Latency("cuda", "m", "fp32", 1, 0.1, 4.0, 5.0, 1.0, 2.0).share == 0.5
    assert Latency("cpu", "m", "fp32", 1, 0.1, 4.0, 5.0, 1.0, None).share == 0.25


@pytest.mark.slow
def test_the_command_writes_what_it_measured(tmp_path: Path) -> None:
    path = tmp_path / "l.json"
    options = f"--model unet-light --batch 2 --runs 3 --threads 1 --json {path}"
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    report = json.loads(path.read_text())
    assert {(one["backend"], one["precision"]) for one in report["latencies"]} == set(
        itertools.product(cpu_backends(), ("fp32", "int8"))
    )
    for one in report["latencies"]:
        assert (one["model"], one["batch"], one["memory_ms"]) == ("unet-light", 2, None)
        assert one["share"] == pytest.approx(one["arithmetic_ms"] / one["median_ms"])
    assert [chip["precision"] for chip in report["chips"]] == ["fp32", "int8"]
    assert all(chip["measured_by"] for chip in report["chips"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [(["--backend", "tpu"], BackendError), (["--backend", "cpu", "--precision", "fp16"], WeightsError)],
)
def test_unsupported_options_are_refused(options: list[str], expected: type[BaseException]) -> None:
    result = CliRunner().invoke(app, [*options, "--model", "unet-light"])
    assert result.exit_code != 0
    assert isinstance(result.exception, expected)
