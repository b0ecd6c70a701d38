import json
from pathlib import Path

import pytest

from tests.train.cli.runner import Runner


def test_figures_are_printed_and_written(run: Runner, tiny_300w: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "quality.json"
    code, printed, _ = run("quality", "--data", tiny_300w, "--json", path)
    assert code == 0
    figures = json.loads(path.read_text())
    assert figures["model"] == "resnet18"
    assert sum(row["count"] for row in figures["table"]) == 68 * figures["faces"]
    assert f"tenth holds {100 * figures['error_in_worst']:.1f} %" in " ".join(printed.split())
