"""``python -m tracker.steadiness``: measurements, errors and usage."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cache import Clips
from tests.cli import CliResult, assert_one_line_error, run_main, run_process
from tests.faces import astronaut
from tracker.cli.steadiness import main


def command(*args: object) -> CliResult:
    return run_main(main, *args, package="tracker.steadiness")


@pytest.mark.slow
def test_the_portrait_has_the_documented_jitter_and_lag(tmp_path: Path) -> None:
    done = command("--json", tmp_path / "o.json", "--smoothing", "off", "--smoothing", "low")
    assert done.exit_code == 0, done.stderr
    assert "resnet18, astronaut.jpg" in done.stdout
    off, low = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["rows"]
    assert (off["smoothing"], low["smoothing"]) == ("off", "low")
    assert low["jitter"] <= 0.12 < off["jitter"]
    assert max(low["slide_lag"], low["sway_lag"]) <= 1
    assert low["blink_kept"] >= 90


def test_a_video_is_measured(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(48, 30)
    done = command(video, "--frames", 40, "--json", tmp_path / "o.json", "--threads", 1)
    assert done.exit_code == 0, done.stderr
    report = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert report["source"] == video.name
    assert [row["smoothing"] for row in report["rows"]] == ["off", "low", "high"]
    assert [row["frames"] for row in report["rows"]] == [40] * 3
    points = [row["fast_points"] for row in report["rows"]]
    assert points == sorted(points, reverse=True)


def test_invalid_inputs_and_outputs_are_one_line_of_error(tmp_path: Path) -> None:
    grey, text, portrait = tmp_path / "grey.png", tmp_path / "text.mp4", tmp_path / "face.png"
    cv2.imwrite(str(grey), np.full((64, 64, 3), 90, np.uint8))
    cv2.imwrite(str(portrait), astronaut())
    text.write_text("no video")
    for args, words in (
        ([tmp_path / "gone.jpg"], ("cannot read", "gone.jpg", "No such file")),
        ([tmp_path / "gone.mp4"], ("cannot open", "gone.mp4", "No such file")),
        ([text], ("text.mp4", "not a video")),
        ([grey], ("no face", "grey.png")),
        ([portrait, "--model", "none"], ("unknown landmarks model", "resnet18")),
        ([portrait, "--json", tmp_path / "no" / "o.json"], ("cannot write", "o.json")),
        ([portrait, "--json", portrait], ("it is the input",)),
    ):
        assert_one_line_error(command(*args), *words, program="tracker.steadiness")


@pytest.mark.parametrize(
    "args", [("--smoothing", "much"), ("--frames", "3"), ("--threads", "-1"), ("a", "b")]
)
def test_wrong_usage_is_exit_code_2(args: tuple[str, ...]) -> None:
    assert command(*args).exit_code == 2


def test_the_module_can_be_run() -> None:
    done = run_process([sys.executable, "-m", "tracker.steadiness", "--frames", "3"])
    assert done.exit_code == 2
    assert "Usage: python -m tracker.steadiness" in done.stderr
