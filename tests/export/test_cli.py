from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("tflite")
pytest.importorskip("torch")

from export.cli import main
from export.options import WEIGHTS


@pytest.mark.parametrize("problem", ["no such file", "no folder"])
def test_unreadable_and_unwritable_files_are_refused_in_one_line(
    problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    source = tmp_path / "gone.whl" if problem == "no such file" else WEIGHTS / "blazeface-short.tflite"
    out = tmp_path / "file" / "weights" if problem == "no folder" else tmp_path
    monkeypatch.setattr(sys, "argv", ["export", "blazeface", "--wheel", str(source), "--out", str(out)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert str(tmp_path) in error
