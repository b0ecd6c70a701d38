"""The dry runs of README.md and docs/train.md lower the validation loss, and end with a file that runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.train.cli.runner import Runner

pytest.importorskip("torch")

import torch

from export.landmarks import export_onnx, load_contract
from export.study import write_study
from tracker.inference.backends import open_session
from train.metrics import Float64Array
from train.models.load import load_network
from train.training.log import read_log

pytestmark = pytest.mark.slow

LABELLED_ONLY = ("--set", "stages.0.sets=", "--set", "stages.1.sets=")
"""The faces there are, where a recipe also names those that a teacher labels."""


def trained(run: Runner, out: Path, data: Path, *command: object) -> Float64Array:
    """Train by ``command`` and return the validation loss before the first step and after each epoch."""
    code, _, err = run(*command, "--data", data, "--out", out, "--threads", 1)
    assert code == 0, err
    log = read_log(out / "log.csv")
    assert log["lr"][-1] > 0
    return log["validation_loss"]


@pytest.mark.parametrize(("model", "more"), [("resnet18", ()), ("unet", ()), ("unet-light", LABELLED_ONLY)])
def test_a_tracker_model_learns_and_its_export_runs(
    run: Runner, tiny_300w: Path, tmp_path: Path, model: str, more: tuple[str, ...]
) -> None:
    """One step a stage, since 64 faces are one batch."""
    out = tmp_path / "runs" / model
    loss = trained(run, out, tiny_300w, model, "--limit", 64, "--epochs", 1, *more)
    assert loss[-1] < loss[0]
    export_onnx(load_contract(out / f"{model}.safetensors", model), tmp_path / f"{model}.onnx")
    session = open_session(tmp_path / f"{model}.onnx", "cpu", 1)
    points, presence = session.run(np.zeros((1, 1, 224, 224), np.uint8))
    assert np.isfinite(points).all()
    assert 0 <= presence[0] <= 1


@pytest.mark.parametrize(
    ("model", "command"),
    [
        ("nose-funnel", ("nose", "--variant", "funnel")),
        ("nose-fan", ("nose", "--variant", "fan")),
        ("face58", ("face58",)),
    ],
)
def test_a_network_that_begins_at_the_mean_face_beats_it_in_ten_epochs(
    run: Runner, tiny_imm: Path, tmp_path: Path, model: str, command: tuple[str, ...]
) -> None:
    out = tmp_path / "runs" / model
    loss = trained(run, out, tiny_imm, *command, "--limit", 24, "--epochs", 10)
    assert loss[-1] < loss[0]
    write_study(out / f"{model}.safetensors", model, tmp_path / "export")
    exported = load_network(model, tmp_path / "export" / f"{model}.safetensors")
    size = exported.size
    points = exported.network(torch.zeros(1, 1, size * 3 // 4, size, dtype=torch.uint8)).points
    assert torch.isfinite(points).all()
