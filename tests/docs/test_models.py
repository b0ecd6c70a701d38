"""Examples of the page on models of one's own: each is read, and used as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli import REPO, json_lines, run_cli
from tests.faces import astronaut
from tests.own_models import OFFSETS, spot, write_2d106det, write_spot_model
from tracker.inference.description import read_notes
from tracker.inference.detection.known_boxes import read_boxes
from tracker.inference.detection.own_detector import CORNERS, UNITS, read_description
from tracker.inference.landmark_models import find_landmark_model
from tracker.scheme.fields import MOST_VALUES
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.toml import read_scheme

TEXT = (REPO / "docs" / "models.md").read_text(encoding="utf-8")
TABLES = {match[1]: match[0] for match in re.findall(r"```toml\n(# (\S+\.toml)\n.*?)```", TEXT, re.DOTALL)}


def write(folder: Path, name: str) -> Path:
    (path := folder / name).write_text(TABLES[name], encoding="utf-8")
    return path


def test_the_page_has_three_files() -> None:
    assert set(TABLES) == {"cat-points.toml", "2d106det.toml", "cats.toml"}
    assert MOST_VALUES > 1000


def test_the_page_names_all_shipped_schemes() -> None:
    listed = ", ".join(f"`{name}`" for name in SCHEMES)
    assert f"a shipped one ({listed})" in TEXT


def test_the_scheme_is_one(tmp_path: Path) -> None:
    scheme = read_scheme(write(tmp_path, "cat-points.toml"))
    assert (scheme.name, scheme.n_points, scheme.crop.box_margin) == ("cat", 9, 1.5)
    assert scheme.mirror is not None
    assert scheme.upright is not None


def test_the_described_model_runs(tmp_path: Path) -> None:
    # As wide as the crop is made for: it stays where the detector places it.
    values = np.random.default_rng(1).uniform(-1 / 1.5, 1 / 1.5, (106, 2))
    path = write_2d106det(tmp_path / "2d106det.onnx", values)
    write(tmp_path, "2d106det.toml")
    assert find_landmark_model(str(path)).scheme.crop.margin == 1.5
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    out = tmp_path / "o.jsonl"
    arguments = (tmp_path / "a.png", "--model", path, "--json", out)
    assert run_cli(*map(str, arguments)).exit_code == 0
    assert len(json_lines(out)[0]["faces"][0]["landmarks"]) == 106


def test_the_described_detector_is_read(tmp_path: Path) -> None:
    write(tmp_path, "cats.toml")
    described = read_description(tmp_path / "cats.onnx")
    assert described.picture.size == (320, 240)
    assert (described.boxes.scale, described.boxes.shift) == (0.9, (0.0, 0.05))
    for name in (*CORNERS, *UNITS):
        assert name in TEXT


@pytest.mark.parametrize("first", ["image,x0", '{"frame": 0'])
def test_the_boxes_are_read(tmp_path: Path, first: str) -> None:
    (block,) = re.findall(rf"```(?:json)?\n({re.escape(first)}.*?)```", TEXT, re.DOTALL)
    (path := tmp_path / "boxes").write_text(block, encoding="utf-8")
    assert sum(map(len, read_boxes(path).boxes.values())) == 2


def test_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write_spot_model(Path("cat.onnx"))
    cv2.imwrite("cat.jpg", spot((160, 120)))
    exec(compile(program, "models.md", "exec"), {})
    name, x, y = capsys.readouterr().out.replace("[", " ").replace("]", " ").split()
    assert name == "spot"
    # The picture is 320 pixels wide, and without a detector the crop around the points has 4 * 108 of them.
    expected = np.array([160, 120]) + OFFSETS[0] * 432 / 224
    assert np.abs(np.array([float(x), float(y)]) - expected).max() < 0.5


def test_a_file_with_a_scheme_and_a_crop_adds_to_a_model(tmp_path: Path) -> None:
    path = write_spot_model(tmp_path / "net.onnx", scheme=None)
    toml = '[scheme]\nname = "mine"\nn_points = 5\n[crop]\nmargin = 4.0\n'
    path.with_suffix(".toml").write_text(toml, encoding="utf-8")
    notes = read_notes(path)
    assert notes is not None
    assert notes.description is None
    assert find_landmark_model(str(path)).scheme.name == "mine"
