"""Errors of a file name it once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from train.data import readers
from train.data.image_size import image_size
from train.data.text import read_text
from train.errors import TrainError, in_short
from train.evaluation.predictions import read_lines
from train.models.load import load_network, warm_start
from train.models.registry import build
from train.models.trained import load_trained, scheme_of_weights


def start_from(path: Path) -> object:
    return warm_start(build("unet-light"), path, lambda: torch.zeros(0))


def network_of(path: Path) -> object:
    return load_network("unet-light", path)


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (read_text, "none.txt"),
        (read_lines, "none.jsonl"),
        (image_size, "none.png"),
        (lambda path: readers.read_dlib_xml(path, "x"), "none.xml"),
        (scheme_of_weights, "none.onnx"),
        *((load_trained, name) for name in ("none.safetensors", "none.ckpt")),
        *((start_from, f"none{suffix}") for suffix in (".safetensors", ".onnx", ".pt")),
        *((network_of, f"none{suffix}") for suffix in (".safetensors", ".onnx", ".ckpt")),
    ],
)
def test_a_missing_file_is_named_once(tmp_path: Path, read: Callable[[Path], object], name: str) -> None:
    with pytest.raises(TrainError) as caught:
        read(tmp_path / name)
    assert str(caught.value).count(name) == 1
    assert "Errno" not in str(caught.value)


def test_the_reason_is_one_short_line() -> None:
    assert in_short(PermissionError(13, "Permission denied", "a.txt")) == "Permission denied"
    assert in_short(ValueError("two\n  lines")) == "two lines"
    assert len(in_short(RuntimeError("tensor, " * 100))) < 170
