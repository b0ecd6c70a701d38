"""The wheel: its files, and a run in an empty folder without the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest

from tests.faces import astronaut

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_contains_the_package_and_the_weights_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"tracker", "tracker-0.1.0.dist-info"}
    shipped = {Path(name).name for name in names if name.startswith("tracker/_weights/")}
    assert shipped == {path.name for path in (REPO / "weights").iterdir()}
    assert "tracker/py.typed" in names


@pytest.mark.slow
def test_the_wheel_runs_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(installed)
    empty.mkdir()
    cv2.imwrite(str(empty / "face.png"), astronaut())
    command = [
        sys.executable,
        "-c",
        "from tracker.cli.main import main; main()",
        "--images",
        ".",
        "--json",
        "o.jsonl",
    ]
    # An editable install puts the repository on sys.path; the unpacked wheel must come first.
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=empty, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(json.loads((empty / "o.jsonl").read_text())["faces"]) == 1
