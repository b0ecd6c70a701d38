"""The tutorial for points of one's own, as printed: from a drawn folder to points in a clip."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from docs.tools.shapes import HOUSE, SCHEME
from tests.cli import REPO
from tracker.scheme.toml import read_scheme

PAGE = (REPO / "docs" / "own-points.md").read_text("utf-8")


def commands() -> list[list[str]]:
    """Return the commands of the page's shell blocks, word by word, without the installation."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [shlex.split(line) for line in lines if not line.startswith("pip install")]


def weights() -> dict[str, bytes]:
    """Return what is in every shipped file."""
    return {path.name: path.read_bytes() for path in (REPO / "weights").iterdir()}


def test_the_schemes_file_on_the_page_is_the_one_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text(SCHEME, encoding="utf-8")
    assert SCHEME in PAGE
    scheme = read_scheme(tmp_path / "house.toml")
    assert scheme.n_points == len(HOUSE)
    np.testing.assert_allclose(HOUSE[list(scheme.mirror or ())] * (-1, 1), HOUSE)


@pytest.mark.slow
def test_the_page_leads_from_a_folder_to_points_in_a_clip(tmp_path: Path) -> None:
    before = weights()
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    for words in commands():
        program = [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]
        done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    assert weights() == before
    with (tmp_path / "shapes" / "clip.csv").open(newline="") as file:
        truth = np.array([row[1:] for row in list(csv.reader(file))[1:]], float).reshape(-1, *HOUSE.shape)
    lines = [json.loads(line) for line in (tmp_path / "house.jsonl").read_text("utf-8").splitlines()]
    frames = [line for line in lines if "faces" in line]
    assert len(frames) == len(truth)
    assert {line["scheme"] for line in frames} == {"house"}
    found = np.array([line["faces"][0]["landmarks"] for line in frames])
    assert np.linalg.norm(found - truth, axis=2).max() < 2.0
    for name in ("predictions.png", "card.md", "curves.png", "samples-plain.png"):
        assert (tmp_path / "runs" / "house" / name).stat().st_size
