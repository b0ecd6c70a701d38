"""Lack of memory and divergence: one line with a remedy that works as typed."""

import math
import shlex
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

import torch
from lightning_fabric import Fabric

from tests.train.training.runs import CONFIG, Faces, StopsAt, log_of, network, train
from train.config import Stage
from train.errors import RunError
from train.training.options import RunOptions

FAILURES = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has 0 bytes free."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    MemoryError("Unable to allocate 4.00 GiB for an array"),
    cv2.error("OpenCV(4.11) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
    RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "),
)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("step", [0, 3])
def test_lack_of_memory_is_one_line_whose_remedy_works(
    faces: Faces, fabric: Fabric, tmp_path: Path, failure: Exception, step: int
) -> None:
    """In the first epoch the same folder is used again, later the checkpoint stays and another is named."""
    out = tmp_path / "run"
    with pytest.raises(
        RunError, match=r"not enough memory on cpu: begin again with --batch-size 2"
    ) as caught:
        train(network(), faces, RunOptions(out), fabric, loss=StopsAt(step, failure))
    assert "\n" not in str(caught.value)
    assert (out / "last.ckpt").exists() == (step > 2)
    remedy = shlex.split(str(caught.value).partition("again with ")[2])
    options = dict(zip(remedy[::2], remedy[1::2], strict=True))
    folder = Path(options.get("--out", str(out)))
    assert (folder == out) == (step < 2)
    config = replace(CONFIG, batch_size=int(options["--batch-size"]))
    train(network(), faces, RunOptions(folder), fabric, config)
    assert log_of(folder)[-1]["epoch"] == "4"


def test_other_errors_of_a_loss_are_not_hidden(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        train(network(), faces, RunOptions(tmp_path), fabric, loss=StopsAt(1, RuntimeError("mat1 and mat2")))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_diverging_run_ends_in_one_line_whose_remedy_is_a_lower_rate(
    faces: Faces, fabric: Fabric, tmp_path: Path, value: float
) -> None:
    model = network()
    model.head.bias.data[3] = value
    with pytest.raises(RunError, match=r"loss is (nan|inf) in epoch 1: .* --lr 0\.0025$"):
        train(model, faces, RunOptions(tmp_path), fabric)
    train(network(), faces, RunOptions(tmp_path), fabric, replace(CONFIG, stages=(Stage(32, 1, 0.0025),)))


def test_a_learning_rate_that_is_too_high_diverges(faces: Faces, fabric: Fabric, tmp_path: Path) -> None:
    """No injected fault: SGD at a huge rate leaves the numbers."""
    config = replace(CONFIG, stages=(Stage(32, 9, 1e30),), optimizer="sgd", weight_decay=0.0)
    with pytest.raises(RunError, match="begin again with a lower learning rate"):
        train(network(), faces, RunOptions(tmp_path), fabric, config)
