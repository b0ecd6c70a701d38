"""Loading of trained networks with their scheme: files that are none name what to give instead."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from train.errors import RunError
from train.models.registry import build
from train.models.trained import load_trained
from train.training.run import write_weights


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with the weights of a run, and what else lies in one."""
    write_weights(build("unet-light", 9), 64, tmp_path / "own.safetensors", {"model": "unet-light"})
    (tmp_path / "last.ckpt").write_bytes(b"PK" + bytes(100))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "reason"),
    [("last.ckpt", "does not tell its scheme"), ("", "is a folder"), ("own.onnx", "is not there")],
)
def test_another_file_of_a_run_leads_to_its_weights(run: Path, name: str, reason: str) -> None:
    with pytest.raises(RunError) as caught:
        load_trained(run / name)
    assert reason in str(caught.value)
    assert str(caught.value).endswith(f": give {run / 'own.safetensors'}")


def test_without_weights_beside_it_the_kind_of_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(bytes(50))
    with pytest.raises(RunError, match=r"or is damaged: give the \.safetensors file that a finished run"):
        load_trained(tmp_path / "a.safetensors")


def test_weights_without_a_record_are_refused_with_those_that_have_one(run: Path) -> None:
    write_weights(build("unet-light", 9), 64, run / "own.safetensors", {})
    with pytest.raises(RunError, match="give weights that `python -m train points` wrote"):
        load_trained(run / "own.safetensors")
