from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.faces import astronaut
from tests.tiny import write_300w
from tests.train.cli.runner import Runner


@pytest.mark.slow
def test_a_network_trains_on_pseudo_labels(run: Runner, tmp_path: Path) -> None:
    """Runs the command that labels and the command that trains, on drawn faces."""
    pytest.importorskip("torch")
    data = write_300w(tmp_path / "data", train=8)
    (data / "fairface").mkdir()
    for i in range(3):
        cv2.imwrite(str(data / "fairface" / f"{i}.png"), np.roll(astronaut(), 3 * i, axis=1))
    labels, out = tmp_path / "pseudo.jsonl", tmp_path / "out"
    short = ("--limit", 200, "--epochs", 1, "--threads", 1)
    size = tmp_path / "small.py"
    size.write_text(
        "from dataclasses import replace\nfrom train.config import Stage\n"
        "from train.configs.resnet18 import CONFIG\n"
        "CONFIG = replace(CONFIG, stages=(Stage(32, 1, 1e-3, ('pseudo',)),))\n"
    )
    code, printed, err = run("pseudo-label", "--data", data, "--teacher", "resnet18", "--out", labels)
    assert code == 0, err
    assert "3 faces" in printed
    options = ("--data", data, "--out", out, "--config", size, "--pseudo", labels, "--keep", 1, *short)
    code, _, err = run("resnet18", *options)
    assert code == 0, err
    assert (out / "resnet18.safetensors").is_file()
