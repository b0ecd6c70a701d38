import json
from pathlib import Path

import pytest

from tests.train.cli.runner import Runner
from train.data.splits import training_faces


def test_figures_are_printed_and_written(
    run: Runner, tiny_300w: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    faces = training_faces(tiny_300w)[0][:40]
    monkeypatch.setattr("train.data.splits.training_faces", lambda _: ([], faces))
    path = tmp_path / "p.json"
    code, printed, _ = run("presence", "unet-light", "--data", tiny_300w, "--draws", 2, "--json", path)
    assert code == 0
    report = json.loads(path.read_text())
    assert report["model"] == "unet-light"
    assert report["faces"] + report["others"] == 2 * len(faces)
    assert "percentage points" in printed
