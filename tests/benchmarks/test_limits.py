"""Latency against the limits of arithmetic and memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
import typer
from torch import nn
from typer.testing import CliRunner

from benchmarks import limits
from benchmarks.limits import Chip, Latency, count_work, measure_chip, time_calls
from tracker.errors import WeightsError
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


def test_a_chip_has_a_plausible_speed() -> None:
    chip = measure_chip("cpu", "fp32", threads=1, side=256)
    assert 1e8 < chip.flops < 1e13
    assert 1e8 < chip.bytes_s < 1e13


@pytest.mark.slow
def test_limits_grow_with_the_batch_except_for_kernels() -> None:
    file, chip = find_model("unet-light", "landmarks"), Chip("a chip", "fp32", 1e12, 1e11)
    session = open_session(file.verified(), "cpu", 1)
    one, four = (time_calls(file, session, count_work(file), batch, 3, chip) for batch in (1, 4))
    assert four.arithmetic_ms == pytest.approx(4 * one.arithmetic_ms)
    assert one.memory_ms < four.memory_ms < 4 * one.memory_ms
    assert 0 < one.median_ms <= one.p95_ms


def test_the_share_is_that_of_the_higher_limit() -> None:
    assert Latency("m", "fp32", 1, 4.0, 5.0, 1.0, 2.0).share == 0.5


@pytest.mark.slow
def test_the_command_writes_what_it_measured(tmp_path: Path) -> None:
    path = tmp_path / "l.json"
    options = f"--backend cpu --model unet-light --batch 2 --runs 3 --threads 1 --json {path}"
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    report = json.loads(path.read_text())
    (latency,) = report["latencies"]
    assert (latency["model"], latency["precision"], latency["batch"]) == ("unet-light", "fp32", 2)
    assert latency["share"] > 0
    assert report["chips"][0]["precision"] == "fp32"


@pytest.mark.parametrize(
    ("options", "expected"),
    [(["--backend", "openvino"], SystemExit), (["--backend", "cpu", "--precision", "fp16"], WeightsError)],
)
def test_unsupported_options_are_refused(options: list[str], expected: type[BaseException]) -> None:
    result = CliRunner().invoke(app, [*options, "--model", "unet-light"])
    assert result.exit_code != 0
    assert isinstance(result.exception, expected)
