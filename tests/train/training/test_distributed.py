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
from train.configs.loading import recipe
from train.models.load import load_network
from train.training.imm import train_imm
from train.training.options import RunOptions


def weights_of(out: Path) -> dict[str, Tensor]:
    return load_network("nose-fan", out / "nose-fan.safetensors").network.state_dict()


def run(data: Path, out: Path, *more: object) -> str:
    command = [sys.executable, "-m", "train", "nose", "--variant", "fan", "--data", data, "--out", out]
    options = ["--limit", 16, "--epochs", 2, "--threads", 1, *more]
    done = subprocess.run(
        [*map(str, command + options)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_share_the_work_and_write_once(tmp_path: Path) -> None:
    data = write_300w(write_imm(tmp_path / "imm"))
    printed = run(data, tmp_path / "two", "--devices", 2)
    assert printed.replace("\n", "").count("wrote ") == 1
    with (tmp_path / "two" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    weights = weights_of(tmp_path / "two")
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    # Two processes take half the steps of one, with twice the pictures each, so the weights differ.
    config = replace(recipe("nose", None, epochs=2), model="nose-fan")
    train_imm(config, data, 16, RunOptions(tmp_path / "one", threads=1))
    alone = weights_of(tmp_path / "one")
    assert any(not torch.equal(weights[name], alone[name]) for name in weights)
    run(data, tmp_path / "two", "--devices", 2, "--resume")
    assert all(torch.equal(weights[name], tensor) for name, tensor in weights_of(tmp_path / "two").items())
