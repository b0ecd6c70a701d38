"""The command ``python -m export parity``."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")


from export import parity
from tests.export.models import Run, contents


@pytest.mark.slow
def test_every_file_has_a_row_and_nothing_is_written(
    run: Run, weights: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(weights)
    run("parity", "--data", data, "--weights", weights, "--backend", "cpu")
    assert contents(weights) == before
    out = capsys.readouterr().out
    assert "fp32" in out
    assert "int8" in out


@pytest.mark.slow
def test_a_broken_float32_file_ends_with_an_error(
    run: Run, weights: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parity, "PARITY_PX", -1.0)
    with pytest.raises(SystemExit):
        run("parity", "--data", data, "--weights", weights, "--backend", "cpu", "--limit", 1)
    assert "error: float32 points differ from torch: resnet18 on cpu" in capsys.readouterr().err
