"""The command line with models and detectors of one's own, and with boxes of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.cli import assert_one_line_error, json_lines, run_cli
from tests.own_models import OFFSETS, spot, write_spot_model
from tracker.reports.model_info import describe_model

FRAMES = 9


def place(index: int) -> tuple[float, float]:
    """Return where the spot of a picture is, pixels."""
    return 110 + 4.0 * index, 120 + 2.0 * index


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, a film of numbered pictures, and pictures."""
    folder = tmp_path_factory.mktemp("spots")
    about = {"name": "spot finder", "licence": "CC0", "precision": "fp32", "training": {"pictures": 50}}
    write_spot_model(folder / "spot.onnx", about=about)
    (folder / "pictures").mkdir()
    for index in range(FRAMES):
        assert cv2.imwrite(str(folder / f"f_{index:02d}.png"), spot(place(index)))
    for index in range(3):
        assert cv2.imwrite(str(folder / "pictures" / f"p{index}.png"), spot(place(index)))
    return folder


def track(folder: Path, *arguments: object) -> Any:
    return run_cli(*map(str, arguments), "--model", str(folder / "spot.onnx"))


def film(folder: Path) -> tuple[object, ...]:
    return folder / "f_%02d.png", "--fps", 25, "--no-window", "--smoothing", "off"


def middles(path: Path) -> list[list[float] | None]:
    """Return the middle point of the face of each line, None where there is no face."""
    return [line["faces"][0]["landmarks"][4] if line["faces"] else None for line in json_lines(path)]


def test_a_film_is_tracked_by_a_model_of_ones_own(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    done = track(folder, *film(folder), "--detector", "none", "--json", out)
    assert (done.exit_code, done.stderr) == (0, "")
    found = middles(out)
    assert len(found) == FRAMES
    for index, point in enumerate(found):
        assert point is not None
        assert np.abs(np.subtract(point, place(index))).max() < 0.1
    assert all(len(line["faces"][0]["landmarks"]) == len(OFFSETS) for line in json_lines(out))


def test_resume_notices_another_model(folder: Path, tmp_path: Path) -> None:
    model = write_spot_model(tmp_path / "spot.onnx")
    out = tmp_path / "o.jsonl"
    source = (*map(str, film(folder)), "--detector", "none", "--json", str(out), "--model", str(model))
    assert run_cli(*source, "--resume").exit_code == 0
    assert run_cli(*source, "--resume").exit_code == 0
    write_spot_model(model, offsets=OFFSETS * 0.99)
    done = run_cli(*source, "--resume")
    assert_one_line_error(done, "cannot resume", "sha256 was")


def test_boxes_of_frames_start_a_track(folder: Path, tmp_path: Path) -> None:
    (boxes := tmp_path / "b.csv").write_text("frame,x0,y0,x1,y1\n2,90,90,150,160\n12,1,1,9,9\n")
    out = tmp_path / "o.jsonl"
    done = track(folder, *film(folder), "--boxes", boxes, "--json", out)
    assert done.exit_code == 0
    assert [point is not None for point in middles(out)] == [False, False, *[True] * (FRAMES - 2)]
    assert done.stderr == "tracker: b.csv has boxes up to frame 12, and the video has 9 frames, from 0\n"


def test_boxes_of_pictures_are_taken_by_name(folder: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "b.jsonl"
    rows = [{"image": f"{name}.png", "x0": 90, "y0": 90, "x1": 150, "y1": 150} for name in ("p0", "q")]
    boxes.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = tmp_path / "o.jsonl"
    done = track(folder, folder / "pictures", "--boxes", boxes, "--json", out)
    assert done.exit_code == 0
    assert [point is not None for point in middles(out)] == [True, False, False]
    assert "1 names in b.jsonl are of no picture here, such as 'q.png'" in done.stderr
    assert "2 pictures have no box in b.jsonl, such as 'p1.png'" in done.stderr
    quiet = track(folder, folder / "pictures", "--boxes", boxes, "--json", out, "--quiet")
    assert "q.png" in quiet.stderr
    assert "p1.png" not in quiet.stderr


def test_boxes_of_another_kind_or_a_wrong_line_are_one_line(folder: Path, tmp_path: Path) -> None:
    (frames := tmp_path / "frames.csv").write_text("frame,x0,y0,x1,y1\n0,1,2,30,40\n")
    (images := tmp_path / "images.csv").write_text("image,x0,y0,x1,y1\na.png,1,2,30,40\n")
    (wrong := tmp_path / "wrong.csv").write_text("frame,x0,y0,x1,y1\n0,1,2,30\n")
    json = ("--json", tmp_path / "o.jsonl")
    pictures = folder / "pictures"
    assert_one_line_error(track(folder, pictures, "--boxes", frames, *json), "frames.csv", "field image")
    assert_one_line_error(track(folder, *film(folder), "--boxes", images, *json), "images.csv", "field frame")
    assert_one_line_error(track(folder, *film(folder), "--boxes", wrong, *json), "wrong.csv, line 2")
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a.mp4", "--boxes", "b.csv", "--detector", "none", "--json", "o"), "place of a detector"),
        (("--camera", "0", "--boxes", "b.csv"), "one video, or of pictures"),
        (("a.mp4", "b.mp4", "--boxes", "b.csv"), "one video, or of pictures"),
        (("a.mp4", "--boxes", "", "--json", "o"), "the name is empty"),
        (("a.mp4", "--detector", "none", "--max-faces", "2", "--json", "o"), "leave --max-faces out"),
        (("batch", "a", "--output", "o", "--detector", "none", "--max-faces", "2"), "leave --max-faces out"),
        (("a.mp4", "--detector", "yolo", "--json", "o"), "none of blazeface"),
    ],
)
def test_wrong_combinations_are_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    done = run_cli(*arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", [("pictures",), ("batch", "pictures", "--output", "out"), ("info",)])
def test_a_model_that_cannot_be_used_is_one_line(
    folder: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "pictures").symlink_to(folder / "pictures")
    (tmp_path / "bad.onnx").write_bytes((folder / "spot.onnx").read_bytes()[:300])
    for name in ("bad.onnx", "none.onnx"):
        model = (name,) if command == ("info",) else ("--model", name)
        more = ("--json", "o.jsonl") if command == ("pictures",) else ()
        assert_one_line_error(run_cli(*command, *model, *more, cwd=tmp_path), f"{name} ")


def test_a_batch_runs_a_model_of_ones_own_and_notices_another(folder: Path, tmp_path: Path) -> None:
    model = write_spot_model(tmp_path / "spot.onnx")
    pictures = str(folder / "pictures")

    def status_of_batch() -> str:
        options = ("--output", "out", "--detector", "none", "--jobs", "1", "--model", "spot.onnx", "--quiet")
        assert run_cli("batch", pictures, *options, cwd=tmp_path).exit_code == 0
        return (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[2]

    assert [status_of_batch(), status_of_batch()] == ["done", "done before"]
    write_spot_model(model, offsets=OFFSETS * 0.99)
    assert status_of_batch() == "done"


def test_info_describes_a_model(folder: Path) -> None:
    done = run_cli("info", str(folder / "spot.onnx"))
    assert done.exit_code == 0
    for words in (
        "model        spot finder",
        "licence      CC0",
        "precision  fp32",
        "points       spot (5 points)",
        "input        crop uint8 (N, 1, 224, 224)",
        "measured     nothing",
        "  pictures: 50",
    ):
        assert words in done.stdout
    shipped = describe_model("resnet18")
    for words in ("ibug68 (68 points)", "eyes, mouth, pose", "the distance of points 36 and 45", "int8"):
        assert words in shipped


def test_info_shows_no_control_characters(tmp_path: Path) -> None:
    about = {"training": {"data\x1b[31m": "\x1b]0;title\x07" + "x" * 1000}}
    shown = describe_model(str(write_spot_model(tmp_path / "a.onnx", about=about)))
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 400
