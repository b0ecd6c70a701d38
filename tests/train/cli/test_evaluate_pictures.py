"""``evaluate MODEL --images DIR``: pictures of one's own, with shipped weights and those of a run."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tiny import draw_face, face_points
from tests.train.cli.runner import Runner, dry_run, is_one_line
from tests.train.evaluation.examples import line, write
from train.evaluation import own_detector

pytest.importorskip("torch")


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a face, a picture without one and a damaged file, for a tracker that knows them."""
    folder = tmp_path / "mine"
    folder.mkdir()
    face = face_points()
    assert cv2.imwrite(str(folder / "face.png"), draw_face(face))
    assert cv2.imwrite(str(folder / "wall.png"), np.full((60, 80, 3), 90, np.uint8))
    (folder / "bad.jpg").write_bytes(b"no picture")
    rows = [line("bad.jpg", error="cannot read bad.jpg"), line("face.png", face), line("wall.png")]

    def track(asked: Path, _model: str, json_path: Path, _images: int | None = None) -> None:
        there = [row for row in rows if any(f'"{path.name}"' in row for path in asked.iterdir())]
        write(json_path, *there)

    monkeypatch.setattr(own_detector, "track_folder", track)
    return folder


def marked_alone(out: str, marked: Path) -> None:
    """Check that the one face is in the folder, and that the other pictures are told."""
    assert "wall.png: no face found" in out
    assert "bad.jpg: cannot read bad.jpg" in out
    assert [path.name for path in marked.iterdir()] == ["face.png.png"]
    assert cv2.imread(str(marked / "face.png.png")) is not None


@pytest.mark.parametrize("model", ["nose-funnel", "nose-fan", "face58"])
def test_networks_of_the_imm_database_show_their_points(
    run: Runner, tiny_imm: Path, pictures: Path, tmp_path: Path, model: str
) -> None:
    marked = tmp_path / "marked"
    code, out, err = run("evaluate", model, "--data", tiny_imm, "--images", pictures, "--marked", marked)
    assert code == 0, err
    marked_alone(out, marked)


@pytest.mark.slow
def test_the_checkpoint_of_a_run_shows_its_points(
    run: Runner, tiny_300w: Path, pictures: Path, tmp_path: Path
) -> None:
    runs, page, marked = tmp_path / "run", tmp_path / "report.html", tmp_path / "marked"
    everything = ("--set", "stages.0.sets=", "--set", "stages.1.sets=")
    assert run("unet-light", *dry_run(tiny_300w, runs, *everything))[0] == 0
    (runs / "unet-light.safetensors").unlink()  # as in the middle of a run
    weights = ("--weights", runs / "last.ckpt", "--only", "label-box")
    outputs = ("--images", pictures, "--report", page, "--marked", marked)
    code, out, err = run("evaluate", "unet-light", "--data", tiny_300w, *weights, *outputs)
    assert code == 0, err
    marked_alone(out, marked)
    text = page.read_text(encoding="utf-8")
    for expected in ("Training", "face.png", "cannot read bad.jpg"):  # also the log beside the checkpoint
        assert expected in text
    code, _, err = run("evaluate", "unet", "--data", tiny_300w, *weights)
    assert code == 1
    assert is_one_line(err)
    assert "it is the checkpoint of a run of unet-light" in err


def test_a_folder_without_a_face_ends_before_anything_is_measured(
    run: Runner, tiny_imm: Path, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "face.png").unlink()
    arguments = ("--data", tiny_imm, "--images", pictures, "--marked", tmp_path / "marked")
    code, out, err = run("evaluate", "nose-fan", *arguments)
    assert (code, out) == (1, "")
    assert is_one_line(err)
    assert "shows no face: bad.jpg: cannot read bad.jpg; wall.png: no face found" in err
    assert not list((tmp_path / "marked").iterdir())
