"""One command on several processes, with the real launcher, sampler and files."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from tests.tiny import write_300w
from tests.train.imm_files import write_imm
from train.configs.loading import Changes, recipe
from train.models.load import load_network
from train.training.imm import train_imm
from train.training.options import LAST, RunOptions


def weights_of(out: Path) -> dict[str, Tensor]:
    return load_network("nose-fan", out / "nose-fan.safetensors").network.state_dict()


def start(data: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "train", "nose", "--variant", "fan", "--data", data, "--out", out]
    options = ["--limit", 16, "--epochs", 2, "--threads", 1, *more]
    return subprocess.run(
        [*map(str, command + options)], capture_output=True, text=True, timeout=300, check=False
    )


def run(data: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    done = start(data, out, *more)
    assert done.returncode == 0, done.stderr
    return done


def rows_of(out: Path) -> list[dict[str, float]]:
    with (out / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_300w(write_imm(tmp_path_factory.mktemp("imm")))


@pytest.mark.slow
def test_two_processes_share_each_batch_and_write_once(data: Path, tmp_path: Path) -> None:
    """This network has no batch normalisation, so two devices compute what one does, but for rounding."""
    two, one = tmp_path / "two", tmp_path / "one"
    done = run(data, two, "--devices", 2)
    assert done.stdout.replace("\n", "").count("wrote ") == 1
    assert "2 devices share each batch, 4 pictures each" in done.stderr
    config = replace(recipe("nose", None, Changes(epochs=2)), model="nose-fan")
    train_imm(config, data, 16, RunOptions(one, threads=1))
    shared, alone = rows_of(two), rows_of(one)
    assert [row["epoch"] for row in shared] == [0, 1, 2, 3, 4]
    for name in ("lr", "loss", "loss_coordinates", "validation_loss", "validation_error"):
        assert [row[name] for row in shared] == pytest.approx(
            [row[name] for row in alone], rel=1e-3, nan_ok=True
        ), name
    weights = weights_of(two)
    kept = load_network("nose-fan", two / LAST).network.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in kept.items())
    run(data, two, "--devices", 2, "--resume")
    assert all(torch.equal(weights[name], tensor) for name, tensor in weights_of(two).items())


FAULTY = """
import os
from dataclasses import replace
import torch
from train.configs.nose import CONFIG as SHIPPED
def faulty(output, points, is_face):
    loss = SHIPPED.loss(output, points, is_face)
    if torch.is_grad_enabled() and os.environ.get("LOCAL_RANK", "0") == "WHICH":
        FAULT
    return loss
CONFIG = replace(SHIPPED, loss=faulty)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rank", "fault", "expected"),
    [
        ("1", "return loss * float('nan')", "train: the loss is nan in epoch 1: begin again with a lower"),
        ("1", "raise torch.OutOfMemoryError('out of memory')", "train: process 2 of 2: there is not enough"),
        ("0", "raise torch.OutOfMemoryError('out of memory')", "train: there is not enough memory on cpu: "),
        ("1", "os.kill(os.getpid(), 9)", "train: another process of this run was ended by signal 9"),
    ],
)
def test_a_failure_of_one_process_is_one_line_and_ends_all(
    data: Path, tmp_path: Path, rank: str, fault: str, expected: str
) -> None:
    file = tmp_path / "faulty.py"
    file.write_text(FAULTY.replace("WHICH", rank).replace("FAULT", fault))
    done = start(data, tmp_path / "out", "--devices", 2, "--config", file)
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("train: ")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(expected)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_batch_that_devices_cannot_share_is_refused(data: Path, tmp_path: Path) -> None:
    done = start(data, tmp_path / "out", "--devices", 2, "--batch-size", 7)
    assert done.returncode == 1, done.stderr
    assert "2 devices cannot share batches of 7 evenly: give --batch-size 6 or 8" in done.stderr
    assert "Traceback" not in done.stderr
