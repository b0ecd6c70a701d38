import json
import os
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from lightning_fabric import Fabric
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from tests.train.training.runs import Faces
from train.config import Stage, TrainConfig
from train.errors import RunError
from train.training import run
from train.training.folder import alone_in
from train.training.options import RunOptions
from train.training.run import resolve_precision, run_training, write_weights
from train.training.task import Task, landmark_task

CONFIG = TrainConfig("tiny", (Stage(32, 1, 1e-2),), precision="32-true")


@pytest.fixture
def task(faces: Faces) -> Task:
    """A task that is not read."""
    return landmark_task(CONFIG, *faces)


@pytest.mark.parametrize(
    ("cuda", "cuda_native", "avx512", "amx", "expected"),
    [
        (False, False, False, False, "32-true"),
        (False, False, True, False, "bf16-mixed"),
        (False, False, False, True, "bf16-mixed"),
        (True, True, False, False, "bf16-mixed"),
        (True, False, True, True, "32-true"),
    ],
)
def test_automatic_precision_follows_the_hardware(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, cuda_native: bool, avx512: bool, amx: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    # Emulated bfloat16 must not count as native.
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation or cuda_native
    )
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": avx512, "amx_tile": amx})
    assert resolve_precision("auto") == expected
    assert resolve_precision("32-true") == "32-true"


def test_the_same_weights_are_the_same_file_with_their_record(tmp_path: Path) -> None:
    network, record = nn.Linear(3, 2), {"kind": "training run", "sessions": [{"command": "train é"}]}
    files = [tmp_path / f"{number}.safetensors" for number in range(6)]
    for path in files:
        write_weights(network, 64, path, record)
    assert len({path.read_bytes() for path in files}) == 1
    with safe_open(files[0], "pt") as file:
        assert file.metadata()["size"] == "64"
        assert json.loads(file.metadata()["run"]) == record
    assert torch.equal(load_file(files[0])["weight"], network.weight)
    write_weights(network, 64, files[0])
    with safe_open(files[0], "pt") as file:
        assert file.metadata() == {"size": "64"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no locks for folders")
def test_the_folder_is_the_runs_own_until_the_weights_are_written(
    task: Task, fabric: Fabric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run could begin in between, and its folder would get the weights of this one."""
    written = []

    def write(_model: nn.Module, _size: int, path: Path, _record: object) -> None:
        with pytest.raises(RunError, match="another run is writing to"), alone_in(path.parent, fabric):
            pass
        written.append(path)

    monkeypatch.setattr(run, "train", lambda _config, model, *_: model)
    monkeypatch.setattr(run, "write_weights", write)
    out = tmp_path / "out"
    assert run_training(CONFIG, lambda: nn.Linear(3, 2), task, RunOptions(out)) == written[0]
    with alone_in(out, fabric):
        assert written == [out / "tiny.safetensors"]


def test_a_run_without_a_network_leaves_no_folder(task: Task, tmp_path: Path) -> None:
    def build() -> nn.Module:
        raise RunError("--init own.onnx cannot be read")

    with pytest.raises(RunError, match="cannot be read"):
        run_training(CONFIG, build, task, RunOptions(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []
