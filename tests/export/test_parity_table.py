"""The command ``python -m export parity``."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")


from export import parity
from tests.export.models import Run
from tracker.inference.weights import find_model


@pytest.mark.slow
def test_the_loss_is_recorded_for_all_faces_only(
    run: Run, weights: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("parity", "--data", data, "--weights", weights, "--backend", "cpu")
    run(*options, "--limit", 2)
    assert "nme_loss" not in find_model("resnet18", "landmarks", weights).variants["int8"].meta
    run(*options)
    assert "nme_loss" in find_model("resnet18", "landmarks", weights).variants["int8"].meta
    assert "noted in the manifest: resnet18 int8" in capsys.readouterr().out


@pytest.mark.slow
def test_a_broken_float32_file_ends_with_an_error(
    run: Run, weights: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parity, "PARITY_PX", -1.0)
    with pytest.raises(SystemExit):
        run("parity", "--data", data, "--weights", weights, "--backend", "cpu", "--limit", 1)
    assert "error: float32 points differ from torch: resnet18 on cpu" in capsys.readouterr().err
